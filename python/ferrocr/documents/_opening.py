"""Documents: telling them apart, opening them, and reading their pages in order."""

import math
import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, cast

from .. import _core
from .._arguments import text_of
from .._engine import _ahead
from .._engine._call import Budget, Work
from .._engine._forks import in_one_piece
from .._engine._inputs import Asked, ImageInput, SizeCheck, file_path, normalise
from .._files import irregular
from .._workers._lender import Workers
from ..exceptions import ImageNotFoundError, InvalidArgumentError, OcrError, StorageError
from ..results import Page
from . import DocumentPage, Origin
from ._page_numbers import PageNumbers, Wanted

if TYPE_CHECKING:
    from ._pdf import PdfFile
    from ._pdf_pages import PdfPages

UseOfTextLayer = Literal["ignore", "auto", "only"]

USUAL_DPI = 200.0
"""Fewer lose small print, more only cost: seven pages of 5 to 12 point text have a token F1 of .996, .9999 and .9996 at
100, 150 and 200, and eight labelled scans one of .972 at 100 to 300, where 300 takes 1.26 times the processor time of
200. Chinese documents did a little better at 200 than at 150. docs/decisions.md has the figures."""

_LONGEST_SIDE = 2**29
"""PDFium counts the bytes of a row in 31 bits."""

_HEAD = 1024
"""A PDF may begin with as many bytes of something else, such as the header of a mail; viewers look that far."""

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")


class Wish(NamedTuple):
    """What a call wants of a document, checked by :func:`wish_of`."""

    pages: Wanted
    dpi: float
    text_layer: UseOfTextLayer
    password: str | None
    characters: bool = False
    """Whether words of text that is taken have their characters."""


class Limits(NamedTuple):
    """What a picture may cost."""

    max_pixels: int
    max_side: int
    max_bytes: int
    check_size: SizeCheck


class Reader(NamedTuple):
    """The reader of a document."""

    workers: Workers
    """Processes for what could come to no end."""
    take_along: Callable[[Work], object]
    """Has what goes on cancelled together with the call."""
    timeout: float | None
    """Seconds that a page may take."""


class Prepared(NamedTuple):
    """A page of a document: its text, or a picture that is to be read."""

    what: Page | _ahead.Picture
    size: tuple[float, float] | None = None
    dpi: float | None = None
    budget: Budget | None = None
    """Counts what was spent on it before it is read."""


class OpenDocument(Protocol):
    """A document whose pages can be asked for, in any order."""

    count: int

    def page(self, number: int) -> Prepared:
        """A page; raises OcrError for one that is damaged."""

    def close(self) -> None:
        """Give its file and its memory back; may be called again, from any thread."""


def wish_of(pages: PageNumbers | None, dpi: float, text_layer: UseOfTextLayer, password: str | None) -> Wish:
    """The arguments, checked.

    Raises:
        InvalidArgumentError: One is out of its range.
    """
    # Written so that it refuses what is no number.
    if isinstance(dpi, bool) or not isinstance(dpi, int | float) or not 1 <= dpi <= 10_000:
        message = f"dpi is a number of pixels to the inch from 1 to 10000, not {dpi!r}"
        raise InvalidArgumentError(message)
    if text_layer not in ("ignore", "auto", "only"):
        message = f"text_layer is 'ignore', 'auto' or 'only', not {text_layer!r}"
        raise InvalidArgumentError(message)
    # The text of the error would show it.
    if password is not None and (not isinstance(password, str) or "\0" in password):
        message = f"a password is a str without null characters, and this is a {type(password).__name__}"
        raise InvalidArgumentError(message)
    if password is not None:
        with suppress(InvalidArgumentError):
            text_of(password, "a password")
            return Wish(Wanted(pages), float(dpi), text_layer, password)
        message = "a password is text, and this one has bytes that are no UTF-8"
        raise InvalidArgumentError(message)
    return Wish(Wanted(pages), float(dpi), text_layer, None)


def name_of(source: ImageInput) -> str | None:
    """Its path as it was given; None for what is no file.

    Raises:
        ImageNotFoundError: No file can have that name.
    """
    if not isinstance(source, str | os.PathLike):
        return None
    file_path(source)
    return os.fsdecode(source)


