"""From the core's tuples to the values that users see."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from .audit import AuditEntry, ModelInfo, ModelState
from .removal import ArchivedFile, Decision, PlannedFile, Removal, TrashedFile

if TYPE_CHECKING:
    from .. import _core


def audit_entry(raw: "_core._RawEntry") -> AuditEntry:
    """Return one thing that an audit found. The fields have the order of the core's tuple."""
    name, path, state, *_ = raw
    return AuditEntry(name, path, ModelState(state), *raw[3:9], tuple(raw[9]), *raw[10:])


def model_info(raw: "_core._RawInspection") -> ModelInfo:
    """Return what a file says of itself."""
    entry, catalog_name, inputs, outputs, opsets, producer, characters = raw
    return ModelInfo(
        audit_entry(entry),
        catalog_name,
        tuple(inputs),
        tuple(outputs),
        tuple(sorted(opsets.items())),
        producer,
        characters,
    )


def removal(raw: "_core._RawRemoval", *, dry_run: bool) -> Removal:
    """Return a removal, or the plan of one."""
    files, name = raw
    planned = (
        PlannedFile(file, path, size, cast(Decision, decision), tuple(pids), reason, unfinished=unfinished)
        for file, path, size, decision, pids, reason, unfinished in files
    )
    return Removal(tuple(planned), name, dry_run)


def trashed(raw: "Iterable[_core._RawTrashed]") -> list[TrashedFile]:
    """Return files in the trash."""
    return [TrashedFile(*file) for file in raw]


def archived(raw: "Iterable[_core._RawArchived]") -> list[ArchivedFile]:
    """Return files in an archive."""
    return [ArchivedFile(*file) for file in raw]
