"""Lines beside each other put together in rows, as other engines have them: here a cell of a table is a line."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..formats._layout import words_of
from ..results import Line, Point, Quad

_SAME_ROW = 0.5
"""Distance of two lines' middles, in heights of the lower one, from which on they are two rows."""


@dataclass(frozen=True)
class Frame:
    """The direction that a page's text runs in, as a unit vector; lines follow each other to the right of it."""

    along_x: float
    along_y: float

    @classmethod
    def of(cls, lines: Iterable[Line]) -> "Frame":
        """Return the direction of most of the text; to the right where there is none."""
        ways = [_way(line.quad) for line in lines]
        # Long lines count for more, and those that run another way do not pull it askew.
        x, y = max(ways, key=lambda way: math.hypot(*way), default=(1.0, 0.0))
        near = [way for way in ways if way[0] * x + way[1] * y > 0.9 * math.hypot(*way) * math.hypot(x, y)]
        x, y = (sum(values) for values in zip(*near, strict=True)) if near else (1.0, 0.0)
        length = math.hypot(x, y)
        return cls(x / length, y / length) if length > 0 else cls(1.0, 0.0)

    def has(self, quad: Quad) -> bool:
        """Return True if the quad's text runs this way, as far as quarters of a turn tell."""
        x, y = _way(quad)
        return x * self.along_x + y * self.along_y > 0.7 * math.hypot(x, y)

    def place(self, point: Point) -> Point:
        """Return how far a point lies along the text, and across it."""
        x, y = point
        return x * self.along_x + y * self.along_y, y * self.along_x - x * self.along_y

    def span(self, quad: Quad) -> "Span":
        """Return the place that a quad takes."""
        along, across = zip(*map(self.place, quad), strict=True)
        return Span(min(along), max(along), min(across), max(across))

    def around(self, quads: Iterable[Quad]) -> Quad:
        """Return the smallest rectangle around all of them whose sides run as the text does."""
        spans = [self.span(quad) for quad in quads]
        start, end = min(span.start for span in spans), max(span.end for span in spans)
        top, bottom = min(span.top for span in spans), max(span.bottom for span in spans)
        return self._back(start, top), self._back(end, top), self._back(end, bottom), self._back(start, bottom)

    def _back(self, along: float, across: float) -> Point:
        return along * self.along_x - across * self.along_y, along * self.along_y + across * self.along_x


@dataclass(frozen=True)
class Span:
    """A place along the text and across it."""

    start: float
    end: float
    top: float
    bottom: float

    def is_beside(self, other: "Span") -> bool:
        """Return True if both stand in one row."""
        lower = min(self.bottom - self.top, other.bottom - other.top)
        return abs(self.top + self.bottom - other.top - other.bottom) / 2 < _SAME_ROW * lower


def rows_in_order(lines: Sequence[Line], frame: Frame) -> list[list[Line]]:
    """Return lines in rows: those that follow each other to the right."""
    rows: list[list[Line]] = []
    for line in lines:
        if rows and frame.has(line.quad) and frame.has(rows[-1][-1].quad):
            before, this = frame.span(rows[-1][-1].quad), frame.span(line.quad)
            if this.is_beside(before) and this.start > (before.start + before.end) / 2:
                rows[-1].append(line)
                continue
        rows.append([line])
    return rows


def sorted_rows(lines: Sequence[Line], frame: Frame) -> list[list[Line]]:
    """Return lines in rows from side to side, whatever columns they stand in. Those that run another way come last."""
    rows: list[list[Line]] = []
    others = [[line] for line in lines if not frame.has(line.quad)]
    for line in sorted((one for one in lines if frame.has(one.quad)), key=lambda one: frame.span(one.quad).top):
        span = frame.span(line.quad)
        beside = [row for row in rows[-3:] if any(frame.span(one.quad).is_beside(span) for one in row)]
        if beside:
            beside[-1].append(line)
        else:
            rows.append([line])
    return [*(sorted(row, key=lambda one: frame.span(one.quad).start) for row in rows), *others]


def joined(row: Sequence[Line], frame: Frame) -> Line:
    """Return a row as one line."""
    if len(row) == 1:
        return row[0]
    weights = [max(len(line.text), 1) for line in row]
    score = sum(line.score * weight for line, weight in zip(row, weights, strict=True)) / sum(weights)
    words = tuple(word for line in row for word in words_of(line))
    return Line(" ".join(line.text for line in row), score, frame.around(line.quad for line in row), words)


def _way(quad: Quad) -> Point:
    """Return the way from the text's start to its end."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad
    return (x1 - x0 + x2 - x3) / 2, (y1 - y0 + y2 - y3) / 2
