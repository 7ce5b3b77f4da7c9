"""What was read: plain values that stay valid after the engine is freed.

Positions are pixels of the original picture after its EXIF turn: x to the right, y down, (0, 0) the outer corner of
the top left pixel. A quad has four (x, y) corners, clockwise on the screen, the first one at the text's top left as
the text is read, however that is turned. ``numpy.asarray(line.quad)`` is a 4x2 array.
"""

from dataclasses import dataclass

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Word:
    """A run of characters without a space.

    Attributes:
        text: Its text.
        score: Mean probability of its characters, 0 to 1.
        quad: Its outline: the line's, cut where its first and last character stand.
    """

    text: str
    score: float
    quad: Quad


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text as the detector saw it: a cell of a table is a line of its own.

    Attributes:
        text: Its text.
        score: Mean probability of its characters, 0 to 1.
        quad: Its outline.
        words: What spaces separate, in order.
    """

    text: str
    score: float
    quad: Quad
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The text of one picture.

    Attributes:
        width: Width of the picture in pixels, after its EXIF turn.
        height: Height of the picture in pixels, after its EXIF turn.
        lines: Lines in reading order: rows from top to bottom, each from left to right.
    """

    width: int
    height: int
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The lines' texts, one a line."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class ReleaseReport:
    """What a release gave back.

    Attributes:
        sessions: Native sessions that were closed.
        threads: Threads that ended with them; None where the system does not tell.
        rss_before_mb: Resident memory of the process before, in 2**20 bytes; None where the system does not tell.
        rss_after_mb: Resident memory of the process after.
        waited_s: Seconds that calls in flight were waited for.
    """

    sessions: int
    threads: int | None
    rss_before_mb: float | None
    rss_after_mb: float | None
    waited_s: float
