"""``ferrocr read``: the text of pictures and documents, in any of the formats."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from .._arguments import checked_seconds
from .._engine._call_options import checked_rules
from .._engine._options import checked_score
from .._text import path_text
from ..documents._kinds import kind_of
from ..documents._request import checked_request
from ..exceptions import ImageError, InvalidArgumentError
from ..formats import Sheet
from ._bar import EndedEarlyError, Progress
from ._command import add_command
from ._errors import EXIT_OK, EXIT_PROBLEMS, report
from ._formats import FORMATS, Format, NothingToWriteError, Output, Results, Settings, check_drawing
from ._read_arguments import EXAMPLE, NOTES, RULES, WITH_CHARACTERS, describe
from ._reading import Reader
from ._sources import STDIN, Source, are_many, describe_left_out, find
from ._targets import OutputFolder, is_folder, write_all

if TYPE_CHECKING:
    from ._command import Commands

_MODELS = ("models", "detector", "recognizer", "orienter", "page_orienter", "languages")
_DECIDING = (*_MODELS, "provider", "preset", "pages", "dpi", "text_layer", "characters", "min_score", *RULES)
"""Options that decide about the output. Threads, jobs and timeouts do not, and a password is not to be kept."""


def add(commands: "Commands") -> None:
    """Describe the command."""
    describe(add_command(commands, "read", run, "read the text in pictures and documents", EXAMPLE, notes=NOTES))


def run(arguments: argparse.Namespace) -> int:
    """Read the inputs and write what they hold."""
    many = are_many(arguments.files)
    row = FORMATS[arguments.format]
    if arguments.text_layer is None:
        # A page of a PDF to search gets no text twice.
        arguments.text_layer = "auto" if row.has_own_text else "ignore"
    # A file that holds one input is never one of many.
    to_folder = is_folder(arguments.output) or (many and row.covers != "run" and arguments.output not in (None, "-"))
    _check(arguments, row, many=many, to_folder=to_folder)
    show = _shower(arguments)
    headers = many and not to_folder
    keeps_own_text = arguments.text_layer == "auto"
    output = Output(row, Settings(headers=headers, password=arguments.password, keeps_own_text=keeps_own_text))
    return (_to_folder if to_folder else _to_file)(arguments, output, show)


def _check(arguments: argparse.Namespace, row: Format, *, many: bool, to_folder: bool) -> None:
    """Refuse what cannot be read or written, before models are fetched and loaded for nothing."""
    checked_request(arguments.pages, arguments.dpi, arguments.text_layer, arguments.password)
    checked_rules(arguments.allow, arguments.pattern, arguments.words)
    if arguments.min_score is not None:
        checked_score(arguments.min_score)
    if arguments.timeout is not None:
        checked_seconds("timeout", arguments.timeout)
    if arguments.resume and not to_folder:
        message = "--resume is for output to a folder, where each input has a file"
        raise InvalidArgumentError(message, "name a folder: -o DIR/")
    if many and row.covers != "run" and not to_folder:
        message = f"a file of the format {row.name} holds one picture or document, and there may be more"
        raise InvalidArgumentError(message, "name a folder for a file of each: -o DIR/")
    is_stdout = arguments.output in (None, "-")
    if row.is_binary and is_stdout and (sys.stdout.isatty() or not hasattr(sys.stdout, "buffer")):
        message = f"a file of the format {row.name} cannot be printed as text"
        raise InvalidArgumentError(message, "name a file: -o OUT")
    if row.has_own_text and arguments.text_layer == "only":
        message = "with --text-layer only nothing is read, and a PDF has that text already"
        raise InvalidArgumentError(message, "say --text-layer auto to read the pages that have none")
    if arguments.characters and not row.has_characters:
        message = f"a file of the format {row.name} does not hold the characters of words"
        raise InvalidArgumentError(
            message, f"say --format {WITH_CHARACTERS[0]}, or one of {', '.join(WITH_CHARACTERS[1:])}"
        )
    row.check()
    if arguments.show:
        check_drawing()


def _to_file(arguments: argparse.Namespace, output: Output, show: Callable[[Results], Results]) -> int:
    """Write everything to one file or to stdout."""
    left_out: set[Path] = set()
    sources = find(arguments.files, left_out=left_out)
    _check_input_stays(arguments.output, sources)
    with Progress(len(sources), has_bar=_has_bar(arguments, sources), fail_fast=arguments.fail_fast) as progress:
        reader = Reader(arguments, progress, lambda _source: None)
        with suppress(NothingToWriteError, EndedEarlyError), closing(reader.read(sources)) as batches:
            results = ((source, entry) for source, entries in batches for entry in entries)
            try:
                write_all(arguments.output, output, show(results))
            except ImageError as error:  # what was read cannot be opened once more, to be drawn over
                progress.failed(error, sources[0])
    return _end(arguments, progress, left_out)


def _to_folder(arguments: argparse.Namespace, output: Output, show: Callable[[Results], Results]) -> int:
    """Write a file for each input."""
    path = Path(arguments.output)
    options = {"ferrocr": __version__, **{name: getattr(arguments, name) for name in _DECIDING}}
    folder = OutputFolder(path, output, options)
    folder.check_roots([name for name in arguments.files if name != STDIN])
    left_out: set[Path] = set()
    sources = folder.plan(find(arguments.files, path, left_out))
    left = [source for source in sources if not (arguments.resume and folder.is_done(source))]
    with Progress(len(left), has_bar=_has_bar(arguments, left), fail_fast=arguments.fail_fast) as progress:
        reader = Reader(arguments, progress, folder.begin)
        with suppress(EndedEarlyError), closing(reader.read(left)) as batches:
            for source, entries in batches:
                error = folder.write(source, show((source, entry) for entry in entries))
                if error is not None:
                    progress.failed(error, source)
    done = len(sources) - len(left)
    before = f", {done} done before" if arguments.resume else ""
    return _end(
        arguments, progress, left_out, f"{_files(folder.written)} written to {path_text(arguments.output)}{before}"
    )


def _end(arguments: argparse.Namespace, progress: Progress, left_out: set[Path], written: str = "") -> int:
    """Tell what came of it; returns the exit code."""
    if not arguments.quiet:
        for text in (progress.summary(), describe_left_out(left_out), written):
            if text:
                print(text, file=sys.stderr)
    return EXIT_PROBLEMS if progress.failures else EXIT_OK


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _check_input_stays(output: str | None, sources: Sequence[Source]) -> None:
    for source in sources:
        with suppress(OSError):
            if output is not None and source.data is None and Path(output).samefile(source.name):
                if not Path(output).is_file():
                    continue  # a device
                message = f"{output} is read, and would be written over"
                raise InvalidArgumentError(message, "give the output another name: -o OUT")


def _has_bar(arguments: argparse.Namespace, sources: Sequence[Source]) -> bool:
    """Return True if a bar is of use, and disturbs no text or picture that scrolls by on the same terminal."""
    if arguments.quiet or arguments.show or not sys.stderr.isatty():
        return False
    if sys.stdout.isatty() and arguments.output in (None, "-"):
        return False
    return len(sources) > 1 or any(source.data is None and kind_of(Path(source.name)) for source in sources)


def _shower(arguments: argparse.Namespace) -> Callable[[Results], Results]:
    """Return the function that pages pass through on their way to the file."""
    if not arguments.show:
        return lambda results: results
    from ._pictures import drawn
    from ._show import Viewer

    viewer = Viewer()

    def shown(results: Results) -> Results:
        for source, entry in results:
            if isinstance(entry, Sheet):
                try:
                    viewer.show(drawn(source, entry, arguments.password), source.label)
                except (ImageError, InvalidArgumentError) as error:  # it was read nevertheless
                    report(error, source.label)
            yield source, entry

    return shown
