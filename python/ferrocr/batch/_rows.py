"""Rows of the table: a page that was read, or why it was not."""

from typing import Any, NamedTuple

from ..documents import DocumentPage
from ..exceptions import OcrError
from ..formats._layout import grouped
from ..results import Char, Line, Quad, Word

Row = dict[str, Any]


class Unit(NamedTuple):
    """Pages of one source that are read in one go.

    Attributes:
        source: Its name, as rows have it.
        content: Its path, its address in an object store, or its bytes.
        pages: The pages to read, from 1 on; None for those that the options name.
        source_pages: The number of its pages that are wanted in all; None where nobody has counted them.
        size: Its bytes, where they are known.
    """

    source: str
    content: str | bytes
    pages: tuple[int, ...] | None = None
    source_pages: int | None = None
    size: int | None = None


def page_row(page: DocumentPage, unit: Unit, wanted: int, seconds: float) -> Row:
    """Return the row of a page."""
    read = page.page
    return {
        **{"source": unit.source, "page": page.number, "source_pages": wanted},
        **{"width": read.width, "height": read.height, "dpi": page.dpi, "origin": page.origin, "text": read.text},
        **{
            "lines": [_line(line) for line in read.lines],
            "blocks": [{"quad": _corners(block.quad), "lines": lines} for block, lines in grouped(read)],
        },
        "seconds": seconds,
    }


def error_row(error: Exception, unit: Unit, number: int | None, wanted: int | None, seconds: float) -> Row:
    """Return the row of a page that could not be read; without a number it is the whole source that could not."""
    message = error.for_shell()[0] if isinstance(error, OcrError) else str(error)
    return {
        **{"source": unit.source, "page": number, "source_pages": wanted},
        **{"error_kind": type(error).__name__, "error": message or type(error).__name__, "seconds": seconds},
    }


def _line(line: Line) -> Row:
    words = [{**_written(word), "doubtful": word.doubtful} for word in line.words]
    return {**_written(line), "words": words}


def _written(part: Line | Word | Char) -> Row:
    return {"text": part.text, "score": round(part.score, 4), "quad": _corners(part.quad)}


def _corners(quad: Quad) -> list[float]:
    return [round(side, 1) for point in quad for side in point]
