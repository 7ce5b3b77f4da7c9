"""Inputs: files, folders, patterns that no shell has expanded, and standard input."""

import glob
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePath

from .._engine._inputs import file_path
from .._text import printable
from ..documents._kinds import SUFFIXES, kind_of
from ..exceptions import ImageError, ImageNotFoundError, InvalidArgumentError, OcrError, StorageError
from ._streams import is_terminal

STDIN = "-"

_KINDS = 5
"""Kinds of files that were left out which are told by name: the most common ones."""

_MOST_BYTES = 512 * 2**20
"""Bytes that are taken from standard input: as much as the engine takes of a file."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Something to read.

    Attributes:
        name: As it was given, or as it was found below what was given. Results have it.
        place: The place of its output below an output folder, without the suffix of the format.
        data: The content of standard input; None for a file.
        problem: Why there is no use in trying; None where there may be some.
    """

    name: str
    place: PurePath
    data: bytes | None = None
    problem: OcrError | None = None

    @property
    def content(self) -> str | bytes:
        """The value that the engine takes."""
        return self.name if self.data is None else self.data

    @property
    def label(self) -> str:
        """Its name in messages."""
        return self.name if self.data is None else "standard input"


def is_pdf(source: Source) -> bool:
    """Return True if its content is that of a PDF."""
    return kind_of(Path(source.name) if source.data is None else source.data) == "pdf"


@contextmanager
def as_file(source: Source) -> Iterator[Path]:
    """Give its file, for those who take nothing else; one for the time being where it has none."""
    if source.data is None:
        yield Path(source.name)
        return
    with tempfile.TemporaryDirectory(prefix="ferrocr-") as folder:
        path = Path(folder) / "stdin"
        path.write_bytes(source.data)
        yield path


def are_many(names: Sequence[str]) -> bool:
    """Return True if there is more than one input, or may be another time: a folder with one file counts as many."""
    return len(names) > 1 or any(name != STDIN and (_is_folder(Path(name)) or _is_pattern(name)) for name in names)


def find(names: Sequence[str], avoid: Path | None = None, left_out: set[Path] | None = None) -> list[Source]:
    """Tell what these arguments of the command line stand for, in their order.

    Nothing in the folder `avoid` is found, unless it is what is named itself. Files in folders that do not count are
    added to `left_out`.

    Raises:
        InvalidArgumentError: Standard input is named twice, or is a terminal.
    """
    if names.count(STDIN) > 1:
        message = "standard input can be read once, and is named more often"
        raise InvalidArgumentError(message, "for a file of that name say ./-")
    found = []
    left_out = set() if left_out is None else left_out
    for name in names:
        below = PurePath(Path(name).name) if len(names) > 1 else PurePath()
        if name == STDIN:
            found.append(_stdin())
        elif _is_folder(Path(name)):
            found += _or_nothing(name, list(_folder(Path(name), below, avoid, left_out)))
        elif _is_pattern(name):
            found += _or_nothing(name, list(_pattern(name, avoid, left_out)))
        else:
            found.append(_file(name, PurePath(Path(name).name)))
    left_out.difference_update(Path(source.name) for source in found)
    return found


def describe_left_out(files: Collection[Path]) -> str:
    """Say how many files in folders did not count, and of which kinds; empty where there are none."""
    if not files:
        return ""
    kinds = Counter(printable(file.suffix.lower()) or "without a suffix" for file in files)
    most = sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))[:_KINDS]
    told = [f"{kind} ({count})" for kind, count in most]
    others = len(files) - sum(count for _, count in most)
    if others:
        told.append(f"others ({others})")
    return f"left out {len(files)} file{'s' if len(files) > 1 else ''}: {', '.join(told)}"


def _stdin() -> Source:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None or is_terminal(sys.stdin):
        message = "there is no picture on standard input, which is " + ("closed" if stream is None else "a terminal")
        raise InvalidArgumentError(message, "say for example: ferrocr read - < picture.png")
    try:
        # One more than is allowed, so that the engine refuses it.
        return Source(STDIN, PurePath("stdin"), stream.read(_MOST_BYTES + 1))
    except OSError as error:  # a folder, for example
        message = f"cannot read standard input: {error.strerror}"
        raise StorageError(message) from error


