"""The command ``ferrocr``: read pictures, look after the model directory, check the installation.

Data goes to stdout, everything else to stderr. What only one command needs is imported by that command, so
``ferrocr --version`` costs no more than ``import ferrocr``.

Each command is a module with two functions: ``add`` describes its arguments, ``run`` does the work and returns the
exit code.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from .. import __version__
from .._text import printable
from ..exceptions import OcrError
from . import _batch, _docs, _doctor, _models, _read, _serve
from ._command import directory_of
from ._errors import EXIT_CANNOT_RUN, EXIT_CODES, EXIT_INTERRUPTED, EXIT_PIPE, report
from ._streams import lost_output, of_stdout, standard_streams

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: Arguments without the program's name; None takes those of the process.

    Raises:
        SystemExit: For ``--help``, ``--version`` and wrong arguments, as argparse does.
    """
    with standard_streams():
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    directory, failed = None, None
    try:
        arguments = _parser().parse_args(argv)
        directory = directory_of(arguments)
        _escape_what_stdout_cannot_encode()
        code: int = arguments.run(arguments)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = EXIT_INTERRUPTED
    except SystemExit:
        if (lost := lost_output()) is None:
            raise
        return _failed(lost, directory)
    except (OcrError, OSError) as error:
        failed, code = error, EXIT_CANNOT_RUN
    failed = lost_output() or failed
    return code if failed is None else _failed(failed, directory)


def _failed(error: Exception, directory: str | None) -> int:
    if isinstance(error, OSError):
        error = of_stdout(error)
    return EXIT_PIPE if isinstance(error, BrokenPipeError) else report(error, directory=directory)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors show what was typed in a form that is safe on a terminal."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        """Print without passing over errors, as argparse would: help that is lost is an error as any data is."""
        if message:
            (sys.stderr if file is None else file).write(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ferrocr",
        description="Read the text in pictures.",
        epilog="example:\n  ferrocr read receipt.jpg\n\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ferrocr {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (_read, _batch, _serve, _models, _doctor, _docs):
        command.add(commands)
    return parser


def _escape_what_stdout_cannot_encode() -> None:
    reconfigure: Callable[..., None] | None = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
