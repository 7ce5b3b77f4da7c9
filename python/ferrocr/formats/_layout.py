"""Properties of a page that several formats need: blocks, words, boxes of whole pixels, and the turn of a line."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..exceptions import InvalidArgumentError
from ..results import Block, Line, Page, Quad, Word

_ENOUGH = 20
"""Characters from which a page's direction is certain if all lines agree. A stamp that is turned has less."""

_CERTAIN = 20.0
"""The certainty of a page whose lines all agree, in OCRmyPDF's units: it turns pages from 14 on, so where more than
85 % of the characters agree."""


class Box(NamedTuple):
    """An upright box of whole pixels within its page. `right` and `bottom` are the first pixels outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top


def blocks_of(page: Page) -> tuple[Block, ...]:
    """Return the page's blocks; where it has none, one with all of its lines.

    Raises:
        InvalidArgumentError: The blocks are not the page's lines in groups, so that some text would be lost.
    """
    if not page.blocks:
        return (Block(_around(line.quad for line in page.lines), page.lines),) if page.lines else ()
    if tuple(line for block in page.blocks for line in block.lines) != page.lines:
        message = "the blocks of a page do not hold its lines, each once and in their order"
        raise InvalidArgumentError(message, "leave the blocks of a page of your own empty")
    return page.blocks


def grouped(page: Page) -> Iterator[tuple[Block, list[int]]]:
    """Give each of the page's own blocks with the indexes of its lines.

    Raises:
        InvalidArgumentError: As :func:`blocks_of`.
    """
    start = 0
    for block in blocks_of(page) if page.blocks else ():
        end = start + len(block.lines)
        yield block, list(range(start, end))
        start = end


def words_of(line: Line) -> tuple[Word, ...]:
    """Return the line's words; where it has none, itself as one."""
    return line.words or (Word(line.text, line.score, line.quad),)


def box_of(quad: Quad, page: Page) -> Box:
    """Return the smallest box around `quad`."""
    xs, ys = zip(*quad, strict=True)
    return Box(
        _clipped(math.floor(_cleaned(min(xs))), page.width),
        _clipped(math.floor(_cleaned(min(ys))), page.height),
        _clipped(math.ceil(_cleaned(max(xs))), page.width),
        _clipped(math.ceil(_cleaned(max(ys))), page.height),
    )


def corners_of(quad: Quad, page: Page) -> str:
    """Return the corners as ``x,y`` in whole pixels within the page, the text's top left first."""
    return " ".join(f"{_clipped(round(x), page.width)},{_clipped(round(y), page.height)}" for x, y in quad)


def is_upright(quad: Quad) -> bool:
    """Return True if the quad is its own box and its text runs to the right, as far as whole pixels tell."""
    (left, top), (right, above), (beyond, bottom), (before, below) = ((round(x), round(y)) for x, y in quad)
    return left == before <= right == beyond and top == above <= bottom == below


def turn_of(quad: Quad) -> float:
    """Return the turn of the text, in degrees counter-clockwise: 0 for upright text, 90 for text that runs up."""
    return _degrees(*_direction(quad))


def common_turn(lines: Iterable[Line]) -> int:
    """Return the turn that all of the lines have, in whole degrees from -179 to 180; 0 where they differ."""
    directions = [_direction(line.quad) for line in lines]
    right, down = (sum(values) for values in zip(*directions, strict=True))  # so that long lines count for more
    turn = _degrees(right, down)
    # 5 degrees: more than the quads of lines on one turned page differ by, unless they are a few characters long.
    if any(abs((_degrees(*direction) - turn + 180) % 360 - 180) > 5 for direction in directions):
        return 0
    whole = round(turn) % 360
    return whole if whole <= 180 else whole - 360


def direction_of(lines: Iterable[Line]) -> tuple[int, float]:
    """Return a page's turn clockwise, in quarters of a turn given in degrees, and how certain that is."""
    shares = {0: 0.0, 90: 0.0, 180: 0.0, 270: 0.0}
    for line in lines:
        # The turn of text is counted counter-clockwise.
        shares[-round(turn_of(line.quad) / 90) * 90 % 360] += len(line.text) * max(line.score, 0.01)
    whole = sum(shares.values())
    if whole == 0:
        return 0, 0.0
    angle = max(shares, key=lambda key: shares[key])
    agreement = max(0.0, 2 * shares[angle] / whole - 1)
    return angle, _CERTAIN * agreement * min(1.0, whole / _ENOUGH)


def decimal(value: float, digits: int) -> str:
    """Return the shortest form of `value` with at most so many digits behind the point, never in powers of ten."""
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def confidence(score: float) -> str:
    """Return a score as formats want it that check its range: 0 to 1, four digits."""
    return decimal(min(max(score, 0.0), 1.0), 4)


def _direction(quad: Quad) -> tuple[float, float]:
    """Return twice the way from the text's start to its end: along its upper and along its lower edge."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad
    return (x1 - x0) + (x2 - x3), (y1 - y0) + (y2 - y3)


def _degrees(right: float, down: float) -> float:
    # Rounded before the remainder, which would else leave 360 of what is hardly below 0.
    return round(math.degrees(math.atan2(-down, right)), 1) % 360


def _around(quads: Iterable[Quad]) -> Quad:
    """Return the upright rectangle around all of them."""
    xs, ys = zip(*(corner for quad in quads for corner in quad), strict=True)
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _cleaned(value: float) -> float:
    # The rest that 32-bit arithmetic leaves behind a whole pixel is no reason for one more.
    return round(value, 2)


def _clipped(value: int, limit: int) -> int:
    return min(max(value, 0), limit)
