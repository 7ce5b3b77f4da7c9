"""A request that a process of an isolated engine works on, and the wait for its answers."""

import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from .._engine import _exit
from .._workers._start import Answer, WorkerLostError, WorkerProblemError, described
from .._workers._wire import Data, Header
from ..exceptions import EngineCrashedError, ForkedError, OcrCancelledError, OcrError, RuntimeUnavailableError
from ._errors import error_of

if TYPE_CHECKING:
    from ._process import EngineProcess

GRACE = 1.0
"""Seconds from when something is told to end until its process is ended. A run of a model ends within one of its nodes,
some tenths of a second; a large picture takes longer to decode, and a new process half a second to load."""

_SLICE = 0.05
"""Seconds after which the main thread looks for Ctrl-C, whatever thread the system has told of it."""

_LONGEST_WAIT = 1e6
"""Seconds that the system can count in any case."""

Late = Callable[[], OcrError]
"""Makes the error for an answer that does not come in time."""


class Owner(Protocol):
    """The engine as an exchange sees it."""

    max_memory: int | None

    def leave(self, process: "EngineProcess", call: object) -> None:
        """Note that a process does not have the call any more."""


class Exchange:
    """A request. It can be ended at any moment, if need be with the process.

    One thread may wait for it, and any may cancel it.

    Args:
        owner: The engine.
        doing: The work of its process, for messages: "loaded models".
    """

    lasts: frozenset[object] = frozenset()
    """The kinds of answers that end it."""

    others: frozenset[object] = frozenset()
    """The kinds of answers that come before."""

    source: str | None = None
    """The name of the picture that it is about."""

    names: tuple[str, str] | None = None
    """The name of a file for its process, and its name here."""

    def __init__(self, owner: Owner, doing: str) -> None:
        self._owner, self._doing, self._pid = owner, doing, os.getpid()
        self._process: EngineProcess | None = None
        self._number = 0
        self._events: queue.SimpleQueue[Answer | Exception | None] = queue.SimpleQueue()
        self._reason: OcrError | None = None
        self._is_over = self._is_begun = False
        self._last_moment = float("inf")

    # --- in the thread that reads answers ---------------------------------------------------------------------------

    def receive(self, answer: Answer) -> bool:
        """Take an answer; return True if it is the last one.

        Raises:
            ValueError: It is none.
        """
        what = answer.header.get("what")
        if what not in self.lasts and what not in self.others:
            message = "there is no such answer to this request"
            raise ValueError(message)
        self._is_begun = self._is_begun or what == "begun"
        if what in self.lasts:
            self._finish()  # first, so that who has the answer finds the process without the call
        self._events.put(answer)
        return what in self.lasts

    def lose(self, lost: Exception) -> None:
        """Note that no answer comes any more."""
        self._finish()
        self._events.put(lost)

    def _finish(self) -> None:
        self._is_over = True
        if self._process is not None:
            self._owner.leave(self._process, self)

    # --- in any thread ----------------------------------------------------------------------------------------------

    def over(self) -> bool:
        """Return True once there is nothing left to wait for."""
        return self._is_over or self._pid != os.getpid()

    def cancel(self) -> None:
        """End it early, without waiting for that."""
        self.end_early(OcrCancelledError("the call was cancelled"))

    def end_early(self, reason: OcrError) -> None:
        """Have it end with an error. Whoever waits gives it a while, and no more."""
        if self._reason is None and not self.over():
            self._reason, self._last_moment = reason, time.monotonic() + GRACE
            if self._process is not None:
                self._process.send({"do": "cancel", "id": self._number})
            self._events.put(None)

    # --- in the thread that waits -----------------------------------------------------------------------------------

    def end(self) -> None:
        """End it early, and wait until nothing of it runs any more."""
        self.cancel()
        while not self.over():
            self._event(self._last_moment)
            self._kill_if_due()

    def _ask(self, process: "EngineProcess", header: Header, data: Data = b"") -> None:
        """Send it. The process has it as a call already."""
        self._is_over = self._is_begun = False
        self._process = process
        self._number = process.request(header, data, self)
        if self._reason is not None:  # cancelled while it had no number
            process.send({"do": "cancel", "id": self._number})

    def _answer(self, until: float, late: Late) -> Answer:
        """Wait for an answer. When it is late, end the request, and a while later the process.

        Raises:
            OcrError: The request has failed or was ended.
            WorkerLostError: The process is lost, by itself or with another call.
        """
        if self._pid != os.getpid():
            message = f"this call belongs to process {self._pid}, which forked this one"
            raise ForkedError(message, "make it anew in the child process")
        while True:
            event = self._event(until if self._reason is None else self._last_moment)
            if isinstance(event, Exception):
                raise self._reason_of(event)
            if event is not None:
                return self._checked(event)
            if self._reason is None and time.monotonic() >= until:
                self.end_early(late())
            self._kill_if_due()

    def _event(self, until: float) -> Answer | Exception | None:
        """Return what comes next; None when it was told to end, and when it is late."""
        most = _SLICE if threading.current_thread() is threading.main_thread() else _LONGEST_WAIT
        while True:
            left = min(max(0.0, until - time.monotonic()), most)
            with suppress(queue.Empty):
                return self._events.get(timeout=left)
            if time.monotonic() >= until:
                return None

    def _kill_if_due(self) -> None:
        if self._process is not None and not self.over() and time.monotonic() >= self._last_moment:
            self._last_moment = float("inf")
            self._process.kill_for(self)

    def _checked(self, answer: Answer) -> Answer:
        if answer.header["what"] != "error":
            return answer
        error = error_of(answer.header, self.names)
        raise self._reason if self._reason is not None and isinstance(error, OcrCancelledError) else error

    def _reason_of(self, lost: Exception) -> Exception:
        """Return the error for a process that is gone; the loss itself where this call is not to blame."""
        _exit.check()
        process = self._process
        if isinstance(lost, WorkerProblemError):
            return RuntimeUnavailableError(f"the engine's process cannot be made ready: {lost}")
        if self._reason is not None:
            return self._reason
        if process is not None and process.is_freed:
            return freed()
        return lost

    def _crash(self, lost: Exception) -> OcrError:
        """Return the error for a call that a process was lost with."""
        if not isinstance(lost, WorkerLostError):
            return lost if isinstance(lost, OcrError) else OcrError(str(lost))
        hint = "the next call starts a new one"
        if self._process is not None and self._process.culprit is not None:
            message = f"the engine's process was ended while it {self._doing}: another call did not end in time"
            hint = "make the call again"
        elif lost.status is None:
            message = f"the engine's process gave an answer that makes no sense while it {self._doing}, and was ended"
        else:
            message = f"the engine's process ended {lost} while it {self._doing}"
            if self._owner.max_memory is not None:
                hint += f"; it may need more memory than max_memory={self._owner.max_memory}"
            elif described(lost.status) == "with SIGKILL":
                hint += "; the system may have had no memory left"
        name = described(lost.status).removeprefix("with ") if lost.status is not None and lost.status < 0 else None
        status = lost.status if name is None else None
        return EngineCrashedError(message, hint, status=status, signal=name, source=self.source)


def freed() -> OcrCancelledError:
    """Return the error for a call that a release ended, in the core's words."""
    return OcrCancelledError("the call was cancelled: its engine's resources are being released")