def _file(name: str, place: PurePath) -> Source:
    return Source(name, place, problem=_problem_of(name))


def _problem_of(name: str) -> OcrError | None:
    """Return why the file `name` cannot be read, in the engine's words."""
    try:
        is_there = Path(name).exists()
    except (OSError, ValueError) as error:  # too long a name, or a folder that nobody may look into
        return StorageError(f"cannot read {name}: {getattr(error, 'strerror', None) or error}")
    if is_there:
        return None
    try:
        file_path(name)
    except ImageNotFoundError as error:  # an address, which has its own hint
        return error
    return ImageNotFoundError(f"there is no picture file {name}")


def _or_nothing(name: str, found: list[Source]) -> list[Source]:
    """Return the same; where nothing was found, that is what is told of `name`."""
    if found:
        return found
    if _is_folder(Path(name)):
        hint = f"these count: {' '.join(sorted(SUFFIXES))}; hidden files do not"
        problem: OcrError = ImageError(f"there is no picture or document in the folder {name}", hint)
    else:
        problem = ImageNotFoundError(f"there is no file that matches {name}")
    return [Source(name, PurePath(), problem=problem)]


def _folder(folder: Path, below: PurePath, avoid: Path | None, left_out: set[Path]) -> Iterator[Source]:
    """Give the pictures and documents in a folder and the folders in it; links to other folders are left alone."""
    try:
        entries = sorted(folder.iterdir(), key=_natural)
    except OSError as error:
        yield Source(str(folder), below, problem=StorageError(f"cannot read {folder}: {error.strerror}"))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            if not entry.is_symlink() and not _is_same(entry, avoid):
                yield from _folder(entry, below / entry.name, avoid, left_out)
        elif _is_special(entry):
            continue
        elif entry.suffix.lower() in SUFFIXES:
            yield _file(str(entry), below / entry.name)
        else:
            left_out.add(entry)


def _is_special(path: Path) -> bool:
    """Return True for a pipe, a device or the like, which a folder may have by accident. A broken link is none."""
    try:
        return path.exists() and not path.is_file()
    except OSError:
        return False


def _pattern(pattern: str, avoid: Path | None, left_out: set[Path]) -> Iterator[Source]:
    """Give what a pattern stands for: files whatever they are called, and what is in folders."""
    parts = Path(pattern).parts
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:fixed])
    seen = set()
    for path in sorted(
        _matches(root, parts[fixed:], avoid), key=lambda path: tuple(map(_natural, map(Path, path.parts)))
    ):
        below = path.relative_to(root)
        for source in _folder(path, below, avoid, left_out) if _is_folder(path) else [_file(str(path), below)]:
            if source.name not in seen:  # by `**`, or in two folders of which one is in the other
                seen.add(source.name)
                yield source


def _matches(folder: Path, parts: Sequence[str], avoid: Path | None) -> Iterator[Path]:
    """Give paths below `folder` whose parts match; ``**`` is any number of folders, but no links to them."""
    if not parts:
        yield folder
        return
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _matches(folder, rest, avoid)
    elif not glob.has_magic(part):
        if (folder / part).exists():
            yield from _matches(folder / part, rest, avoid)
        return
    for entry in _entries(folder):
        is_hidden = entry.name.startswith(".") and not part.startswith(".")
        if is_hidden or _is_same(entry, avoid):
            continue
        if part == "**":
            if _is_folder(entry) and not entry.is_symlink():
                yield from _matches(entry, parts, avoid)
        elif fnmatch(entry.name, part):
            yield from _matches(entry, rest, avoid)


def _entries(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # as a shell does it: what cannot be looked into has no match
        return ()


def _is_pattern(name: str) -> bool:
    """Return True if it has wildcards and is no file itself."""
    return glob.has_magic(name) and _problem_of(name) is not None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_same(path: Path, other: Path | None) -> bool:
    try:
        return other is not None and path.samefile(other)
    except OSError:
        return False


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts by name, with whole numbers by their value: page 2 comes before page 10."""
    parts = re.split("([0-9]+)", os.fspath(path.name))
    return [(int(part[:18]) if index % 2 else 0, part) for index, part in enumerate(parts)]
