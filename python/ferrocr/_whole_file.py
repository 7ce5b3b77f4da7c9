"""Files that appear under their names whole or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

from .exceptions import OcrError, StorageError

UNFINISHED = ".part"
"""The suffix of a file that is not whole yet."""


@contextmanager
def whole_file(target: Path, folder: Path | None = None) -> Iterator[BinaryIO]:
    """Give a file that appears as `target` once the block has ended well, and is not there before that.

    It grows in `folder`, by default that of the target, under a hidden name that ends with :data:`UNFINISHED`. What it
    replaces leaves it its permissions.

    Raises:
        OSError: It cannot be written.
    """
    unfinished = (folder or target.parent) / f".{os.urandom(8).hex()}{UNFINISHED}"
    out = unfinished.open("xb")
    try:
        with out:
            hold(out)
            yield out
            out.flush()
            os.fsync(out.fileno())
        if target.exists():
            unfinished.chmod(target.stat().st_mode & 0o777)
        try:
            os.replace(unfinished, target)  # noqa: PTH105  # a test ends the process before and after it
        except OSError as error:
            if folder is None or error.errno != errno.EXDEV:
                raise
            with unfinished.open("rb") as whole, whole_file(target) as copy:  # the target is on another file system
                shutil.copyfileobj(whole, copy)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


@contextmanager
def named_file(name: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Give a file as :func:`whole_file` does, under a name that a caller chose.

    Raises:
        StorageError: It cannot be written there.
    """
    target = Path(name).resolve()
    try:
        if target.exists() and not target.is_file():
            message = f"cannot write {target}: it is no file"
            raise StorageError(message, "give the name of a file, or an open one")
        with whole_file(target) as out:
            yield out
    except OSError as error:
        if isinstance(error, OcrError):
            raise
        message = f"cannot write {target}: {error.strerror or error}"
        raise StorageError(message, "give another place") from error


def hold(out: IO[bytes]) -> bool:
    """Lock an unfinished file until it is closed, so that nobody sweeps it away; False where somebody else has it.

    True where locks are not to be had: an open file cannot be removed on Windows anyhow.
    """
    try:
        import fcntl

        fcntl.flock(out.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return True
    return True
