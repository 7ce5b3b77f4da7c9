"""Files that a user names, before something opens them that would wait."""

import os
import stat
from pathlib import Path

from .exceptions import ImageNotFoundError, OcrError, StorageError


def check_regular(path: str | os.PathLike[str]) -> None:
    """Refuse what is no regular file: opening a pipe would wait for whoever writes into it.

    What is not there passes, and whoever opens it says so.

    Raises:
        StorageError: It is a folder, a pipe or the like.
    """
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(mode):
        raise irregular(path)


def irregular(path: str | os.PathLike[str]) -> StorageError:
    """Return the error for something that is no regular file."""
    message = f"cannot read {os.fspath(path)}: it is no regular file"
    return StorageError(message, "give a file, or the bytes that were read from elsewhere")


def head_of(path: Path, size: int) -> bytes:
    """Return the first bytes of a regular file, at most so many.

    Raises:
        ImageNotFoundError: There is no such file.
        StorageError: It cannot be read, or is a pipe or the like.
    """
    try:
        head = _regular_head(path, size)
        if head is None:
            raise irregular(path)
        return head
    except FileNotFoundError:
        message = f"there is no file {path}"
        raise ImageNotFoundError(message) from None
    except (OSError, ValueError) as error:
        if isinstance(error, OcrError):
            raise
        if "\0" not in str(path) and path.is_dir():
            raise irregular(path) from error
        message = f"cannot read {path}: {error}"
        raise StorageError(message) from error


def head_or_nothing(path: Path, size: int) -> bytes:
    """Return the first bytes of a regular file; none of what is no such file, or cannot be read."""
    try:
        return _regular_head(path, size) or b""
    except (OSError, ValueError):
        return b""


def _regular_head(path: Path, size: int) -> bytes | None:
    # Opening a pipe would otherwise wait for a writer.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        return os.read(handle, size) if stat.S_ISREG(os.fstat(handle).st_mode) else None
    finally:
        os.close(handle)
