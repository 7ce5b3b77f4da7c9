"""A call of the engine from an event loop. Apart from the engine, whose import does not bring asyncio."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TypeVar

from ._call import Call

T = TypeVar("T")


_LONGEST_TIMER = 1e6
"""Seconds, about eleven days: some event loops have no timers for any number of them."""


async def in_thread(call: Call, work: Callable[[], T]) -> T:
    """Run `work` in a thread of the loop's default executor, and end `call` when the task is cancelled.

    Other than with :func:`asyncio.to_thread`, a cancelled task is over only when the thread has left `work`.

    Raises:
        OcrTimeoutError: The call's time was over before a thread was free.
    """
    run = contextvars.copy_context().run
    future = asyncio.get_running_loop().run_in_executor(None, run, work)
    try:
        await _end_of(future, call)
    except asyncio.CancelledError:
        call.cancel()
        # A call that has not begun notices when it does, and needs no waiting for.
        while call.begun and not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        _forget(future)
        raise
    except BaseException:  # also when the coroutine is closed, which can wait for nothing
        call.cancel()
        _forget(future)
        raise
    return future.result()


async def to_the_end(work: Callable[[], T], executor: Executor | None = None) -> T:
    """Return what `work` returns, in a thread; a task that is cancelled meanwhile is over when the thread has left it.

    For work that ends something, and is never to be left half done.
    """
    try:
        future = asyncio.get_running_loop().run_in_executor(executor, work)
    except RuntimeError:  # the loop's threads have ended
        return work()
    try:
        await settled(future)
    except asyncio.CancelledError:
        _forget(future)
        raise
    return future.result()


async def settled(future: "asyncio.Future[T]") -> None:
    """Wait until it is over, whatever comes of it, also in a task that is cancelled meanwhile.

    Raises:
        asyncio.CancelledError: The task was cancelled; the future is over nevertheless.
    """
    cancelled = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


async def _end_of(future: "asyncio.Future[T]", call: Call) -> None:
    """Wait for it; for its beginning no longer than the call may take, which from there on looks at that itself."""
    while not future.done():
        left = None if call.begun else call.deadline.left()
        if left == 0:
            raise call.timed_out()
        # Unlike `await future`, this does not cancel the future: the thread would be forgotten and go on.
        await asyncio.wait([future], timeout=None if left is None else min(left, _LONGEST_TIMER))


def _forget(future: "asyncio.Future[T]") -> None:
    with suppress(RuntimeError):  # the loop is closed
        if not future.cancel() and not future.cancelled():
            future.exception()  # looked at, so that asyncio does not complain that nobody did
