"""A call of the engine from an event loop. Apart from the engine, whose import does not bring asyncio."""

import asyncio
import contextvars
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from ._call import Call

T = TypeVar("T")


async def in_thread(call: Call, work: Callable[[], T]) -> T:
    """Run `work` in a thread of the loop's default executor, and end `call` when the task is cancelled.

    Other than with :func:`asyncio.to_thread`, a cancelled task is over only when the thread has left `work`.
    """
    run = contextvars.copy_context().run
    future = asyncio.get_running_loop().run_in_executor(None, run, work)
    try:
        # Unlike `await future`, this does not cancel the future: the thread would be forgotten and go on.
        await asyncio.wait([future])
    except asyncio.CancelledError:
        call.cancel()
        # What has not begun notices when it does, and needs no waiting for.
        while call.begun and not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        if not future.cancel():
            future.exception()  # looked at, so that asyncio does not complain that nobody did
        raise
    return future.result()
