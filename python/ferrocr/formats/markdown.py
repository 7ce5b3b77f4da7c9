"""Markdown: a paragraph for each block, and nothing that the page's text turns into markup by accident."""

import re
from typing import ClassVar

from ._layout import blocks_of
from ._sheet import Sheet
from ._writer import Writer

# Marks anywhere: code, emphasis, links, HTML and autolinks, strikethrough, formulas. Of a link's signs the first is
# enough, and "\[" with "\]" would be a formula to some.
_ANYWHERE = re.compile(r"[\\`*_\[<~$]|&(?=#|[A-Za-z][A-Za-z0-9]*;)")
# Marks at the start of a line: headings, quotations, tables, lists, and lines below a heading or the head of a table.
# Prices and negative numbers are none.
_AT_START = re.compile(r"[#>|]|[+-](?![^\W_])|=(?==*$)|:(?=[\s-])|(?<=\d)[.)](?=\s|$)")
_NUMBERED = re.compile(r"\d{1,9}(?=[.)])")
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NO_CHARACTER = re.compile("[\ud800-\udfff\ufffe\uffff]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class MarkdownWriter(Writer):
    """CommonMark. A line stays a line, and a rule stands between pages."""

    name: ClassVar[str] = "markdown"
    suffix: ClassVar[str] = ".md"
    media_type: ClassVar[str] = "text/markdown"
    summary: ClassVar[str] = "the text in paragraphs"

    def _page(self, sheet: Sheet) -> str:
        blocks = (
            "\n".join(filter(None, (escape(line.text) for line in block.lines))) for block in blocks_of(sheet.page)
        )
        text = "\n\n".join(filter(None, blocks))
        rule = "\n---\n\n" if self.pages > 1 else ""
        return f"{rule}{text}\n" if text else rule


def escape(text: str) -> str:
    """Return a line's text as Markdown that shows just that, without the space around it."""
    plain = _NO_CHARACTER.sub("\ufffd", _NO_TEXT.sub(" ", text)).strip()
    numbered = _NUMBERED.match(plain)
    start = numbered.end() if numbered else 0
    mark = _AT_START.match(plain, start)
    head = plain[: mark.start()] + "\\" + mark[0] if mark else ""
    rest = _ANYWHERE.sub(r"\\\g<0>", plain[mark.end() if mark else 0 :])
    # As references, so that the lines of the file are shown in the order that they have.
    return _DIRECTION.sub(lambda match: f"&#x{ord(match[0]):X};", head + rest)
