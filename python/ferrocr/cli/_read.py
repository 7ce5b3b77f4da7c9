"""``ferrocr read``: the text of pictures, as text or as JSON."""

import argparse
import json
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import ferrocr

from .._defaults import DEFAULT_SET
from .._options import PRESETS
from ..exceptions import ImageNotFoundError, OcrError, StorageError
from ..progress import DownloadProgress
from ._command import add_command, positive
from ._errors import EXIT_OK, EXIT_PROBLEMS, report, split_hint
from ._output import open_output

if TYPE_CHECKING:
    from ..results import Page
    from ._command import Commands


def add(commands: "Commands") -> None:
    """Describe the command."""
    example = "ferrocr read page1.png page2.jpg --format json -o pages.json"
    read = add_command(commands, "read", run, "read the text in pictures", example)
    read.add_argument("files", nargs="+", metavar="FILE", help="a picture")
    read.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    read.add_argument("-o", "--output", metavar="OUT", help="write here instead of to stdout, whole or not at all")
    read.add_argument("--models", default=DEFAULT_SET, metavar="SET", help="a set of models, default: %(default)s")
    read.add_argument("--model-dir", metavar="DIR", help="the model directory, default: that of `ferrocr models path`")
    read.add_argument("--threads", type=positive, metavar="N", help="threads a model may use, default: one a core")
    languages = "languages of the pictures as ISO 639-1 codes, such as en,de; default: all that the model knows"
    read.add_argument("--languages", type=_codes, metavar="CODES", help=languages)
    read.add_argument("--provider", choices=("auto", "cpu", "cuda", "openvino"), default="auto", help="default: auto")
    read.add_argument("--preset", choices=PRESETS, default="default", help="fast: less work, somewhat less accurate")
    read.add_argument("--no-download", action="store_true", help="fail when a model is missing, never fetch it")


def _codes(text: str) -> list[str]:
    """The codes between commas."""
    return [code.strip() for code in text.split(",")]


def run(arguments: argparse.Namespace) -> int:
    """Read the files and write what they hold."""
    write = _write_json if arguments.format == "json" else _write_text
    with open_output(arguments.output) as out, closing(_pages(arguments)) as pages:
        all_read = write(out, arguments.files, pages)
    return EXIT_OK if all_read else EXIT_PROBLEMS


def _pages(arguments: argparse.Namespace) -> "Generator[Page | OcrError]":
    """What each file gave, in order. An error that concerns no single file is raised instead."""
    files: list[str] = arguments.files
    refused = [error for name in files if (error := _unreadable(name))]
    if len(refused) == len(files):
        yield from refused  # before models are fetched and loaded for nothing
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
        ocr.load()
        # Closed before the engine, which would wait for the pictures that are being read ahead.
        with closing(ocr.recognize_many(files)) as pages:
            yield from _with_bar(pages, len(files), to_file=arguments.output is not None)


def _unreadable(name: str) -> OcrError | None:
    """Why there is no use in trying the file `name`, in the engine's words; None where there may be some."""
    try:
        is_there = Path(name).exists()
    except OSError as error:  # too long a name, or a folder that nobody may look into
        return StorageError(f"cannot read {name}: {error.strerror}")
    return None if is_there else ImageNotFoundError(f"there is no picture file {name}")


def _with_bar(pages: "Iterator[Page | OcrError]", total: int, *, to_file: bool) -> "Iterator[Page | OcrError]":
    """The same pages, with a bar where it disturbs no text that scrolls by on the same terminal."""
    if total == 1 or not sys.stderr.isatty() or (sys.stdout.isatty() and not to_file):
        return pages
    from tqdm import tqdm

    return iter(tqdm(pages, total=total, unit="file", file=sys.stderr))


def _write_text(out: IO[str], files: Sequence[str], pages: "Iterator[Page | OcrError]") -> bool:
    """Print each page's text, under a header where there is more than one file; true if all could be read."""
    failed = written = 0
    for name, page in zip(files, pages, strict=True):
        if isinstance(page, OcrError):
            report(page, name)
            failed += 1
            continue
        if written:
            print(file=out)
        if len(files) > 1:
            print(f"==> {name} <==", file=out)
        print(page.text, file=out)
        written += 1
    return not failed


def _write_json(out: IO[str], files: Sequence[str], pages: "Iterator[Page | OcrError]") -> bool:
    """Print one list with an object for each file; true if all could be read."""
    objects: list[dict[str, Any]] = []
    failed = 0
    for name, page in zip(files, pages, strict=True):
        if isinstance(page, OcrError):
            report(page, name)
            failed += 1
            objects.append({"file": name, "error": split_hint(page)[0]})
        else:
            objects.append({"file": name, **_page_object(page)})
    # One file a line: as long as a file's text needs, and still a list that any JSON reader takes.
    print("[" + ",\n ".join(json.dumps(item, ensure_ascii=False) for item in objects) + "]", file=out)
    return not failed


def _page_object(page: "Page") -> dict[str, Any]:
    """Plain data of a page: positions in pixels of the picture, clockwise from each line's top left."""
    lines = [
        {"text": line.text, "score": round(line.score, 4), "quad": [[round(x, 1), round(y, 1)] for x, y in line.quad]}
        for line in page.lines
    ]
    return {"width": page.width, "height": page.height, "text": page.text, "lines": lines}
