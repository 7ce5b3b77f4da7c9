"""The command ``ferrocr``: read pictures, look after the model directory, check the installation.

Data goes to stdout, everything else to stderr. What only one command needs is imported by that command, so
``ferrocr --version`` costs no more than ``import ferrocr``.

Each command is a module with two functions: ``add`` describes its arguments, ``run`` does the work and returns the
exit code.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from .. import __version__
from .._text import printable
from ..exceptions import OcrError
from . import _doctor, _models, _read
from ._command import directory_of
from ._errors import EXIT_CODES, EXIT_INTERRUPTED, EXIT_PIPE, report

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: Arguments without the program's name; None takes those of the process.

    Raises:
        SystemExit: For ``--help``, ``--version`` and wrong arguments, as argparse does.
    """
    arguments = _parser().parse_args(argv)
    _escape_what_stdout_cannot_encode()
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes stdout once more at its exit: let that go nowhere instead of failing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE
    except (OcrError, OSError) as error:
        return report(error, directory=directory_of(arguments))
    return code


class _Parser(argparse.ArgumentParser):
    """What was typed may have anything in it, and goes back to the terminal in an error."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ferrocr",
        description="Read the text in pictures.",
        epilog="example:\n  ferrocr read receipt.jpg\n\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ferrocr {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (_read, _models, _doctor):
        command.add(commands)
    return parser


def _escape_what_stdout_cannot_encode() -> None:
    reconfigure: Callable[..., None] | None = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
