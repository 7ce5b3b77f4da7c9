"""``ferrocr read``: the text of pictures and documents, in any of the formats."""

import argparse
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import ferrocr

from .._defaults import DEFAULT_SET
from .._documents import USUAL_DPI, kind_of, wish_of
from .._options import PRESETS
from ..exceptions import ImageError, ImageNotFoundError, InvalidArgumentError, OcrError, StorageError
from ..formats import WRITERS, Failure, Sheet, TextWriter, Writer, writer
from ..progress import DownloadProgress
from ._command import add_command, positive
from ._errors import EXIT_OK, EXIT_PROBLEMS, report, split_hint
from ._output import open_output

if TYPE_CHECKING:
    from ._command import Commands

T = TypeVar("T")

PICTURE = "png"
"""The format that is no text: the picture with what was read drawn over it."""

_NOTES = """\
formats:
  text      the text, line by line
  json      text, scores and positions of lines and words, in one object
  jsonl     the same as JSON Lines: a picture a line, as soon as it is read
  tsv       boxes of words, as Tesseract writes them
  hocr      HTML with boxes of words
  alto      ALTO XML 4.4
  page      PAGE XML of 2019-07-15, for one picture
  markdown  the text in paragraphs
  png       the picture with outlines, reading order and scores drawn over it, for one picture"""


def add(commands: "Commands") -> None:
    """Describe the command."""
    example = "ferrocr read page1.png page2.jpg --format json -o pages.json"
    read = add_command(commands, "read", run, "read the text in pictures and documents", example, notes=_NOTES)
    read.add_argument("files", nargs="+", metavar="FILE", help="a picture, a PDF, or a TIFF with several pages")
    formats = (*WRITERS, PICTURE)
    read.add_argument("--format", choices=formats, default="text", metavar="FORMAT", help="see below; default: text")
    read.add_argument("-o", "--output", metavar="OUT", help="write here instead of to stdout, whole or not at all")
    read.add_argument("--models", default=DEFAULT_SET, metavar="SET", help="a set of models, default: %(default)s")
    read.add_argument("--model-dir", metavar="DIR", help="the model directory, default: that of `ferrocr models path`")
    read.add_argument("--threads", type=positive, metavar="N", help="threads a model may use, default: one a core")
    languages = "languages of the pictures as ISO 639-1 codes, such as en,de; default: all that the model knows"
    read.add_argument("--languages", type=_codes, metavar="CODES", help=languages)
    read.add_argument("--provider", choices=("auto", "cpu", "cuda", "openvino"), default="auto", help="default: auto")
    read.add_argument("--preset", choices=PRESETS, default="default", help="fast: less work, somewhat less accurate")
    read.add_argument("--pages", metavar="PAGES", help="pages of each document, such as 1-3,7,12-; default: all")
    read.add_argument("--dpi", type=float, default=USUAL_DPI, help="for pages of a PDF, default: %(default)g")
    layers = "take the text that a PDF brings itself where it is likely to be all; default: ignore"
    read.add_argument("--text-layer", choices=("ignore", "auto", "only"), default="ignore", help=layers)
    read.add_argument("--no-download", action="store_true", help="fail when a model is missing, never fetch it")


def _codes(text: str) -> list[str]:
    """The codes between commas."""
    return [code.strip() for code in text.split(",")]


class _NothingToWriteError(Exception):
    """The one picture of a file could not be read: no empty file is left in its place."""


def run(arguments: argparse.Namespace) -> int:
    """Read the files and write what they hold."""
    _check_format(arguments)
    try:
        with open_output(arguments.output) as out, closing(_entries(arguments)) as entries:
            failed = _write(out, arguments, entries)
    except _NothingToWriteError:
        return EXIT_PROBLEMS
    return EXIT_PROBLEMS if failed else EXIT_OK


