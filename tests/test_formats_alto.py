"""ALTO 4.4: well-formed, in the order that its schema wants, with all words and where they are."""

from xml.etree import ElementTree

import pytest
from hypothesis import given

import ferrocr
from ferrocr import Char, Line, Page, Word
from ferrocr.formats import Sheet, chunks
from ferrocr.formats.alto import NAMESPACE
from format_pages import BLANK, HOSTILE, PLAIN, UP, in_xml, line_of, sheets, with_characters, words_in

NS = f"{{{NAMESPACE}}}"


def parsed(*sheets: Sheet) -> ElementTree.Element:
    """The root of a file with these pages."""
    return ElementTree.fromstring("".join(chunks("alto", sheets)).encode())


def attributes(root: ElementTree.Element, name: str, *wanted: str) -> list[tuple[str | None, ...]]:
    """Some attributes of all elements of a name."""
    return [tuple(found.get(key) for key in wanted) for found in root.iter(NS + name)]


def test_the_head_says_who_made_it_and_from_what() -> None:
    root = parsed(Sheet(PLAIN, "a<1>.png"), Sheet(PLAIN, "b.png"))
    assert root.get("SCHEMAVERSION") == "4.4"
    assert root.findtext(f"{NS}Description/{NS}MeasurementUnit") == "pixel"
    assert root.findtext(f"{NS}Description/{NS}sourceImageInformation/{NS}fileName") == "a<1>.png"
    assert root.findtext(f".//{NS}softwareName") == "ferrocr"
    assert root.findtext(f".//{NS}softwareVersion") == ferrocr.__version__
    assert parsed(Sheet(PLAIN)).find(f".//{NS}sourceImageInformation") is None


def test_words_have_the_characters_that_they_are_made_of() -> None:
    root = parsed(Sheet(with_characters(PLAIN)))
    found = attributes(root, "Glyph", "CONTENT", "HPOS", "VPOS", "WIDTH", "HEIGHT", "GC")
    assert found[:2] == [("I", "20", "10", "10", "20", "0.975"), ("r", "30", "10", "10", "20", "0.975")]
    assert "".join(str(content) for (content,) in attributes(root, "Glyph", "CONTENT")) == "".join(words_in(PLAIN))
    assert len(list(parsed(Sheet(with_characters(UP))).iter(f"{NS}Glyph"))) == len("runsup")


def test_a_character_of_several_code_points_has_no_place() -> None:
    quad = PLAIN.lines[0].quad
    for text, glyphs in (("e\u0301", ["\u00e9"]), ("\u0915\u094d\u0937", [])):
        word = Word(text, 0.9, quad, (Char(text, 0.9, quad),))
        root = parsed(Sheet(Page(300, 100, (Line(text, 0.9, quad, (word,)),))))
        assert [content for (content,) in attributes(root, "Glyph", "CONTENT")] == glyphs


def test_a_page_has_boxes_and_scores() -> None:
    root = parsed(Sheet(PLAIN))
    box = ("HPOS", "VPOS", "WIDTH", "HEIGHT")
    assert attributes(root, "Page", "ID", "PHYSICAL_IMG_NR", "WIDTH", "HEIGHT") == [("page_1", "1", "320", "120")]
    assert attributes(root, "PrintSpace", *box) == [("0", "0", "320", "120")]
    assert attributes(root, "TextBlock", *box) == [("20", "10", "110", "50"), ("200", "80", "40", "20")]
    assert attributes(root, "TextLine", "ID", *box)[1] == ("line_1_2", "20", "40", "70", "20")
    assert attributes(root, "String", "CONTENT", "WC", *box)[:2] == [
        ("Iron", "0.975", "20", "10", "40", "20"),
        ("tastes", "0.975", "70", "10", "60", "20"),
    ]
    assert attributes(root, "SP", *box) == [("60", "10", "10", None), ("40", "40", "10", None)]
    assert not list(root.iter(f"{NS}Shape")), "an upright box needs no polygon"
    assert attributes(root, "TextBlock", "ROTATION") == [(None,), (None,)]


