"""Searchable PDF files: where their text lies and what it says to other programs, and what stays as it is."""

import importlib
import io
import math
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name
from PIL import Image

from conftest import draw_text, run_python
from ferrocr import (
    DocumentError,
    EncryptedDocumentError,
    ImageError,
    ImageNotFoundError,
    InvalidArgumentError,
    Line,
    OcrEngine,
    Page,
    ResourcesFreedError,
    StorageError,
    Word,
)
from ferrocr._pdf import placed
from ferrocr.formats import Sheet
from ferrocr.formats._glyphless import font_file
from ferrocr.formats.pdf import SearchablePdf, make_searchable
from ferrocr.results import Point, Quad
from pdf_files import Sheet as PdfSheet
from pdf_files import make_pdf, scanned, words

pytest.importorskip("img2pdf", reason="img2pdf is not installed")
pypdfium2: Any = importlib.import_module("pypdfium2")
raw: Any = importlib.import_module("pypdfium2.raw")
pytestmark = pytest.mark.usefixtures("no_pdf_stays_open")

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
    out = io.BytesIO()
    with SearchablePdf(source) as pdf:
        for sheet in sheets:
            pdf.add(sheet)
        pdf.save(out)
    return out.getvalue()


def pdfium_text(content: bytes, number: int = 1) -> str:
    """What PDFium sees, with single line feeds."""
    with pypdfium2.PdfDocument(content) as document:
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


READERS = {"pdfium": pdfium_text, "poppler": poppler_text, "pypdf": pypdf_text, "pdfminer": pdfminer_text}


def check(content: bytes) -> None:
    """Hold that qpdf finds nothing wrong."""
    if shutil.which("qpdf") is None:
        pytest.skip("qpdf is not installed")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.pdf"
        file.write_bytes(content)
        done = subprocess.run(["qpdf", "--check", file], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, (done.stdout, done.stderr)


def render(content: bytes, number: int = 1, password: str | None = None) -> bytes:
    """The pixels of a page."""
    with pypdfium2.PdfDocument(content, password=password) as document:
        return bytes(document[number - 1].render(scale=2).buffer)


def found_boxes(content: bytes, size: tuple[int, int], number: int = 1) -> list[tuple[str, list[float]]]:
    """Words that PDFium sees, each with its left, top, right and bottom in pixels of a picture of that size."""
    with pypdfium2.PdfDocument(content) as document:
        page = document[number - 1]
        box = raw.FS_RECTF()
        raw.FPDF_GetPageBoundingBox(page.raw, box)
        to_pixels = placed((box.left, box.bottom, box.right, box.top), raw.FPDFPage_GetRotation(page.raw), size)
        text = page.get_textpage()
        found: list[tuple[str, list[float]]] = []
        goes_on = False
        for index in range(text.count_chars()):
            character = chr(raw.FPDFText_GetUnicode(text.raw, index))
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


# --- what other programs see --------------------------------------------------------------------------------------

TEXTS = ["Iron tastes of rain", "Größe 12,50 € (netto)", "中文字符 混合 text", "emoji 😀 here", "<</Type [x] (y\\) %z"]


@pytest.mark.parametrize("reader", READERS)
def test_other_programs_extract_the_text(reader: str, tmp_path: Path) -> None:
    content = searchable(blank(), [Sheet(rows(TEXTS))], tmp_path)
    assert READERS[reader](content) == "\n".join(TEXTS)


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("👍🏽", "👍🏽"),
        ("𐍈𠀀", "𐍈𠀀"),  # beyond 16 bits
        ("e\u0301te\u0301", "e\u0301te\u0301"),  # marks over letters
        ("ﬁ", "ﬁ"),
        ("a\0b", "a�b"),
        ("\ud800z", "�z"),
        ("z\udfff", "z�"),
        ("\t", "�"),
        ("a\x7f\x9fb", "a��b"),
        ("\ufffe\uffff", "��"),
        (r"\)(", r"\)("),
    ],
)
def test_every_text_comes_out_as_it_is_and_what_is_no_character_is_replaced(
    word: str, wanted: str, tmp_path: Path
) -> None:
    page = Page(WIDTH, HEIGHT, (Line(word, 1.0, turned(20, 20, 80, 20, 0), ()),))
    content = searchable(blank(), [Sheet(page)], tmp_path)
    check(content)
    for reader in (poppler_text, pypdf_text):
        assert reader(content) == wanted


