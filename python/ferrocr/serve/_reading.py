"""The way of an upload through the engine: in a thread, page by page, and ended early where nobody waits for it."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor
from contextlib import closing, suppress
from typing import Protocol, TypeVar, Unpack

from .._engine._call import Call
from .._engine._call_options import OnError
from .._workers._start import HINT
from ..documents import DocumentPage
from ..documents._page_numbers import Wanted
from ..documents._request import DocumentKeywords
from ..exceptions import EngineCrashedError, InvalidArgumentError, OcrError, RuntimeUnavailableError
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
        self._left: deque[int] = deque()
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
        self.count, self._results = self._begin(**self._keywords)
        wanted = Wanted(self._keywords.get("pages")).among(self.count, "the document")
        most = self._settings.max_pages
        self._left = deque(itertools.islice(wanted, most + 1))
        if len(self._left) > most:
            self._results.close()
            message = f"there are more than {most} pages to read"
            raise InvalidArgumentError(message, f'ask for some of them: pages="1-{most}"')

    def _next(self) -> DocumentPage | OcrError | None:
        if self._results is None or not self._left:
            return None
        is_over = False
        try:
            result = next(self._results, None)
        except OcrError as error:
            if _crash_of(error) is None:
                raise
            result, is_over = error, True
        number = self._left.popleft()
        if isinstance(result, OcrError) and _crash_of(result) is not None:
            self.crashes += 1
            # Once more: most often another request's picture was to blame.
            result = self._once_more(number)
        if is_over and self._left:
            self._results = self._begin_at(self._left)
        return result

    def _once_more(self, number: int) -> DocumentPage | OcrError | None:
        try:
            results = self._begin_at([number])
            with closing(results):
                result = next(results, None)
        except OcrError as error:
            if _crash_of(error) is None:
                raise
            result = error
        crash = _crash_of(result) if isinstance(result, OcrError) else None
        if crash is None:
            return result
        self.crashes += 1
        crash.page = number
        return crash

    def _begin_at(self, numbers: Iterable[int]) -> Generator[DocumentPage | OcrError]:
        keywords = DocumentKeywords(**self._keywords)
        keywords["pages"] = list(numbers)
        return self._begin(**keywords)[1]

    def _begin(self, **keywords: Unpack[DocumentKeywords]) -> tuple[int, Generator[DocumentPage | OcrError]]:
        """Open the document, once more where the engine's process crashes over that."""
        for is_last in (False, True):
            self._call.check()
            try:
                return self._engine._begin_pages(self._content, self._call, "return", _AHEAD, **keywords)
            except OcrError as error:
                crash = _crash_of(error)
                if crash is None:
                    raise
                self.crashes += 1
                if is_last:
                    raise crash from None
        raise AssertionError


def _crash_of(error: OcrError) -> EngineCrashedError | None:
    """Return the crash that an error is about: of a process at work, or of one that was about to be."""
    if isinstance(error, EngineCrashedError):
        return error
    if isinstance(error, RuntimeUnavailableError) and error.hint == HINT:
        return EngineCrashedError(*error.for_shell())
    return None
