"""Texts that are little to go by: lone characters, amounts in cells, single lines, and what touches an edge."""

import math

import pytest
from PIL import Image, ImageDraw, ImageFont

from ferrocr import Line, OcrEngine

WORDS = ["Pear", "Fig", "Plum", "Candle", "Copper", "Velvet"]


def drawn(text: str, *, size: int, margin: int) -> Image.Image:
    """A picture of a text with so much paper around it."""
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("L", (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin), 255)
    ImageDraw.Draw(picture).text((margin - left, margin - top), text, fill=0, font=font)
    return picture


def table(column: list[str], *, size: int) -> Image.Image:
    """A table of names and of one short entry each."""
    font, step = ImageFont.load_default(size), 2 * size
    picture = Image.new("L", (14 * size, step * (len(column) + 2)), 255)
    draw = ImageDraw.Draw(picture)
    for row, (name, entry) in enumerate(zip(["Item", *WORDS * 9], ["Price", *column], strict=False)):
        draw.text((size, step // 2 + row * step), name, fill=0, font=font)
        draw.text((9 * size, step // 2 + row * step), entry, fill=0, font=font)
    return picture


def turn_of(line: Line) -> int:
    """By how many degrees its text is turned, to the nearest quarter."""
    (x, y), (next_x, next_y) = line.quad[:2]
    return round(math.degrees(math.atan2(next_y - y, next_x - x)) / 90) * 90 % 360


@pytest.mark.parametrize("text", [*"0123456789", ".00", "66", "99", "SOS", "No.", "6X"])
def test_a_short_text_by_itself_is_upright(engine: OcrEngine, text: str) -> None:
    for size, margin in ((32, 20), (60, 40)):
        page = engine.recognize(drawn(text, size=size, margin=margin))
        assert (page.text, [turn_of(line) for line in page.lines]) == (text, [0])


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("size", [20, 30])
def test_short_entries_of_a_table_are_turned_as_its_lines_are(engine: OcrEngine, size: int, degrees: int) -> None:
    column = [*"0123456789", ".00", ".99", "66", "19", "-12", "5%"]
    page = engine.recognize(table(column, size=size).rotate(-degrees, expand=True))
    texts = [line.text for line in page.lines]
    assert [text for text in texts if text not in ("Item", "Price", *WORDS)] == column
    assert {turn_of(line) for line in page.lines} == {degrees}


# Each was read upside down with the orienter's word alone.
SMALL_PRINT = [
    ("opens north office", 13, 16),
    ("seven", 8, 8),
    ("total ship river garden market engine crown sender timber amount bread Monday street paid", 9, 4),
]


@pytest.mark.parametrize(("text", "size", "margin"), SMALL_PRINT)
def test_a_line_of_small_print_by_itself_is_read_the_way_it_lies(
    engine: OcrEngine, text: str, size: int, margin: int
) -> None:
    picture = drawn(text, size=size, margin=margin)
    for degrees in (0, 180):
        page = engine.recognize(picture.rotate(degrees))
        assert {turn_of(line) for line in page.lines} == {degrees}
        assert page.text.replace(" ", "") == text.replace(" ", "")


def test_text_that_an_edge_cuts_does_not_fail_the_picture(engine: OcrEngine) -> None:
    # At six of these widths the rounded sum of a box's left edge and width lay outside of the picture.
    font = ImageFont.load_default(28)
    for width in (243, 246, 249, 351, 354, 378):
        picture = Image.new("L", (width, 120), 255)
        draw = ImageDraw.Draw(picture)
        draw.text((20, 15), "The shop opens", fill=0, font=font)
        draw.text((20, 70), "Sundays by appointment only and", fill=0, font=font)
        assert engine.recognize(picture).lines[0].text == "The shop opens"


@pytest.mark.parametrize(("size", "width"), [(18, 900), (20, 800), (22, 700)])
def test_titles_and_numbers_that_leaders_join_are_read(engine: OcrEngine, size: int, width: int) -> None:
    entries = [("Introduction", "3"), ("Related work", "11"), ("Method", "27"), ("Discussion", "60"), ("Index", "104")]
    font, picture = ImageFont.load_default(size), Image.new("L", (width, 264), 255)
    draw = ImageDraw.Draw(picture)
    for row, (title, number) in enumerate(entries):
        y, start, end = 22 + 44 * row, 30 + font.getlength(title + " "), width - 30 - font.getlength(" " + number)
        draw.text((30, y), title, fill=0, font=font)
        draw.text((start, y), "." * int((end - start) / font.getlength(".")), fill=0, font=font)
        draw.text((width - 30 - font.getlength(number), y), number, fill=0, font=font)
    text = " ".join(engine.recognize(picture).text.replace(".", " ").replace("\u2026", " ").split())
    assert text == " ".join(f"{title} {number}" for title, number in entries)
