"""Shows downloads to a person: pass a :class:`DownloadProgress` wherever ferrocr takes a ``progress`` callable."""

import sys
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from tqdm import tqdm


class DownloadProgress:
    """Shows model downloads on stderr.

    On a terminal each file has a bar; elsewhere each file has one line at its start and one at its end. Use it in a
    ``with`` statement, which closes a bar that is still open::

        with DownloadProgress() as progress, OcrEngine(progress=progress) as ocr:
            ocr.load()
    """

    def __init__(self) -> None:
        self._current: tuple[str, str] | None = None
        self._bar: tqdm[Any] | None = None
        self._finished: set[tuple[str, str]] = set()

    def __call__(self, name: str, source: str, done: int, total: int | None) -> None:
        """Note that `done` of `total` bytes of the model `name` have come from `source`."""
        if (name, source) in self._finished:
            return
        if self._current != (name, source):
            self.close()
            self._start(name, source, total)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        if done == total:
            self._finish(name, source)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End the bar that is open, if any."""
        if self._bar is not None:
            self._bar.close()
        self._bar = self._current = None

    def _start(self, name: str, source: str, total: int | None) -> None:
        self._current = (name, source)
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, desc=name, unit="B", unit_scale=True, file=sys.stderr)
        else:
            size = "" if total is None else f" ({megabytes(total)})"
            print(f"fetching {name}{size} from {source}", file=sys.stderr)

    def _finish(self, name: str, source: str) -> None:
        self._finished.add((name, source))
        if self._bar is None:
            print(f"fetched {name}", file=sys.stderr)
        self.close()


def megabytes(size: int) -> str:
    """A file's size for people, in the megabytes of 10**6 bytes that download pages count in."""
    return f"{size / 1e6:.1f} MB"
