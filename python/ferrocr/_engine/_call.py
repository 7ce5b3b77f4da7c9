"""One call with its timeout and its cancellation."""

import time
import weakref
from typing import Protocol

from .. import _core
from .._arguments import checked_seconds
from ..exceptions import OcrCancelledError, OcrTimeoutError


class Work(Protocol):
    """Work that goes on for a call."""

    def cancel(self) -> None:
        """End it early, from any thread, without waiting for that."""


class Stop(_core.Stop):
    """Ends the calls that it is given to, also those that are worked on elsewhere."""

    def __init__(self) -> None:
        self._is_cancelled = False
        # They end with whoever waits for them. A list that is replaced, because another thread may go through it.
        self._works: list[weakref.ref[Work]] = []

    def cancel(self) -> None:
        """End them early, from any thread."""
        self._is_cancelled = True
        super().cancel()
        for reference in self._works:
            if (work := reference()) is not None:
                work.cancel()

    def take_along(self, work: Work) -> None:
        """Cancel `work`, which goes on in the background, when this is cancelled, or if it has been."""
        self._works = [reference for reference in self._works if reference() is not None] + [weakref.ref(work)]
        if self._is_cancelled:
            work.cancel()


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

    def left(self) -> float | None:
        """Return seconds that are left, 0 when it is over; None without a bound."""
        return None if self.timeout is None else max(0.0, self.timeout + self._started - time.monotonic())


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


class Call:
    """One call of an engine, from its start on.

    Args:
        timeout: Seconds that it may take; None for as long as it needs.

    Raises:
        InvalidArgumentError: The timeout is negative or no number.
    """

    def __init__(self, timeout: float | None = None) -> None:
        self.deadline = Deadline(timeout)
        self.stop = Stop()
        self.begun = False
        self._is_cancelled = False

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

    def take_along(self, work: Work) -> None:
        """Cancel `work`, which goes on in the background, when this is cancelled, or if it has been."""
        self.stop.take_along(work)

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
