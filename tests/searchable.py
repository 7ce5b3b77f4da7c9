"""Searchable PDF files for tests, and what other programs see in them."""

import importlib
import io
import math
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from ferrocr import Line, Page, Word
from ferrocr.documents._pdf import placed
from ferrocr.formats import Sheet
from ferrocr.results import Point, Quad
from pdf_files import Sheet as PdfSheet
from pdf_files import make_pdf

Reader = Callable[[bytes], str]
"""Finds the text of a file's first page."""


@cache
def pdfium() -> Any:  # noqa: ANN401  # it brings no types
    """pypdfium2 with its helpers."""
    return importlib.import_module("pypdfium2")


@cache
def raw() -> Any:  # noqa: ANN401
    """PDFium itself."""
    return importlib.import_module("pypdfium2.raw")


WIDTH, HEIGHT = 600, 400
LETTER = 12.0
"""Pixels that a character is wide in these pages."""


def turned(x: float, y: float, width: float, height: float, angle: float) -> Quad:
    """A rectangle with its top left corner at a point, turned clockwise on the screen around it."""
    cos, sin = math.cos(angle), math.sin(angle)

    def corner(along: float, down: float) -> Point:
        return x + along * cos - down * sin, y + along * sin + down * cos

    return corner(0, 0), corner(width, 0), corner(width, height), corner(0, height)


def line_of(text: str, x: float, y: float, height: float = 20, angle: float = 0, letter: float = LETTER) -> Line:
    """A line whose characters are all as wide."""
    found, at = [], 0.0
    for word in text.split(" "):
        width = letter * len(word)
        where = x + at * math.cos(angle), y + at * math.sin(angle)
        found.append(Word(word, 1.0, turned(*where, width, height, angle)))
        at += width + letter
    return Line(text, 1.0, turned(x, y, at - letter, height, angle), tuple(found))


def rows(texts: Sequence[str]) -> Page:
    """A page with these lines, one below the other."""
    height = 40 * len(texts) + 20
    return Page(WIDTH, height, tuple(line_of(text, 20, 20 + 40 * row) for row, text in enumerate(texts)))


def blank(size: tuple[float, float] = (300, 200), more: str = "") -> bytes:
    """A file of one page with something drawn on it, and no text."""
    return make_pdf([PdfSheet("0.5 g 20 20 100 30 re f\n", size, more)])


def searchable(content: bytes, sheets: Sequence[Sheet], folder: Path) -> bytes:
    """The file with the sheets' text."""
    source = folder / "source.pdf"
    source.write_bytes(content)
    from ferrocr.formats.pdf import SearchablePdf

    out = io.BytesIO()
    with SearchablePdf(source) as pdf:
        for sheet in sheets:
            pdf.add(sheet)
        pdf.save(out)
    return out.getvalue()


def pdfium_text(content: bytes, number: int = 1) -> str:
    """What PDFium sees, with single line feeds."""
    with pdfium().PdfDocument(content) as document:
        text: str = document[number - 1].get_textpage().get_text_range()
        return text.replace("\r\n", "\n").strip()


def poppler_text(content: bytes) -> str:
    """What Poppler sees."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    done = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True, timeout=60)
    assert done.stderr == b""
    return done.stdout.decode().strip("\n\f")


def pypdf_text(content: bytes) -> str:
    """What pypdf sees."""
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    text: str = pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
    return text.strip()


def pdfminer_text(content: bytes) -> str:
    """What pdfminer.six sees."""
    extract = pytest.importorskip("pdfminer.high_level", reason="pdfminer.six is not installed").extract_text
    return "\n".join(line for line in extract(io.BytesIO(content)).strip().splitlines() if line)


def without_marks(text: str) -> str:
    """A text without the marks with which Poppler says how it runs."""
    return re.sub("[\u202a-\u202c]", "", text)


def present(*readers: Reader) -> list[Reader]:
    """Those whose program is installed: a test of several readers needs no skip for one of them."""
    return [reader for reader in readers if reader is not poppler_text or shutil.which("pdftotext") is not None]


READERS: dict[str, Reader] = {
    "pdfium": pdfium_text,
    "poppler": poppler_text,
    "pypdf": pypdf_text,
    "pdfminer": pdfminer_text,
}


def check(content: bytes) -> None:
    """Hold that qpdf, which pikepdf brings, finds nothing wrong."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert pdf.check_pdf_syntax() == []


def render(content: bytes, number: int = 1, password: str | None = None) -> bytes:
    """The pixels of a page."""
    with pdfium().PdfDocument(content, password=password) as document:
        return bytes(document[number - 1].render(scale=2).buffer)


def found_boxes(content: bytes, size: tuple[int, int], number: int = 1) -> list[tuple[str, list[float]]]:
    """Words that PDFium sees, each with its left, top, right and bottom in pixels of a picture of that size."""
    with pdfium().PdfDocument(content) as document:
        page = document[number - 1]
        box = raw().FS_RECTF()
        raw().FPDF_GetPageBoundingBox(page.raw, box)
        to_pixels = placed((box.left, box.bottom, box.right, box.top), raw().FPDFPage_GetRotation(page.raw), size)
        text = page.get_textpage()
        found: list[tuple[str, list[float]]] = []
        goes_on = False
        for index in range(text.count_chars()):
            character = chr(raw().FPDFText_GetUnicode(text.raw, index))
            if character.isspace():
                goes_on = False
                continue
            left, bottom, right, top = text.get_charbox(index, loose=True)
            corners = [to_pixels(point) for point in ((left, top), (right, top), (right, bottom), (left, bottom))]
            if not goes_on:
                found.append(("", [math.inf, math.inf, -math.inf, -math.inf]))
            before, edges = found.pop()
            for x, y in corners:
                edges = [min(edges[0], x), min(edges[1], y), max(edges[2], x), max(edges[3], y)]
            found.append((before + character, edges))
            goes_on = True
    return found


def edges_of(quad: Quad) -> list[float]:
    """Left, top, right, bottom."""
    across, down = [x for x, _ in quad], [y for _, y in quad]
    return [min(across), min(down), max(across), max(down)]
