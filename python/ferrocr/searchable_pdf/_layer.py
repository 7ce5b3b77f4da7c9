"""The layer of invisible text of an open document."""

import zlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Name

from .._files import check_regular
from ..documents._hints import PASSWORD, PASSWORD_OPTION
from ..documents._kinds import kind_of
from ..documents._opening import pdf_file
from ..exceptions import DocumentError, EncryptedDocumentError, ImageNotFoundError, InvalidArgumentError, StorageError
from ..formats._sheet import Sheet
from ..results import Point
from ._font import InvisibleFont
from ._picture_pages import pictures_as_pdf
from ._text import content_of

_Box = tuple[float, float, float, float]

_LETTER: _Box = (0, 0, 612, 792)
"""The page that viewers show where the file does not tell its size."""

_DEEPEST = 50
"""Levels of the tree of pages that are looked through for what a page inherits."""


class PdfLayer:
    """An open document whose pages get text.

    Args:
        path: A PDF or a picture.
        password: The password that opens the PDF.
        keeps_own: True if pages that have their text already stay as they are.
        opened: Has what is to be closed.
    """

    def __init__(self, path: Path, password: str | None, *, keeps_own: bool, opened: ExitStack) -> None:
        self._name = str(path)
        kind = kind_of(path)
        self._own: Callable[[int], bool] = lambda _number: False
        if kind == "pdf":
            self._pdf = opened.enter_context(_open(path, password))
            _refuse_signed(self._pdf, self._name)
            if keeps_own:
                self._own = _OwnText(path, password, opened).is_on
        else:
            self._pdf = pictures_as_pdf(path, is_tiff=kind == "tiff", opened=opened)
        self._font: InvisibleFont | None = None
        self._done: set[int] = set()

    def add(self, sheet: Sheet) -> None:
        """Add a page's text, unless it is there already."""
        number, page = sheet.number, sheet.page
        if not 1 <= number <= len(self._pdf.pages):
            message = f"there is no page {number} in {self._name}, which has {len(self._pdf.pages)}"
            raise InvalidArgumentError(message)
        if number in self._done:
            message = f"page {number} of {self._name} was added before"
            raise InvalidArgumentError(message, "add each page once")
        if page.width < 1 or page.height < 1:
            message = f"page {number} is {page.width}x{page.height} pixels, so nobody knows where its text is"
            raise InvalidArgumentError(message)
        if sheet.origin == "ocr" and page.lines and not self._own(number):
            self._draw(sheet)
        self._done.add(number)

    def write(self, file: BinaryIO) -> None:
        """Write the document."""
        if self._font is not None:
            self._font.write()
        is_encrypted = self._pdf.is_encrypted
        try:
            self._pdf.save(
                file,
                encryption=is_encrypted,
                min_version="1.3",  # fonts of two bytes a character
                deterministic_id=not is_encrypted,
                linearize=self._pdf.is_linearized,
                # Everything else as it is in the source. What is encrypted cannot be had so.
                fix_metadata_version=False,
                compress_streams=is_encrypted,
                stream_decode_level=None if is_encrypted else pikepdf.StreamDecodeLevel.none,
            )
        except pikepdf.PdfError as error:
            message = f"{self._name} is damaged: {error}"
            raise DocumentError(message, "tools such as qpdf repair some damage") from error

    def _draw(self, sheet: Sheet) -> None:
        page = self._pdf.pages[sheet.number - 1].obj
        if self._font is None:
            self._font = InvisibleFont(self._pdf)
        try:
            to_points = _to_points(page, (sheet.page.width, sheet.page.height))
            fonts = _fonts(page)
        except (TypeError, ValueError, AttributeError, pikepdf.PdfError) as error:
            message = f"page {sheet.number} of {self._name} is damaged: {error}"
            raise DocumentError(message, "tools such as qpdf repair some damage") from error
        name = _name_in(fonts, self._font)
        content = content_of(sheet.page, to_points, name, self._font)
        fonts[Name("/" + name)] = self._font.object
        # Before everything else: there nothing of the page has changed how things are drawn.
        stream = self._pdf.make_stream(zlib.compress(content), Filter=Name.FlateDecode)
        page.Contents = Array([stream, *_streams(page)])


class _OwnText:
    """Tells pages of a PDF that have their text already."""

    def __init__(self, path: Path, password: str | None, opened: ExitStack) -> None:
        self._file = pdf_file()(path, str(path), password)
        opened.callback(self._file.close)

    def is_on(self, number: int) -> bool:
        """Return True if the text that is there is likely to be all, but for what is filled into forms."""
        return replace(self._file.text_layer(number), has_notes=False).is_usable