def test_a_turned_line_has_its_corners_in_reading_direction_and_its_block_the_turn() -> None:
    root = parsed(Sheet(UP))
    assert attributes(root, "TextBlock", "ROTATION", "HPOS", "VPOS", "WIDTH", "HEIGHT") == [
        ("90", "40", "100", "20", "200")
    ]
    (line,) = root.iter(f"{NS}TextLine")
    assert line[0].tag == f"{NS}Shape"
    assert line[0][0].get("POINTS") == "40,300 40,100 60,100 60,300"
    assert [child.tag.removeprefix(NS) for child in line] == ["Shape", "String", "SP", "String"]
    assert attributes(root, "SP", "HPOS", "WIDTH") == [(None, None)]


@pytest.mark.parametrize(
    ("turns", "rotation"),
    [([90, 91], "90"), ([90, 270], None), ([0.3, -0.2], None), ([-3, -3], "-3"), ([180, -179], "180"), ([2, 15], None)],
)
def test_a_block_has_a_turn_where_its_lines_agree(turns: list[float], rotation: str | None) -> None:
    lines = tuple(Line("x", 1.0, turned(turn), ()) for turn in turns)
    assert attributes(parsed(Sheet(Page(400, 400, lines))), "TextBlock", "ROTATION") == [(rotation,)]


def turned(degrees: float) -> ferrocr.results.Quad:
    """A line of 100x20 pixels, turned counter-clockwise about its middle."""
    import math

    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    first, second, third, fourth = (
        (200 + x * cosine + y * sine, 200 - x * sine + y * cosine)
        for x, y in ((-50, -10), (50, -10), (50, 10), (-50, 10))
    )
    return (first, second, third, fourth)


def test_pages_are_counted_through_and_ids_are_unique() -> None:
    root = parsed(Sheet(PLAIN, "a.pdf", 4), Sheet(BLANK, "a.pdf", 5), Sheet(UP))
    assert attributes(root, "Page", "ID", "PHYSICAL_IMG_NR") == [("page_1", "1"), ("page_2", "2"), ("page_3", "3")]
    ids = [found.get("ID") for found in root.iter() if found.get("ID")]
    assert len(set(ids)) == len(ids)


def test_no_pages_are_still_well_formed() -> None:
    layout = parsed().find(f"{NS}Layout")
    assert layout is not None
    assert not list(layout)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_back(text: str) -> None:
    root = parsed(Sheet(Page(50, 50, (Line(text, 0.9, line_of("x", 0, 0).quad, ()),)), text))
    assert attributes(root, "String", "CONTENT") == [(in_xml(text),)]
    assert root.findtext(f".//{NS}fileName") == in_xml(text)


@given(sheets)
def test_any_page_comes_back_with_its_words(sheet: Sheet) -> None:
    root = parsed(sheet)
    assert attributes(root, "String", "CONTENT") == [(in_xml(text),) for text in words_in(sheet.page)]
    for _, (score,) in zip(words_in(sheet.page), attributes(root, "String", "WC"), strict=True):
        assert 0 <= float(score or "none") <= 1
    for name in ("TextBlock", "TextLine", "String"):
        for place in attributes(root, name, "HPOS", "VPOS", "WIDTH", "HEIGHT"):
            left, top, width, height = (int(value or "none") for value in place)
            assert 0 <= left <= left + width <= sheet.page.width
            assert 0 <= top <= top + height <= sheet.page.height
    for line in root.iter(f"{NS}TextLine"):
        kinds = [child.tag.removeprefix(NS) for child in line if child.tag != f"{NS}Shape"]
        assert kinds == (["String", "SP"] * len(kinds))[: len(kinds)]
        assert len(kinds) % 2, "strings with one space between two of them"
