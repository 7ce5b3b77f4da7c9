"""Draws what was read over its picture. Needs Pillow, which ``pip install 'ferrocr[draw]'`` brings."""

import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .._engine._heif import open_picture
from .._engine._inputs import ImageInput, file_path
from .._engine._readable import settled
from .._files import check_regular
from ..exceptions import ImageError, ImageNotFoundError, InvalidArgumentError, PillowMissingError, StorageError
from ..results import Page, Quad
from ._layout import blocks_of, turn_of

if TYPE_CHECKING:
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFont

    from .._engine._forms import Pixels

_SURE, _DOUBTFUL = 0.95, 0.8
"""Scores at which colours change. They tell lines to look at from others; what scores mean differs between models."""

_COLOURS = ((0, 114, 178), (213, 94, 0), (204, 0, 85))
"""Blue, orange, and a red that people who confuse red and green tell from both."""

_BLOCK = (110, 110, 110)


def draw(
    page: Page,
    image: ImageInput,
    *,
    words: bool = False,
    numbers: bool = True,
    scores: bool = True,
) -> "PIL.Image.Image":
    """Return a copy of the picture with an outline and a label for each line, and an outline for each block.

    A line's colour says how sure it is: blue from a score of .95 on, orange from .8 on, red below.

    Args:
        page: The page.
        image: The picture that it was read from, in any form that an engine takes.
        words: Outline each word too.
        numbers: True for labels with the line's place in the reading order, from 1 on.
        scores: True for labels with the line's score, in per cent.

    Raises:
        PillowMissingError: Pillow is not installed.
        ImageError: Pillow cannot decode the picture.
        InvalidArgumentError: The picture has another size than the page.
    """
    picture = _opened(image)
    if picture.size != (page.width, page.height):
        message = "the picture has {}x{} pixels".format(*picture.size) + f", and the page {page.width}x{page.height}"
        raise InvalidArgumentError(message, "give the picture that the page was read from")
    sketch = _Sketch(picture)
    for block in blocks_of(page) if page.blocks else ():
        sketch.outline(block.quad, _BLOCK, 2)
    for line in page.lines:
        for word in line.words if words else ():
            sketch.outline(word.quad, _colour(word.score), 0.5)
        sketch.outline(line.quad, _colour(line.score), 1)
    for number, line in enumerate(page.lines, 1):  # above all outlines
        parts = ([str(number)] if numbers else []) + ([f"{line.score:.0%}"] if scores else [])
        sketch.label(line.quad, "  ".join(parts), _colour(line.score))
    return picture


def sketch(page: Page, longest: int) -> "PIL.Image.Image":
    """Return the same outlines and labels on white paper, with a longer side of at most so many pixels.

    Raises:
        PillowMissingError: Pillow is not installed.
    """
    check_pillow()
    import PIL.Image

    scale = min(1.0, longest / max(page.width, page.height, 1))
    size = max(1, round(page.width * scale)), max(1, round(page.height * scale))
    sketched = _Sketch(PIL.Image.new("RGB", size, "white"))
    for number, line in enumerate(page.lines, 1):
        sketched.outline(_scaled(line.quad, scale), _colour(line.score), 1)
        sketched.label(_scaled(line.quad, scale), str(number), _colour(line.score))
    return sketched.picture


def check_pillow() -> None:
    """Find out whether drawing is possible.

    Raises:
        PillowMissingError: Pillow is not installed.
    """
    try:
        import PIL.ImageFont  # noqa: F401
    except ImportError as error:
        message = "drawing needs Pillow, which is not installed"
        raise PillowMissingError(message, "run: pip install 'ferrocr[draw]'") from error


