"""Pages in the shape that Tesseract's have: cells beside each other are one line."""

from collections.abc import Iterable

from ...formats._layout import blocks_of, words_of
from ...results import Block, Line, Page
from .._rows import Frame, joined, rows_in_order, sorted_rows
from ._config import ONE_LINE, ROWS, SPARSE


def shaped(page: Page, mode: int) -> Page:
    """Return the page with blocks and lines as a page segmentation mode has them."""
    frame = Frame.of(page.lines)
    groups: list[list[list[Line]]] = []
    if mode in SPARSE:
        groups = [[[line]] for line in page.lines]
    elif mode in ONE_LINE:
        # In a line of its own, whatever the detector made of it.
        groups = [[[line for row in sorted_rows(page.lines, frame) for line in row]]] if page.lines else []
    elif mode in ROWS:
        groups = [sorted_rows(page.lines, frame)] if page.lines else []
    else:
        groups = _tables([rows_in_order(block.lines, frame) for block in blocks_of(page)], frame)
    blocks = [_block([joined(row, frame) for row in rows], frame) for rows in groups]
    return Page(page.width, page.height, tuple(line for block in blocks for line in block.lines), tuple(blocks))


def text_of(page: Page, *, keeps_spaces: bool = False) -> str:
    """Return a shaped page's text, with an empty line between blocks and an end of line at its end."""
    if not page.lines:
        return ""
    line_text = _spaced if keeps_spaces else _plain
    return "\n\n".join("\n".join(map(line_text, block.lines)) for block in page.blocks) + "\n"


def _tables(groups: Iterable[list[list[Line]]], frame: Frame) -> list[list[list[Line]]]:
    """Return groups of rows, in which rows of cells that follow each other closely are one group."""
    result: list[list[list[Line]]] = []
    for rows in groups:
        if result and len(rows) == 1 and len(rows[0]) > 1 and len(result[-1][-1]) > 1:
            before, this = frame.span(result[-1][-1][0].quad), frame.span(rows[0][0].quad)
            if this.top - before.bottom < this.bottom - this.top:
                result[-1].append(rows[0])
                continue
        result.append(rows)
    return result


def _block(lines: list[Line], frame: Frame) -> Block:
    return Block(frame.around(line.quad for line in lines), tuple(lines))


def _plain(line: Line) -> str:
    return line.text


def _spaced(line: Line) -> str:
    """Return a line's words with as many spaces between them as fit there."""
    frame, words = Frame.of([line]), words_of(line)
    characters = sum(len(word.text) for word in words)
    spans = [frame.span(word.quad) for word in words]
    width = sum(span.end - span.start for span in spans) / max(characters, 1)
    text = words[0].text if words else ""
    for before, after, word in zip(spans, spans[1:], words[1:], strict=False):
        text += " " * max(1, round((after.start - before.end) / width) if width > 0 else 1) + word.text
    return text
