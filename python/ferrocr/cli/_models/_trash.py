"""``ferrocr models restore`` and ``purge``: bring back what was removed, or delete it for good."""

import argparse
import dataclasses
import sys
from typing import TYPE_CHECKING, Any

from ...models.removal import TrashedFile
from ...models.store import ModelStore
from .._command import add_command
from .._errors import EXIT_OK, EXIT_PROBLEMS
from .._output import print_json
from ._common import (
    PLAN_NOTES,
    add_common,
    add_consent,
    agrees,
    duration,
    print_plan,
    print_rows,
    require_consent,
    size_of,
    table_output,
    tell_person,
    time_of,
    total,
)

if TYPE_CHECKING:
    from .._command import Commands


def add(commands: "Commands") -> None:
    """Describe the commands."""
    what = "move files from the trash back, all or none; without anything, the latest removal"
    restore = add_command(commands, "restore", _restore, what, "ferrocr models restore old_fr_ocr_v1.bin")
    restore.add_argument("names", nargs="*", metavar="NAME", help="the name that a file had; the latest one comes back")
    restore.add_argument("--removal", metavar="ID", help="take what this removal moved")
    restore.add_argument("--dry-run", action="store_true", help="only show what would be done")
    add_common(restore)

    example = "ferrocr models purge --older-than 30d"
    purge = add_command(commands, "purge", _purge, "delete what is in the trash for good", example, notes=PLAN_NOTES)
    purge.add_argument("--older-than", type=duration, metavar="AGE", help="removed so long ago: 90s, 12h, 30d, 2w")
    add_consent(purge)
    add_common(purge)


def _restore(arguments: argparse.Namespace) -> int:
    store = ModelStore(arguments.dir)
    files = store.restore(arguments.names, removal=arguments.removal, dry_run=arguments.dry_run)
    if not arguments.json:
        _show(arguments, files)
    if not arguments.dry_run:
        print(f"restored {total([file.bytes for file in files])}", file=sys.stderr)
    if arguments.json:
        print_json([dataclasses.asdict(file) for file in files])
    return EXIT_OK


def _purge(arguments: argparse.Namespace) -> int:
    if not arguments.json:
        require_consent(arguments)
    store = ModelStore(arguments.dir)
    plan = store.purge(older_than=arguments.older_than, dry_run=True)
    done = None
    try:
        _show(arguments, plan)
        if not plan:
            tell_person("nothing to delete")
        if arguments.dry_run:
            return EXIT_OK
        require_consent(arguments)
        if plan and not agrees(arguments, f"Delete {total([file.bytes for file in plan])} for good?"):
            return EXIT_PROBLEMS
        done = store.purge(older_than=arguments.older_than) if plan else plan
        if done:
            print(f"deleted {total([file.bytes for file in done])} for good", file=sys.stderr)
    finally:
        if arguments.json:
            print_plan(_as_object(plan if done is None else done, dry_run=done is None), done=done is not None)
    return EXIT_OK


def _as_object(files: list[TrashedFile], *, dry_run: bool) -> dict[str, Any]:
    """Return what was purged, or would be, in the form of a removal."""
    return {
        "dry_run": dry_run,
        "bytes": sum(file.bytes for file in files),
        "files": [dataclasses.asdict(file) for file in files],
    }


def _show(arguments: argparse.Namespace, files: list[TrashedFile]) -> None:
    rows = ([file.name, size_of(file.bytes), time_of(file.removed), file.removal] for file in files)
    print_rows(("NAME", "SIZE", "REMOVED", "REMOVAL"), rows, table_output(arguments))
