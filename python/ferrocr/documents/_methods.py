"""The methods of an engine that read documents."""

from collections.abc import AsyncGenerator, Generator, Iterable
from functools import partial
from typing import Literal, Unpack, overload

from .._engine._call import Call
from .._engine._call_options import (
    CallOptions,
    OnError,
    ReadKeywords,
    RuleKeywords,
    check_ahead,
    takes_keywords_of,
)
from .._engine._inputs import ImageInput
from ..exceptions import OcrError
from . import Document, DocumentPage
from ._page_numbers import PageNumbers
from ._reading import DocumentReader
from ._request import USUAL_DPI, DocumentKeywords, UseOfTextLayer, checked_request, split_request


class DocumentMethods:
    """The part of :class:`ferrocr.OcrEngine` that is about documents."""

    def recognize_document(
        self,
        document: ImageInput,
        *,
        pages: PageNumbers | None = None,
        dpi: float = USUAL_DPI,
        text_layer: UseOfTextLayer = "ignore",
        password: str | None = None,
        min_score: float | None = None,
        timeout: float | None = None,
        on_error: OnError = "raise",
        characters: bool = False,
        allow: str | None = None,
        pattern: str | None = None,
        words: Iterable[str] | None = None,
    ) -> Document:
        """Read the pages of a PDF, of a TIFF with several pages, or of a picture, which is a document of one page.

        :meth:`recognize_pages` gives the same pages one by one, for documents of any length.

        Args:
            document: A PDF or what :meth:`recognize` takes: a path, an encoded file's bytes, or a picture. PDF files
                need the extra: ``pip install "ferrocr[pdf]"``.
            pages: The pages, from 1 on, in the order in which they are wanted: a text such as ``"1-3,7,12-"``, or
                several numbers. None for all.
            dpi: Pixels to the inch that a PDF's pages are rendered at, 1 to 10000. A page that would be larger than
                the engine's `max_pixels` or `max_side` allow is rendered at fewer; the result says at how many.
            text_layer: The text that a PDF brings itself: ``"ignore"`` it and read what a person sees; ``"auto"`` to
                take it for pages where it is likely to be all the text, which are then not read; ``"only"`` to read
                nothing. It is not compared with what is seen. docs/documents.md says when it is taken.
            password: The password that opens an encrypted PDF.
            min_score: As for :meth:`recognize`; text of a PDF's own has a score of 1.
            timeout: As for :meth:`recognize`, for each page, while it is rendered and while it is waited for. Without
                one, PDFium has 60 seconds for a page.
            on_error: ``"raise"`` ends at the first page that cannot be read; ``"return"`` goes on, and keeps the errors
                in the result.
            characters: As for :meth:`recognize`; text of a PDF's own has them too.
            allow: As for :meth:`recognize`, for what is read: text of a PDF's own stays as it is.
            pattern: Likewise.
            words: Likewise.

        Raises:
            InvalidArgumentError: An argument is out of its range, or there is no such page.
            ImageError: The file is no document or picture, is damaged (DocumentError), or is encrypted
                (EncryptedDocumentError).
            RuntimeUnavailableError: It is a PDF, and pypdfium2 is not installed, or no process can be started for it.
            OcrError: As :meth:`recognize`.
        """
        request = checked_request(pages, dpi, text_layer, password)
        rules: RuleKeywords = {"allow": allow, "pattern": pattern, "words": words}
        options = self._options(on_error, min_score=min_score, timeout=timeout, characters=characters, **rules)
        return self._reader().document(document, request, options, Call())

    async def arecognize_document(
        self,
        document: ImageInput,
        *,
        pages: PageNumbers | None = None,
        dpi: float = USUAL_DPI,
        text_layer: UseOfTextLayer = "ignore",
        password: str | None = None,
        min_score: float | None = None,
        timeout: float | None = None,
        on_error: OnError = "raise",
        characters: bool = False,
        allow: str | None = None,
        pattern: str | None = None,
        words: Iterable[str] | None = None,
    ) -> Document:
        """Read the pages of a document in a thread, while the event loop goes on.

        Cancelling the task ends the pages that are being rendered and read. The thread is as for :meth:`arecognize`.
        Arguments are those of :meth:`recognize_document`; the wait for a thread does not count for `timeout`.

        Raises:
            OcrError: As :meth:`recognize_document`.
        """
        from .._engine._asyncio import in_thread

        request = checked_request(pages, dpi, text_layer, password)
        rules: RuleKeywords = {"allow": allow, "pattern": pattern, "words": words}
        options = self._options(on_error, min_score=min_score, timeout=timeout, characters=characters, **rules)
        call = Call()
        return await in_thread(call, partial(self._reader().document, document, request, options, call))

    @overload
    def recognize_pages(
        self,
        document: ImageInput,
        *,
        on_error: Literal["return"] = "return",
        ahead: int | None = None,
        **options: Unpack[DocumentKeywords],
    ) -> Generator[DocumentPage | OcrError]: ...
    @overload
    def recognize_pages(
        self,
        document: ImageInput,
        *,
        on_error: Literal["raise"],
        ahead: int | None = None,
        **options: Unpack[DocumentKeywords],
    ) -> Generator[DocumentPage]: ...

    @takes_keywords_of(recognize_document)
    def recognize_pages(
        self,
        document: ImageInput,
        *,
        on_error: OnError = "return",
        ahead: int | None = None,
        **options: Unpack[DocumentKeywords],
    ) -> Generator[DocumentPage | OcrError]:
        """Read the pages of a document one by one, in order: while one is waited for, the next ones are rendered.

        The document is opened at once. It is closed at its end, when the generator is closed or forgotten, also by
        leaving the loop, and when the engine is freed. A file must stay as it is until then.

        Args:
            document: As for :meth:`recognize_document`.
            on_error: ``"return"`` yields a page's error in its place, with the page's number as its ``page``, and goes
                on; ``"raise"`` ends there. Every other error ends it in any case.
            ahead: Pages that may be rendered and read ahead, as for :meth:`recognize_many`: each takes the memory of
                its picture.
            **options: All others as for :meth:`recognize_document`.

        Raises:
            ResourcesFreedError: The engine was freed, also between two pages.
            OcrError: As :meth:`recognize_document`, except where errors stand in their place.
        """
        return self._begin_pages(document, Call(), on_error, ahead, **options)[1]

    @overload
    def arecognize_pages(
        self,
        document: ImageInput,
        *,
        on_error: Literal["return"] = "return",
        ahead: int | None = None,
        **options: Unpack[DocumentKeywords],
    ) -> AsyncGenerator[DocumentPage | OcrError]: ...
    @overload
    def arecognize_pages(
        self,
        document: ImageInput,
        *,
        on_error: Literal["raise"],
        ahead: int | None = None,
        **options: Unpack[DocumentKeywords],
    ) -> AsyncGenerator[DocumentPage]: ...

    @takes_keywords_of(recognize_document)
    def arecognize_pages(
        self,
        document: ImageInput,
        *,
        on_error: OnError = "return",
        ahead: int | None = None,
        **options: Unpack[DocumentKeywords],
    ) -> AsyncGenerator[DocumentPage | OcrError]:
        """Read the pages of a document one by one, in order, while the event loop goes on.

        The document is opened when the first page is asked for. Cancelling the task that waits for a page, and closing
        the generator, end what is being rendered and read, and close the document; use :func:`contextlib.aclosing`
        where its loop may be left. Arguments are those of :meth:`recognize_pages`; the wait for a thread does not count
        for `timeout`.

        Raises:
            OcrError: As :meth:`recognize_pages`; InvalidArgumentError at once.
        """
        from ._pages_async import each_page

        request, others = split_request(**options)
        check_ahead(ahead)
        return each_page(self._reader(), document, request, self._options(on_error, **others), ahead)

    def _begin_pages(
        self,
        document: ImageInput,
        call: Call,
        on_error: OnError = "return",
        ahead: int | None = None,
        **options: Unpack[DocumentKeywords],
    ) -> tuple[int, Generator[DocumentPage | OcrError]]:
        """Do as :meth:`recognize_pages`, for a call that can be cancelled; return the number of pages too."""
        request, others = split_request(**options)
        check_ahead(ahead)
        return self._reader().pages(document, request, self._options(on_error, **others), ahead, call)

    def _options(self, on_error: OnError = "raise", **options: Unpack[ReadKeywords]) -> CallOptions:
        raise NotImplementedError

    def _reader(self) -> DocumentReader:
        raise NotImplementedError
