"""Drawn pages whose reading order is known, read with the real models."""

import itertools
import pickle
from collections.abc import Iterable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ferrocr import OcrEngine, Page

# Each column begins with its own word, so that a line tells where it came from.
LEFT = [
    "Maples turn red in the autumn",
    "wind, and the river below the",
    "old mill carries their leaves",
    "past the bridge and the town.",
    "Nobody counts them there, but",
    "children race them with boats",
    "made of bark and a bird quill",
]
MIDDLE = [
    "Iron was brought up the hill",
    "by mules, four of them to one",
    "cart, and sold at the market",
    "where the smiths would haggle",
    "over its grain and its weight",
    "until the bell called for the",
    "evening and everybody left it",
]
RIGHT = [
    "Letters took nine days by the",
    "coast road, or six with a man",
    "who knew the pass, provided it",
    "was open and no snow had come",
    "down on the huts at the upper",
    "lake, where travellers rested",
    "and waited for better weather",
]
SIZE = 24
STEP = 34
WIDTH = 400


class Sheet:
    """A white page to write on."""

    def __init__(self, width: int, height: int) -> None:
        self.picture = Image.new("L", (width, height), 255)
        self._draw = ImageDraw.Draw(self.picture)

    def write(self, left: int, top: int, text: str, size: int = SIZE) -> None:
        """One line."""
        self._draw.text((left, top), text, fill=0, font=ImageFont.load_default(size))

    def column(self, left: int, top: int, lines: Iterable[str], step: int = STEP) -> None:
        """Lines one below the other."""
        for row, line in enumerate(lines):
            self.write(left, top + row * step, line)


def two_columns() -> tuple[Image.Image, list[str]]:
    sheet = Sheet(2 * WIDTH + 60, 320)
    sheet.column(40, 40, LEFT)
    sheet.column(40 + WIDTH, 40, MIDDLE)
    return sheet.picture, LEFT + MIDDLE


def uneven_columns() -> tuple[Image.Image, list[str]]:
    sheet = Sheet(2 * WIDTH + 60, 320)
    sheet.column(40, 40, LEFT)
    sheet.column(40 + WIDTH, 57, MIDDLE[:5])
    return sheet.picture, LEFT + MIDDLE[:5]


def three_columns_with_a_heading() -> tuple[Image.Image, list[str]]:
    sheet = Sheet(3 * WIDTH + 60, 420)
    sheet.write(260, 30, "Leaves, Iron and Letters of the Valley", 40)
    for i, lines in enumerate((LEFT, MIDDLE, RIGHT)):
        sheet.column(40 + i * WIDTH, 120, lines)
    return sheet.picture, ["Leaves, Iron and Letters of the Valley", *LEFT, *MIDDLE, *RIGHT]


def columns_below_a_paragraph() -> tuple[Image.Image, list[str]]:
    wide = [
        "This paragraph stands above the two columns and is as wide as both together",
        "are, so that whoever reads it comes to its end before the first column begins",
        "and does not stop in the middle.",
    ]
    sheet = Sheet(2 * WIDTH + 100, 520)
    sheet.column(40, 40, wide)
    sheet.column(40, 200, LEFT)
    sheet.column(60 + WIDTH, 200, MIDDLE)
    return sheet.picture, [*wide, *LEFT, *MIDDLE]


def receipt() -> tuple[Image.Image, list[str]]:
    items = [("Coffee", "2.50"), ("Apple pie with cream", "13.75"), ("Mineral water", "1.00"), ("Lemonade", "0.30")]
    sheet = Sheet(600, 420)
    sheet.write(180, 40, "Harbour Coffee House")
    for row, (item, price) in enumerate(items):
        sheet.write(40, 120 + row * 40, item)
        sheet.write(480, 120 + row * 40, price)
    sheet.write(40, 320, "Total")
    sheet.write(480, 320, "17.55")
    return sheet.picture, ["Harbour Coffee House", *itertools.chain(*items), "Total", "17.55"]


