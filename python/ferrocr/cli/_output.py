"""Writes data to stdout or a file, as lines, a table or JSON."""

import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from .._text import escaped_json, path_text, printable
from .._whole_file import whole_file


@contextmanager
def open_output(name: str | None) -> Iterator[IO[str]]:
    """Open the output: stdout, or a file that appears under `name` only once the block has ended well."""
    if name is None or name == "-":
        yield sys.stdout
        return
    target = Path(name).resolve()
    if target.exists() and not target.is_file():
        with target.open("w", encoding="utf-8", errors="backslashreplace") as special:
            yield special  # a device or a pipe: nothing to replace
        return
    with whole_text(target, target.parent) as out:
        yield out


@contextmanager
def whole_text(target: Path, folder: Path) -> Iterator[IO[str]]:
    """Open a file as :func:`whole_file` does, for text; what is no text goes to its ``buffer``."""
    with whole_file(target, folder) as file:
        out = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace")
        try:
            yield out
            out.flush()
        finally:
            with suppress(OSError):  # it fails where it has failed before
                out.detach()


def print_json(data: object) -> None:
    """Print `data` for a program that a person may look over the shoulder of."""
    text = escaped_json(json.dumps(data, ensure_ascii=False, indent=2))
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
