"""``ferrocr models audit``: what is in the directory, and whether anything needs looking after."""

import argparse
import dataclasses
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

from ..._text import printable
from ...exceptions import OcrError
from ...models.audit import AuditEntry, AuditReport, ModelState
from ...models.store import ModelStore
from .._command import add_command
from .._errors import EXIT_OK, EXIT_PROBLEMS, report
from .._output import print_json
from .._streams import is_terminal
from ._common import add_common, add_for, counted, for_shell, print_rows, size_of, state, total

if TYPE_CHECKING:
    from .._command import Commands

EXIT_AUDIT_FAILED = 2
"""Of this command alone: monitors take 1 for findings and anything above for a check that could not be made."""

_NOTES = """\
Each line on stdout is STATE: path. The states are CURRENT, OLD, UNVERIFIED, CORRUPT, PARTIAL, FOREIGN, UNREADABLE,
MISSING and TRASHED; all but CURRENT and TRASHED are findings. Nothing in the directory is changed. Where there are
findings, or on a terminal, a summary follows on stderr.

exit codes of this command:
  0    clean: there are no findings but those in ignored states
  1    there are findings
  2    the audit could not be made, or the command line is wrong"""


def add(commands: "Commands") -> None:
    """Describe the command."""
    example = "ferrocr models audit --for ppocrv6-small --ignore unverified"
    what = "say what is in the directory and in which state"
    audit = add_command(commands, "audit", _audit, what, example, notes=_NOTES)
    add_for(audit, "have to be there")
    ignored = "states that are no findings for the exit code"
    audit.add_argument("--ignore", nargs="+", action="extend", type=state, default=[], metavar="STATE", help=ignored)
    audit.add_argument("--details", action="store_true", help="print a table, as on a terminal, and what to do")
    audit.add_argument("--rehash", action="store_true", help="read models anew whose hashes are remembered")
    audit.add_argument("--no-memory", action="store_true", help="neither use nor keep remembered hashes")
    add_common(audit)


def _audit(arguments: argparse.Namespace) -> int:
    try:
        store = ModelStore(arguments.dir)
        found = store.audit(models=arguments.models, rehash=arguments.rehash, remember=not arguments.no_memory)
    except (OcrError, OSError) as error:
        report(error, directory=arguments.dir)
        return EXIT_AUDIT_FAILED
    found = dataclasses.replace(found, entries=tuple(map(for_shell, found)))
    if arguments.json:
        print_json(found.to_dict())
    elif arguments.details or sys.stdout.isatty():
        _print_details(found)
    elif found.entries:
        print(found)
    counting = [entry for entry in found.findings if entry.state not in arguments.ignore]
    # Programs that run audits by the clock mail whatever is told: nothing is, where all is well.
    if counting or is_terminal(sys.stderr):
        print(_summary(found, arguments.ignore), file=sys.stderr)
    return EXIT_PROBLEMS if counting else EXIT_OK


def _print_details(found: AuditReport) -> None:
    print_rows(("STATE", "NAME", "SIZE", "ROLE", "VERSION", "FLAGS"), map(_row, found))
    for entry in found.findings:
        print(f"\n{entry.state} {printable(entry.name)}: {printable(entry.detail)}")
        if entry.action:
            print(f"  {printable(entry.action)}")


def _row(entry: AuditEntry) -> list[str]:
    return [
        entry.state,
        entry.name,
        size_of(entry.bytes),
        entry.role or "-",
        entry.version or "-",
        ", ".join(_flags(entry)) or "-",
    ]


def _flags(entry: AuditEntry) -> list[str]:
    by = f" by {', '.join(map(str, entry.pids))}" if entry.pids else ""
    return [*([f"in use{by}"] if entry.in_use else []), *(["kept"] if entry.kept else [])]


def _total(entries: tuple[AuditEntry, ...]) -> str:
    return total([entry.bytes or 0 for entry in entries])


def _summary(found: AuditReport, ignored: Collection[ModelState]) -> str:
    """Sum up, as in ``12 files (31.2 MB), 2 findings``; what is missing or in the trash is no file of the directory."""
    passed_over = sum(entry.state in ignored for entry in found.findings)
    parts = [_total(found.files), counted(len(found.findings) - passed_over, "finding")]
    parts += [f"{passed_over} ignored"] if passed_over else []
    parts += [f"{_total(found.trash)} in the trash"] if found.trash else []
    return ", ".join(parts)