def _check_format(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be read or written, before models are fetched and loaded for nothing."""
    name: str = arguments.format
    wish_of(arguments.pages, arguments.dpi, arguments.text_layer, None)
    if len(arguments.files) > 1 and _holds_one(name):
        message = f"a file of the format {name} holds one picture, and there are {len(arguments.files)}"
        raise InvalidArgumentError(message, "read them one by one")
    if name == PICTURE:
        from ..formats.draw import check_pillow

        check_pillow()
        if arguments.output in (None, "-") and (sys.stdout.isatty() or not hasattr(sys.stdout, "buffer")):
            message = "a picture cannot be printed as text"
            raise InvalidArgumentError(message, "name a file: -o OUT")
        if kind_of(Path(arguments.files[0])) == "pdf":
            message = f"what was read is drawn over a picture, and {arguments.files[0]} is a PDF"
            raise InvalidArgumentError(message, "make a picture of its page, and read that")


def _holds_one(name: str) -> bool:
    return name == PICTURE or WRITERS[name].one_page


def _writer(arguments: argparse.Namespace) -> Writer:
    if arguments.format == TextWriter.name:
        return TextWriter(headers=len(arguments.files) > 1)
    return writer(arguments.format)


def _entries(arguments: argparse.Namespace) -> Generator[Sheet | Failure]:
    """What each page of each file gave, in order. An error that concerns no single file is raised instead."""
    files: list[str] = arguments.files
    refused = [error for name in files if (error := _unreadable(name))]
    if len(refused) == len(files):
        yield from map(_failed, refused, files)  # before models are fetched and loaded for nothing
        return
    with (
        DownloadProgress() as progress,
        ferrocr.OcrEngine(
            arguments.models,
            model_dir=arguments.model_dir,
            provider=arguments.provider,
            preset=arguments.preset,
            threads=arguments.threads,
            languages=arguments.languages,
            download=not arguments.no_download,
            progress=progress,
        ) as ocr,
    ):
        are_documents = arguments.pages is not None or any(kind_of(Path(name)) for name in files)
        # Closed before the engine, which would wait for what is being read ahead.
        with closing(_documents(ocr, arguments) if are_documents else _pictures(ocr, arguments)) as entries:
            yield from entries


def _pictures(ocr: ferrocr.OcrEngine, arguments: argparse.Namespace) -> Generator[Sheet | Failure]:
    files: list[str] = arguments.files
    ocr.load()
    with closing(ocr.recognize_many(files)) as pages:
        for name, page in zip(files, _with_bar(pages, arguments), strict=True):
            yield _failed(page, name) if isinstance(page, OcrError) else Sheet(page, name)


def _documents(ocr: ferrocr.OcrEngine, arguments: argparse.Namespace) -> Generator[Sheet | Failure]:
    """Pages of documents, and pictures among them; one file after the other."""
    for name in _with_bar(arguments.files, arguments):
        try:
            results = ocr.recognize_pages(
                name, pages=arguments.pages, dpi=arguments.dpi, text_layer=arguments.text_layer
            )
        except (ImageError, StorageError, InvalidArgumentError) as error:
            yield _failed(error, name)
            continue
        with closing(results):
            for result in results:
                if isinstance(result, OcrError):
                    yield _failed(result, name, result.page or 1)
                else:
                    yield Sheet(result.page, name, result.number, result.dpi)


def _failed(error: OcrError, name: str, number: int = 1) -> Failure:
    """The user is told at once."""
    report(error, name if error.page is None else f"{name}, page {number}")
    return Failure(split_hint(error)[0], name, number)


def _unreadable(name: str) -> OcrError | None:
    """Why there is no use in trying the file `name`, in the engine's words; None where there may be some."""
    try:
        is_there = Path(name).exists()
    except OSError as error:  # too long a name, or a folder that nobody may look into
        return StorageError(f"cannot read {name}: {error.strerror}")
    return None if is_there else ImageNotFoundError(f"there is no picture file {name}")


def _with_bar(items: Iterable[T], arguments: argparse.Namespace) -> Iterator[T]:
    """The same, one for each file, with a bar where it disturbs no text that scrolls by on the same terminal."""
    total, to_file = len(arguments.files), arguments.output is not None
    if total == 1 or not sys.stderr.isatty() or (sys.stdout.isatty() and not to_file):
        return iter(items)
    from tqdm import tqdm

    return iter(tqdm(items, total=total, unit="file", file=sys.stderr))


def _write(out: IO[str], arguments: argparse.Namespace, entries: Iterator[Sheet | Failure]) -> int:
    """Write one file, page by page; returns how many pages could not be read."""
    if arguments.format == PICTURE:
        for sheet in _or_nothing(entries):
            _put_picture(out, sheet)
        return 0
    if _holds_one(arguments.format):
        entries = _or_nothing(entries)
    making, failed = _writer(arguments), 0
    _put(out, making, making.begin())
    for entry in entries:
        failed += isinstance(entry, Failure)
        _put(out, making, making.add(entry))
        out.flush()  # whoever reads along need not wait for the next page
    _put(out, making, making.end())
    return failed


def _or_nothing(entries: Iterator[Sheet | Failure]) -> Iterator[Sheet]:
    """The same, where each could be read; else the command ends without a file."""
    for entry in entries:
        if isinstance(entry, Failure):
            raise _NothingToWriteError
        yield entry


def _put(out: IO[str], making: Writer, piece: str) -> None:
    """Write a piece: text as the terminal or the file wants it, everything else as UTF-8 without translation."""
    buffer = getattr(out, "buffer", None)  # whatever stands in for stdout may have none
    if isinstance(making, TextWriter) or buffer is None:
        out.write(piece)
    else:
        buffer.write(piece.encode())


def _put_picture(out: IO[str], entry: Sheet) -> None:
    """Write the drawing of a page."""
    import io

    from ..formats.draw import draw

    data = io.BytesIO()
    draw(entry.page, entry.source or "").save(data, PICTURE)
    out.buffer.write(data.getvalue())  # type: ignore[attr-defined]  # every stream of text has one but stand-ins
