"""The methods of an engine for event loops that read pictures."""

from collections.abc import Iterable
from functools import partial
from typing import Unpack

from ..results import Page
from ._call import Call
from ._call_options import CallOptions, OnError, ReadKeywords, RuleKeywords
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

    def _options(self, on_error: OnError = "raise", **options: Unpack[ReadKeywords]) -> CallOptions:
        raise NotImplementedError

    def _pictures(self) -> Pictures:
        raise NotImplementedError