def open_document(source: ImageInput, wish: Wish, limits: Limits, reader: Reader) -> OpenDocument:
    """Open a document of whatever kind.

    Raises:
        ImageError: It is none, or cannot be opened.
        StorageError: The file cannot be read.
        InvalidArgumentError: Its text layer alone is wanted, and it is a picture.
        RuntimeUnavailableError: It is a PDF, and pypdfium2 is not installed.
    """
    name = name_of(source)
    content: Path | bytes
    if name is not None:
        content = Path(name)
        head = _head_of(content)
    elif isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
        head = content[:_HEAD]
    else:
        return _picture(source, wish, limits)
    kind = _kind_of(head)
    if kind == "pdf":
        return _pdf(content, name or "the document", wish, limits, reader)
    if kind == "tiff" and wish.text_layer != "only":
        return _Tiff(content)
    return _picture(source, wish, limits)


def page_count(source: str | bytes, password: str | None) -> int:
    """How many pages a document has, by its path or its content; a picture has one.

    Raises:
        OcrError: What :func:`open_document` raises.
    """
    content = Path(source) if isinstance(source, str) else source
    kind = kind_of(content)
    if kind is None:
        return 1
    opened = _Tiff(content) if kind == "tiff" else pdf_file()(content, name_of(source) or "the document", password)
    try:
        return opened.count
    finally:
        opened.close()


def kind_of(content: Path | bytes) -> Literal["pdf", "tiff"] | None:
    """What kind of document a file is, as its content says; None for a picture, and for what cannot be read."""
    try:
        return _kind_of(_head_of(content) if isinstance(content, Path) else content[:_HEAD])
    except OcrError:
        return None


def _kind_of(head: bytes) -> Literal["pdf", "tiff"] | None:
    if head.startswith(_TIFF):
        return "tiff"
    return "pdf" if b"%PDF-" in head and not head.startswith(_PICTURES) else None


def pages_of(
    document: OpenDocument,
    numbers: Iterator[int],
    name: str | None,
    read: Callable[[_ahead.Picture], _ahead.Reading],
    check_open: Callable[[], object],
    open_ones: set[OpenDocument],
    *,
    most: int,
    keep_going: bool,
) -> Generator[DocumentPage | OcrError]:
    """Read pages in order, and close the document at the end, or when the generator is closed or forgotten.

    Args:
        document: The document.
        numbers: The pages' numbers.
        name: The document's path, if it is a file.
        read: Begins to read a picture.
        check_open: Refuses to go on once the engine is freed.
        open_ones: Has the document while it is open.
        most: How many pages may be in work.
        keep_going: Whether an error of one page stands in its place instead of ending it all.
    """

    def begin(number: int) -> _PageInWork:
        check_open()  # before the file is touched: a forked child would move its parent's place in it
        try:
            prepared = document.page(number)
            work = prepared.what if isinstance(prepared.what, Page) else read(prepared.what)
        except _ahead.OF_ONE_PICTURE as error:
            raise _about(error, number, document, name) from None
        return _PageInWork(number, name, prepared, work)

    def result_of(work: _PageInWork) -> DocumentPage:
        try:
            return work.page()
        except _ahead.OF_ONE_PICTURE as error:
            raise _about(error, work.number, document, name) from None

    def results() -> Generator[DocumentPage | OcrError | None]:
        open_ones.add(document)
        try:
            yield None
            yield from _ahead.stream(_ahead.Ahead(numbers, begin, most), result_of, check_open, keep_going=keep_going)
        finally:
            open_ones.discard(document)
            document.close()

    begun = results()
    # From here on it is closed however the generator ends, also when nobody takes a page.
    next(begun)
    return cast("Generator[DocumentPage | OcrError]", begun)


class _PageInWork:
    """A page that is being read, or whose text is there."""

    def __init__(self, number: int, source: str | None, prepared: Prepared, work: "Page | _ahead.Reading") -> None:
        self.number = number
        self._source, self._work = source, work
        self._size, self._dpi = prepared.size, prepared.dpi
        self._spent = 0.0 if prepared.budget is None else prepared.budget.spent

    def over(self) -> bool:
        """Whether there is nothing left to wait for."""
        return isinstance(self._work, Page) or self._work.over()

    def cancel(self) -> None:
        """End it early, without waiting for that."""
        if not isinstance(self._work, Page):
            self._work.cancel()

    def end(self) -> None:
        """End it early, and wait until nothing of it runs any more."""
        if not isinstance(self._work, Page):
            self._work.end()

    def page(self) -> DocumentPage:
        """Wait for it."""
        is_read = not isinstance(self._work, Page)
        page = self._work if isinstance(self._work, Page) else self._work.page(self._spent)
        origin: Origin = "ocr" if is_read else "text layer"
        return DocumentPage(self.number, page, origin, self._source, self._size, self._dpi)


