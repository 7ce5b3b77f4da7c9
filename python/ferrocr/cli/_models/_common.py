"""Common parts of these commands: options, words for counts and times, and the question before a change."""

import argparse
import dataclasses
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import IO, Any

from ...exceptions import InvalidArgumentError, ModelNotFoundError
from ...models._arguments import state_of
from ...models._catalog import CatalogEntry, catalog
from ...models.audit import AuditEntry, ModelState
from ...models.progress import megabytes
from ...models.store import ModelStore
from .._command import add_dir, add_json, dir_option
from .._output import print_json, print_table
from .._streams import is_terminal

PLAN_NOTES = """\
With --json the plan is printed also where nothing is done: after a no, without a terminal to ask at, and where
something stands against it. "done" says whether what is printed was done."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command here takes."""
    add_json(parser)
    add_dir(parser)


def add_for(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the option that names models which are needed; `what` that means for them."""
    parser.add_argument(
        "--for",
        dest="models",
        action="append",
        default=[],
        metavar="SET",
        help=f"a set or a model that {what}; may be given again",
    )


def add_consent(parser: argparse.ArgumentParser) -> None:
    """Add the options that say whether anything is to be changed."""
    parser.add_argument("--dry-run", action="store_true", help="only show what would be done")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def state(text: str) -> ModelState:
    """Return a state of an audit in letters of either case, as the type of an argument."""
    try:
        return state_of(text)
    except InvalidArgumentError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def duration(text: str) -> timedelta:
    """Return a time such as ``90s``, ``15m``, ``12h``, ``30d`` or ``2w``, as the type of an argument."""
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text, re.ASCII)
    try:
        return timedelta(**{_UNITS[parts[2]]: float(parts[1])}) if parts else _no_duration(text)
    except OverflowError:
        return _no_duration(text)


def _no_duration(text: str) -> timedelta:
    message = f"{text!r} is no time such as 90s, 15m, 12h, 30d or 2w"
    raise argparse.ArgumentTypeError(message)


def require_consent(arguments: argparse.Namespace) -> None:
    """Refuse a change that nobody can be asked about.

    Raises:
        InvalidArgumentError: There is no terminal, and the command line says neither yes nor that it is a trial.
    """
    if arguments.yes or arguments.dry_run or (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return
    message = "nothing was done: there is no terminal to ask at"
    raise InvalidArgumentError(message, "say --yes or --dry-run")


def agrees(arguments: argparse.Namespace, question: str) -> bool:
    """Return True if the user wants it: by the command line, or by the answer at the terminal."""
    if arguments.yes:
        return True
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print(file=sys.stderr)  # the input has ended, and what follows begins a line
    if answer.strip().lower() in ("y", "yes"):
        return True
    print("nothing was done", file=sys.stderr)
    return False


def tell_person(text: str) -> None:
    """Say on a terminal that there was nothing to do; what runs commands by the clock would mail it."""
    if is_terminal(sys.stderr):
        print(text, file=sys.stderr)


def table_output(arguments: argparse.Namespace) -> IO[str]:
    """Return the stream for a table that is shown in any case: beside the data, where that is JSON."""
    return sys.stderr if arguments.json else sys.stdout


def again(arguments: argparse.Namespace, command: str) -> str:
    """Return the command line of another command for the same directory."""
    return f"ferrocr models {command}{dir_option(arguments.dir)}"


def for_shell(entry: AuditEntry) -> AuditEntry:
    """Return an entry whose action is in commands instead of methods."""
    return dataclasses.replace(entry, action=entry.shell_action)


def counted(number: int, what: str) -> str:
    """Return the number of things, such as ``1 file`` or ``2 files``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def total(sizes: Sequence[int], what: str = "file") -> str:
    """Return the number of files and their size together, such as ``3 files (31.2 MB)``."""
    return f"{counted(len(sizes), what)} ({megabytes(sum(sizes))})"


def size_of(size: int | None) -> str:
    """Return a size in a table."""
    return "?" if size is None else megabytes(size)


def time_of(seconds: float | None) -> str:
    """Return a time in a table, in the user's zone."""
    try:
        return "?" if seconds is None else f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M}"
    except (OverflowError, ValueError, OSError):  # a year that the system does not know
        return "?"


def print_plan(plan: dict[str, Any], *, done: bool) -> None:
    """Print what was done, or would be, for a program."""
    print_json({"done": done, **plan})


def print_rows(header: Sequence[str], rows: Iterable[Sequence[str]], file: IO[str] | None = None) -> None:
    """Print a table, and nothing where it has no rows."""
    if listed := list(rows):
        print_table([header, *listed], file)


def known_models() -> dict[str, CatalogEntry]:
    """Return the catalog by file name."""
    return {entry.name: entry for entry in catalog()}


def local_paths(store: ModelStore) -> dict[str, str]:
    """Return names and paths of the model files, without those that somebody removes at this moment."""
    paths = {}
    for name in store.list_local():
        try:
            paths[name] = store.get_local_path(name)
        except ModelNotFoundError:
            continue
    return paths
