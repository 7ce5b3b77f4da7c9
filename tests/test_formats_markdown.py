"""Markdown: a CommonMark parser gives back the text, and finds no markup but paragraphs."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ferrocr import Block, Line, Page
from ferrocr.formats import Sheet, chunks
from ferrocr.formats.markdown import escape
from format_pages import BLANK, HOSTILE, PLAIN, UP, line_of, sheets

PARSERS = {
    "commonmark": MarkdownIt("commonmark"),
    "extended": MarkdownIt("commonmark").enable(["table", "strikethrough"]),
}

markup = st.lists(
    st.sampled_from([*"\\`*_{}[]()<>#+-.!|~$&;:=\"' \t19ax", "&amp;", "&#35;", "](", "http://a.b", "\u202e"]),
    max_size=12,
).map("".join)


def paragraphs(tokens: list[Token]) -> list[str]:
    """The texts of the paragraphs. There is nothing else but rules."""
    found = []
    for token in tokens:
        assert token.type in ("paragraph_open", "inline", "paragraph_close", "hr"), token.type
        if token.type == "inline":
            assert {part.type for part in token.children or ()} <= {"text", "text_special", "softbreak"}, token.children
            found.append("".join("\n" if part.type == "softbreak" else part.content for part in token.children or ()))
    return found


def plain(text: str) -> str:
    """A line's text as far as Markdown has it."""
    spaced = re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text)
    return re.sub("[\ud800-\udfff\ufffe\uffff]", "\ufffd", spaced).strip()


def expected(page: Page) -> list[str]:
    """The texts of the blocks."""
    blocks = [block.lines for block in page.blocks] or [page.lines]
    return [text for lines in blocks if (text := "\n".join(filter(None, (plain(line.text) for line in lines))))]


def test_a_page_looks_like_this() -> None:
    assert PLAIN.to("markdown") == "Iron tastes\nof rain\n\n4711\n"
    assert BLANK.to("markdown") == ""
    assert "".join(chunks("markdown", [Sheet(UP), Sheet(BLANK), Sheet(PLAIN)])) == (
        "runs up\n\n---\n\n\n---\n\nIron tastes\nof rain\n\n4711\n"
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("AT&T paid $5.00 (50 %)", "AT&T paid \\$5.00 (50 %)"),
        ("&copy; &#35;", "\\&copy; \\&#35;"),
        ("1986. A year", "1986\\. A year"),
        ("3) three", "3\\) three"),
        ("37.80", "37.80"),
        ("12.", "12\\."),
        ("- 5 °C", "\\- 5 °C"),
        ("-5 °C", "-5 °C"),
        ("+49 30 1234", "+49 30 1234"),
        ("---", "\\---"),
        ("===", "\\==="),
        ("=1", "=1"),
        (":-- | --:", "\\:-- | --:"),
        ("# 7", "\\# 7"),
        ("a - b + c = d > e # f | g", "a - b + c = d > e # f | g"),
        ("snake_case *x* [1](2)", "snake\\_case \\*x\\* \\[1](2)"),
        ("C:\\temp\\", "C:\\\\temp\\\\"),
        ("  two spaces behind  ", "two spaces behind"),
        ("\u202ex", "&#x202E;x"),
        ("", ""),
    ],
)
def test_as_little_as_possible_is_escaped(text: str, written: str) -> None:
    assert escape(text) == written


@pytest.mark.parametrize("name", PARSERS)
@given(texts=st.lists(st.sampled_from(HOSTILE) | markup, max_size=4), cut=st.integers(0, 4))
def test_text_that_looks_like_markup_is_text(name: str, texts: list[str], cut: int) -> None:
    quad = line_of("x", 0, 0).quad
    lines = tuple(Line(text, 0.9, quad, ()) for text in texts)
    blocks = tuple(Block(quad, part) for part in (lines[:cut], lines[cut:]) if part)
    page = Page(50, 50, lines, blocks)
    assert paragraphs(PARSERS[name].parse(page.to("markdown"))) == expected(page)


@settings(max_examples=50)
@given(st.lists(sheets, max_size=3))
def test_any_pages_come_back_with_a_rule_between_them(written: list[Sheet]) -> None:
    tokens = PARSERS["commonmark"].parse("".join(chunks("markdown", written)))
    assert paragraphs(tokens) == [text for sheet in written for text in expected(sheet.page)]
    assert sum(token.type == "hr" for token in tokens) == max(len(written) - 1, 0)
