"""Pages as rows of a table, the same for CSV and for data frames."""

from collections.abc import Iterator
from typing import NamedTuple

from ..results import Line, Word
from ._layout import blocks_of, words_of
from ._sheet import Sheet


class Row(NamedTuple):
    """A word, or a line, with its place."""

    source: str | None
    """Name of the picture or document."""
    page: int
    """The page's number in its source, from 1 on."""
    block: int
    """The block's number on its page, from 1 on."""
    line: int
    """The line's number on its page, from 1 on."""
    word: int
    """The word's number in its line, from 1 on; 0 for a line."""
    text: str
    score: float
    """0 to 1."""
    doubtful: bool
    left: float
    """The left side of the upright box around it, in pixels of the picture."""
    top: float
    right: float
    bottom: float


COLUMNS = Row._fields


def word_rows(sheet: Sheet) -> Iterator[Row]:
    """Give a row for each word of a page, in reading order.

    Raises:
        InvalidArgumentError: The page's blocks do not hold its lines.
    """
    for block, number, line in _lines(sheet):
        for place, word in enumerate(words_of(line), 1):
            yield _row(sheet, (block, number, place), word)


def line_rows(sheet: Sheet) -> Iterator[Row]:
    """Give a row for each line of a page, in reading order.

    Raises:
        InvalidArgumentError: The page's blocks do not hold its lines.
    """
    for block, number, line in _lines(sheet):
        yield _row(sheet, (block, number, 0), line)


def _lines(sheet: Sheet) -> Iterator[tuple[int, int, Line]]:
    """Give each line with the numbers of its block and of itself."""
    count = 0
    for number, block in enumerate(blocks_of(sheet.page), 1):
        for line in block.lines:
            count += 1
            yield number, count, line


def _row(sheet: Sheet, numbers: tuple[int, int, int], part: Line | Word) -> Row:
    return Row(sheet.source, sheet.number, *numbers, part.text, part.score, part.doubtful, *part.bbox)
