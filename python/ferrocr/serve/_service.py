"""All that the answers of a service share, and the way of each request to the engine."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Executor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from starlette.datastructures import Headers

from ._bodies import Upload
from ._gate import Gate
from ._guard import Record, Scope
from ._metrics import Metrics
from ._problems import GoneError, Problem, busy
from ._receiving import Receive, receive_upload
from ._settings import Settings

if TYPE_CHECKING:
    from ..engine import OcrEngine

T = TypeVar("T")

State = Literal["loading", "ready", "failed", "draining"]


class Service:
    """All that the answers of a service share.

    Args:
        settings: Limits.

    Attributes:
        state: "loading" until models are there; "failed" where they cannot be.
        engine: The engine, from the start of the service on.
        executor: Threads for it.
        folder: The folder for bodies.
        gate: The gate before the engine.
        metrics: Counts.
        receiving: Bodies that are on their way.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.state: State = "loading"
        self.engine: OcrEngine | None = None
        self.executor: Executor | None = None
        self.folder: Path | None = None
        self.gate = Gate(settings.at_once, settings.queue)
        self.metrics = Metrics()
        self.receiving = 0

    def engine_bytes(self) -> int | None:
        """Return the resident memory of the engine's processes; None where it has none of its own."""
        pool = getattr(getattr(self.engine, "_core", None), "_pool", None)
        if pool is None:
            return None
        return sum(process.resident_bytes() or 0 for process in pool.everyone())

    @asynccontextmanager
    async def upload(self, scope: Scope, receive: Receive) -> AsyncIterator[Upload]:
        """Receive the body of a request, and delete it in the end.

        Raises:
            Problem: It is refused, or there is no room for it.
            GoneError: The client has left.
        """
        record: Record = scope["ferrocr.record"]
        headers = Headers(scope=scope)
        self._check_state()
        self.gate.check()  # before a body is taken for nothing
        if self.receiving >= self.settings.uploads:
            message = f"{self.receiving} bodies are on their way, which are all that may"
            raise busy(message, 2.0)
        assert self.folder is not None
        started = time.monotonic()
        self.receiving += 1
        try:
            upload = await receive_upload(headers, receive, self.folder, self.settings)
        finally:
            self.receiving -= 1
        record.received = upload.size
        record.seconds["receiving"] = time.monotonic() - started
        with upload:
            yield upload

    async def in_turn(self, scope: Scope, receive: Receive, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a place at the engine and do `work` there, as long as the client waits and the time lasts.

        Raises:
            Problem: The queue is full, or the time is over.
            GoneError: The client has left.
        """
        return await _while_there(receive, self._in_turn(scope["ferrocr.record"], work))

    async def _in_turn(self, record: Record, work: Coroutine[Any, Any, T]) -> T:
        started, entered = time.monotonic(), None
        try:
            async with asyncio.timeout(self.settings.seconds):
                await self.gate.enter()
                entered = time.monotonic()
                record.seconds["waiting"] = entered - started
                try:
                    return await work
                finally:
                    self.gate.leave()
        except TimeoutError:
            if entered is None:
                message = f"there was no place within {self.settings.seconds:g} seconds"
                raise busy(message, self.gate.wait_for_place()) from None
            message = f"it took more than {self.settings.seconds:g} seconds"
            raise Problem(504, "OcrTimeoutError", message, "ask for fewer pages") from None
        finally:
            work.close()
            if entered is not None:
                record.seconds["reading"] = time.monotonic() - entered
                self.gate.took(record.seconds["reading"])

    def _check_state(self) -> None:
        if self.state == "draining":
            message = "the service is ending"
            raise busy(message, 5.0)
        if self.state == "failed":
            raise Problem(503, "NotReadyError", "the models cannot be loaded", "the log of the service says why")


async def _while_there(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Do `work`, and end it when the client leaves.

    Raises:
        GoneError: It has.
    """
    task, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_leaving(receive))
    try:
        await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise GoneError
        return task.result()
    finally:
        for one in (task, leaving):
            one.cancel()
        for one in (task, leaving):
            with suppress(asyncio.CancelledError, Exception):
                await one


async def _leaving(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
