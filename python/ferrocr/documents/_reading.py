"""Reads the pages of an open document in order."""

from collections.abc import Callable, Generator, Iterator
from typing import cast

from .._engine import _ahead
from ..exceptions import OcrError
from ..results import Page
from . import DocumentPage, Origin
from ._pages import OpenDocument, Prepared
from ._pictures import OnePicture


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
        most: Number of pages that may be in work.
        keep_going: True if an error of one page stands in its place instead of ending it all.
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
        """Return True once there is nothing left to wait for."""
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


def _about(error: OcrError, number: int, document: OpenDocument, name: str | None) -> OcrError:
    """Return the error, which says which page it is about."""
    error.page = number
    if not isinstance(document, OnePicture):  # the name of a picture is there already
        text = str(error.args[0]) if error.args else ""
        error.args = (f"page {number} of {name or 'the document'}: {text}",)
    return error
