"""A drawn page, turned by quarters and put down askew: it has the same text, and lines lie where they were drawn."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ferrocr import Line, OcrEngine

Point = tuple[float, float]

TEXT = [
    "The harbour office opens at seven",
    "Ships from the north pay 42 crowns",
    "and those with timber half of it.",
    "Nobody may sleep on the quay,",
    "nor dry nets between the lamps.",
    "Letters are handed out on Mondays",
    "to whoever can name the sender.",
    "Signed: Ellis Whitfield, keeper",
]
SIZE, STEP, LEFT, TOP = 28, 46, 70, 60


def sheet() -> tuple[Image.Image, list[list[Point]]]:
    """The page, and the corners of each line's text."""
    picture = Image.new("L", (640, 2 * TOP + STEP * len(TEXT)), 255)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(SIZE)
    boxes = []
    for row, text in enumerate(TEXT):
        at = (LEFT, TOP + row * STEP)
        draw.text(at, text, fill=0, font=font)
        left, top, right, bottom = draw.textbbox(at, text, font=font)
        boxes.append([(left, top), (right, top), (right, bottom), (left, bottom)])
    return picture, boxes


def put_down(picture: Image.Image, degrees: float) -> tuple[Image.Image, Callable[[Point], Point]]:
    """The picture turned counterclockwise, and where its points are then."""
    quarters = {
        90: Image.Transpose.ROTATE_90,
        180: Image.Transpose.ROTATE_180,
        270: Image.Transpose.ROTATE_270,
    }
    if degrees in quarters:
        turned = picture.transpose(quarters[int(degrees)])
    else:
        turned = picture.rotate(degrees, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    (sin, cos), (old, new) = (math.sin(math.radians(degrees)), math.cos(math.radians(degrees))), (picture, turned)

    def where(point: Point) -> Point:
        x, y = point[0] - old.width / 2, point[1] - old.height / 2
        return x * cos + y * sin + new.width / 2, y * cos - x * sin + new.height / 2

    return turned, where


def assert_lies_at(line: Line, corners: list[Point]) -> None:
    """Each corner, the first one at the text's top left, within half a line."""
    for found, drawn in zip(line.quad, corners, strict=True):
        assert math.dist(found, drawn) < 0.6 * SIZE, (line.text, line.quad, corners)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, *(sign * d for d in (1, 2, 3, 5, 7, 10) for sign in (1, -1))])
def test_a_page_reads_the_same_however_it_lies(engine: OcrEngine, degrees: int) -> None:
    picture, boxes = sheet()
    turned, where = put_down(picture, degrees)
    page = engine.recognize(turned)
    assert (page.width, page.height) == turned.size
    assert [line.text for line in page.lines] == TEXT
    for line, box in zip(page.lines, boxes, strict=True):
        assert_lies_at(line, [where(corner) for corner in box])


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_page_is_read_as_its_upright_one(engine: OcrEngine, degrees: int) -> None:
    picture, _ = sheet()
    upright = engine.recognize(np.asarray(picture))
    turned, where = put_down(picture, degrees)
    page = engine.recognize(np.asarray(turned))
    assert [line.text for line in page.lines] == [line.text for line in upright.lines]
    for found, expected in zip(page.lines, upright.lines, strict=True):
        assert found.score == pytest.approx(expected.score, abs=0.02)
        for corner, other in zip(found.quad, expected.quad, strict=True):
            assert math.dist(corner, where(other)) < 4


def test_one_line_across_does_not_turn_the_others(engine: OcrEngine) -> None:
    picture, _ = sheet()
    note = Image.new("L", (400, 50), 255)
    ImageDraw.Draw(note).text((10, 8), "Copied in the archive", fill=0, font=ImageFont.load_default(SIZE))
    wide = Image.new("L", (picture.width + 80, picture.height), 255)
    wide.paste(picture)
    wide.paste(note.transpose(Image.Transpose.ROTATE_270), (picture.width + 10, 40))
    texts = [line.text for line in engine.recognize(wide).lines]
    assert "Copied in the archive" in texts
    assert [text for text in texts if text != "Copied in the archive"] == TEXT
