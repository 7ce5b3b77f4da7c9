"""Results of reading: plain values that stay valid after the engine is freed.

Positions are pixels of the original picture after its EXIF turn: x to the right, y down, (0, 0) the outer corner of
the top left pixel. A quad has four (x, y) corners, clockwise on the screen, the first one at the text's top left as
the text is read, however that is turned. ``numpy.asarray(line.quad)`` is a 4x2 array.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ._writable import Writable, renderer
from .stats import Timings

if TYPE_CHECKING:
    import PIL.Image

    from ._image_types import ImageInput

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]

BBox = tuple[float, float, float, float]
"""An upright box: left, top, right, bottom."""

_MOST_SHOWN = 60
"""Characters of a text that its short form shows."""


class _Placed:
    """Something with an outline."""

    __slots__ = ()

    @property
    def bbox(self: "HasQuad") -> BBox:
        """The smallest upright box around `quad`: left, top, right and bottom, in the same pixels.

        Pillow's ``image.crop(word.bbox)`` cuts it out of the picture, turned as its EXIF data say.
        """
        xs, ys = zip(*self.quad, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


class HasQuad(Protocol):
    """Something with a quad."""

    @property
    def quad(self) -> Quad:
        """Its outline."""


@dataclass(frozen=True, slots=True)
class Char(_Placed):
    """A character as the recogniser knows it; some languages write it with several code points.

    Attributes:
        text: Its text.
        score: Its probability, 0 to 1.
        quad: Its outline: as high as the line, from its first to its last ink. Those of neighbours do not overlap.
    """

    text: str
    score: float
    quad: Quad

    def __repr__(self) -> str:
        return f"<Char {short(self.text)} {self.score:.3f}{_place(self.quad)}>"


@dataclass(frozen=True, slots=True)
class Word(_Placed):
    """A run of characters without a space.

    Attributes:
        text: Its text.
        score: Mean probability of its characters, 0 to 1.
        quad: Its outline: as high as the line, from the first ink of its characters to their last.
        characters: Its characters in the order in which they are read, where they were asked for:
            ``recognize(..., characters=True)``. Those of Arabic and Hebrew stand from right to left.
        doubtful: True if it is likely to be wrong: a character of it was not sure. docs/scores.md has figures.
    """

    text: str
    score: float
    quad: Quad
    characters: tuple[Char, ...] = ()
    doubtful: bool = False

    def __repr__(self) -> str:
        doubtful = ", doubtful," if self.doubtful else ""
        return f"<Word {short(self.text)} {self.score:.3f}{doubtful}{_place(self.quad)}>"


@dataclass(frozen=True, slots=True)
class Line(_Placed):
    """A line of text as the detector saw it: a cell of a table is a line of its own.

    Attributes:
        text: Its text.
        score: Mean probability of its characters, 0 to 1.
        quad: Its outline.
        words: Its words, which spaces separate, in the order in which they are read.
    """

    text: str
    score: float
    quad: Quad
    words: tuple[Word, ...]

    @property
    def doubtful(self) -> bool:
        """True if one of its words is doubtful."""
        return any(word.doubtful for word in self.words)

    def __repr__(self) -> str:
        return f"<Line {short(self.text)} {self.score:.3f}{_place(self.quad)}>"


@dataclass(frozen=True, slots=True)
class Block(_Placed):
    """Lines that belong together: a paragraph, a heading, a row of a table or a form.

    A paragraph that goes on in the next column or on the next page is a block in each.

    Attributes:
        quad: Its outline: the smallest rectangle around its lines whose sides run as their text does.
        lines: Its lines in reading order.
    """

    quad: Quad
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The lines' texts, one a line."""
        return "\n".join(line.text for line in self.lines)

    def __repr__(self) -> str:
        return f"<Block of {described(self.lines)}{_place(self.quad)}>"


