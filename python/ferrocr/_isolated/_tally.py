"""Counting the calls of an isolated engine, in the process that makes them: one that crashes could tell of nothing."""

import os
from typing import TYPE_CHECKING

from ..exceptions import OcrCancelledError, OcrError

if TYPE_CHECKING:
    from .. import _core


class Tally:
    """Counts one call, from here to its first end.

    Args:
        counters: The counts of its engine.
    """

    def __init__(self, counters: "_core.Counters") -> None:
        self._counters, self._pid = counters, os.getpid()
        # Still to be counted. Taken out in one step, because several threads may come to it.
        self._waiting, self._open = [True], [True]
        counters.begin()

    def took(self, size: int) -> None:
        """Count the bytes of its picture."""
        self._counters.took(size)

    def begun(self) -> None:
        """Note that a process has begun with it."""
        if self._is_first(self._waiting):
            self._counters.go_on()

    def read(self, timings: "_core._RawTimings") -> None:
        """Note that its page is there."""
        self.begun()
        if self._is_first(self._open):
            self._counters.read(timings)

    def failed(self, error: BaseException) -> None:
        """Note that it has ended with an error."""
        self.begun()
        if self._is_first(self._open):
            self._counters.failed(kind_of(error))

    def _is_first(self, left: list[bool]) -> bool:
        """Tell the first who comes; nobody is that in a forked child, which has not begun the call."""
        if self._pid != os.getpid():
            return False
        try:
            return left.pop()
        except IndexError:
            return False


def kind_of(error: BaseException) -> str:
    """Return the name under which an error is counted: that of an exception of ours, as in the core."""
    if isinstance(error, OcrError):
        return type(error).__name__
    return "OcrError" if isinstance(error, Exception) else OcrCancelledError.__name__
