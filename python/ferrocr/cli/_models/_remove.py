"""``ferrocr models remove`` and ``prune``: move models to the trash, after showing which."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...exceptions import ModelInUseError, ModelKeptError
from ...removal import PlannedFile, Removal
from ...store import ModelStore
from .._command import add_command
from .._errors import EXIT_OK, EXIT_PROBLEMS
from .._output import print_json
from ._common import (
    add_common,
    add_consent,
    add_for,
    again,
    agrees,
    duration,
    print_rows,
    require_consent,
    size_of,
    state,
    table_output,
    total,
)

if TYPE_CHECKING:
    from .._command import Commands

_KEEP = "names or patterns of files to spare, besides the keep-list"


def add(commands: "Commands") -> None:
    """Describe the commands."""
    example = "ferrocr models remove old_fr_ocr_v1.bin --dry-run"
    remove = add_command(commands, "remove", _remove, "move files to the trash, all or none", example)
    remove.add_argument("names", nargs="+", metavar="NAME", help="a file name")

    example = "ferrocr models prune --state old unverified --older-than 30d --keep 'my_*'"
    what = "move the models that match all that is given to the trash; without anything, the old ones"
    prune = add_command(commands, "prune", _prune, what, example)
    prune.add_argument("--prefix", metavar="P", help="how their names begin")
    prune.add_argument(
        "--state", nargs="+", action="extend", type=state, default=[], metavar="STATE", help="what an audit calls them"
    )
    prune.add_argument("--older-than", type=duration, metavar="AGE", help="not changed for so long: 90s, 12h, 30d, 2w")
    for command in (remove, prune):
        command.add_argument("--keep", nargs="+", action="extend", default=[], metavar="NAME", help=_KEEP)
        add_for(command, "must stay")
        add_consent(command)
        add_common(command)


def _remove(arguments: argparse.Namespace) -> int:
    store = ModelStore(arguments.dir)

    def act(*, dry_run: bool) -> Removal:
        return store.remove(arguments.names, keep=arguments.keep, models=arguments.models, dry_run=dry_run)

    return _plan_and_do(arguments, store, act, spares_kept=False)


def _prune(arguments: argparse.Namespace) -> int:
    store = ModelStore(arguments.dir)

    def act(*, dry_run: bool) -> Removal:
        return store.prune(
            arguments.prefix,
            states=arguments.state,
            older_than=arguments.older_than,
            keep=arguments.keep,
            models=arguments.models,
            dry_run=dry_run,
        )

    return _plan_and_do(arguments, store, act, spares_kept=True)


def _plan_and_do(
    arguments: argparse.Namespace, store: ModelStore, act: Callable[..., Removal], *, spares_kept: bool
) -> int:
    """Show the plan, ask, and carry it out."""
    require_consent(arguments)
    plan = act(dry_run=True)
    print_rows(("WHAT", "NAME", "SIZE", "WHY"), map(_row, plan.files), table_output(arguments))
    if not plan.files:
        print("nothing to remove", file=sys.stderr)
    if arguments.dry_run:
        return _finish(arguments, plan)
    _refuse(plan, spares_kept=spares_kept)
    if not plan.removed:
        return _finish(arguments, plan)
    if not agrees(arguments, _question(plan, store)):
        return EXIT_PROBLEMS
    done = act(dry_run=False)
    _tell(arguments, store, plan, done)
    return _finish(arguments, done)


def _row(file: PlannedFile) -> list[str]:
    what = f"in use by {', '.join(map(str, file.pids))}" if file.pids else file.decision
    return [what, file.name, size_of(file.bytes), file.reason]


def _refuse(plan: Removal, *, spares_kept: bool) -> None:
    """Raise before the question what carrying the plan out would raise after it."""
    in_use = [file for file in plan.spared if file.decision == "in use" and file.pids]
    if in_use:
        message = "nothing was removed: " + ", ".join(f"{file.name} is {file.reason}" for file in in_use)
        raise ModelInUseError(
            message, "free the engines of these processes or end them, or spare the files: --keep NAME"
        )
    kept = [file for file in plan.spared if file.decision == "kept"]
    if kept and not spares_kept:
        message = "nothing was removed: " + ", ".join(f"{file.name} is spared ({file.reason})" for file in kept)
        raise ModelKeptError(message)


def _question(plan: Removal, store: ModelStore) -> str:
    what = _what(plan, store, "move", "delete")
    return f"{what[0].upper()}{what[1:]}?"


def _what(removal: Removal, store: ModelStore, move: str, delete: str) -> str:
    """What it means: models go to the trash; unfinished downloads, which lie elsewhere, do not come back."""
    folder = Path(store.get_local_path())
    models = [file.bytes for file in removal.removed if Path(file.path).parent == folder]
    unfinished = [file.bytes for file in removal.removed if Path(file.path).parent != folder]
    parts = [f"{move} {total(models)} to the trash"] if models else []
    parts += [f"{delete} {total(unfinished, 'unfinished download')} for good"] if unfinished else []
    return " and ".join(parts)


def _tell(arguments: argparse.Namespace, store: ModelStore, plan: Removal, done: Removal) -> None:
    """Say what was done, where it differs from the plan too, and how to undo it."""
    if done.removed != plan.removed:
        print("the directory has changed since the plan was made; removed were:", file=sys.stderr)
        print_rows(("WHAT", "NAME", "SIZE", "WHY"), map(_row, done.files), sys.stderr)
    if done.removed:
        print(_what(done, store, "moved", "deleted"), file=sys.stderr)
    if done.removal is not None:
        print(f"undo: {again(arguments, f'restore --removal {done.removal}')}", file=sys.stderr)


def _finish(arguments: argparse.Namespace, removal: Removal) -> int:
    if arguments.json:
        print_json(removal.to_dict())
    return EXIT_OK
