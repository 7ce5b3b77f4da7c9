"""``ferrocr models export`` and ``import``: carry models to a machine without a network, or back from a backup."""

import argparse
import dataclasses
import sys
import warnings
from typing import TYPE_CHECKING

from ..._text import path_text, printable
from ...exceptions import InvalidArgumentError
from ...models.progress import ArchiveProgress
from ...models.store import ModelStore
from .._command import add_command
from .._errors import EXIT_OK, EXIT_PROBLEMS
from .._output import print_json
from ._common import add_common, print_rows, size_of, total

if TYPE_CHECKING:
    from .._command import Commands


def add(commands: "Commands") -> None:
    """Describe the commands."""
    what = "write models into an archive; when none is named, all but those that are damaged"
    example = "ferrocr models export models.zip"
    export = add_command(commands, "export", _export, what, example, aliases=["backup"])
    export.add_argument("archive", metavar="ARCHIVE", help="the file to write")
    export.add_argument("names", nargs="*", metavar="NAME", help="a model's file name")
    add_common(export)

    what = "take the models of an archive into the directory"
    taking = add_command(commands, "import", _import, what, "ferrocr models import models.zip --dry-run")
    taking.add_argument("archive", metavar="ARCHIVE", help="a file that `ferrocr models export` wrote")
    taking.add_argument("--replace", action="store_true", help="models with other content go to the trash")
    taking.add_argument("--dry-run", action="store_true", help="only read the archive and show what is new")
    add_common(taking)


def _refuse_streams(archive: str) -> None:
    """Refuse the name that stands for stdin and stdout elsewhere: an archive is read and written in any order.

    Raises:
        InvalidArgumentError: It is that name.
    """
    if archive == "-":
        message = "an archive is a file, and cannot be a stream such as stdin or stdout"
        raise InvalidArgumentError(message, "name a file, such as models.zip; for one that is called so say ./-")


def _export(arguments: argparse.Namespace) -> int:
    _refuse_streams(arguments.archive)
    with ArchiveProgress() as progress, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # what was left out is said below
        files = ModelStore(arguments.dir).export(arguments.archive, arguments.names, progress=progress)
    written = [file for file in files if file.left_out is None]
    if arguments.json:
        print_json([dataclasses.asdict(file) for file in files])
    else:
        print_rows(("NAME", "SIZE", "SHA256"), ([file.name, size_of(file.bytes), file.sha256] for file in written))
    print(f"wrote {total([file.bytes for file in written])} to {path_text(arguments.archive)}", file=sys.stderr)
    for file in files:
        if file.left_out is not None:
            print(f"left out {printable(file.name)}: {printable(file.left_out)}", file=sys.stderr)
    return EXIT_OK if len(written) == len(files) else EXIT_PROBLEMS


def _import(arguments: argparse.Namespace) -> int:
    _refuse_streams(arguments.archive)
    with ArchiveProgress() as progress:
        files = ModelStore(arguments.dir).import_archive(
            arguments.archive, replace=arguments.replace, dry_run=arguments.dry_run, progress=progress
        )
    if arguments.json:
        print_json([dataclasses.asdict(file) for file in files])
    else:
        rows = ([file.name, size_of(file.bytes), "new" if file.is_new else "there", file.sha256] for file in files)
        print_rows(("NAME", "SIZE", "STATE", "SHA256"), rows)
    new = [file.bytes for file in files if file.is_new]
    there = len(files) - len(new)
    verb = "would take" if arguments.dry_run else "took"
    print(f"{verb} {total(new)} from {path_text(arguments.archive)}; {there} already there", file=sys.stderr)
    return EXIT_OK
