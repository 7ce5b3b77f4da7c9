"""Many pictures in an event loop: read ahead by threads, and waited for without holding the loop up."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from ..exceptions import OcrError
from ..results import Page
from . import _ahead
from ._asyncio import in_thread, settled, to_the_end
from ._call import Call
from ._call_options import CallOptions
from ._inputs import ImageInput
from ._pictures import Pictures

T = TypeVar("T")

Images = Iterable[ImageInput] | AsyncIterable[ImageInput]
"""Pictures, which may come one after the other in the loop."""


async def each(
    pictures: Pictures, images: Images, options: CallOptions, ahead: int | None
) -> AsyncGenerator[Page | OcrError]:
    """Read pictures in order, as :meth:`ferrocr.OcrEngine.arecognize_many`."""
    call = Call()
    await _called(call, partial(pictures.load, call))
    most = pictures.usual_ahead() if ahead is None else ahead
    async with aclosing(_given(images)) as given:
        works = _one_by_one(pictures, given, options) if most == 0 else _ahead_of(pictures, given, options, most)
        async with aclosing(works):
            async for result in works:
                yield result


async def _given(images: Images) -> AsyncGenerator[ImageInput]:
    if isinstance(images, AsyncIterable):
        async for image in images:
            yield image
    else:
        for image in images:
            yield image


async def _one_by_one(
    pictures: Pictures, given: AsyncGenerator[ImageInput], options: CallOptions
) -> AsyncGenerator[Page | OcrError]:
    async for image in given:
        pictures.open()
        call = Call(options.timeout)
        yield await _page_or_error(in_thread(call, partial(pictures.read, image, options, call)), options)


async def _ahead_of(
    pictures: Pictures, given: AsyncGenerator[ImageInput], options: CallOptions, ahead: int
) -> AsyncGenerator[Page | OcrError]:
    begun = _Begun(partial(pictures.begin_image, options=options), ahead + 1)
    feeding = asyncio.create_task(begun.feed(given))
    try:
        while (work := await begun.next()) is not None:
            pictures.open()  # what was read ahead of a release is not given out after it
            yield await _page_or_error(begun.page_of(work), options)
            begun.make_room()
    finally:
        begun.cancel()
        feeding.cancel()
        await begun.end(feeding)


async def _page_or_error(page: Awaitable[Page], options: CallOptions) -> Page | OcrError:
    try:
        return await page
    except _ahead.OF_ONE_PICTURE as error:
        if not options.keep_going:
            raise
        return _ahead.bare(error)


async def _called(call: Call, work: Callable[[], T]) -> T:
    """Return what `work` returns, in a thread; cancelling the task cancels `call`."""

    def begun() -> T:
        call.begin()
        return work()

    return await in_thread(call, begun)


class _Begun:
    """Pictures that are being read and were not taken, in order; never more than `most`, with the one that is handled.

    Args:
        begin: Begins to read one.
        most: That number.
    """

    def __init__(self, begin: Callable[[ImageInput], _ahead.Reading], most: int) -> None:
        self._begin = begin
        self._room = asyncio.Semaphore(most)
        self._next: asyncio.Queue[_ahead.Reading | Exception | None] = asyncio.Queue()
        # Whatever becomes of the tasks, what was begun is in here until it is over.
        self._works: list[_ahead.Reading] = []
        self._is_cancelled = False

    async def feed(self, given: AsyncGenerator[ImageInput]) -> None:
        """Begin each picture as soon as there is room; None is behind the last one."""
        try:
            while True:
                await self._room.acquire()
                try:
                    image = await anext(given)
                except StopAsyncIteration:
                    return
                await self._begin_one(image)
        except Exception as error:  # of whoever gives the pictures
            self._next.put_nowait(error)
        finally:
            self._next.put_nowait(None)

    async def _begin_one(self, image: ImageInput) -> None:
        def begin() -> _ahead.Reading:
            work = self._begin(image)
            self._works.append(work)
            if self._is_cancelled:
                work.cancel()
            return work

        try:
            self._next.put_nowait(await _called(Call(), begin))
        except Exception as error:  # has its place among the pictures
            self._next.put_nowait(error)

    async def next(self) -> "_ahead.Reading | Exception | None":
        """Return the next one, or why it could not be begun; None at the end."""
        return await self._next.get()

    async def page_of(self, work: "_ahead.Reading | Exception") -> Page:
        """Wait for a page.

        Raises:
            Exception: The picture could not be begun or read, or whoever gives the pictures failed.
        """
        if isinstance(work, Exception):
            raise work
        call = Call()
        call.take_along(work)
        try:
            page = await _called(call, work.page)
        except OcrError:
            self._works.remove(work)
            raise
        self._works.remove(work)
        return page

    def make_room(self) -> None:
        """Let another one be begun: a page was handled."""
        self._room.release()

    def cancel(self) -> None:
        """End all of them early, without waiting for that."""
        self._is_cancelled = True
        for work in list(self._works):
            work.cancel()

    async def end(self, feeding: "asyncio.Task[None]") -> None:
        """Wait until nothing of them runs any more."""

        def end() -> None:
            for work in list(self._works):
                work.end()

        try:
            await settled(feeding)
        finally:
            self.cancel()
            if self._works:
                await to_the_end(end)