@pytest.mark.parametrize("text", ["שלום", "مرحبا", "بالعالم", "ג1234ד"])
def test_text_that_runs_left_comes_out_in_the_order_in_which_it_is_read(text: str, tmp_path: Path) -> None:
    content = searchable(blank(), [Sheet(rows([text]))], tmp_path)
    assert pdfium_text(content) == text
    # Poppler says how the text runs.
    assert without_marks(poppler_text(content)) == text


def test_words_that_run_left_are_found_from_the_right(tmp_path: Path) -> None:
    one, two = turned(90, 20, 60, 20, 0), turned(20, 20, 60, 20, 0)
    line = Line("שלום עולם", 1.0, turned(20, 20, 130, 20, 0), (Word("שלום", 1.0, one), Word("עולם", 1.0, two)))
    content = searchable(blank(), [Sheet(Page(WIDTH, HEIGHT, (line,)))], tmp_path)
    assert pdfium_text(content) == "שלום עולם"
    assert without_marks(poppler_text(content)) == "שלום עולם"


def test_words_without_a_space_between_them_stay_together(tmp_path: Path) -> None:
    parts = tuple(Word(text, 1.0, turned(20 + 24 * at, 20, 24, 20, 0)) for at, text in enumerate(("中", "文", "字")))
    page = Page(WIDTH, HEIGHT, (Line("中文字", 1.0, turned(20, 20, 72, 20, 0), parts),))
    content = searchable(blank(), [Sheet(page)], tmp_path)
    for reader in (pdfium_text, poppler_text):
        assert reader(content) == "中文字"


LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyzABCXYZäöüßéçğšłżøåñ0123456789джзийλδθξ中文字符日本語한국어😀🎉𐍈")
WORDS = st.text(LETTERS, min_size=1, max_size=6)
# PDFium takes lines of single letters, one below the other, for one that runs down.
LINES = st.lists(
    st.lists(WORDS, min_size=1, max_size=5).map(" ".join).filter(lambda text: len(text) > 2), min_size=1, max_size=8
)


