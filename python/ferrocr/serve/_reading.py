"""The way of an upload through the engine: in a thread, page by page, and ended early where nobody waits for it."""

import asyncio
import itertools
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from contextlib import suppress
from typing import Protocol, TypeVar, Unpack

from .._engine._call import Call
from .._engine._call_options import OnError
from ..documents import DocumentPage
from ..documents._page_numbers import Wanted
from ..documents._request import DocumentKeywords
from ..exceptions import EngineCrashedError, InvalidArgumentError, OcrError
from ._bodies import Upload
from ._settings import Settings

T = TypeVar("T")

_AHEAD = 1
"""Pages that are read ahead. A service has other requests to keep the engine at work."""


class Engine(Protocol):
    """The part of :class:`ferrocr.OcrEngine` that a service uses."""

    def _begin_pages(
        self,
        document: str | bytes,
        call: Call,
        on_error: OnError = "return",
        ahead: int | None = None,
        **options: Unpack[DocumentKeywords],
    ) -> tuple[int, Generator[DocumentPage | OcrError]]: ...


async def in_thread(executor: Executor, call: Call, work: Callable[[], T]) -> T:
    """Run `work` in a thread, and end `call` when the task is cancelled, which is over when the thread has left."""
    future = asyncio.get_running_loop().run_in_executor(executor, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        call.cancel()
        while not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        if not future.cancelled():
            future.exception()  # looked at, so that asyncio does not complain that nobody did
        raise


class Pages:
    """The pages of an upload, in order.

    Args:
        engine: The engine that reads them.
        executor: Has a thread for it.
        upload: The upload.
        keywords: Options.
        settings: Limits.
    """

    def __init__(
        self, engine: Engine, executor: Executor, upload: Upload, keywords: DocumentKeywords, settings: Settings
    ) -> None:
        self._engine, self._executor, self._settings = engine, executor, settings
        self._content = upload.content
        self._keywords: DocumentKeywords = {**keywords, "timeout": settings.page_seconds}
        self._call = Call()
        self._results: Generator[DocumentPage | OcrError] | None = None
        self.count = 0
        """The pages that the document has."""
        self.crashes = 0
        """Crashes of the engine's processes that it met."""

    async def start(self) -> None:
        """Open the document.

        Raises:
            OcrError: It cannot be opened, or has too many pages.
        """
        await in_thread(self._executor, self._call, self._start)

    async def next(self) -> DocumentPage | OcrError | None:
        """Return the next page, or its error; None at the end.

        Raises:
            OcrError: It ends all of them.
        """
        return await in_thread(self._executor, self._call, self._next)

    async def close(self) -> None:
        """End what goes on. May be called where it has never begun."""
        self._call.cancel()
        if self._results is not None:
            await in_thread(self._executor, self._call, self._results.close)

    def _start(self) -> None:
        try:
            self.count, self._results = self._begin(**self._keywords)
        except EngineCrashedError:
            self.crashes += 1
            self.count, self._results = self._begin(**self._keywords)
        wanted = Wanted(self._keywords.get("pages")).among(self.count, "the document")
        most = self._settings.max_pages
        if sum(1 for _ in itertools.islice(wanted, most + 1)) > most:
            self._results.close()
            message = f"there are more than {most} pages to read"
            raise InvalidArgumentError(message, f'ask for some of them: pages="1-{most}"')

    def _next(self) -> DocumentPage | OcrError | None:
        assert self._results is not None
        result = next(self._results, None)
        if isinstance(result, EngineCrashedError):
            self.crashes += 1
            # Once more: most often another request's picture was to blame.
            result = self._once_more(result)
            self.crashes += isinstance(result, EngineCrashedError)
        return result

    def _once_more(self, error: EngineCrashedError) -> DocumentPage | OcrError | None:
        keywords = DocumentKeywords(**self._keywords)
        keywords["pages"] = [error.page or 1]
        try:
            results = self._begin(**keywords)[1]
        except EngineCrashedError as again:
            again.page = error.page
            return again
        try:
            return next(results, None)
        finally:
            results.close()

    def _begin(self, **keywords: Unpack[DocumentKeywords]) -> tuple[int, Generator[DocumentPage | OcrError]]:
        self._call.check()
        return self._engine._begin_pages(self._content, self._call, "return", _AHEAD, **keywords)
