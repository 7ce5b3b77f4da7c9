"""TSV with the columns and rows of Tesseract's."""

import re
from collections.abc import Iterator
from typing import ClassVar

from .._text import line_text, whole_characters
from ._layout import Box, blocks_of, box_of, words_of
from ._sheet import Sheet
from ._writer import Writer

COLUMNS = (
    *("level", "page_num", "block_num", "par_num", "line_num", "word_num"),
    *("left", "top", "width", "height", "conf", "text"),
)

# A cell cannot hold what ends it or its row, for whichever reader, and there is no way to escape it.
_NO_CELL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class TsvWriter(Writer):
    """A row for the page (level 1), each block (2), paragraph (3), line (4) and word (5), in reading order."""

    name: ClassVar[str] = "tsv"
    suffix: ClassVar[str] = ".tsv"
    media_type: ClassVar[str] = "text/tab-separated-values"
    summary: ClassVar[str] = "boxes of words, as Tesseract writes them"

    def begin(self) -> str:
        """Return the names of the columns."""
        return "\t".join(COLUMNS) + "\n"

    def _page(self, sheet: Sheet) -> str:
        return "".join(self._rows(sheet))

    def _rows(self, sheet: Sheet) -> Iterator[str]:
        page, place = sheet.page, self.pages
        yield _row(1, (place, 0, 0, 0, 0), Box(0, 0, page.width, page.height))
        for number, block in enumerate(blocks_of(page), 1):
            box = box_of(block.quad, page)
            yield _row(2, (place, number, 0, 0, 0), box)
            yield _row(3, (place, number, 1, 0, 0), box)  # a block is one paragraph
            for row, line in enumerate(block.lines, 1):
                yield _row(4, (place, number, 1, row, 0), box_of(line.quad, page))
                for column, word in enumerate(words_of(line), 1):
                    # Six digits, as Tesseract 5 has them.
                    score = f"{word.score * 100:.6f}"
                    yield _row(5, (place, number, 1, row, column), box_of(word.quad, page), score, word.text)


def _row(level: int, numbers: tuple[int, ...], box: Box, score: str = "-1", text: str = "") -> str:
    cells = (level, *numbers, box.left, box.top, box.width, box.height, score, cell(text))
    return "\t".join(map(str, cells)) + "\n"


def cell(text: str) -> str:
    """Return the text as a cell has it: control characters are spaces, what is no character is U+FFFD.

    Marks that turn the direction of writing would turn the columns beside it, and are left out.
    """
    return whole_characters(line_text(_NO_CELL.sub(" ", text)))
