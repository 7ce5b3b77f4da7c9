"""``ferrocr models remove`` and ``prune``: move models to the trash, after showing which."""

import argparse
import dataclasses
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...models.removal import PlannedFile, Removal
from ...models.store import ModelStore
from .._command import add_command
from .._errors import EXIT_OK, EXIT_PROBLEMS
from ._common import (
    PLAN_NOTES,
    add_common,
    add_consent,
    add_for,
    again,
    agrees,
    duration,
    print_plan,
    print_rows,
    require_consent,
    size_of,
    state,
    table_output,
    tell_person,
    total,
)

if TYPE_CHECKING:
    from .._command import Commands

_KEEP = "a name or pattern of files to spare, besides the keep-list; may be given again"


def add(commands: "Commands") -> None:
    """Describe the commands."""
    example = "ferrocr models remove old_fr_ocr_v1.bin --dry-run"
    remove = add_command(commands, "remove", _remove, "move files to the trash, all or none", example, notes=PLAN_NOTES)
    remove.add_argument("names", nargs="+", metavar="NAME", help="a file name")

    example = "ferrocr models prune --state old unverified --older-than 30d --keep 'my_*'"
    what = "move the models that match all that is given to the trash; without anything, those called old_*"
    prune = add_command(commands, "prune", _prune, what, example, notes=PLAN_NOTES)
    prune.add_argument("--prefix", metavar="P", help="how their names begin")
    prune.add_argument(
        "--state", nargs="+", action="extend", type=state, default=[], metavar="STATE", help="what an audit calls them"
    )
    prune.add_argument("--older-than", type=duration, metavar="AGE", help="not changed for so long: 90s, 12h, 30d, 2w")
    for command in (remove, prune):
        command.add_argument("--keep", action="append", default=[], metavar="NAME", help=_KEEP)
        add_for(command, "must stay")
        add_consent(command)
        add_common(command)


def _remove(arguments: argparse.Namespace) -> int:
    store = ModelStore(arguments.dir)

    def act(*, dry_run: bool, strict: bool = False) -> Removal:
        return store.remove(
            arguments.names, keep=arguments.keep, models=arguments.models, dry_run=dry_run, strict=strict
        )

    return _plan_and_do(arguments, act)


def _prune(arguments: argparse.Namespace) -> int:
    store = ModelStore(arguments.dir)

    def act(*, dry_run: bool, strict: bool = False) -> Removal:
        return store.prune(
            arguments.prefix,
            states=arguments.state,
            older_than=arguments.older_than,
            keep=arguments.keep,
            models=arguments.models,
            dry_run=dry_run,
            strict=strict,
        )

    return _plan_and_do(arguments, act)


def _plan_and_do(arguments: argparse.Namespace, act: Callable[..., Removal]) -> int:
    """Show the plan, ask, and carry it out."""
    if not arguments.json:
        require_consent(arguments)  # the plan would only hide why nothing is done
    plan = act(dry_run=True)
    done = None
    try:
        print_rows(("WHAT", "NAME", "SIZE", "WHY"), map(_row, plan.files), table_output(arguments))
        if not plan.files:
            tell_person("nothing to remove")
        if arguments.dry_run:
            return EXIT_OK
        require_consent(arguments)
        if plan.spared:
            act(dry_run=True, strict=True)  # raises before the question what the removal would raise after it
        if plan.removed and not agrees(arguments, _question(plan)):
            return EXIT_PROBLEMS
        done = act(dry_run=False) if plan.removed else dataclasses.replace(plan, dry_run=False)
        _tell(arguments, plan, done)
    finally:
        if arguments.json:
            print_plan((done or plan).to_dict(), done=done is not None)
    return EXIT_OK


def _row(file: PlannedFile) -> list[str]:
    what = f"in use by {', '.join(map(str, file.pids))}" if file.pids else file.decision
    return [what, file.name, size_of(file.bytes), file.reason]


def _question(plan: Removal) -> str:
    what = _what(plan, "move", "delete")
    return f"{what[0].upper()}{what[1:]}?"


def _what(removal: Removal, move: str, delete: str) -> str:
    """Say what it means: models go to the trash; unfinished downloads do not come back."""
    models = [file.bytes for file in removal.removed if not file.unfinished]
    unfinished = [file.bytes for file in removal.removed if file.unfinished]
    parts = [f"{move} {total(models)} to the trash"] if models else []
    parts += [f"{delete} {total(unfinished, 'unfinished download')} for good"] if unfinished else []
    return " and ".join(parts)


def _tell(arguments: argparse.Namespace, plan: Removal, done: Removal) -> None:
    """Say what was done, where it differs from the plan too, and how to undo it."""
    if done.removed != plan.removed:
        print("the directory has changed since the plan was made; removed were:", file=sys.stderr)
        print_rows(("WHAT", "NAME", "SIZE", "WHY"), map(_row, done.files), sys.stderr)
    if done.removed:
        print(_what(done, "moved", "deleted"), file=sys.stderr)
    if done.removal is not None:
        print(f"undo: {again(arguments, f'restore --removal {done.removal}')}", file=sys.stderr)