@dataclass(frozen=True, slots=True)
class Page(Writable):
    """The text of one picture.

    Attributes:
        width: Width of the picture in pixels, after its EXIF turn.
        height: Height of the picture in pixels, after its EXIF turn.
        lines: Lines in reading order: columns of text one after the other; in each of them, and in tables, receipts and
            forms, rows from top to bottom, each from left to right.
        blocks: The same lines in groups, in the same order: their texts with an empty line between them are the page's
            text in paragraphs.
        timings: Seconds that reading it took, by stage; None for text that was not read from a picture. Pages are equal
            whatever they took, and no format has it.
    """

    width: int
    height: int
    lines: tuple[Line, ...]
    blocks: tuple[Block, ...] = ()
    timings: Timings | None = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The lines' texts, one a line."""
        return "\n".join(line.text for line in self.lines)

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of all lines, in reading order."""
        return tuple(word for line in self.lines for word in line.words)

    def draw(
        self,
        image: "ImageInput",
        *,
        words: bool = False,
        numbers: bool = True,
        scores: bool = True,
    ) -> "PIL.Image.Image":
        """Return a copy of the page's picture, with outlines, reading order and scores drawn over it.

        Args:
            image: The picture, in any form that :meth:`ferrocr.OcrEngine.recognize` takes.
            words: Outline each word too.
            numbers: True for labels with the line's place in the reading order, from 1 on.
            scores: True for labels with the line's score, in per cent.

        Raises:
            PillowMissingError: Pillow is not installed: ``pip install 'ferrocr[draw]'``.
            ImageError: Pillow cannot decode the picture.
            InvalidArgumentError: The picture has another size than the page.
        """
        return renderer().picture(self, image, words=words, numbers=numbers, scores=scores)

    def __repr__(self) -> str:
        return f"<Page {self.width}x{self.height}, {described(self.lines)}>"

    def _repr_png_(self) -> bytes | None:
        """Return a small picture of the outlines, which notebooks show that show no table; None without Pillow."""
        return renderer().sketch(self)


def short(text: str) -> str:
    """Return a text as ``repr`` does it, cut off where it is long."""
    return repr(text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…")


def described(lines: tuple[Line, ...]) -> str:
    """Say how many lines there are, and how they begin."""
    count = "1 line" if len(lines) == 1 else f"{len(lines)} lines"
    return f"{count}: {short(lines[0].text)}{', …' if len(lines) > 1 else ''}" if lines else count


def _place(quad: Quad) -> str:
    # Pages that somebody makes for a test may have no outlines.
    corners = list(zip(*quad, strict=True))
    if not corners:
        return ""
    (left, top), (right, bottom) = map(min, corners), map(max, corners)
    return f" at ({left:.0f}, {top:.0f}, {right:.0f}, {bottom:.0f})"


@dataclass(frozen=True, slots=True)
class ReleaseReport:
    """Resources that a release or an unload gave back.

    Sessions, threads and files are gone when this is there. The memory is what the system said of the whole process,
    with whatever else it did meanwhile: docs/lifecycle.md tells what stays, and who keeps it.

    Attributes:
        sessions: Native sessions that were closed.
        threads: Threads that ended with them; None where the system does not tell.
        rss_before_mb: Resident memory of the process before, in 2**20 bytes, with those of an isolated engine; None
            where the system does not tell.
        rss_after_mb: Resident memory of the process after.
        waited_s: Seconds that calls in flight, and a download that had to end, were waited for.
        files: Model files in the model directory whose lease was given back: any process may remove them now.
        complete: True once it is over. False when the timeout ended the wait: nothing was counted yet then, and the
            last call out does the release.
        calls: Calls and loads that were still in flight then; 0 when it is complete.
        processes: Processes that ended: an isolated engine's, and those that render the pages of PDF files, whose
            memory is in no other number.
        inherited: True if a forked child released an engine that its parent had loaded: nothing was freed, and the
            parent has it as before.
        gpu_before_mb: Memory in use before on all GPUs of NVIDIA's that the process sees, by whatever process, in 2**20
            bytes; None unless the models ran on one, and where its driver does not tell.
        gpu_after_mb: The same after.
    """

    sessions: int
    threads: int | None
    rss_before_mb: float | None
    rss_after_mb: float | None
    waited_s: float
    files: int = 0
    complete: bool = True
    calls: int = 0
    processes: int = 0
    inherited: bool = False
    gpu_before_mb: float | None = None
    gpu_after_mb: float | None = None