@given(LINES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_goes_in_comes_out(tmp_path: Path, texts: list[str]) -> None:
    page = rows(texts)
    content = searchable(blank((300, page.height / 2)), [Sheet(page)], tmp_path)
    assert pdfium_text(content) == "\n".join(texts)
    assert pypdf_text(content).split() == " ".join(texts).split()
    assert poppler_text(content).split() == " ".join(texts).split()


# --- where it lies ------------------------------------------------------------------------------------------------

BOXES = ["", "/CropBox[10 20 290 190]", "/MediaBox[-50 -30 250 170]", "/MediaBox[250 170 -50 -30]/UserUnit 2.5"]


@pytest.mark.parametrize("turn", [0, 90, 180, 270, -90])
@pytest.mark.parametrize("more", BOXES)
def test_words_lie_where_they_were_found(turn: int, more: str, tmp_path: Path) -> None:
    size = (WIDTH, HEIGHT) if turn % 180 == 0 else (HEIGHT, WIDTH)
    page = Page(*size, (line_of("Iron tastes of rain", 30, 50), line_of("it says", 60, 300, 31.5, -0.4)))
    content = searchable(blank(more=f"{more}/Rotate {turn}"), [Sheet(page)], tmp_path)
    check(content)
    found = dict(found_boxes(content, size))
    for line in page.lines:
        for word in line.words:
            assert found[word.text] == pytest.approx(edges_of(word.quad), abs=1.5), word.text  # pixels, two a point


@given(st.floats(-math.pi, math.pi), st.floats(4, 90), st.floats(0.2, 2))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(math.pi / 2, 20, 0.6)
@example(math.pi, 20, 0.6)
def test_words_lie_on_their_quads_however_they_are_turned(
    tmp_path: Path, angle: float, height: float, letter: float
) -> None:
    line = line_of("rain falls", 300, 200, height, angle, letter * height)
    page = Page(WIDTH, HEIGHT, (line,))
    content = searchable(blank(), [Sheet(page)], tmp_path)
    found = dict(found_boxes(content, (WIDTH, HEIGHT)))
    for word in line.words:
        assert found[word.text] == pytest.approx(edges_of(word.quad), abs=1.5)


@pytest.mark.parametrize("gap", [12, 5, 2, 0, -3])
def test_words_are_apart_however_close_they_stand(gap: float, tmp_path: Path) -> None:
    one, two = turned(20, 20, 60, 20, 0), turned(80 + gap, 20, 60, 20, 0)
    line = Line("rain falls", 1.0, turned(20, 20, 120 + gap, 20, 0), (Word("rain", 1, one), Word("falls", 1, two)))
    content = searchable(blank(), [Sheet(Page(WIDTH, HEIGHT, (line,)))], tmp_path)
    for name, reader in READERS.items():
        assert " ".join(reader(content).split()) == "rain falls", name


# --- what stays as it is ------------------------------------------------------------------------------------------


def rich(folder: Path) -> Path:
    """A file with everything that may get lost, and with pages that share what they can share."""
    file = folder / "rich.pdf"
    with pikepdf.open(io.BytesIO(make_pdf([PdfSheet("q 2 0 0 2 5 5 cm 0.2 g 9 9 50 20 re f", (300, 200))] * 3))) as pdf:
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("second", 1))
        with pdf.open_metadata() as metadata:
            metadata["dc:title"] = "Rain"
        pdf.docinfo["/Author"] = "Ada"
        pdf.attachments["data.csv"] = b"1;2;3"
        link = Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], Dest=Array([pdf.pages[2].obj, Name.Fit])
        )
        pdf.pages[0].obj.Annots = Array([link])
        shared = pdf.make_indirect(Dictionary(Font=Dictionary()))
        shared_content = pdf.make_indirect(Array([pdf.make_stream(b"0.7 g 50 50 40 40 "), pdf.make_stream(b"re f")]))
        for page in list(pdf.pages)[1:]:
            page.obj.Resources, page.obj.Contents = shared, shared_content
        pdf.save(file)
    return file


def test_nothing_of_a_file_gets_lost(tmp_path: Path) -> None:
    file, out = rich(tmp_path), tmp_path / "out.pdf"
    with SearchablePdf(file) as pdf:
        pdf.add(Sheet(rows(["third page"]), number=3))
        pdf.add(Sheet(rows(["first page"]), number=1))
        pdf.save(out)
    before, after = file.read_bytes(), out.read_bytes()
    check(after)
    assert [pdfium_text(after, number) for number in (1, 2, 3)] == ["first page", "", "third page"]
    for number in (1, 2, 3):
        assert render(after, number) == render(before, number)
    with pikepdf.open(file) as one, pikepdf.open(out) as two:
        assert two.docinfo == one.docinfo
        assert two.Root.Metadata.read_raw_bytes() == one.Root.Metadata.read_raw_bytes()
        assert two.attachments["data.csv"].get_file().read_bytes() == b"1;2;3"
        with two.open_outline() as outline:
            assert [item.title for item in outline.root] == ["second"]
        assert two.pages[0].obj.Annots[0].Dest[0].objgen == two.pages[2].obj.objgen
        for old, new in zip(one.pages, two.pages, strict=True):
            olds = list(old.obj.Contents) if isinstance(old.obj.Contents, Array) else [old.obj.Contents]
            news = list(new.obj.Contents) if isinstance(new.obj.Contents, Array) else [new.obj.Contents]
            kept = news[-len(olds) :]
            assert [stream.read_raw_bytes() for stream in kept] == [stream.read_raw_bytes() for stream in olds]