def _open(path: Path, password: str | None) -> pikepdf.Pdf:
    check_regular(path)
    try:
        return pikepdf.open(path, password=password or "")
    except FileNotFoundError as error:
        message = f"there is no file {path}"
        raise ImageNotFoundError(message) from error
    except OSError as error:
        message = f"cannot read {path}: {error.strerror or error}"
        raise StorageError(message) from error
    except pikepdf.PasswordError as error:
        if password is None:
            message = f"{path} is encrypted, and no password was given"
            raise EncryptedDocumentError(message, PASSWORD, shell_hint=PASSWORD_OPTION) from error
        message = f"{path} is encrypted, and the password that was given does not open it"
        hint = "pass the password that a viewer asks for; capital letters count"
        raise EncryptedDocumentError(message, hint) from error
    except pikepdf.PdfError as error:
        message = f"{path} is a PDF that is damaged: {error}"
        raise DocumentError(message, "see whether a viewer opens it; tools such as qpdf repair some damage") from error


def _refuse_signed(pdf: pikepdf.Pdf, name: str) -> None:
    form = pdf.Root.get("/AcroForm")
    # The first of its flags says that there is a signature.
    if isinstance(form, Dictionary) and int(form.get("/SigFlags", 0)) & 1 and _is_signed(form.get("/Fields"), 0):
        message = f"{name} is signed, and any change would make its signature invalid"
        raise DocumentError(message, "print it into another file with a viewer, and take that")


def _is_signed(fields: pikepdf.Object | None, depth: int) -> bool:
    if not isinstance(fields, Array) or depth > _DEEPEST:
        return False
    return any(
        isinstance(field, Dictionary)
        and ((field.get("/FT") == Name.Sig and "/V" in field) or _is_signed(field.get("/Kids"), depth + 1))
        for field in fields
    )


def _to_points(page: pikepdf.Object, size: tuple[int, int]) -> Callable[[Point], Point]:
    """Return a map from pixels of a page's picture to the page's own coordinates; the way back of ``placed``."""
    left, bottom, right, top = _shown(page)
    turns = int(_inherited(page, "/Rotate") or 0) // 90 % 4
    width, height = size

    def to_points(point: Point) -> Point:
        x, y = point[0] / width, point[1] / height
        # As the page is before it is turned.
        x, y = ((x, y), (y, 1 - x), (1 - x, 1 - y), (1 - y, x))[turns]
        return left + x * (right - left), top - y * (top - bottom)

    return to_points


def _shown(page: pikepdf.Object) -> _Box:
    """Return the part of a page that a viewer shows: left, bottom, right and top."""
    whole = _box(page, "/MediaBox") or _LETTER
    cut = _box(page, "/CropBox") or whole
    left, bottom = max(whole[0], cut[0]), max(whole[1], cut[1])
    right, top = min(whole[2], cut[2]), min(whole[3], cut[3])
    return (left, bottom, right, top) if left < right and bottom < top else whole


def _box(page: pikepdf.Object, name: str) -> _Box | None:
    box = _inherited(page, name)
    if not isinstance(box, Array) or len(box) != 4:
        return None
    x1, y1, x2, y2 = (float(value) for value in box)
    left, right, bottom, top = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    return (left, bottom, right, top) if left < right and bottom < top else None


def _inherited(page: pikepdf.Object, name: str) -> pikepdf.Object | None:
    node: pikepdf.Object | None = page
    for _ in range(_DEEPEST):
        if not isinstance(node, Dictionary):
            return None
        found = node.get(name)
        if found is not None:
            return found
        node = node.get("/Parent")
    return None


def _fonts(page: pikepdf.Object) -> pikepdf.Object:
    """Return the page's dictionary of fonts, which other pages may share; one is made where it is missing."""
    resources = _inherited(page, "/Resources")
    if not isinstance(resources, Dictionary):
        page.Resources = Dictionary()
        resources = page.Resources
    if not isinstance(resources.get("/Font"), Dictionary):
        resources.Font = Dictionary()
    return resources.Font


def _name_in(fonts: pikepdf.Object, font: InvisibleFont) -> str:
    """Return the name that the font has there, or may have."""
    name, number = "FerrocrText", 1
    while (other := fonts.get(f"/{name}")) is not None and other.objgen != font.object.objgen:
        number += 1
        name = f"FerrocrText{number}"
    return name


def _streams(page: pikepdf.Object) -> list[pikepdf.Object]:
    """Return the streams that draw the page."""
    content = page.get("/Contents")
    if content is None:
        return []
    return list(content) if isinstance(content, Array) else [content]
