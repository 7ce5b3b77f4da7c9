"""hOCR 1.2: well-formed, with the properties that its specification and Tesseract's readers know."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from hypothesis import given

import ferrocr
from ferrocr import Char, Line, Page, Word
from ferrocr.formats import Sheet, chunks
from format_pages import BLANK, HOSTILE, PLAIN, UP, in_xml, line_of, sheets, with_characters, words_in

XHTML = "{http://www.w3.org/1999/xhtml}"
KINDS = {
    "ocr_page": "div",
    "ocr_carea": "div",
    "ocr_par": "p",
    "ocr_line": "span",
    "ocrx_word": "span",
    "ocrx_cinfo": "span",
}


def parsed(*sheets: Sheet) -> ElementTree.Element:
    """The root of a file with these pages."""
    return ElementTree.fromstring("".join(chunks("hocr", sheets)).encode())


def of_class(root: ElementTree.Element, kind: str) -> Iterator[ElementTree.Element]:
    """The elements of a class in order."""
    return (found for found in root.iter(XHTML + KINDS[kind]) if found.get("class") == kind)


def titles(root: ElementTree.Element, kind: str) -> list[str]:
    """The properties of all elements of a class."""
    return [found.get("title", "") for found in of_class(root, kind)]


def test_the_head_says_who_made_it_and_what_is_in_it() -> None:
    root = parsed()
    meta = {found.get("name"): found.get("content") for found in root.iter(f"{XHTML}meta")}
    assert meta["ocr-system"] == f"ferrocr {ferrocr.__version__}"
    assert set((meta["ocr-capabilities"] or "").split()) == set(KINDS)
    assert root.find(f"{XHTML}head/{XHTML}title") is not None
    assert PLAIN.to("hocr").startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html ')


def test_a_page_has_boxes_and_scores() -> None:
    root = parsed(Sheet(PLAIN, "scans/a 1.png", dpi=300.0))
    assert titles(root, "ocr_page") == ['image "scans/a 1.png"; bbox 0 0 320 120; ppageno 0; scan_res 300 300']
    assert titles(root, "ocr_carea") == titles(root, "ocr_par") == ["bbox 20 10 130 60", "bbox 200 80 240 100"]
    assert titles(root, "ocr_line")[0] == "bbox 20 10 130 30; baseline 0 0"
    assert titles(root, "ocrx_word")[:3] == [
        "bbox 20 10 60 30; x_wconf 98",
        "bbox 70 10 130 30; x_wconf 98",
        "bbox 20 40 40 60; x_wconf 50",
    ]
    assert " ".join("".join(root.itertext()).split()) == PLAIN.text.replace("\n", " ")


def test_pages_are_counted_through_and_ids_are_unique() -> None:
    root = parsed(Sheet(PLAIN, "a.pdf", 4), Sheet(BLANK, "a.pdf", 5), Sheet(PLAIN))
    assert titles(root, "ocr_page") == [
        'image "a.pdf"; bbox 0 0 320 120; ppageno 0; x_source "a.pdf" 4',
        'image "a.pdf"; bbox 0 0 50 60; ppageno 1; x_source "a.pdf" 5',
        'image "unknown"; bbox 0 0 320 120; ppageno 2',
    ]
    ids = [found.get("id") for found in root.iter() if found.get("id")]
    assert len(set(ids)) == len(ids) == 3 + 2 * (2 + 2 + 3 + 5)
    assert {"page_1", "block_3_2", "par_3_2", "line_1_3", "word_1_5"} <= set(ids)


@pytest.mark.parametrize(
    ("quad", "expected"),
    [
        (((10, 20), (110, 20), (110, 40), (10, 40)), "baseline 0 0"),
        (((10, 20), (110, 30), (108, 50), (8, 40)), "baseline 0.1 -10"),  # goes down to the right
        (((10, 30), (110, 20), (112, 40), (12, 50)), "baseline -0.1 0.2"),
        (((10, 110), (10, 10), (30, 10), (30, 110)), "textangle 90"),  # runs up
        (((30, 10), (30, 110), (10, 110), (10, 10)), "textangle 270"),  # runs down
        (((110, 40), (10, 40), (10, 20), (110, 20)), "textangle 180"),  # upside down
        (((10, 110), (60, 10), (78, 19), (28, 119)), "textangle 63.4"),
        (((10, 10), (10, 10), (10, 10), (10, 10)), ""),
    ],
)
def test_a_line_says_how_it_is_turned(quad: ferrocr.results.Quad, expected: str) -> None:
    (title,) = titles(parsed(Sheet(Page(200, 200, (Line("x", 1.0, quad, ()),)))), "ocr_line")
    assert title.partition("; ")[2] == expected


def test_tesseracts_readers_find_their_patterns() -> None:
    text = "".join(chunks("hocr", [Sheet(UP, "a.png")]))
    assert re.search(r"<div class=['\"]ocr_page['\"]", text)
    assert re.search(r"bbox\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", text)
    assert re.findall(r"x_wconf\s+(\d+)", text) == ["90", "90"]
    assert re.findall(r"textangle (\d+)", text) == ["90"]


@pytest.mark.parametrize("source", HOSTILE)
def test_a_hostile_name_stays_one_property(source: str) -> None:
    (title,) = titles(parsed(Sheet(BLANK, source)), "ocr_page")
    found = re.fullmatch(r'image "([^"]*)"; bbox 0 0 50 60; ppageno 0', title)
    assert found is not None
    assert found[1] == in_xml(source).replace('"', "%22")


def test_words_have_the_characters_that_they_are_made_of() -> None:
    root = parsed(Sheet(with_characters(PLAIN)))
    found = list(of_class(root, "ocrx_cinfo"))[:4]
    assert [one.text for one in found] == list("Iron")
    assert found[1].get("title") == "x_bboxes 30 10 40 30; x_conf 98"
    assert ["".join(word.itertext()) for word in of_class(root, "ocrx_word")] == words_in(PLAIN)
    other = Word("rain", 0.9, PLAIN.lines[0].quad, (Char("r", 0.9, PLAIN.lines[0].quad),))
    (word,) = of_class(parsed(Sheet(Page(50, 50, (Line("rain", 0.9, other.quad, (other,)),)))), "ocrx_word")
    assert (word.text, list(word)) == ("rain", []), "characters that do not make the word"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_back_and_is_no_markup(text: str) -> None:
    line = Line(text, 0.9, line_of("x", 0, 0).quad, ())
    (word,) = of_class(parsed(Sheet(Page(50, 50, (line,)))), "ocrx_word")
    assert word.text == in_xml(text)
    assert not list(word)


@given(sheets)
def test_any_page_comes_back_with_its_words(sheet: Sheet) -> None:
    root = parsed(sheet)
    words = list(of_class(root, "ocrx_word"))
    assert ["".join(word.itertext()) for word in words] == [in_xml(text) for text in words_in(sheet.page)]
    assert len(list(of_class(root, "ocr_line"))) == len(sheet.page.lines)
    for kind in KINDS:
        for title in titles(root, kind):
            found = re.search(r"(?:bbox|x_bboxes) (\d+) (\d+) (\d+) (\d+)(?:;|$)", title)
            assert found is not None, title
            left, top, right, bottom = map(int, found.groups())
            assert 0 <= left <= right <= sheet.page.width
            assert 0 <= top <= bottom <= sheet.page.height
    for title in titles(root, "ocr_line"):
        assert re.fullmatch(r"bbox [\d ]+(; baseline -?[\d.]+ -?[\d.]+|; textangle [\d.]+)?", title), title
    for title in titles(root, "ocrx_word"):
        assert re.fullmatch(r"bbox [\d ]+; x_wconf (\d{1,2}|100)", title), title