class _OnePicture:
    """A picture, as a document of one page."""

    count = 1

    def __init__(self, picture: _ahead.Picture) -> None:
        self._picture = picture

    def page(self, _number: int) -> Prepared:
        """The picture."""
        return Prepared(self._picture)

    def close(self) -> None:
        """Nothing is open."""


class _Tiff:
    """A TIFF file, which may have several pages."""

    def __init__(self, content: Path | bytes) -> None:
        if isinstance(content, bytes):
            self._frames = _core.Frames.of_bytes(content)
        else:
            self._frames = _core.Frames.of_file(content)
        self.count = self._frames.count

    def page(self, number: int) -> Prepared:
        """A page, which is decoded when it is read."""
        return Prepared(_Frame(self._frames, number - 1), dpi=self._frames.dpi(number - 1))

    def close(self) -> None:
        """Give its file and its memory back."""
        self._frames.close()


class _Frame:
    """A page of a TIFF file."""

    def __init__(self, frames: _core.Frames, index: int) -> None:
        self._frames, self._index = frames, index

    def begin(self, core: _core.Engine, asked: Asked) -> _core.Reading:
        """Begin to read it in the background."""
        return core.begin_frame(self._frames, self._index, asked)


def _picture(source: ImageInput, wish: Wish, limits: Limits) -> OpenDocument:
    if wish.text_layer == "only":
        message = f"{name_of(source) or 'the document'} is a picture, and text_layer='only' is for PDF files"
        hint = "say {} for documents of any kind"
        raise InvalidArgumentError(
            message, hint.format("text_layer='auto'"), shell_hint=hint.format("--text-layer auto")
        )
    return _OnePicture(normalise(source, limits.check_size, limits.max_bytes))


def _pdf(content: Path | bytes, name: str, wish: Wish, limits: Limits, reader: Reader) -> OpenDocument:
    pages = in_one_piece(_import_pdf, first="pdf")[1]
    return pages(content, name, wish, limits, reader)


def pdf_file() -> "type[PdfFile]":
    """The class of PDF files that are open.

    Raises:
        RuntimeUnavailableError: pypdfium2 is not installed.
    """
    return in_one_piece(_import_pdf, first="pdf")[0]


def _import_pdf() -> "tuple[type[PdfFile], type[PdfPages]]":
    from ._pdf import PdfFile, check_installed
    from ._pdf_pages import PdfPages

    check_installed()
    return PdfFile, PdfPages


def resolution(size: tuple[float, float], dpi: float, limits: Limits) -> tuple[float, int, int]:
    """What a page of `size` points is rendered at so that its picture is within the limits: dpi, width and height."""
    width, height = size
    side = min(limits.max_side, _LONGEST_SIDE)
    wanted = dpi / 72
    scale = min(wanted, side / max(width, height), math.sqrt(limits.max_pixels / width / height))
    # Rounded down where a pixel more would be beyond a limit.
    count = round if scale == wanted else int
    return scale * 72, max(1, count(width * scale)), max(1, count(height * scale))


def _head_of(path: Path) -> bytes:
    """The first bytes of a regular file.

    Raises:
        ImageNotFoundError: There is no such file.
        StorageError: It cannot be read, or is a pipe or the like.
    """
    try:
        # Opening a pipe would otherwise wait for a writer.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise irregular(path)
            return os.read(handle, _HEAD)
        finally:
            os.close(handle)
    except FileNotFoundError:
        message = f"there is no file {path}"
        raise ImageNotFoundError(message) from None
    except (OSError, ValueError) as error:
        if isinstance(error, OcrError):
            raise
        if "\0" not in str(path) and path.is_dir():
            raise irregular(path) from error
        message = f"cannot read {path}: {error}"
        raise StorageError(message) from error


def _about(error: OcrError, number: int, document: OpenDocument, name: str | None) -> OcrError:
    """The error, which says which page it is about."""
    error.page = number
    if not isinstance(document, _OnePicture):  # the name of a picture is there already
        text = str(error.args[0]) if error.args else ""
        error.args = (f"page {number} of {name or 'the document'}: {text}",)
    return error
