"""TSV: Tesseract's columns and rows, which csv reads back."""

import csv
import re

from hypothesis import given

from ferrocr import Page
from ferrocr.formats import Sheet, chunks
from format_pages import BLANK, PLAIN, UP, sheets, words_in

HEADER = [
    *("level", "page_num", "block_num", "par_num", "line_num", "word_num"),
    *("left", "top", "width", "height", "conf", "text"),
]


def rows_of(text: str) -> list[dict[str, str]]:
    """The rows as a reader of Tesseract's files gets them, which knows no quotation marks."""
    reader = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    rows = list(reader)
    assert reader.fieldnames == HEADER
    assert all(None not in row and None not in row.values() for row in rows), "every row has every column"
    return rows


def test_a_page_looks_like_this() -> None:
    assert PLAIN.to("tsv").splitlines()[1:] == [
        "1\t1\t0\t0\t0\t0\t0\t0\t320\t120\t-1\t",
        "2\t1\t1\t0\t0\t0\t20\t10\t110\t50\t-1\t",
        "3\t1\t1\t1\t0\t0\t20\t10\t110\t50\t-1\t",
        "4\t1\t1\t1\t1\t0\t20\t10\t110\t20\t-1\t",
        "5\t1\t1\t1\t1\t1\t20\t10\t40\t20\t97.500000\tIron",
        "5\t1\t1\t1\t1\t2\t70\t10\t60\t20\t97.500000\ttastes",
        "4\t1\t1\t1\t2\t0\t20\t40\t70\t20\t-1\t",
        "5\t1\t1\t1\t2\t1\t20\t40\t20\t20\t50.000000\tof",
        "5\t1\t1\t1\t2\t2\t50\t40\t40\t20\t50.000000\train",
        "2\t1\t2\t0\t0\t0\t200\t80\t40\t20\t-1\t",
        "3\t1\t2\t1\t0\t0\t200\t80\t40\t20\t-1\t",
        "4\t1\t2\t1\t1\t0\t200\t80\t40\t20\t-1\t",
        "5\t1\t2\t1\t1\t1\t200\t80\t40\t20\t100.000000\t4711",
    ]


def test_pages_are_counted_through_and_the_header_comes_once() -> None:
    text = "".join(chunks("tsv", [Sheet(PLAIN, "a", 1), Sheet(BLANK, "b", 1), Sheet(UP, "b", 2)]))
    rows = rows_of(text)
    assert [row["page_num"] for row in rows if row["level"] == "1"] == ["1", "2", "3"]
    assert text.count("level") == 1
    assert rows_of("".join(chunks("tsv", []))) == []


def test_a_page_without_blocks_is_one() -> None:
    rows = rows_of(UP.to("tsv"))
    assert [row["level"] for row in rows] == ["1", "2", "3", "4", "5", "5"]
    assert {(row["left"], row["top"], row["width"], row["height"]) for row in rows[1:4]} == {("40", "100", "20", "200")}


@given(sheets)
def test_any_page_is_read_back_by_csv(sheet: Sheet) -> None:
    rows = rows_of("".join(chunks("tsv", [sheet])))
    words = [row for row in rows if row["level"] == "5"]
    assert [row["text"] for row in words] == [in_cell(text) for text in words_in(sheet.page)]
    assert all((row["conf"], row["text"]) == ("-1", "") for row in rows if row["level"] != "5")
    check_boxes(rows, sheet.page)
    check_numbers(rows)


def in_cell(text: str) -> str:
    """What can stand in a cell of the text."""
    spaced = re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text)
    return re.sub("[\ud800-\udfff]", "\ufffd", re.sub("[\u202a-\u202e\u2066-\u2069]", "", spaced))


def check_boxes(rows: list[dict[str, str]], page: Page) -> None:
    """All boxes lie on the page."""
    for row in rows:
        left, top, width, height = (int(row[name]) for name in ("left", "top", "width", "height"))
        assert 0 <= left <= left + width <= page.width
        assert 0 <= top <= top + height <= page.height


def check_numbers(rows: list[dict[str, str]]) -> None:
    """Each row's numbers are those of the row before with the one of its level counted up, and 0 behind it."""
    before = [1, 0, 0, 0, 0]
    for row in rows[1:]:
        numbers = [int(row[name]) for name in HEADER[1:6]]
        own = int(row["level"]) - 1
        assert numbers == [*before[:own], before[own] + 1, *[0] * (4 - own)]
        before = numbers