class _Sketch:
    """A picture that is drawn on, with pens and letters as large as it needs."""

    def __init__(self, picture: "PIL.Image.Image") -> None:
        from PIL import ImageDraw, ImageFont

        self.picture, self._size = picture, picture.size
        self._draw = ImageDraw.Draw(picture)
        # A line 2 pixels wide and letters 13 pixels high on a picture of 1000 pixels, and never too small to be seen.
        longer = max(picture.size)
        self._pen = max(longer / 500, 1.0)
        self._font: PIL.ImageFont.FreeTypeFont | PIL.ImageFont.ImageFont = ImageFont.load_default(max(longer / 75, 10))

    def outline(self, quad: Quad, colour: tuple[int, int, int], width: float) -> None:
        """Draw the four edges."""
        pen = max(round(self._pen * width), 1)
        self._draw.line([*quad, quad[0], quad[1]], fill=colour, width=pen, joint="curve")

    def label(self, quad: Quad, text: str, colour: tuple[int, int, int]) -> None:
        """Write `text` in white on a plate before the line's start or, where there is no room, above it."""
        if not text:
            return
        margin = round(self._pen)
        left, top, right, bottom = self._draw.textbbox((0, 0), text, font=self._font)
        width, height = right - left + 2 * margin, bottom - top + 2 * margin
        x, y = _before(quad, width, height)
        if not (0 <= x <= self._size[0] - width and 0 <= y <= self._size[1] - height):
            x = min(max(quad[0][0], 0), max(self._size[0] - width, 0))
            y = min(max(quad[0][1] - height, 0), max(self._size[1] - height, 0))
        self._draw.rectangle((x, y, x + width, y + height), fill=colour)
        self._draw.text((x + margin - left, y + margin - top), text, fill=(255, 255, 255), font=self._font)


def _scaled(quad: Quad, scale: float) -> Quad:
    first, second, third, fourth = ((x * scale, y * scale) for x, y in quad)
    return first, second, third, fourth


def _before(quad: Quad, width: float, height: float) -> tuple[float, float]:
    """Return the top left corner of a box of that size that touches the edge where the line begins, from outside."""
    turn = math.radians(turn_of(quad))
    right, down = math.cos(turn), -math.sin(turn)
    reach = (abs(right) * width + abs(down) * height) / 2
    (x0, y0), (x3, y3) = quad[0], quad[3]
    return (x0 + x3) / 2 - right * reach - width / 2, (y0 + y3) / 2 - down * reach - height / 2


def _colour(score: float) -> tuple[int, int, int]:
    return _COLOURS[0] if score >= _SURE else _COLOURS[1] if score >= _DOUBTFUL else _COLOURS[2]


def _opened(image: ImageInput) -> "PIL.Image.Image":
    """Return a copy of the picture in colour, turned as its EXIF data say, which is how the engine reads it."""
    check_pillow()
    import PIL.Image

    try:
        if isinstance(image, PIL.Image.Image):
            return _copied(image)
        image = settled(image, sys.maxsize)
        if isinstance(image, bytes | bytearray | memoryview):
            file: Path | bytes = bytes(image)
        elif isinstance(image, str | os.PathLike):
            file = file_path(image)
            check_regular(file)
        else:
            return _of_array(image)
        with open_picture(file) as opened:
            return _copied(opened)
    except FileNotFoundError as error:
        if isinstance(error, ImageNotFoundError):
            raise
        message = f"there is no picture file {error.filename}"
        raise ImageNotFoundError(message) from error
    except (ImageError, StorageError):
        raise
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        message = f"Pillow cannot decode the picture: {error}"
        raise ImageError(message) from error


def _copied(image: "PIL.Image.Image") -> "PIL.Image.Image":
    from .._engine._pixels import from_pillow

    # As the engine sees it: also 16 bits, palettes and decimals become what can be looked at.
    return _as_picture(from_pillow(image, _any_size))


def _of_array(image: object) -> "PIL.Image.Image":
    from .._engine._pixels import from_array_like

    return _as_picture(from_array_like(image, _any_size))


def _as_picture(pixels: "Pixels") -> "PIL.Image.Image":
    import PIL.Image

    data = pixels.data.reshape(pixels.height, pixels.width) if pixels.channels == 1 else pixels.data
    picture = PIL.Image.fromarray(data)
    if pixels.channels in (1, 3):
        return picture.convert("RGB")
    paper = PIL.Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture.convert("RGBA"))
    return paper.convert("RGB")


def _any_size(_width: int, _height: int) -> None:
    pass
