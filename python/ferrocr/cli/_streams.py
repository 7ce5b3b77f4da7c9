"""Standard streams that are closed, full, or a pipe that nobody reads any more."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import IO

from ..exceptions import OcrError, StorageError


@contextmanager
def standard_streams() -> Iterator[None]:
    """Stand in for closed streams: what is written to stdout fails then, and what is told on stderr is lost."""
    _occupy_descriptors()
    out = sys.stdout or io.TextIOWrapper(io.FileIO(1, "w", closefd=False))
    with redirect_stdout(out), redirect_stderr(Messages(sys.stderr)):
        yield


def _occupy_descriptors() -> None:
    """Open the null device in the place of closed descriptors, before a file that is written gets such a number.

    What libraries print would be in that file. Data for stdout is not to be lost without a word, so that is opened to
    be read only.
    """
    for stream, descriptor, way in (
        (sys.stdin, 0, os.O_WRONLY),
        (sys.stdout, 1, os.O_RDONLY),
        (sys.stderr, 2, os.O_WRONLY),
    ):
        if stream is None and not _is_open(descriptor):
            null = os.open(os.devnull, way)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


class Messages(io.TextIOBase):
    """The stream for messages. One that cannot be written is lost, and the work goes on.

    Args:
        stream: The stream that they go to; None loses all of them.
    """

    def __init__(self, stream: IO[str] | None) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base's is a plain attribute
        """That of the stream. A progress bar asks for it."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write what the stream takes."""
        if self._stream is not None:
            try:
                self._stream.write(text)
            except (OSError, ValueError):
                discard(self._stream)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                discard(self._stream)

    def isatty(self) -> bool:
        """Tell whether a person looks on."""
        return is_terminal(self._stream)

    def fileno(self) -> int:
        """Return the descriptor. A progress bar asks it for the terminal's width."""
        if self._stream is None:
            raise io.UnsupportedOperation
        return self._stream.fileno()


def is_terminal(stream: IO[str] | None) -> bool:
    """Tell whether a person is at the other end; False of a closed stream."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def discard(stream: IO[str]) -> None:
    """Let go nowhere what a stream still holds: the interpreter flushes it once more at its exit."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def lost_output() -> OSError | None:
    """Write what stdout still holds; returns why that is lost, if it is."""
    try:
        sys.stdout.flush()
    except OSError as error:
        discard(sys.stdout)
        return of_stdout(error)
    return None


def of_stdout(error: OSError) -> OSError:
    """Return an error that names stdout, where `error` names no file: the others say which one they are about."""
    if isinstance(error, OcrError | BrokenPipeError) or error.filename is not None:
        return error
    why = "it is closed" if error.errno == errno.EBADF else error.strerror or error
    return StorageError(f"cannot write stdout: {why}")
