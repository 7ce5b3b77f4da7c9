"""The processes of an isolated engine: which call gets which, and how they end."""

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from .. import _core
from .._log import logger
from .._workers._start import LONGEST_END, Answer
from ._exchange import Exchange, Late, Owner
from ._process import EngineProcess

if TYPE_CHECKING:
    from .._core import _Release

_FOREVER = float("inf")

_LOOK = 0.05
"""Seconds after which a call that waits for a process's end looks for its own."""


class Giving(Exchange):
    """A process that gives back what it holds, and ends."""

    def __init__(self, owner: Owner, process: EngineProcess) -> None:
        super().__init__(owner, "gave its models back")
        self._of = process

    def send(self, *, closing: bool, cancel: bool) -> None:
        """Ask for it."""
        self._of.request({"do": "free", "closing": closing, "cancel": cancel}, b"", self)

    def receive(self, answer: Answer) -> bool:
        """Take the report, and end the process."""
        if answer.header.get("what") == "freed":
            self._of.report = report_of(answer.header.get("report"))
        elif answer.header.get("error") == "ResourcesFreedError":  # an unload that a release has overtaken
            return True
        self._of.kill_for_release()
        return True

    def lose(self, lost: Exception) -> None:
        """Do nothing: it is gone."""


class Pool:
    """The processes of one engine in one process; a forked child has another pool.

    Args:
        count: The most processes.
        idle: Seconds without a call after which one ends; None for never.
        kept: Bytes of memory that each shares with this process from picture to picture.
        counters: Told of crashes.
        inherited: True if the parent of this forked process has processes.
    """

    def __init__(
        self, count: int, idle: float | None, kept: int, counters: "_core.Counters", *, inherited: bool
    ) -> None:
        self.pid = os.getpid()
        self._counters = counters
        self.inherited = inherited
        # Its lock is one that a signal's handler may take once more. The threads that read and write never wait for it:
        # such a handler may wait for them.
        self.changed = threading.Condition()
        self.leaving: set[EngineProcess] = set()
        """Those that end when their calls have."""
        self.released: list[EngineProcess] = []
        """Those that a release of the engine has ended, or will."""
        self._idle, self._kept = idle, kept
        self._running: list[EngineProcess | None] = [None] * count

    def running(self) -> list[EngineProcess]:
        """Return those that take calls."""
        return [process for process in self._running if process is not None and not process.is_gone]

    def everyone(self) -> list[EngineProcess]:
        """Return all that are there."""
        return [*self.running(), *self.leaving]

    def calls(self) -> int:
        """Return the number of calls in flight."""
        return sum(process.calls for process in self.everyone())

    def choose(self, owner: Owner, check: Callable[[], object], until: float, late: Late) -> EngineProcess:
        """Return the process with the fewest calls. While others end, this waits.

        Raises:
            OcrError: `check` says no, the time is over, or no process can be started.
        """
        with self.changed:
            check()
            while self.leaving:
                if time.monotonic() >= until:
                    raise late()
                self.changed.wait(_LOOK)
                check()
            return self._least_busy(owner)

    def admit(self, process: EngineProcess, call: object, ask: Callable[[], object]) -> bool:
        """Send a request to a process, and count its call; False for a process that takes none any more."""
        with self.changed:
            if process not in self._running:
                return False
            process.active.add(call)
            ask()
            return True

    def fill(self, owner: Owner, check: Callable[[], object]) -> list[EngineProcess]:
        """Return all processes that there may be.

        Raises:
            OcrError: As :meth:`choose`.
        """
        with self.changed:
            check()
            for slot, process in enumerate(self._running):
                if process is None or process.is_gone:
                    self._running[slot] = self._started(owner)
            return self.running()

    def leave(self, process: EngineProcess, call: object) -> None:
        """Count a call no more."""
        process.active.discard(call)
        self._tell()

    def release(self, owner: Owner, process: EngineProcess, *, closing: bool, cancel: bool = False) -> None:
        """Have a process end, once its calls have; `closing` ends a load, and `cancel` its calls."""
        with self.changed:
            if process in self._running:
                self._running[self._running.index(process)] = None
                self.leaving.add(process)
            if process.is_loaded or process.calls:
                Giving(owner, process).send(closing=closing, cancel=cancel)
            else:
                process.kill_for_release()

    def release_all(self, owner: Owner, *, closing: bool, cancel: bool = False) -> list[EngineProcess]:
        """Have all end; return them."""
        with self.changed:
            processes = self.everyone()
            for process in processes:
                self.release(owner, process, closing=closing, cancel=cancel)
            return processes

    def wait(self, processes: list[EngineProcess], timeout: float | None, last: float = _FOREVER) -> bool:
        """Wait until they are gone; False when calls of theirs are in flight after `timeout` seconds.

        Those that are there at the time `last` are ended.
        """
        until = _FOREVER if timeout is None else time.monotonic() + timeout
        with self.changed:
            while left := [process for process in processes if process in self.leaving]:
                now = time.monotonic()
                if now >= last:
                    kill_all(left)
                    last = _FOREVER
                if any(process.calls for process in left):
                    if now >= until:
                        return False
                else:  # nothing can hold them up any more
                    last = min(last, now + LONGEST_END)
                self.changed.wait(min(_LOOK, max(0.001, until - now)))
        return True

    def at_end(self, process: EngineProcess) -> None:
        """Forget one that is gone."""
        if process.has_crashed:
            self._counters.crashed()
            logger().warning("an isolated engine's process %d has ended unasked", process.pid)
        process.is_gone = True
        self.leaving.discard(process)
        self._tell()

    def drop(self, process: EngineProcess) -> None:
        """End a process that has no models, if nobody waits for it."""
        with self.changed:
            if process in self._running and not process.is_loaded and not process.calls:
                self._running[self._running.index(process)] = None
                process.kill()

    def _tell(self) -> None:
        """Have whoever waits look at once, if that takes no waiting."""
        if self.changed.acquire(blocking=False):
            try:
                self.changed.notify_all()
            finally:
                self.changed.release()

    def _least_busy(self, owner: Owner) -> EngineProcess:
        for process in self.running():
            if not process.is_usable:
                # It has ended, or this process is another user's by now, whose files it may not read.
                self._running[self._running.index(process)] = None
                process.kill()
        best = min(range(len(self._running)), key=self._rank)
        found = self._running[best]
        if found is None or found.is_gone:
            found = self._running[best] = self._started(owner)
        return found

    def _rank(self, slot: int) -> tuple[int, bool, int]:
        """Order processes by their calls; one that would have to be started comes after one that waits."""
        process = self._running[slot]
        return (0, True, slot) if process is None or process.is_gone else (process.calls, False, slot)

    def _started(self, owner: Owner) -> EngineProcess:
        from weakref import WeakMethod

        rest = WeakMethod(cast("Callable[[EngineProcess], object]", owner.at_rest))  # type: ignore[attr-defined]

        def at_rest(process: EngineProcess) -> None:
            if (method := rest()) is not None:
                method(process)

        self.inherited = False
        return EngineProcess(self.at_end, self._idle, at_rest, self._kept)


def kill_all(processes: list[EngineProcess]) -> None:
    """End them, because their engine is released."""
    for process in processes:
        process.kill_for_release()


def report_of(found: object) -> "_Release | None":
    """Return a report that a process has sent; None for what is none."""
    match found:
        case [bool(), int(), int(), int() | None, int(), int() | None, int() | None, float()]:
            return cast("_Release", tuple(found))
    return None


def sum_of(processes: list[EngineProcess], before: int | None, waited: float) -> "_Release":
    """Return the report of all together."""
    reports = [process.report for process in processes if process.report is not None]
    threads = [report[3] for report in reports if report[3] is not None]
    return (
        True,
        0,
        sum(report[2] for report in reports),
        sum(threads) if len(threads) == len(reports) else None,
        sum(report[4] for report in reports),
        before,
        _core.resident_bytes(),
        waited,
    )
