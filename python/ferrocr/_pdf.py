"""PDF files. The only module that imports pypdfium2, when there is one of these.

pypdfium2 is used for its binding of PDFium's own interface alone: handles are opened and closed here, in order and
under one lock, since PDFium bears one thread at a time. Its helper classes close in finalizers, so in any thread.
"""

import atexit
import ctypes
import math
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import pypdfium2.raw as pdfium

from ._documents import PASSWORD_OPTION
from ._text_layer import Glyph, TextLayer
from .exceptions import DocumentError, EncryptedDocumentError, ResourcesFreedError, StorageError
from .results import Point

_lock = threading.RLock()
"""Held by the thread that is in PDFium. A thread may enter twice: collecting garbage closes forgotten documents, at any
step of Python's and at none of PDFium's."""

_open_files: "set[PdfFile]" = set()

_MOST_GLYPHS = 200_000
"""Characters of a page that are looked at, some 0.2 s of work. A dense page of a newspaper has 30,000."""

_MOST_OBJECTS = 20_000
"""Pictures are looked for among so many parts of a page, and in so many of each of its forms."""

_KEPT = 8 * 2**20
"""Bytes of a file after which it is opened anew: PDFium keeps what it has read until then. Without this, 1,000 scans of
85 kB each took 88 MB more at the last page than at the first. Opening that file takes a millisecond."""

_SMALLER = "give a lower dpi, or an engine with a lower max_pixels"

_NOTES = frozenset(
    {pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP, pdfium.FPDF_ANNOT_INK, pdfium.FPDF_ANNOT_WIDGET}
)
"""Annotations that show text, which PDFium does not count as the page's."""

P = ParamSpec("P")
R = TypeVar("R")


def _alone(
    method: "Callable[Concatenate[PdfFile, P], R]",
) -> "Callable[Concatenate[PdfFile, P], R]":
    """The method while no other thread is in PDFium."""

    def locked(self: "PdfFile", /, *args: P.args, **kwargs: P.kwargs) -> R:
        with _lock:
            return method(self, *args, **kwargs)

    return locked


