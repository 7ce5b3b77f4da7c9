"""One call with its timeout and its cancellation, and waits that Ctrl-C gets through to."""

import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

from .. import _core
from .._arguments import checked_seconds
from ..exceptions import OcrCancelledError, OcrTimeoutError

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.02
"""Seconds between two looks at a gate that is closed. Whoever waits does so for a load, some tenths of a second, or for
a download: so a wait is at most a tenth longer than it had to be, and fifty looks in a second cost nothing."""


def _nothing() -> None:
    pass


class Work(Protocol):
    """Work that goes on for a call."""

    def cancel(self) -> None:
        """End it early, from any thread, without waiting for that."""


class Deadline:
    """Counts a timeout down from the moment it is made.

    Args:
        timeout: Seconds from 0 on, infinity too; None sets no bound.

    Raises:
        InvalidArgumentError: It is negative or no number.
    """

    def __init__(self, timeout: float | None) -> None:
        self.timeout = None if timeout is None else checked_seconds("timeout", timeout)
        self._started = time.monotonic()

    def passed(self) -> float:
        """Return seconds since it was made."""
        return time.monotonic() - self._started

    def left(self) -> float | None:
        """Return seconds that are left, 0 when it is over; None without a bound."""
        return None if self.timeout is None else max(0.0, self.timeout - self.passed())


class Budget:
    """Counts the time that is spent on something, while it is worked on and not between.

    Args:
        timeout: Seconds from 0 on, infinity too; None sets no bound.
    """

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self.spent = 0.0

    def left(self, usual: float) -> float:
        """Return the seconds that are left, 0 when it is over; `usual` is the bound where there is none."""
        return max(0.0, (usual if self.timeout is None else self.timeout) - self.spent)


class Claim:
    """A thread's hold on a :class:`Gate`: one for each time."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()


class Gate:
    """Lets one thread pass at a time, and any number of times while it is the one.

    Unlike with a lock, no Ctrl-C can fall between taking it and noting who is to give it back::

        claim = Claim()
        try:
            gate.enter(claim, deadline)
            ...
        finally:
            if gate.owner is claim:
                del gate.owner

    Python looks for signals at calls and jumps back alone, and these last two lines have none: they must stay as they
    are, and in the function that enters.
    """

    owner: Claim | None = None

    def __init__(self) -> None:
        _gates.add(self)

    def enter(self, claim: Claim, deadline: Deadline, look_around: Callable[[], None] = _nothing) -> bool:
        """Wait until nobody else is inside; False when the time is over before. `look_around` may raise to end it."""
        pause = _SHORTEST_PAUSE
        while True:
            look_around()
            # One step, in which nobody else comes first and no signal is seen.
            owner: Claim = vars(self).setdefault("owner", claim)
            if owner is claim or owner.thread == claim.thread:
                return True
            left = deadline.left()
            if left == 0:
                return False
            time.sleep(pause if left is None else min(left, pause))
            pause = min(2 * pause, _LONGEST_PAUSE)


_gates: "weakref.WeakSet[Gate]" = weakref.WeakSet()


def open_gates_after_fork() -> None:
    """Open the gates that other threads were inside of when this child was forked: it has no such threads."""
    for gate in list(_gates):
        owner = gate.owner
        if owner is not None and owner.thread != threading.get_ident():
            del gate.owner


class Call:
    """One call of an engine, from its start on.

    Args:
        timeout: Seconds that it may take; None for as long as it needs.

    Raises:
        InvalidArgumentError: The timeout is negative or no number.
    """

    def __init__(self, timeout: float | None = None) -> None:
        self.deadline = Deadline(timeout)
        self.stop = _core.Stop()
        self.begun = False
        self._is_cancelled = False
        # They end with whoever waits for them. A list that is replaced, because another thread may go through it.
        self._works: list[weakref.ref[Work]] = []

    def begin(self) -> None:
        """Say that its work begins. Of this and :meth:`cancel` at least one sees the other.

        Raises:
            OcrCancelledError: It was cancelled before.
        """
        self.begun = True
        self.check()

    def cancel(self) -> None:
        """End it early, from any thread."""
        self._is_cancelled = True
        self.stop.cancel()
        for reference in self._works:
            if (work := reference()) is not None:
                work.cancel()

    def take_along(self, work: Work) -> None:
        """Cancel `work`, which goes on in the background, when this is cancelled, or if it has been."""
        self._works = [reference for reference in self._works if reference() is not None] + [weakref.ref(work)]
        if self._is_cancelled:
            work.cancel()

    def check(self) -> None:
        """Refuse to go on once it is to end.

        Raises:
            OcrTimeoutError: Its time is over.
            OcrCancelledError: It was cancelled.
        """
        if self._is_cancelled:
            message = "the call was cancelled"
            raise OcrCancelledError(message)
        if self.deadline.left() == 0:
            raise self.timed_out()

    def timed_out(self) -> OcrTimeoutError:
        """Build the error for an expired timeout."""
        message = f"the call did not end within its timeout of {self.deadline.timeout:g} s"
        return OcrTimeoutError(message, "give it a longer timeout, or a smaller picture")
