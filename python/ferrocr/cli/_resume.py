"""Records in an output folder of the files in it: which input each was made of, and with which options.

The knowledge is a file of JSON Lines in the hidden folder ``.ferrocr`` of the output folder, a line for each input
whose outputs are there and whole. A line is written after them, so a run that is killed before it makes them again.
The last line about an input counts; a line that is no record, such as half of one, counts for nothing.
"""

import hashlib
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .._whole_file import whole_file

FOLDER, RECORDS = ".ferrocr", "done.jsonl"

_SETTLED = 2 * 10**9
"""Nanoseconds without a change after which the next change is sure to give a file another time. FAT counts in steps of
2 s, every other file system in shorter ones."""

_STALE = 1000
"""Lines that no longer count, beside as many as do, after which the file is written anew."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file at one time.

    Attributes:
        size: Its bytes.
        changed: When it was changed last, in nanoseconds.
        sha256: Of its content.
        is_settled: True if a later change is sure to show in `changed`.
    """

    size: int
    changed: int
    sha256: str
    is_settled: bool

    @classmethod
    def of(cls, path: Path, *, is_ours: bool = False) -> "Stamp":
        """Describe the file as it is now. Nobody but us changes one of ours within `_SETTLED`."""
        now, about = time.time_ns(), path.stat()
        return cls(about.st_size, about.st_mtime_ns, _hash_of(path), is_ours or about.st_mtime_ns + _SETTLED < now)

    def fits(self, path: Path) -> bool:
        """Return True if the file has that content still. It is read only where size and time do not tell."""
        try:
            about = path.stat()
            if about.st_size != self.size:
                return False
            return (self.is_settled and about.st_mtime_ns == self.changed) or _hash_of(path) == self.sha256
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Record:
    """The outputs that were made of an input, and are whole.

    Attributes:
        source: The name of the input, which most formats have in the file.
        options: Stands for everything else that decides about the content.
        read: The input before it was read.
        written: The outputs, by their paths below the output folder.
    """

    source: str
    options: str
    read: Stamp
    written: dict[str, Stamp]

    def fits(self, folder: Path) -> bool:
        """Return True if the input and all outputs in `folder` have that content still."""
        outputs = all(stamp.fits(folder / name) for name, stamp in self.written.items())
        return outputs and self.read.fits(Path(self.source))


def fingerprint(options: dict[str, Any]) -> str:
    """Return a short text that is another one for other options."""
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:32]


class Records:
    """The records of one output folder.

    Args:
        folder: The hidden folder that they are in.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / RECORDS
        self._known: dict[str, Record] = {}
        lines = self._path.read_bytes().splitlines() if self._path.exists() else []
        for line in lines:
            with suppress(ValueError, TypeError, KeyError, AttributeError):
                output, record = _parsed(json.loads(line))
                self._known[output] = record
        if len(lines) > 2 * len(self._known) + _STALE:
            self._write_anew()

    def find(self, output: str) -> Record | None:
        """Return the record of the input whose output, were it a single one, would be `output` below the folder."""
        return self._known.get(output)

    def add(self, output: str, record: Record) -> None:
        """Keep that outputs are whole, for whoever comes after this process too."""
        self._known[output] = record
        line = b"\n" * self._is_torn() + _line(output, record)
        with self._path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _is_torn(self) -> bool:
        """Return True if somebody was ended while writing a line."""
        with suppress(OSError), self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
        return False

    def _write_anew(self) -> None:
        # A line that another process adds meanwhile is lost, and made again another time.
        with whole_file(self._path) as file:
            file.writelines(_line(output, record) for output, record in self._known.items())


def _line(output: str, record: Record) -> bytes:
    # Names of files that are no UTF-8 have halves of surrogate pairs in them, which are escaped.
    return json.dumps({"output": output, **asdict(record)}).encode() + b"\n"


def _parsed(line: dict[str, Any]) -> tuple[str, Record]:
    source, options, output = line["source"], line["options"], line["output"]
    if not (isinstance(source, str) and isinstance(options, str) and isinstance(output, str)):
        raise TypeError
    written = {name: Stamp(**stamp) for name, stamp in line["written"].items()}
    return output, Record(source, options, Stamp(**line["read"]), written)


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
