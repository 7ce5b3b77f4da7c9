"""The text that a PDF brings with a page, as PDFium finds it; in a worker, as :mod:`._pdfium`."""

import ctypes
import math
from array import array

import pypdfium2_raw as pdfium

from .._workers._wire import Data, Header
from ..exceptions import DocumentError

_MOST_GLYPHS = 200_000
"""Characters of a page that are looked at, some 0.2 s of work. A dense page of a newspaper has 30,000."""

_MOST_OBJECTS = 20_000
"""Pictures are looked for among so many parts of a page, and in so many of each of its forms."""

_NOTES = frozenset(
    {pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP, pdfium.FPDF_ANNOT_INK, pdfium.FPDF_ANNOT_WIDGET}
)
"""Annotations that show text, which PDFium does not count as the page's."""

_Box = tuple[float, float, float, float]
"""Left, bottom, right and top."""


def text_of(page: pdfium.FPDF_PAGE) -> tuple[Header, Data]:
    """Return what a page brings: what is known of it, and its glyphs as columns, see :class:`_Columns`."""
    box, columns = _box_of(page), _Columns()
    text = pdfium.FPDFText_LoadPage(page)
    if text:
        try:
            _collect(text, box, columns)
        finally:
            pdfium.FPDFText_ClosePage(text)
    about: Header = {"pictured": _pictured(page, box) if text else 0.0, "has_notes": bool(text) and _has_notes(page)}
    return about, columns.packed()


def place_of(page: pdfium.FPDF_PAGE) -> Header:
    """Return what of a page is shown, and how."""
    return {"box": _box_of(page), "turns": pdfium.FPDFPage_GetRotation(page)}


class _Columns:
    """Glyphs: the code of each one's character, its angle, and its box."""

    def __init__(self) -> None:
        self.codes, self.angles, self.boxes = array("I"), array("d"), array("f")

    def add(self, code: int, angle: float, box: _Box | None) -> None:
        """Add a glyph. The code is 0 where the file does not tell, and spaces have no box."""
        self.codes.append(code)
        self.angles.append(angle)
        self.boxes.extend(_NO_BOX if box is None else box)

    def packed(self) -> bytes:
        """Return one column after the other."""
        return self.codes.tobytes() + self.angles.tobytes() + self.boxes.tobytes()


_NO_BOX = (math.nan,) * 4


def _collect(text: pdfium.FPDF_TEXTPAGE, page: _Box, columns: _Columns) -> None:
    """Add what lies on the page; PDFium has put in spaces and line ends where it sees them."""
    left, bottom, right, top = page
    angle, matrix, box = 0.0, pdfium.FS_MATRIX(), pdfium.FS_RECTF()
    for index in range(min(pdfium.FPDFText_CountChars(text), _MOST_GLYPHS)):
        code = _code(text, index)
        if (code and chr(code).isspace()) or pdfium.FPDFText_IsGenerated(text, index) == 1:
            columns.add(code, angle, None)
            continue
        if pdfium.FPDFText_GetMatrix(text, index, matrix) and (matrix.a or matrix.b):
            turn = math.atan2(matrix.b, matrix.a)
            angle = turn if math.isfinite(turn) else angle
        if not pdfium.FPDFText_GetLooseCharBox(text, index, box):
            continue
        x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
        if left <= x <= right and bottom <= y <= top:
            columns.add(code, angle, (box.left, box.bottom, box.right, box.top))


def _code(text: pdfium.FPDF_TEXTPAGE, index: int) -> int:
    """Return a character's code, or 0 where the file does not tell which it is."""
    code = pdfium.FPDFText_GetUnicode(text, index)
    if pdfium.FPDFText_IsHyphen(text, index) == 1:
        return ord("-")
    # Fonts without an explanation have zero, control characters, or codes that everybody uses as they like.
    private = 0xE000 <= code <= 0xF8FF or code >= 0xF0000
    known = code >= 0x20 or code in (0x09, 0x0A, 0x0D)
    if not known or private or code in (0x7F, 0xFFFD, 0xFFFE, 0xFFFF):
        return 0
    return 0 if pdfium.FPDFText_HasUnicodeMapError(text, index) == 1 else code


def _box_of(page: pdfium.FPDF_PAGE) -> _Box:
    box = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page, box)
    if box.right <= box.left or box.top <= box.bottom:
        message = f"it shows nothing: {box.left:g} to {box.right:g} across and {box.bottom:g} to {box.top:g} up"
        raise DocumentError(message, "repair the file")
    return box.left, box.bottom, box.right, box.top


def _pictured(page: pdfium.FPDF_PAGE, box: _Box) -> float:
    """Return how much of a page its pictures cover. A form counts as one if there is a picture in it."""
    left, bottom, right, top = box
    covered, edges = 0.0, tuple(ctypes.c_float() for _ in range(4))
    for index in range(min(pdfium.FPDFPage_CountObjects(page), _MOST_OBJECTS)):
        item = pdfium.FPDFPage_GetObject(page, index)
        if item and _has_picture(item) and pdfium.FPDFPageObj_GetBounds(item, *edges):
            x1, y1, x2, y2 = (edge.value for edge in edges)
            covered += max(0.0, min(x2, right) - max(x1, left)) * max(0.0, min(y2, top) - max(y1, bottom))
    return min(1.0, covered / ((right - left) * (top - bottom)))


def _has_picture(item: pdfium.FPDF_PAGEOBJECT, depth: int = 3) -> bool:
    kind = pdfium.FPDFPageObj_GetType(item)
    if kind != pdfium.FPDF_PAGEOBJ_FORM or depth == 0:
        return kind == pdfium.FPDF_PAGEOBJ_IMAGE
    inside = range(min(pdfium.FPDFFormObj_CountObjects(item), _MOST_OBJECTS))
    return any(_has_picture(pdfium.FPDFFormObj_GetObject(item, index), depth - 1) for index in inside)


def _has_notes(page: pdfium.FPDF_PAGE) -> bool:
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST_OBJECTS)):
        note = pdfium.FPDFPage_GetAnnot(page, index)
        if note:
            kind = pdfium.FPDFAnnot_GetSubtype(note)
            pdfium.FPDFPage_CloseAnnot(note)
            if kind in _NOTES:
                return True
    return False