class PdfFile:
    """A PDF file that is open.

    Args:
        source: Its path or its content.
        name: What messages call it.
        password: What opens it, if it is encrypted.

    Raises:
        EncryptedDocumentError: The password is missing or does not open it.
        DocumentError: It is damaged or has no pages.
    """

    def __init__(self, source: Path | bytes, name: str, password: str | None) -> None:
        self._source, self._name = source, name
        self._key = None if password is None else password.encode() + b"\0"
        self._document = pdfium.FPDF_DOCUMENT()
        self._form, self._form_info = pdfium.FPDF_FORMHANDLE(), pdfium.FPDF_FORMFILLINFO(version=2)
        self._page, self._number = pdfium.FPDF_PAGE(), 0
        self._is_closed = False
        self._identity = self._identify()
        with _lock:
            _open_files.add(self)
            try:
                self.count = self._load()
            except BaseException:
                self.close()
                raise
        self._loads, self._most_loads = 0, max(1, _KEPT * self.count // max(1, self._identity[0]))

    @_alone
    def close(self) -> None:
        """Give its handles and its memory back. May be called again."""
        self._is_closed = True
        _open_files.discard(self)
        self._unload()

    @_alone
    def size(self, number: int) -> tuple[float, float]:
        """Width and height of a page in points, as a viewer shows it.

        Raises:
            DocumentError: The page is damaged.
        """
        page = self._page_of(number)
        width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
        if not (0 < width < math.inf and 0 < height < math.inf):
            message = f"it is {width:g} points wide and {height:g} points high"
            raise DocumentError(message, "a page needs a width and a height: repair the file")
        return width, height

    @_alone
    def render(self, number: int, width: int, height: int) -> bytearray:
        """The page's picture: RGB, 8 bits a channel, rows from top to bottom.

        Raises:
            DocumentError: The page is damaged, or there is no memory for so large a picture.
        """
        page = self._page_of(number)
        try:
            # White, on which everything is drawn.
            pixels = bytearray(b"\xff") * (width * height * 3)
        except MemoryError:
            message = f"there is no memory for a picture of {width}x{height} pixels"
            raise DocumentError(message, _SMALLER, shell_hint="say a lower --dpi") from None
        buffer = (ctypes.c_ubyte * len(pixels)).from_buffer(pixels)
        bitmap = pdfium.FPDFBitmap_CreateEx(width, height, pdfium.FPDFBitmap_BGR, buffer, width * 3)
        if not bitmap:
            message = f"PDFium makes no picture of {width}x{height} pixels"
            raise DocumentError(message, _SMALLER, shell_hint="say a lower --dpi")
        try:
            flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
            pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, flags)
            if self._form:
                pdfium.FPDF_FFLDraw(self._form, bitmap, page, 0, 0, width, height, 0, flags)
        finally:
            pdfium.FPDFBitmap_Destroy(bitmap)
        return pixels

    @_alone
    def text_layer(self, number: int) -> TextLayer:
        """The text that the file brings with a page.

        Raises:
            DocumentError: The page is damaged.
        """
        page = self._page_of(number)
        text = pdfium.FPDFText_LoadPage(page)
        if not text:
            return TextLayer((), 0.0, has_notes=False)
        try:
            box = _box_of(page)
            glyphs = tuple(_glyphs(text, box))
        finally:
            pdfium.FPDFText_ClosePage(text)
        return TextLayer(glyphs, _pictured(page, box), has_notes=_has_notes(page))

    @_alone
    def to_pixels(self, number: int, width: int, height: int) -> Callable[[Point], Point]:
        """Where a point of a page lies in its picture.

        Raises:
            DocumentError: The page is damaged.
        """
        page = self._page_of(number)
        return placed(_box_of(page), pdfium.FPDFPage_GetRotation(page), (width, height))

    def _identify(self) -> tuple[int, ...]:
        """Its length, and what else tells whether it is still the same file."""
        if isinstance(self._source, bytes):
            return (len(self._source),)
        try:
            found = self._source.stat()
        except OSError as error:
            message = f"cannot read {self._name}: {error}"
            raise StorageError(message) from error
        return found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino

    def _load(self) -> int:
        """Open it; how many pages it has."""
        if isinstance(self._source, bytes):
            self._document = pdfium.FPDF_LoadMemDocument64(self._source, len(self._source), self._key)
        else:
            self._document = pdfium.FPDF_LoadDocument(_encoded(self._source), self._key)
        if not self._document:
            raise self._refusal(pdfium.FPDF_GetLastError())
        # Fields are drawn from here, so that what was filled in can be read. Before the first page, or not at all.
        if pdfium.FPDF_GetFormType(self._document) != pdfium.FORMTYPE_NONE:
            self._form = pdfium.FPDFDOC_InitFormFillEnvironment(self._document, self._form_info)
        count = pdfium.FPDF_GetPageCount(self._document)
        if count < 1:
            message = f"{self._name} has no pages"
            raise DocumentError(message, "repair the file, or save it anew with the program that made it")
        return count

    def _unload(self) -> None:
        self._close_page()
        if self._form:
            pdfium.FPDFDOC_ExitFormFillEnvironment(self._form)
            self._form = pdfium.FPDF_FORMHANDLE()
        if self._document:
            pdfium.FPDF_CloseDocument(self._document)
            self._document = pdfium.FPDF_DOCUMENT()

    def _open_anew(self) -> None:
        self._unload()
        if self._identify() != self._identity or self._load() != self.count:
            self._unload()
            message = "the file was changed since it was opened"
            raise DocumentError(message, "leave it as it is until all pages are read")
        self._loads = 0

    def _refusal(self, code: int) -> DocumentError:
        if code == pdfium.FPDF_ERR_SECURITY:
            message = f"{self._name} is encrypted in a way that PDFium does not know"
            return EncryptedDocumentError(message, "save it without protection with the program that made it")
        if code == pdfium.FPDF_ERR_PASSWORD and self._key is None:
            message = f"{self._name} is encrypted, and no password was given"
            return EncryptedDocumentError(message, "pass password=", shell_hint=PASSWORD_OPTION)
        if code == pdfium.FPDF_ERR_PASSWORD:
            message = f"{self._name} is encrypted, and the password that was given does not open it"
            return EncryptedDocumentError(message, "pass the password that a viewer asks for; capital letters count")
        message = f"{self._name} is a PDF that is damaged"
        return DocumentError(message, "see whether a viewer opens it; tools such as qpdf repair some damage")

    def _page_of(self, number: int) -> pdfium.FPDF_PAGE:
        """A page's handle, which is kept until another one is asked for: loading it takes its content apart."""
        if self._is_closed:
            message = "the document was closed, because its engine was freed"
            raise ResourcesFreedError(message)
        if self._number != number:
            self._close_page()
            if self._loads >= self._most_loads or not self._document:
                self._open_anew()
            self._loads += 1
            page = pdfium.FPDF_LoadPage(self._document, number - 1)
            if not page:
                message = "it is damaged"
                raise DocumentError(message, "see whether a viewer shows it; tools such as qpdf repair some damage")
            self._page, self._number = page, number
            if self._form:
                pdfium.FORM_OnAfterLoadPage(page, self._form)
        return self._page

    def _close_page(self) -> None:
        if self._page:
            if self._form:
                pdfium.FORM_OnBeforeClosePage(self._page, self._form)
            pdfium.FPDF_ClosePage(self._page)
        self._page, self._number = pdfium.FPDF_PAGE(), 0