def test_a_font_of_the_same_name_stays(tmp_path: Path) -> None:
    source = make_pdf(
        [PdfSheet(words("x").replace("F1", "FerrocrText"), more="/Resources<</Font<</FerrocrText 3 0 R>>>>")]
    )
    file, out = tmp_path / "a.pdf", io.BytesIO()
    file.write_bytes(source)
    with SearchablePdf(file, own_text="add") as pdf:
        pdf.add(Sheet(rows(["rain"])))
        pdf.save(out)
    assert render(out.getvalue()) == render(source)
    assert set(pdfium_text(out.getvalue()).split()) == {"x", "rain"}


def test_pages_with_text_of_their_own_are_left_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    scan = scanned([draw_text(["Iron tastes of rain"])])
    with pikepdf.open(io.BytesIO(make_pdf([PdfSheet(words("my own"))]))) as pdf, pikepdf.open(io.BytesIO(scan)) as more:
        pdf.pages.extend(more.pages)
        pdf.save(file)
    for own_text, wanted in (("keep", "my own"), ("add", "my own rain")):
        out = io.BytesIO()
        with SearchablePdf(file, own_text=own_text) as pdf:  # type: ignore[arg-type]
            pdf.add(Sheet(rows(["rain"]), number=1))
            pdf.add(Sheet(rows(["stamped"]), number=2, origin="text layer"))
            pdf.save(out)
        assert sorted(pdfium_text(out.getvalue()).split()) == sorted(wanted.split())
        assert pdfium_text(out.getvalue(), 2) == ""


def test_encrypted_files_stay_encrypted_and_are_told_apart(tmp_path: Path) -> None:
    file, out = tmp_path / "locked.pdf", tmp_path / "out.pdf"
    with pikepdf.open(io.BytesIO(blank())) as pdf:
        pdf.save(file, encryption=pikepdf.Encryption(owner="boss", user="rain"))
    with pytest.raises(EncryptedDocumentError, match="no password was given\npass password="):
        SearchablePdf(file)
    with pytest.raises(EncryptedDocumentError, match="does not open it"):
        SearchablePdf(file, password="snow")
    with SearchablePdf(file, password="rain") as pdf:
        pdf.add(Sheet(rows(["Iron tastes"])))
        pdf.save(out)
    for password in ("rain", "boss"):
        with pypdfium2.PdfDocument(out, password=password) as document:
            assert document[0].get_textpage().get_text_range() == "Iron tastes"
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(out)


def test_signed_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "signed.pdf"
    with pikepdf.open(io.BytesIO(blank())) as pdf:
        field = pdf.make_indirect(Dictionary(FT=Name.Sig, T=pikepdf.String("s"), V=Dictionary(Type=Name.Sig)))
        pdf.Root.AcroForm = Dictionary(
            SigFlags=3, Fields=Array([Dictionary(T=pikepdf.String("x"), Kids=Array([field]))])
        )
        pdf.save(file)
    with pytest.raises(DocumentError, match="is signed"):
        SearchablePdf(file)


# --- pictures -----------------------------------------------------------------------------------------------------


def shade(mode: str = "RGB", size: tuple[int, int] = (120, 80)) -> Image.Image:
    """A picture whose corners differ."""
    return Image.linear_gradient("L").resize(size).rotate(20, fillcolor=90).convert(mode)


