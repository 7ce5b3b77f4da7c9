"""The methods of an engine for event loops that read pictures."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from functools import partial
from typing import Literal, Unpack, overload

from ..exceptions import OcrError
from ..results import Page
from ._call import Call
from ._call_options import CallOptions, OnError, ReadKeywords, RuleKeywords, check_ahead, takes_keywords_of
from ._inputs import ImageInput
from ._pictures import Pictures


class AsyncMethods:
    """The part of :class:`ferrocr.OcrEngine` that is about event loops."""

    async def arecognize(
        self,
        image: ImageInput,
        *,
        min_score: float | None = None,
        timeout: float | None = None,
        characters: bool = False,
        allow: str | None = None,
        pattern: str | None = None,
        words: Iterable[str] | None = None,
    ) -> Page:
        """Read one picture in a thread, while the event loop goes on.

        Cancelling the task ends the reading early; the task is over when the thread has left the engine. The thread is
        one of the event loop's default executor, as with :func:`asyncio.to_thread`. Do not change an array before the
        call is over. Arguments are those of :meth:`recognize`; the wait for a thread counts for `timeout`.

        Raises:
            OcrError: As :meth:`recognize`.
        """
        from ._asyncio import in_thread

        rules: RuleKeywords = {"allow": allow, "pattern": pattern, "words": words}
        options = self._options(min_score=min_score, timeout=timeout, characters=characters, **rules)
        call = Call(options.timeout)
        return await in_thread(call, partial(self._pictures().read, image, options, call))

    @overload
    def arecognize_many(
        self,
        images: Iterable[ImageInput] | AsyncIterable[ImageInput],
        *,
        on_error: Literal["return"] = "return",
        ahead: int | None = None,
        **options: Unpack[ReadKeywords],
    ) -> AsyncGenerator[Page | OcrError]: ...
    @overload
    def arecognize_many(
        self,
        images: Iterable[ImageInput] | AsyncIterable[ImageInput],
        *,
        on_error: Literal["raise"],
        ahead: int | None = None,
        **options: Unpack[ReadKeywords],
    ) -> AsyncGenerator[Page]: ...

    @takes_keywords_of(arecognize)
    def arecognize_many(
        self,
        images: Iterable[ImageInput] | AsyncIterable[ImageInput],
        *,
        on_error: OnError = "return",
        ahead: int | None = None,
        **options: Unpack[ReadKeywords],
    ) -> AsyncGenerator[Page | OcrError]:
        """Read many pictures, in order, while the event loop goes on: the next ones are read meanwhile.

        `images` is asked in the event loop, as far as pictures are read ahead, and may wait there for the next one.
        Cancelling the task that waits for a page, and closing the generator, end what is being read; both are over when
        that is. Leaving the loop closes it somewhat later, so use :func:`contextlib.aclosing` where it may be left::

            async with aclosing(ocr.arecognize_many(paths)) as results:
                async for result in results:
                    ...

        Args:
            images: Any iterable, or asynchronous one, of what :meth:`recognize` takes, however long.
            on_error: As for :meth:`recognize_many`.
            ahead: Likewise.
            **options: Likewise. The wait for a thread does not count for the timeout, unless nothing is read ahead.

        Raises:
            InvalidArgumentError: At once: an argument is out of its range.
            ResourcesFreedError: The engine was freed, also between two pictures.
            OcrError: As :meth:`recognize_many`.
        """
        from ._many_async import each

        check_ahead(ahead)
        return each(self._pictures(), images, self._options(on_error, **options), ahead)

    def _options(self, on_error: OnError = "raise", **options: Unpack[ReadKeywords]) -> CallOptions:
        raise NotImplementedError

    def _pictures(self) -> Pictures:
        raise NotImplementedError