def placed(box: tuple[float, float, float, float], turns: int, size: tuple[int, int]) -> Callable[[Point], Point]:
    """A map from points of a page, y up, to pixels of its picture, y down.

    Args:
        box: Left, bottom, right and top of what is shown of the page.
        turns: Quarters of a turn to the right that a viewer shows it with.
        size: Width and height of the picture.
    """
    left, bottom, right, top = box
    across, up = right - left, top - bottom
    wide, high = size if turns % 2 == 0 else (size[1], size[0])

    def to_pixels(point: Point) -> Point:
        # As if the page was not turned, and then turned as pixels are.
        x, y = (point[0] - left) / across * wide, (top - point[1]) / up * high
        return ((x, y), (high - y, x), (wide - x, high - y), (y, wide - x))[turns % 4]

    return to_pixels


def _encoded(path: Path) -> bytes:
    # PDFium takes UTF-8 on Windows, and the bytes of the name elsewhere.
    return (str(path).encode("utf-8", "surrogatepass") if os.name == "nt" else os.fsencode(path)) + b"\0"


def _box_of(page: pdfium.FPDF_PAGE) -> tuple[float, float, float, float]:
    box = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page, box)
    if box.right <= box.left or box.top <= box.bottom:
        message = f"it shows nothing: {box.left:g} to {box.right:g} across and {box.bottom:g} to {box.top:g} up"
        raise DocumentError(message, "repair the file")
    return box.left, box.bottom, box.right, box.top


def _glyphs(text: pdfium.FPDF_TEXTPAGE, page: tuple[float, float, float, float]) -> Iterator[Glyph]:
    """What lies on the page; PDFium has put in spaces and line ends where it sees them."""
    left, bottom, right, top = page
    angle, matrix, box = 0.0, pdfium.FS_MATRIX(), pdfium.FS_RECTF()
    for index in range(min(pdfium.FPDFText_CountChars(text), _MOST_GLYPHS)):
        character = _character(text, index)
        if character.isspace() or pdfium.FPDFText_IsGenerated(text, index) == 1:
            yield Glyph(character, None, angle)
            continue
        if pdfium.FPDFText_GetMatrix(text, index, matrix) and (matrix.a or matrix.b):
            angle = math.atan2(matrix.b, matrix.a)
        if not pdfium.FPDFText_GetLooseCharBox(text, index, box):
            continue
        x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
        if left <= x <= right and bottom <= y <= top:
            yield Glyph(character, (box.left, box.bottom, box.right, box.top), angle)


def _character(text: pdfium.FPDF_TEXTPAGE, index: int) -> str:
    """Empty where the file does not tell which it is."""
    code = pdfium.FPDFText_GetUnicode(text, index)
    if pdfium.FPDFText_IsHyphen(text, index) == 1:
        return "-"
    # Fonts without an explanation have zero, control characters, or codes that everybody uses as they like.
    private = 0xE000 <= code <= 0xF8FF or code >= 0xF0000
    known = code >= 0x20 or code in (0x09, 0x0A, 0x0D)
    if not known or private or code in (0x7F, 0xFFFD, 0xFFFE, 0xFFFF):
        return ""
    return "" if pdfium.FPDFText_HasUnicodeMapError(text, index) == 1 else chr(code)


def _pictured(page: pdfium.FPDF_PAGE, box: tuple[float, float, float, float]) -> float:
    """How much of a page its pictures cover. A form counts as one if there is a picture in it."""
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


@atexit.register
def _close_all() -> None:
    # pypdfium2 ends PDFium after this, because it was imported before.
    for file in list(_open_files):
        file.close()


if hasattr(os, "register_at_fork"):
    # A child would inherit PDFium in the middle of something, and the lock of a thread that it does not have.
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
