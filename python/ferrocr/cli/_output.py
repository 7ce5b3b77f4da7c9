"""Where data goes: stdout or a file, as lines, a table or JSON."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from .._text import path_text, printable
from ..exceptions import StorageError

UNFINISHED = ".part"
"""The suffix of a file that is not whole yet."""


@contextmanager
def open_output(name: str | None) -> Iterator[IO[str]]:
    """Where results go: stdout, or a file that appears under `name` only once the block has ended well."""
    if name is None or name == "-":
        yield sys.stdout
        return
    target = Path(name).resolve()
    if target.exists() and not target.is_file():
        with _open(target, "w", name) as special:
            yield special  # a device or a pipe: nothing to replace
        return
    with whole_file(target, target.parent, name) as out:
        yield out


@contextmanager
def whole_file(target: Path, folder: Path, name: str) -> Iterator[IO[str]]:
    """A file that appears as `target` once the block has ended well, and is not there before that.

    It grows in `folder`, hidden, with a suffix that :data:`UNFINISHED` says. Messages call the target `name`.
    """
    unfinished = folder / f".{os.urandom(8).hex()}{UNFINISHED}"
    out = _open(unfinished, "x", name)
    try:
        with out:
            hold(out)
            yield out
            out.flush()
            os.fsync(out.fileno())
        if target.exists():
            unfinished.chmod(target.stat().st_mode & 0o777)
        os.replace(unfinished, target)  # noqa: PTH105  # a test ends the process before and after it
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def hold(out: IO[str]) -> bool:
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


def _open(path: Path, mode: str, name: str) -> IO[str]:
    try:
        return path.open(mode, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        message = f"cannot write {name}: {error.strerror}"
        raise StorageError(message, "give another place: -o OUT") from error


def print_json(data: object) -> None:
    """Print `data` for a program that a person may look over the shoulder of."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    # Such as a path with bytes that are no UTF-8.
    print(text if _can_be_encoded(text) else json.dumps(data, indent=2))


def print_path(path: str) -> None:
    """Print a path: for a person in letters, for a program byte by byte."""
    if sys.stdout.isatty():
        print(path_text(path))
    elif _can_be_encoded(path):
        print(path)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(os.fsencode(path) + os.linesep.encode())
        sys.stdout.buffer.flush()


def _can_be_encoded(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def print_table(rows: Sequence[Sequence[str]], file: IO[str] | None = None) -> None:
    """Print `rows` with their columns under each other, to stdout or to `file`; a row stays one line."""
    safe = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*safe, strict=True)]
    for row in safe:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), file=file)
