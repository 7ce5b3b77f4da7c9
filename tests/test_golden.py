"""Drawn pages whose text is known, read with the real models."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from conftest import draw_text
from ferrocr import OcrEngine

LINES = ["The quick brown fox jumps", "over 13 lazy dogs, 24/7.", "Total: $1,234.56 (incl. VAT)"]
TEXT = "\n".join(LINES)


@pytest.mark.parametrize("size", [12, 16, 24, 40, 64, 96])
def test_sizes(engine: OcrEngine, size: int) -> None:
    assert engine.recognize(draw_text(LINES, size=size, width=size * 20)).text == TEXT


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (90, 170), (200, 60)])
def test_inks(engine: OcrEngine, ink: int, paper: int) -> None:
    assert engine.recognize(draw_text(LINES, ink=ink, paper=paper)).text == TEXT


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_quarter_turns(engine: OcrEngine, degrees: int) -> None:
    page = engine.recognize(draw_text(LINES).rotate(degrees, expand=True))
    assert page.text == TEXT
    # The first corner is at the text's top left: up, left, down or right of the middle as the page was turned.
    quad = np.asarray(page.lines[0].quad)
    along = quad[1] - quad[0]
    expected = {0: (1, 0), 90: (0, -1), 180: (-1, 0), 270: (0, 1)}[degrees]
    assert np.dot(along / np.linalg.norm(along), expected) > 0.99


@pytest.mark.parametrize("degrees", [-7, -2, 3, 10])
def test_small_skew(engine: OcrEngine, degrees: int) -> None:
    picture = ImageOps.expand(draw_text(LINES), 60, fill=255).rotate(
        degrees, fillcolor=255, resample=Image.Resampling.BICUBIC
    )
    assert engine.recognize(picture).text == TEXT


def test_a_single_line_from_edge_to_edge(engine: OcrEngine) -> None:
    tight = draw_text(["edge to edge"], size=40)
    box = ImageOps.invert(tight).getbbox()
    assert box is not None
    assert engine.recognize(tight.crop(box)).text == "edge to edge"


def test_two_columns_of_a_receipt_keep_their_rows(engine: OcrEngine) -> None:
    left, right = draw_text(["Coffee", "Cake", "Water"]), draw_text(["2.50", "3.75", "1.00"])
    both = np.hstack([np.asarray(left)[:, :400], np.asarray(right)[:, :300]])
    assert engine.recognize(both).text.split() == ["Coffee", "2.50", "Cake", "3.75", "Water", "1.00"]


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (12, 4000), (2000, 2000)])
def test_nothing_is_read_where_nothing_is(engine: OcrEngine, shape: tuple[int, int]) -> None:
    for value in (0, 128, 255):
        assert engine.recognize(np.full(shape, value, np.uint8)).lines == ()
