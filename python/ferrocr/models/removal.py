"""Files that leave the model directory and come back: removals, the trash, and archives.

Sizes are in bytes, times in seconds since 1970 (UTC) as :func:`time.time` counts them.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

Decision = Literal["remove", "in use", "kept"]
"""The fate of a file that was selected: it goes; it stays because a process uses it; it stays because it is kept,
needed, or nothing that can be removed."""


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file that was selected for a removal.

    Attributes:
        name: Its name.
        path: Its path before the removal; absolute.
        bytes: Its size.
        decision: Its fate: ``"remove"``, ``"in use"`` or ``"kept"``.
        pids: The processes that are known to use it.
        reason: Why it was selected, or why it stays.
        unfinished: True for an unfinished download: these are deleted for good, all else goes to the trash.
    """

    name: str
    path: str
    bytes: int
    decision: Decision
    pids: tuple[int, ...]
    reason: str
    unfinished: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the fields under their names, in types that JSON has."""
        return {**dataclasses.asdict(self), "pids": list(self.pids)}


@dataclass(frozen=True, slots=True)
class Removal:
    """A removal that was planned, or done.

    Attributes:
        files: The selected files, sorted by name.
        removal: By what name :meth:`ModelStore.restore` knows it; None for a dry run, and when nothing was moved to
            the trash.
        dry_run: True if it was only planned.
    """

    files: tuple[PlannedFile, ...]
    removal: str | None
    dry_run: bool

    @property
    def removed(self) -> tuple[PlannedFile, ...]:
        """The files that went; in a dry run, those that would go."""
        return tuple(file for file in self.files if file.decision == "remove")

    @property
    def spared(self) -> tuple[PlannedFile, ...]:
        """The files that stay although they were selected."""
        return tuple(file for file in self.files if file.decision != "remove")

    @property
    def bytes(self) -> int:
        """Size of the removed files together."""
        return sum(file.bytes for file in self.removed)

    def to_dict(self) -> dict[str, Any]:
        """Return the removal in types that JSON has."""
        return {
            "removal": self.removal,
            "dry_run": self.dry_run,
            "bytes": self.bytes,
            "files": [file.to_dict() for file in self.files],
        }


@dataclass(frozen=True, slots=True)
class TrashedFile:
    """A file in the trash.

    Attributes:
        removal: The removal that took it there; a later one is greater, also where the clock was set back between them.
        name: The name it had in the directory.
        path: Its path in the trash when this was found out; absolute.
        bytes: Its size.
        removed: When it was removed, in seconds since 1970.
    """

    removal: str
    name: str
    path: str
    bytes: int
    removed: float


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file in an archive of models.

    Attributes:
        name: Its name in the directory.
        bytes: Its size.
        sha256: The hash of its content, in hexadecimal.
        is_new: Of an import: whether it was put in place, or would be; a file that is there with this content is left
            alone. Of an export: whether it was written.
        left_out: Why an export left it out; None for what it wrote. The hash is empty where it could not be read.
    """

    name: str
    bytes: int
    sha256: str
    is_new: bool
    left_out: str | None = None
