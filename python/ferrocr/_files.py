"""Files that a user names, before something opens them that would wait."""

import os
import stat
from pathlib import Path

from .exceptions import StorageError


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
