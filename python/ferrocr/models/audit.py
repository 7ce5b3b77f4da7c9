"""Reports about the model directory: plain values, which can be pickled and turned into JSON.

Sizes are in bytes, times in seconds since 1970 (UTC) as :func:`time.time` counts them.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .._text import path_text

REPORT_FORMAT = 1
"""Version of the form that :meth:`AuditReport.to_dict` gives. Fields may join it; a change of one raises it."""


class ModelState(StrEnum):
    """The state of something in the model directory. There are no others.

    Attributes:
        CURRENT: The content is a known model's.
        OLD: The name begins with ``old_``, or a newer model that can do the same is there too.
        UNVERIFIED: A model by its structure; nothing says what its content should be.
        CORRUPT: The content is not that of the known model of this name, or no readable model; or a list of characters
            is not the one that goes with its known model.
        PARTIAL: Unfinished, such as a download that was ended.
        FOREIGN: No model.
        UNREADABLE: It cannot be read.
        MISSING: Not there, and on the keep-list or needed by chosen models, or a known model's list of characters.
        TRASHED: Removed, and can be restored.
    """

    CURRENT = "CURRENT"
    OLD = "OLD"
    UNVERIFIED = "UNVERIFIED"
    CORRUPT = "CORRUPT"
    PARTIAL = "PARTIAL"
    FOREIGN = "FOREIGN"
    UNREADABLE = "UNREADABLE"
    MISSING = "MISSING"
    TRASHED = "TRASHED"

    @property
    def is_finding(self) -> bool:
        """True if somebody should look at it: all states but ``CURRENT`` and ``TRASHED``."""
        return self not in (ModelState.CURRENT, ModelState.TRASHED)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that an audit found, or missed. ``str(entry)`` is one line, ``STATE: path``.

    Attributes:
        name: Its name in the directory, or the name it had there before it was removed. What is no UTF-8 in it is
            replaced by ``U+FFFD``.
        path: Its path, also where it is missing; absolute.
        state: Its state.
        bytes: Its size; None for what is missing or cannot be looked at.
        modified: When it was changed last, in seconds since 1970; of what is in the trash, when it was removed.
        sha256: The hash of its content in hexadecimal; None where it was not read.
        role: ``"detector"``, ``"recognizer"``, ``"orienter"`` or ``"page_orienter"``, by its content; None where
            that does not tell.
        version: The model's generation where its content is known, such as ``"PP-OCRv6"``; else what the file says of
            itself.
        in_use: True if a process uses it now.
        pids: The processes that are known to use it. An id counts on the machine of that process.
        kept: True if it is on the keep-list.
        detail: Why it is in this state.
        action: Advice; empty where there is nothing to do.
        removal: The removal that took it to the trash; None for what is not there.
        shell_action: The advice for somebody who uses the command line.
    """

    name: str
    path: str
    state: ModelState
    bytes: int | None
    modified: float | None
    sha256: str | None
    role: str | None
    version: str | None
    in_use: bool
    pids: tuple[int, ...]
    kept: bool
    detail: str
    action: str
    removal: str | None
    shell_action: str = field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.state}: {path_text(self.path)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields under their names, in types that JSON has; ``action`` is the only advice."""
        fields = {**dataclasses.asdict(self), "state": self.state.value, "pids": list(self.pids)}
        del fields["shell_action"]
        return fields


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The findings of an audit. Iterating over it gives the entries, ``str(report)`` its :meth:`text`.

    Two reports are equal when they found the same, whoever looked and when.

    Attributes:
        directory: The directory that was looked at; absolute.
        entries: Files that are in it or missing, sorted by name; then the unfinished, then the trash.
        host: The machine that looked, by the name that it has for itself.
        time: When it looked, in seconds since 1970.
    """

    directory: str
    entries: tuple[AuditEntry, ...]
    host: str = field(default="", compare=False)
    time: float = field(default=0.0, compare=False)

    @property
    def clean(self) -> bool:
        """True if there are no findings."""
        return not self.findings

    @property
    def findings(self) -> tuple[AuditEntry, ...]:
        """The entries that somebody should look at: those neither ``CURRENT`` nor ``TRASHED``."""
        return tuple(entry for entry in self.entries if entry.state.is_finding)

    @property
    def files(self) -> tuple[AuditEntry, ...]:
        """The entries of what lies in the directory: neither missing nor in the trash."""
        return tuple(entry for entry in self.entries if entry.state not in (ModelState.MISSING, ModelState.TRASHED))

    @property
    def trash(self) -> tuple[AuditEntry, ...]:
        """The entries of what was removed, and can be restored."""
        return tuple(entry for entry in self.entries if entry.state is ModelState.TRASHED)

    def text(self) -> str:
        """Return one line for each entry, ``STATE: path``, without a line break at the end.

        What would disturb a terminal or make two lines of one, such as a line break in a name, is escaped as ``repr``
        does it.
        """
        return "\n".join(map(str, self.entries))

    def __str__(self) -> str:
        return self.text()

    def __iter__(self) -> Iterator[AuditEntry]:
        return iter(self.entries)

    def to_dict(self) -> dict[str, Any]:
        """Return the report in types that JSON has.

        These are ``format`` (a version, now 1), ``directory``, ``host``, ``time``, ``clean``, ``findings`` (their
        number), ``states`` (how many entries each has), ``files`` and ``trash`` (their number and size), ``entries``.
        """
        return {
            "format": REPORT_FORMAT,
            "directory": self.directory,
            "host": self.host,
            "time": self.time,
            "clean": self.clean,
            "findings": len(self.findings),
            "states": {state.value: sum(entry.state is state for entry in self.entries) for state in ModelState},
            "files": _total(self.files),
            "trash": _total(self.trash),
            "entries": [entry.to_dict() for entry in self.entries],
        }


def _total(entries: tuple[AuditEntry, ...]) -> dict[str, int]:
    return {"count": len(entries), "bytes": sum(entry.bytes or 0 for entry in entries)}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The content of a model file, as it says itself.

    Attributes:
        entry: Its entry in an audit.
        catalog_name: The model of the catalog that it is by its content, or else by its name; None where the catalog
            knows neither.
        inputs: Its inputs: names, and shapes such as ``"[?, 3, 48, ?]"`` where ``?`` stands for any size.
        outputs: Its outputs, in the same form.
        opsets: Versions of the operator sets by domain; ONNX's own domain is the empty name.
        producer: The program that wrote it, with its version; empty where the file does not say.
        characters: Number of characters that it can read, for recognisers that carry a list of them; None for others.
    """

    entry: AuditEntry
    catalog_name: str | None
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    opsets: tuple[tuple[str, int], ...]
    producer: str
    characters: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields under their names, in types that JSON has; those of the entry among them."""
        return {
            **self.entry.to_dict(),
            "catalog_name": self.catalog_name,
            "inputs": [{"name": name, "shape": shape} for name, shape in self.inputs],
            "outputs": [{"name": name, "shape": shape} for name, shape in self.outputs],
            "opsets": dict(self.opsets),
            "producer": self.producer,
            "characters": self.characters,
        }
