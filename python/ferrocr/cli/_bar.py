"""Messages while files are read and after it: a bar, failures, and a summary."""

import sys
import time
from typing import TYPE_CHECKING, Any, Self

from .._text import printable
from ..exceptions import OcrError
from ..formats import Failure
from ._errors import report, split_hint
from ._sources import Source

if TYPE_CHECKING:
    from tqdm import tqdm

_FORMAT = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} files [{elapsed}<{remaining}{postfix}]"


_FEW = 10
"""Files whose failures are still to be seen on a terminal when the last one is read."""


class EndedEarlyError(Exception):
    """A file could not be read, and that was to be the end."""


class Progress:
    """Counts files and pages, shows them in a bar, and keeps what could not be read. Use it in a ``with`` statement.

    Args:
        total: Number of files to read.
        has_bar: True if there is a bar. Failures are then told at the end, and else at once too.
        fail_fast: True if the first failure ends it all.
    """

    def __init__(self, total: int, *, has_bar: bool, fail_fast: bool = False) -> None:
        self._total, self._has_bar, self._fail_fast = total, has_bar, fail_fast
        self._bar: tqdm[Any] | None = None
        self._pages = 0
        self._since = time.monotonic()
        self.failures: list[Failure] = []
        self._failed: set[Source] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def start(self) -> None:
        """Begin to count time: models are loaded."""
        self._since = time.monotonic()
        if self._has_bar and self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=self._total, file=sys.stderr, bar_format=_FORMAT, dynamic_ncols=True)

    def page(self) -> None:
        """Count a page that was read."""
        self._pages += 1
        self._show()

    def file(self) -> None:
        """Count a file that is done, read or not."""
        if self._bar is not None:
            self._bar.update()
            self._show()

    def failed(self, error: OcrError, source: Source, number: int = 1) -> Failure:
        """Keep a failure and tell it; returns what files say of it.

        Raises:
            EndedEarlyError: It was to be the end.
        """
        message = split_hint(error)[0]
        says_all = error.page is None or source.label in message
        name = source.label if says_all else f"{source.label}, page {number}"
        if self._bar is None:
            report(error, name)
        failure = Failure(message, name, number)
        self.failures.append(failure)
        self._failed.add(source)
        self._show()
        if self._fail_fast:
            raise EndedEarlyError
        return Failure(failure.error, source.name, number)

    def summary(self) -> str:
        """Return what could not be read, with reasons; empty where all could, or where it was told at once."""
        if not self.failures or (self._total <= _FEW and self._bar is None):
            return ""
        lines = [f"{len(self._failed)} of {self._total} files could not be read, or not all of their pages:"]
        for failure in self.failures:
            name = failure.source or ""
            lines.append("  " + (failure.error if name in failure.error else f"{name}: {failure.error}"))
        return "\n".join(printable(line) for line in "\n".join(lines).split("\n"))

    def _show(self) -> None:
        if self._bar is None:
            return
        seconds = max(time.monotonic() - self._since, 1e-3)
        failed = f", {len(self._failed)} failed" if self._failed else ""
        self._bar.set_postfix_str(f"{self._pages / seconds:.1f} pages/s{failed}")
