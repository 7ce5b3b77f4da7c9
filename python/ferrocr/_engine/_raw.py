"""From the core's tuples to the values that users see."""

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from ..models.audit import AuditEntry, ModelInfo, ModelState
from ..models.removal import ArchivedFile, Decision, PlannedFile, Removal, TrashedFile
from ..results import Block, Char, Line, Page, ReleaseReport, Word

if TYPE_CHECKING:
    from .. import _core


def audit_entry(raw: "_core._RawEntry") -> AuditEntry:
    """One thing that an audit found. The fields have the order of the core's tuple."""
    name, path, state, size, modified, sha256, role, version, in_use, pids, kept, detail, action, removal = raw
    facts = (size, modified, sha256, role, version)
    return AuditEntry(name, path, ModelState(state), *facts, in_use, tuple(pids), kept, detail, action, removal)


def model_info(raw: "_core._RawInspection") -> ModelInfo:
    """What a file says of itself."""
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
    """A removal, or the plan of one."""
    files, name = raw
    planned = (
        PlannedFile(file, path, size, cast(Decision, decision), tuple(pids), reason, unfinished=unfinished)
        for file, path, size, decision, pids, reason, unfinished in files
    )
    return Removal(tuple(planned), name, dry_run)


def trashed(raw: "Iterable[_core._RawTrashed]") -> list[TrashedFile]:
    """Files in the trash."""
    return [TrashedFile(*file) for file in raw]


def archived(raw: "Iterable[_core._RawArchived]") -> list[ArchivedFile]:
    """Files in an archive."""
    return [ArchivedFile(*file) for file in raw]


def page(raw: "_core._RawPage") -> Page:
    """A page with its blocks, lines and words. Blocks hold the page's own lines. Warns of text that it lacks."""
    width, height, raw_lines, raw_blocks, unread = raw
    for reason, (at, *_) in unread:
        message = f"the text at ({at[0]:.0f}, {at[1]:.0f}) of a picture is left out, it could not be read: {reason}"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    lines = tuple(Line(*line[:3], tuple(map(_word, line[3]))) for line in raw_lines)
    return Page(width, height, lines, tuple(Block(quad, lines[first:end]) for first, end, quad in raw_blocks))


def _word(raw: "_core._Word") -> Word:
    return Word(*raw[:3], tuple(Char(*one) for one in raw[3]))


def release_report(raw: "_core._Release") -> ReleaseReport:
    """What a release or an unload gave back."""
    complete, calls, sessions, threads, files, before, after, waited = raw
    memory = (_megabytes(before), _megabytes(after))
    return ReleaseReport(sessions, threads, *memory, waited, files=files, complete=complete, calls=calls)


def _megabytes(size: int | None) -> float | None:
    return None if size is None else size / 2**20