def made(file: Path, number: int = 1) -> tuple[tuple[float, float], Image.Image, bytes]:
    """Of the PDF of a picture: the size in points, the picture on a page, and the file with a word on that page."""
    out = io.BytesIO()
    with SearchablePdf(file) as pdf:
        pdf.add(Sheet(Page(120, 80, (line_of("rain", 10, 10),)), number=number))
        pdf.save(out)
    content = out.getvalue()
    check(content)
    with pypdfium2.PdfDocument(content) as document:
        page = document[number - 1]
        assert page.get_textpage().get_text_range() == "rain"
        (picture,) = page.get_objects([raw.FPDF_PAGEOBJ_IMAGE])
        assert isinstance(picture, pypdfium2.PdfImage)
        return page.get_size(), page.render(scale=120 / page.get_width()).to_pil().convert("RGB"), content


def looks(picture: Image.Image) -> list[int]:
    """Grey values of its corners, roughly."""
    small = picture.convert("L").resize((3, 2))
    return [round(value / 24) for value in small.tobytes()]


def test_a_jpeg_goes_in_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    shade().save(file, dpi=(150, 150))
    size, _, content = made(file)
    assert size == pytest.approx((120 * 72 / 150, 80 * 72 / 150), abs=0.01)
    assert file.read_bytes() in content


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_it_says(orientation: int, tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = shade()
    method = (None, 0, 3, 1, 5, 2, 6, 4)[orientation - 1]
    stored = upright if method is None else upright.transpose(Image.Transpose(method))
    stored.save(file, exif=exif, quality=95)
    size, seen, content = made(file)
    assert size == pytest.approx((120 * 72 / 300, 80 * 72 / 300), abs=0.01)
    assert looks(seen) == pytest.approx(looks(upright), abs=1)
    ((_, box),) = found_boxes(content, (120, 80))
    assert box == pytest.approx([10, 10, 58, 30], abs=1.5)


SAVED: dict[str, Callable[[Path], None]] = {
    "grey.png": lambda path: shade("L").save(path),
    "colour.png": lambda path: shade().save(path),
    "palette.png": lambda path: shade().quantize(16).save(path),
    "two colours.png": lambda path: shade("1").save(path),
    "16 bits.png": lambda path: Image.fromarray(__import__("numpy").asarray(shade("L")).astype("uint16") * 257).save(
        path
    ),
    "alpha.png": lambda path: shade("RGBA").save(path),
    "transparent.gif": lambda path: shade("P").save(path, transparency=3),
    "a.webp": lambda path: shade().save(path, lossless=True),
    "a.bmp": lambda path: shade().save(path),
    "cmyk.jpg": lambda path: shade("CMYK").save(path),
    "cmyk.tif": lambda path: shade("CMYK").save(path),
    "fax.tif": lambda path: shade("1").save(path, compression="group4"),
}


@pytest.mark.parametrize("name", SAVED)
def test_pictures_of_every_kind_become_pages(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    SAVED[name](file)
    _, seen, _ = made(file)
    if not name.startswith(("two", "fax", "transparent")):
        assert looks(seen) == pytest.approx(looks(shade()), abs=2)  # programs differ in what they make of CMYK


def test_pictures_that_can_be_seen_through_lie_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (120, 80), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert made(tmp_path / "a.png")[1].getpixel((100, 60)) == (255, 255, 255)


def test_each_page_of_a_tiff_becomes_one(tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    pages = [shade(), shade("1", (60, 40)), shade("L")]
    pages[0].save(file, save_all=True, append_images=pages[1:], dpi=(100, 200))
    size, seen, content = made(file, 3)
    assert size == pytest.approx((86.4, 28.8), abs=0.01)
    assert looks(seen.resize((120, 80))) == pytest.approx(looks(shade()), abs=1)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert len(pdf.pages) == 3


def test_small_copies_in_a_tiff_are_no_pages(tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    with Image.new("L", (8, 8)) as small:
        small.encoderinfo = {}
        shade().save(file, save_all=True, append_images=[small, shade("L")])
    from PIL import TiffImagePlugin

    with TiffImagePlugin.AppendingTiffWriter(str(file)) as writer:
        del writer
    content = bytearray(file.read_bytes())
    # The second directory says that it is a smaller copy of another one, where its width was said.
    start = int.from_bytes(content[4:8], "little")
    entries = int.from_bytes(content[start : start + 2], "little")
    second = int.from_bytes(content[start + 2 + 12 * entries :][:4], "little")
    count = int.from_bytes(content[second : second + 2], "little")
    listed = [content[second + 2 + 12 * at :][:12] for at in range(count)]
    marked = (254).to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little") * 2
    rest = [entry for entry in listed if int.from_bytes(entry[:2], "little") not in (254, 305)]
    entries_new = sorted([marked, *map(bytes, rest)], key=lambda entry: int.from_bytes(entry[:2], "little"))
    after = content[second + 2 + 12 * count :][:4]
    place = len(content)
    content += len(entries_new).to_bytes(2, "little") + b"".join(entries_new) + after
    content[start + 2 + 12 * entries : start + 6 + 12 * entries] = place.to_bytes(4, "little")
    file.write_bytes(content)
    with pikepdf.open(io.BytesIO(made(file, 2)[2])) as pdf:
        assert len(pdf.pages) == 2


# --- calls and errors ---------------------------------------------------------------------------------------------


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    file, out = tmp_path / "a.pdf", tmp_path / "out.pdf"
    file.write_bytes(blank())
    out.write_text("old")
    out.chmod(0o640)
    with SearchablePdf(file) as pdf:
        pdf.add(Sheet(rows(["rain"])))
        with pytest.raises(StorageError, match="cannot write"):
            pdf.save(tmp_path / "none" / "out.pdf")
        with pytest.raises(StorageError, match="it is no file"):
            pdf.save(tmp_path)
        pdf.save(out)
        first = out.read_bytes()
        pdf.save(str(out))
        assert out.read_bytes() == first
    assert pdfium_text(first) == "rain"
    assert out.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "out.pdf"]


def test_a_file_can_be_saved_over_its_source(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(blank())
    with SearchablePdf(file) as pdf:
        pdf.add(Sheet(rows(["rain"])))
        pdf.save(file)
    assert pdfium_text(file.read_bytes()) == "rain"


def test_pages_can_be_added_after_a_save(tmp_path: Path) -> None:
    file, first, second = tmp_path / "a.pdf", io.BytesIO(), io.BytesIO()
    file.write_bytes(make_pdf([PdfSheet()] * 2))
    with SearchablePdf(file) as pdf:
        pdf.add(Sheet(rows(["rain"])))
        pdf.save(first)
        pdf.add(Sheet(rows(["überall"]), number=2))
        pdf.save(second)
    assert (pdfium_text(first.getvalue()), pdfium_text(first.getvalue(), 2)) == ("rain", "")
    assert (pdfium_text(second.getvalue()), pdfium_text(second.getvalue(), 2)) == ("rain", "überall")


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(blank())
    pdf = SearchablePdf(file)
    with pytest.raises(InvalidArgumentError, match="no page 2 in"):
        pdf.add(Sheet(rows(["x"]), number=2))
    with pytest.raises(InvalidArgumentError, match="nobody knows where"):
        pdf.add(Sheet(Page(0, 0, ())))
    with pytest.raises(InvalidArgumentError, match="nowhere on the page"):
        pdf.add(Sheet(Page(10, 10, (line_of("x", math.nan, 0),))))
    pdf.add(Sheet(rows(["x"])))
    with pytest.raises(InvalidArgumentError, match=r"page 1 of .* was added before"):
        pdf.add(Sheet(rows(["x"])))
    pdf.close()
    pdf.close()
    with pytest.raises(ResourcesFreedError):
        pdf.add(Sheet(rows(["x"])))
    with pytest.raises(InvalidArgumentError, match="own_text"):
        SearchablePdf(file, own_text="maybe")  # type: ignore[arg-type]
    with pytest.raises(ImageNotFoundError):
        SearchablePdf(tmp_path / "none.pdf")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ImageError):
        SearchablePdf(tmp_path / "text.png")
    (tmp_path / "bad.pdf").write_text("%PDF-1.7 and nothing else")
    with pytest.raises(DocumentError):
        SearchablePdf(tmp_path / "bad.pdf")
    with pytest.raises((ImageError, StorageError)):
        SearchablePdf(tmp_path)


@pytest.mark.parametrize("module", ["pikepdf", "img2pdf", "PIL"])
def test_packages_that_are_missing_are_named(module: str, tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(blank())
    code = f"""
import sys
sys.modules[{module!r}] = None
from ferrocr import RuntimeUnavailableError
from ferrocr.formats.pdf import SearchablePdf
try:
    SearchablePdf(sys.argv[1])
except RuntimeUnavailableError as error:
    print(error)
"""
    done = run_python(code, str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{module} is not installed" in done.stdout
    assert 'run: pip install "ferrocr[pdf]"' in done.stdout


def test_the_font_is_a_font() -> None:
    tools = pytest.importorskip("fontTools.ttLib", reason="fontTools is not installed")
    font = tools.TTFont(io.BytesIO(font_file()), checkChecksums=2, lazy=False)
    assert [font["hmtx"][name][0] for name in font.getGlyphOrder()] == [0, 500, 1000]
    assert font["name"].getDebugName(6) == "FerrocrGlyphless"
    assert font_file() == font_file()


# --- with an engine -----------------------------------------------------------------------------------------------


def test_a_scan_becomes_searchable(engine: OcrEngine, tmp_path: Path) -> None:
    file, out = tmp_path / "scan.pdf", tmp_path / "out.pdf"
    pictures = [draw_text(["Iron tastes of rain", "Order 4711 paid"]), draw_text(["sideways"]).rotate(90, expand=True)]
    file.write_bytes(scanned(pictures))
    assert make_searchable(engine, file, out) == ()
    content = out.read_bytes()
    check(content)
    assert pdfium_text(content) == "Iron tastes of rain\nOrder 4711 paid"
    assert pdfium_text(content, 2) == "sideways"
    for number in (1, 2):
        assert render(content, number) == render(file.read_bytes(), number)
    # What was found is under the letters.
    drawn = dict(found_boxes(content, (900, 192)))
    assert drawn["Iron"][0] == pytest.approx(32, abs=8)
    assert drawn["Iron"][1] < 24 < 40 < drawn["Iron"][3]


def test_pages_that_have_their_text_are_neither_read_nor_doubled(engine: OcrEngine, tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(make_pdf([PdfSheet(words("Iron tastes of rain"))]))
    for text_layer, times in (("auto", 1), ("ignore", 2)):
        out = io.BytesIO()
        make_searchable(engine, file, out, text_layer=text_layer)  # type: ignore[arg-type]
        assert pdfium_text(out.getvalue()).count("Iron") == times


def test_pages_that_cannot_be_read_are_copied_or_end_it(models_dir: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "a.tif", tmp_path / "out.pdf"
    large, small = draw_text(["too large"], width=1200), draw_text(["good page"], width=300)
    large.save(file, save_all=True, append_images=[small])
    with OcrEngine(model_dir=models_dir, download=False, max_side=1000) as strict:
        (error,) = make_searchable(strict, file, out, on_error="return")
        assert (error.page, pdfium_text(out.read_bytes(), 1), pdfium_text(out.read_bytes(), 2)) == (1, "", "good page")
        out.unlink()
        with pytest.raises(type(error)):
            make_searchable(strict, file, out)
    assert not out.exists()


def test_a_picture_becomes_searchable(engine: OcrEngine, picture_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    make_searchable(engine, str(picture_file), str(out), pages="1")
    assert pdfium_text(out.read_bytes()) == "Iron tastes of rain\nOrder 4711 paid"
    with pytest.raises(InvalidArgumentError, match="text_layer is"):
        make_searchable(engine, picture_file, out, text_layer="only")  # type: ignore[arg-type]