def form() -> tuple[Image.Image, list[str]]:
    rows = [
        ("Name of the applicant", "Margaret Ellis Whitfield"),
        ("Street", "47 Upper Harbour Road"),
        ("Occupation", "Keeper of the lighthouse"),
        ("Reason", "Loss of the old licence"),
    ]
    sheet = Sheet(900, 360)
    for row, (label, field) in enumerate(rows):
        sheet.write(40, 40 + row * 70, label)
        sheet.write(460, 40 + row * 70, field)
    return sheet.picture, list(itertools.chain(*rows))


PAGES = {
    page.__name__: page
    for page in (two_columns, uneven_columns, three_columns_with_a_heading, columns_below_a_paragraph, receipt, form)
}


def assert_blocks_are_the_lines(page: Page) -> None:
    """Every line is in one block, and is the page's own."""
    in_blocks = [line for block in page.blocks for line in block.lines]
    assert [id(line) for line in in_blocks] == [id(line) for line in page.lines]
    assert all(block.lines for block in page.blocks)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("degrees", [0, 2, -2, 90, 180, 270])
def test_order(engine: OcrEngine, name: str, degrees: int) -> None:
    picture, expected = PAGES[name]()
    page = engine.recognize(picture.rotate(degrees, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC))
    # Spaces and full stops are the reader's matter, not the order's.
    assert [line.text.replace(" ", "").rstrip(".,") for line in page.lines] == [
        line.replace(" ", "").rstrip(".,") for line in expected
    ]
    assert page.text == "\n".join(line.text for line in page.lines)
    assert_blocks_are_the_lines(page)


def test_columns_are_blocks(engine: OcrEngine) -> None:
    page = engine.recognize(three_columns_with_a_heading()[0])
    assert [len(block.lines) for block in page.blocks] == [1, len(LEFT), len(MIDDLE), len(RIGHT)]
    assert page.blocks[1].text.startswith("Maples")
    assert page.blocks[3].text.splitlines()[-1].startswith("and waited")


def test_rows_of_a_receipt_are_blocks(engine: OcrEngine) -> None:
    page = engine.recognize(receipt()[0])
    assert [len(block.lines) for block in page.blocks] == [1, 2, 2, 2, 2, 2]
    assert page.blocks[1].text.split() == ["Coffee", "2.50"]


def test_paragraphs_are_blocks(engine: OcrEngine) -> None:
    sheet = Sheet(WIDTH + 60, 620)
    sheet.column(40, 40, LEFT)
    sheet.column(40, 320, MIDDLE)
    page = engine.recognize(sheet.picture)
    assert [len(block.lines) for block in page.blocks] == [len(LEFT), len(MIDDLE)]
    assert_blocks_are_the_lines(page)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_block_is_outlined_as_its_text_runs(engine: OcrEngine, degrees: int) -> None:
    page = engine.recognize(two_columns()[0].rotate(degrees, expand=True))
    block = page.blocks[0]
    quad = np.asarray(block.quad)
    corners = np.concatenate([np.asarray(line.quad) for line in block.lines])
    assert np.allclose([quad.min(0), quad.max(0)], [corners.min(0), corners.max(0)], atol=3)
    # From the first corner the first edge runs along the text, and the last one down the page.
    along, down = quad[1] - quad[0], quad[3] - quad[0]
    line = np.asarray(block.lines[0].quad)
    assert np.dot(along, line[1] - line[0]) > 0.99 * np.linalg.norm(along) * np.linalg.norm(line[1] - line[0])
    assert np.dot(down, line[3] - line[0]) > 0.99 * np.linalg.norm(down) * np.linalg.norm(line[3] - line[0])


def test_nothing_and_a_single_line_have_blocks_too(engine: OcrEngine) -> None:
    assert engine.recognize(np.full((200, 200), 255, np.uint8)).blocks == ()
    sheet = Sheet(500, 100)
    sheet.write(40, 30, LEFT[0])
    page = engine.recognize(sheet.picture)
    assert [block.lines for block in page.blocks] == [page.lines]
    assert np.allclose(page.blocks[0].quad, page.lines[0].quad, atol=0.5)


def test_blocks_can_be_pickled(engine: OcrEngine) -> None:
    page = engine.recognize(two_columns()[0])
    again = pickle.loads(pickle.dumps(page))
    assert again == page
    assert again.blocks[0].lines[0] is again.lines[0]
    assert hash(again.blocks[0]) == hash(page.blocks[0])
