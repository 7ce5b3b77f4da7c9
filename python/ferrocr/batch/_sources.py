"""Sources: files, folders, patterns, lists of these, and object stores."""

import glob
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._text import path_text
from ..documents._kinds import SUFFIXES
from ..exceptions import InvalidArgumentError
from ._remote import Remote, without_scheme

if TYPE_CHECKING:
    import pyarrow as pa

DOCUMENTS = (".pdf", ".tif", ".tiff")
"""Suffixes of files that may have several pages. One with another known suffix is taken for a picture at first."""

LISTS = (".txt", ".csv", ".parquet")
"""Suffixes of files that name sources."""

_CHUNK = 50_000
"""Sources that are Python objects at a time."""


class Found(NamedTuple):
    """A source that is a file or an object.

    Attributes:
        place: Its absolute path, as the system has it, or its address.
        size: Its bytes; None where it cannot be found.
        modified: Time of its last change in nanoseconds; None where nobody knows.
    """

    place: bytes
    size: int | None = None
    modified: int | None = None


@dataclass
class Listing:
    """Everything that sources stand for.

    Attributes:
        left_out: Files in folders that do not count, by their suffixes.
        problems: Sources in which nothing was found, and folders that cannot be looked into, in words.
    """

    left_out: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Finder:
    """Finds what sources stand for.

    Attributes:
        output: The folder in which nothing is looked for.
        by_content: True if files are told apart by the hash of their content instead of time and size.
        path_column: The column of a list's paths.
        io_config: Daft's options for object stores.
        listing: Hears of what was left out.
    """

    output: Path
    by_content: bool = False
    path_column: str = "path"
    io_config: Any = None
    listing: Listing = field(default_factory=Listing)

    def table(self, sources: Iterable[str]) -> "pa.Table":
        """Return a table of all files and objects, a row for each: `place`, `source`, `size`, `modified`, `source_id`.

        Raises:
            OcrError: A list cannot be read, or has no such column.
        """
        import pyarrow as pa

        chunks = []
        chunk: list[Found] = []
        for found in self.find(sources):
            chunk.append(found)
            if len(chunk) == _CHUNK:
                chunks.append(self._of(chunk))
                chunk = []
        chunks.append(self._of(chunk))
        return pa.Table.from_batches(chunks)

    def find(self, sources: Iterable[str]) -> Iterator[Found]:
        """Give what each source stands for, in their order."""
        for source in sources:
            found = False
            for one in self._of_source(source):
                found = True
                yield one
            if not found:
                self.listing.problems.append(f"there is no picture or document in {source}")

    def _of_source(self, source: str) -> Iterator[Found]:
        source = without_scheme(source)
        if Remote.has(source):
            return self._objects(source)
        path = Path(source)
        if path.is_dir():
            return self._folder(str(path.absolute()))
        if path.suffix.lower() in LISTS:
            return self._list(path)
        if glob.has_magic(str(path)) and not path.exists():
            return self._pattern(str(path))
        return iter([_file(str(path))])

    def _list(self, path: Path) -> Iterator[Found]:
        from ._lists import names_in

        for name in map(without_scheme, names_in(path, self.path_column)):
            yield Found(os.fsencode(name)) if Remote.has(name) else _file(name)

    def _pattern(self, pattern: str) -> Iterator[Found]:
        for name in sorted(glob.iglob(pattern, recursive=True)):  # noqa: PTH207  # Path knows no absolute patterns
            path = Path(name)
            if path.is_dir():
                if "**" not in pattern:  # else what is in it matches by itself
                    yield from self._folder(str(path.absolute()))
            elif path.is_file() and not path.absolute().is_relative_to(self.output):
                yield _file(name)

    def _folder(self, folder: str) -> Iterator[Found]:
        if Path(folder) == self.output:
            return
        try:
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.listing.problems.append(f"cannot look into {folder}: {error.strerror}")
            return
        for entry in ordered:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                if not entry.is_symlink():
                    yield from self._folder(entry.path)
            elif Path(entry.name).suffix.lower() not in SUFFIXES:
                self.listing.left_out[Path(entry.name).suffix.lower()] += 1
            elif entry.is_file() or entry.is_symlink():  # a link that leads nowhere is an error
                yield _file(entry.path)

    def _objects(self, address: str) -> Iterator[Found]:
        """Give the objects of an object store: one, those that match a pattern, or those below a prefix."""
        if glob.has_magic(address):
            yield from self._matching(address)
            return
        if not address.endswith("/") and Path(address).suffix:
            yield from self._matching(address) or iter([Found(address.encode())])
            return
        for found in self._matching(address.rstrip("/") + "/**"):
            suffix = Path(os.fsdecode(found.place)).suffix.lower()
            if suffix in SUFFIXES:
                yield found
            else:
                self.listing.left_out[suffix] += 1

    def _matching(self, pattern: str) -> list[Found]:
        import daft

        try:
            found = daft.from_glob_path(pattern, io_config=self.io_config).sort("path").to_pydict()
        except Exception as error:  # Daft has no class for all of them
            message = f"cannot list {pattern}: {error}"
            raise InvalidArgumentError(message, "look at the address and at the access to the store") from error
        return [Found(path.encode(), size) for path, size in zip(found["path"], found["size"], strict=True)]

    def _of(self, found: list[Found]) -> "pa.RecordBatch":
        import pyarrow as pa

        columns = {
            "source": pa.array([_shown(one.place) for one in found], pa.string()),
            "place": pa.array([one.place for one in found], pa.binary()),
            "size": pa.array([one.size for one in found], pa.int64()),
            "modified": pa.array([one.modified for one in found], pa.int64()),
            "source_id": pa.array([self._id(one) for one in found], pa.string()),
        }
        return pa.RecordBatch.from_pydict(columns)

    def _id(self, found: Found) -> str:
        if self.by_content and found.size is not None and not Remote.has(os.fsdecode(found.place)):
            return source_id(found.place, found.size, content_hash(found.place))
        return source_id(found.place, found.size, found.modified)


def source_id(place: bytes, size: int | None, state: int | str | None) -> str:
    """Return a short text for a source in one state: another one for another place, size, time or content."""
    known = b"\0".join([place, repr(size).encode(), repr(state).encode()])
    return hashlib.sha256(known).hexdigest()[:32]


def content_hash(place: bytes) -> str | None:
    """Return the SHA-256 of a file; None where it cannot be read."""
    try:
        with open(place, "rb") as file:  # noqa: PTH123  # a path of bytes
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def may_have_pages(place: bytes) -> bool:
    """Return True for what may have several pages, by its name."""
    suffix = Path(os.fsdecode(place)).suffix.lower()
    return suffix in DOCUMENTS or suffix not in SUFFIXES


def _file(name: str) -> Found:
    place = os.path.abspath(name)  # noqa: PTH100  # Path leaves `..` where it is
    try:
        about = os.stat(place)  # noqa: PTH116  # half a million of them a minute
    except (OSError, ValueError):
        return Found(os.fsencode(place))
    return Found(os.fsencode(place), about.st_size, about.st_mtime_ns)


def _shown(place: bytes) -> str:
    """Return a path as text: exactly, in one line, also where its bytes are no UTF-8."""
    return path_text(os.fsdecode(place))
