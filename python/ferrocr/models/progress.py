"""Shows to a person how far something is: pass a :class:`DownloadProgress` wherever ferrocr takes a ``progress``."""

import sys
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from .._text import printable

if TYPE_CHECKING:
    from tqdm import tqdm

ANOTHER_PROCESS = "another process"
"""The source of a download that is only waited for."""

_SHORTEST = 0.05
"""Seconds below which a rate says nothing: steps are told ten times a second."""

_NOTABLE = 20
"""A start behind one part in so many of a file is told of. What the first step of a fresh download brings is less."""


class _Bars:
    """One bar after the other on a terminal, and none elsewhere. Use it in a ``with`` statement."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End the bar that is open, if any."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None

    def _open_bar(self, name: str, done: int, total: int | None) -> bool:
        """Begin a bar with `done` bytes, which do not count for its rate; False where there is no terminal."""
        if sys.stderr is None or sys.stderr.closed or not sys.stderr.isatty():
            return False
        from tqdm import tqdm

        self._bar = tqdm(total=total, initial=done, desc=name, unit="B", unit_scale=True, file=sys.stderr)
        return True

    def _move_bar(self, done: int, total: int | None) -> None:
        if self._bar is not None:
            if self._bar.total != total:
                self._bar.total = total
                self._bar.refresh()
            self._bar.update(done - self._bar.n)


class DownloadProgress(_Bars):
    """Shows model downloads on stderr.

    On a terminal each file has a bar with rate and remaining time; elsewhere each file has one line at its start, as
    soon as its size is known, and one at its end. Both name the host that the file comes from. Use it in a ``with``
    statement, which closes a bar that is still open::

        with DownloadProgress() as progress, OcrEngine(progress=progress) as ocr:
            ocr.load()
    """

    def __init__(self) -> None:
        super().__init__()
        self._current: tuple[str, str] | None = None
        self._is_announced = False
        self._finished: set[tuple[str, str]] = set()
        self._began = (0.0, 0)

    def __call__(self, name: str, source: str, done: int, total: int | None) -> None:
        """Note that `done` of `total` bytes of the model `name` have come from `source`."""
        if (name, source) in self._finished:
            return
        if self._current != (name, source):
            self.close()
            self._start(name, source, done, total)
        # A server says the size before the first byte. One that does not is known not to once that has come.
        if not self._is_announced and (total is not None or done > self._began[1]):
            self._announce(name, source, total)
        self._move_bar(done, total)
        if done == total:
            self._finish(name, source, done)

    def close(self) -> None:
        """End the bar that is open, if any."""
        super().close()
        self._current = None

    def _start(self, name: str, source: str, done: int, total: int | None) -> None:
        self._current = (name, source)
        self._began = (monotonic(), done)
        self._is_announced = True
        if source == ANOTHER_PROCESS:
            _tell(f"waiting for {ANOTHER_PROCESS} to fetch {name}")
        elif not self._open_bar(f"{name} from {source}", done, total):
            self._is_announced = False

    def _announce(self, name: str, source: str, total: int | None) -> None:
        self._is_announced = True
        size = "a size that the server does not say" if total is None else megabytes(total)
        _tell(f"fetching {name} ({size}) from {source}")

    def _finish(self, name: str, source: str, done: int) -> None:
        self._finished.add((name, source))
        if source != ANOTHER_PROCESS and self._bar is None:
            _tell(f"fetched {name}: {self._pace(done)}")
        self.close()

    def _pace(self, done: int) -> str:
        """Return size, seconds and rate, which only what came since the start counts for."""
        began, first = self._began
        seconds, came = monotonic() - began, done - first
        if seconds < _SHORTEST or came <= 0:
            return megabytes(done)
        size = f"{megabytes(done)}, of which {megabytes(came)}" if first > done // _NOTABLE else megabytes(done)
        return f"{size} in {seconds:.1f} s, {megabytes(came / seconds)}/s"


class ArchiveProgress(_Bars):
    """Shows on a terminal how far an export or import is, with the file at work; nothing elsewhere."""

    def __call__(self, name: str, done: int, total: int) -> None:
        """Note that `done` of `total` bytes are through, and `name` is at work."""
        name = printable(name)  # an archive is foreign bytes
        if self._bar is None and not self._open_bar(name, 0, total):
            return
        if self._bar is not None and self._bar.desc != f"{name}: ":
            self._bar.set_description(name, refresh=False)
        self._move_bar(done, total)


def _tell(text: str) -> None:
    """Print a line on stderr. Where that is closed or takes no more, the work goes on without."""
    if sys.stderr is not None:  # `print` would take stdout
        with suppress(OSError, ValueError):
            print(printable(text), file=sys.stderr)


def megabytes(size: float) -> str:
    """Return a file's size for people, in the megabytes of 10**6 bytes that download pages count in."""
    return f"{size / 1e6:.1f} MB"
