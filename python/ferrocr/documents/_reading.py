"""Reads the pages of documents in order."""

import os
from collections.abc import Generator, Iterator
from typing import NamedTuple, cast

from .._engine import _ahead
from .._engine._call import Call
from .._engine._call_options import CallOptions
from .._engine._inputs import ImageInput
from .._engine._pictures import Pictures
from .._engine._readable import settled
from .._workers._lender import Workers
from ..exceptions import ForkedError, OcrError
from ..results import Page
from . import Document, DocumentPage, Origin
from ._kinds import name_of
from ._opening import open_document
from ._pages import Limits, OpenDocument, Prepared, Reader
from ._pictures import OnePicture
from ._request import DocumentRequest


class DocumentReader(NamedTuple):
    """Reads documents for one engine."""

    pictures: Pictures
    limits: Limits
    workers: Workers
    open_ones: set[OpenDocument]
    """Has each document while it is open."""

    def document(self, source: ImageInput, request: DocumentRequest, options: CallOptions, call: Call) -> Document:
        """Read a document, as :meth:`ferrocr.OcrEngine.recognize_document`. Cancelling `call` ends that."""
        call.begin()
        count, results = self.pages(source, request, options, None, call)
        read = list(results)
        good = tuple(page for page in read if isinstance(page, DocumentPage))
        bad = tuple(error for error in read if isinstance(error, OcrError))
        return Document(good, bad, count, name_of(source))

    def pages(
        self, source: ImageInput, request: DocumentRequest, options: CallOptions, ahead: int | None, call: Call
    ) -> tuple[int, Generator[DocumentPage | OcrError]]:
        """Return the number of pages, and what comes of those that are wanted, in order. Cancelling `call` ends them.

        The document is closed at the end, or when the generator is closed or forgotten.

        Raises:
            OcrError: It cannot be opened, or has no such page.
        """
        source = settled(source, self.limits.max_bytes)
        name = name_of(source)
        reader = Reader(self.workers, call.take_along, options)
        document = open_document(source, request, self.limits, reader)
        try:
            numbers = request.pages.among(document.count, name or "the document")
            # Pages that may bring their text may be all there are, and none has to be read then.
            if request.text_layer == "ignore":
                self.pictures.load(call)
        except BaseException:
            document.close()
            raise
        most = 1 + (self.pictures.usual_ahead() if ahead is None else ahead)
        begun = self._results(document, numbers, name, options, call, most)
        # From here on it is closed however the generator ends, also when nobody takes a page.
        next(begun)
        return document.count, cast("Generator[DocumentPage | OcrError]", begun)

    def _results(
        self,
        document: OpenDocument,
        numbers: Iterator[int],
        name: str | None,
        options: CallOptions,
        call: Call,
        most: int,
    ) -> Generator[DocumentPage | OcrError | None]:
        """Give None, and then pages or errors, of which `most` are in work at a time."""
        process = os.getpid()

        def check() -> None:
            if os.getpid() != process:  # the place in the file is shared with the parent
                message = f"this document belongs to process {process}, which forked this one"
                raise ForkedError(message, "open it anew in the child process")
            self.pictures.open()
            call.check()

        def begin(number: int) -> _PageInWork:
            check()  # before the file is touched: a forked child would move its parent's place in it
            try:
                prepared = document.page(number)
                if isinstance(prepared.what, Page):
                    return _PageInWork(number, name, prepared, prepared.what)
                reading = self.pictures.begin(prepared.what, options)
            except _ahead.OF_ONE_PICTURE as error:
                raise _about(error, number, document, name) from None
            call.take_along(reading)
            return _PageInWork(number, name, prepared, reading)

        def result_of(work: _PageInWork) -> DocumentPage:
            try:
                return work.page()
            except _ahead.OF_ONE_PICTURE as error:
                raise _about(error, work.number, document, name) from None

        self.open_ones.add(document)
        try:
            yield None
            ahead = _ahead.Ahead(numbers, begin, most)
            yield from _ahead.stream(ahead, result_of, check, keep_going=options.keep_going)
        finally:
            self.open_ones.discard(document)
            document.close()


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
