"""Describes a command to argparse, the same way for each of them."""

import argparse
import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # argparse has no public name for it


def add_command(
    commands: "Commands",
    name: str,
    run: Callable[[argparse.Namespace], int],
    what: str,
    example: str,
    *,
    notes: str = "",
    aliases: Sequence[str] = (),
) -> argparse.ArgumentParser:
    """Add the command `name`, which `run` carries out; `what` it does, an `example` and `notes` make its help."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        aliases=aliases,
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog=f"example:\n  {example}" + (f"\n\n{notes}" if notes else ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def add_dir(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the model directory."""
    parser.add_argument("--dir", metavar="DIR", help="the model directory; default: $FERROCR_MODEL_DIR or the user's")


def directory_of(arguments: argparse.Namespace) -> str | None:
    """Return the model directory that the command line names; None where it leaves that to the default."""
    named: str | None = getattr(arguments, "dir", None) or getattr(arguments, "model_dir", None)
    return named


def dir_option(directory: str | None) -> str:
    """Return what a suggested command needs to be about the same directory, wherever it is run."""
    return "" if directory is None else f" --dir {quoted(str(Path(directory).absolute()))}"


def quoted(text: str) -> str:
    """Return a word of a command line for a shell. What cannot be shown has the form that bash, zsh and ksh know."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_quoted_letter, text)) + "'"


def _quoted_letter(letter: str) -> str:
    if letter in "'\\":
        return "\\" + letter
    return letter if letter.isprintable() else "".join(f"\\x{byte:02x}" for byte in os.fsencode(letter))


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option that asks for data as a program reads it."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def positive(text: str) -> int:
    """Return a whole number from 1 on, as the type of an argument."""
    return _at_least(1, text)


def counted(text: str) -> int:
    """Return a whole number from 0 on, as the type of an argument."""
    return _at_least(0, text)


def _at_least(least: int, text: str) -> int:
    number = int(text)
    if number < least:
        message = f"must be at least {least}"
        raise argparse.ArgumentTypeError(message)
    return number
