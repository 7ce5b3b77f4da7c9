"""Invisible text as a PDF draws it: each word as wide as it was found, in the direction in which it runs."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, Protocol

from ..exceptions import InvalidArgumentError
from ..formats._layout import words_of
from ..results import Line, Page, Point, Quad
from ._glyphless import DESCENT, UNITS

_NO_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Control characters, halves of characters and what Unicode says is none. Programs that extract text leave such things
out, end it there, or fail."""

_LEAST = 0.01
"""Points that a word has at least in each direction, so that no matrix is singular."""

_LEAST_SPACE = 0.16
"""Width of a space in heights of its line where words touch. Poppler takes words for one that are less than 0.15 apart,
whatever space is written between them."""

_MOST_COORDINATE = 1e6
"""Points from the page's corner beyond which nothing can be: readers compute in 32 bits."""


class Font(Protocol):
    """A font that text is set in."""

    def encoded(self, text: str) -> bytes:
        """Return the codes of a text."""

    def advance(self, text: str) -> float:
        """Return the width of a text at a size of 1."""


class _Piece(NamedTuple):
    """A word, or the space between two: a text from one place to another along its line."""

    text: str
    start: float
    end: float


class _Course(NamedTuple):
    """The course of a line: a point on its lower edge, its direction, and its height. In points, y up."""

    start: Point
    direction: Point
    height: float

    def along(self, point: Point) -> float:
        """Return how far along the line a point is."""
        return (point[0] - self.start[0]) * self.direction[0] + (point[1] - self.start[1]) * self.direction[1]

    def baseline(self, along: float) -> Point:
        """Return the point of the baseline that is so far along."""
        (right, up), drop = self.direction, -DESCENT / UNITS * self.height
        return self.start[0] + along * right - drop * up, self.start[1] + along * up + drop * right


def content_of(page: Page, to_points: Callable[[Point], Point], name: str, font: Font) -> bytes:
    """Return the operators that draw the text of a page, invisibly, and leave everything else as it was.

    Args:
        page: The text.
        to_points: Maps a pixel of the page to the PDF's own coordinates.
        name: The name of the font in the page's resources.
        font: The font.

    Raises:
        InvalidArgumentError: The quad of a line or word is nowhere.
    """
    lines = [piece for line in page.lines for piece in _line(line, to_points, name, font)]
    if not lines:
        return b""
    return "\n".join(["q", "BT", "3 Tr", *lines, "ET", "Q", ""]).encode("ascii")


def _line(line: Line, to_points: Callable[[Point], Point], name: str, font: Font) -> Iterator[str]:
    course = _course(_moved(line.quad, to_points))
    pieces = _in_order_of_sight([piece for piece in _pieces(line, course, to_points) if piece.text])
    if pieces:
        yield f"/{name} {_number(course.height)} Tf"
    for piece in pieces:
        x, y = course.baseline(piece.start)
        cos, sin = course.direction
        width = max(font.advance(piece.text), 1 / UNITS) * course.height
        yield f"{_number(max(piece.end - piece.start, _LEAST) / width * 100)} Tz"
        yield f"{cos:.5f} {sin:.5f} {-sin:.5f} {cos:.5f} {_number(x)} {_number(y)} Tm"
        yield f"<{font.encoded(piece.text).hex()}> Tj"


def _pieces(line: Line, course: _Course, to_points: Callable[[Point], Point]) -> Iterator[_Piece]:
    """Give the words of a line, and between those that are apart in its text a space that fills the gap."""
    before: _Piece | None = None
    position = 0
    for word in words_of(line):
        corners = _moved(word.quad, to_points)
        ends = [(course.along(corners[a]) + course.along(corners[b])) / 2 for a, b in ((0, 3), (1, 2))]
        piece = _Piece(shown(word.text), min(ends), max(ends))
        found = line.text.find(word.text, position)
        are_apart = found != position
        position = found + len(word.text) if found >= 0 else position
        if before is not None and are_apart:
            before, space, piece = _apart(before, piece, _LEAST_SPACE * course.height)
            yield before
            yield space
        elif before is not None:
            yield before
        before = piece
    if before is not None:
        yield before


def _apart(one: _Piece, other: _Piece, least: float) -> tuple[_Piece, _Piece, _Piece]:
    """Return two words and the space between them, of that width at least: the word before it ends earlier then."""
    left, right = sorted((one, other), key=lambda piece: piece.start)
    end = max(min(left.end, right.start - least), (left.start + min(left.end, right.start)) / 2)
    left, space = left._replace(end=end), _Piece(" ", end, max(right.start, end + _LEAST))
    return (left, space, right) if one.start <= other.start else (right, space, left)


def shown(text: str) -> str:
    """Return a text without what is no character."""
    return _NO_CHARACTER.sub("\ufffd", text)


def _in_order_of_sight(pieces: Sequence[_Piece]) -> Sequence[_Piece]:
    """Return the same; where there is writing from right to left, as it stands on the page from left to right.

    That is how PDF files have it, so programs that extract text turn it round.
    """
    if not any(_runs_left(character) for piece in pieces for character in piece.text):
        return pieces
    return [
        piece._replace(text=_seen(piece.text)) for piece in sorted(pieces, key=lambda piece: (piece.start, piece.end))
    ]


def _seen(text: str) -> str:
    """Return a word as it stands from left to right: letters that run left turned round, numbers among them not."""
    if not any(map(_runs_left, text)):
        return text
    runs = ["".join(run) for _, run in groupby(text, key=_runs_right)]
    return "".join(run if _runs_right(run[0]) else run[::-1] for run in reversed(runs))


def _runs_left(character: str) -> bool:
    return unicodedata.bidirectional(character) in ("R", "AL")


def _runs_right(character: str) -> bool:
    return unicodedata.bidirectional(character) in ("L", "EN", "AN")


def _moved(quad: Quad, to_points: Callable[[Point], Point]) -> Quad:
    corners = tuple(to_points(corner) for corner in quad)
    if not all(abs(value) <= _MOST_COORDINATE for corner in corners for value in corner):
        message = f"the text at {quad} is nowhere on the page"
        raise InvalidArgumentError(message, "give quads in pixels of the picture that was read")
    return corners[0], corners[1], corners[2], corners[3]


def _course(corners: Quad) -> _Course:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    right, up = x1 - x0 + x2 - x3, y1 - y0 + y2 - y3
    length = math.hypot(right, up)
    direction = (right / length, up / length) if length > 0 else (1.0, 0.0)
    # Both sides, as far as they stand across the line.
    height = abs(direction[0] * (y0 - y3 + y1 - y2) - direction[1] * (x0 - x3 + x1 - x2)) / 2
    height = max(height, _LEAST)
    # In the middle of both sides and half the height down, since corners of a line in perspective lie on no rectangle.
    x, y = (x0 + x3) / 2, (y0 + y3) / 2
    start = (x + direction[1] * height / 2, y - direction[0] * height / 2)
    return _Course(start, direction, height)


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
