"""CSV for spreadsheets and programs: a row for each word, and nothing in it that a spreadsheet would run."""

import re
from typing import ClassVar

from ._layout import decimal
from ._sheet import Sheet
from ._table import COLUMNS, Row, word_rows
from ._writer import Writer
from .tsv import cell

# Spreadsheets take text that begins so for a formula, which may start programs or send what the table holds elsewhere:
# also in quotation marks, behind spaces, and in the wide forms that East Asian versions know. Some take a semicolon for
# the end of a cell, where the country is one that writes numbers with a comma.
_RISK = "(?=[\\s\"'\u061c\u200b-\u200f\u2060\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20])"
_FORMULA, _MARKED = re.compile(f"(^|;){_RISK}"), re.compile(f"(^|;)'{_RISK}")
# Amounts, telephone numbers and dashes run nothing.
_HARMLESS = re.compile("-+|[+-][0-9.,/ ]*[0-9]%?", re.ASCII)
_QUOTED = re.compile('[",;\r\n]|^ | $')


class CsvWriter(Writer):
    """A head with the names of the columns, and a row for each word in reading order. Lines end as RFC 4180 wants it.

    An apostrophe stands before text that a spreadsheet would take for a formula: :func:`unmarked` takes it off.
    """

    name: ClassVar[str] = "csv"
    suffix: ClassVar[str] = ".csv"
    media_type: ClassVar[str] = "text/csv"
    summary: ClassVar[str] = "a table of words with their boxes and scores, for spreadsheets"

    def begin(self) -> str:
        """Return the names of the columns."""
        return ",".join(COLUMNS) + "\r\n"

    def _page(self, sheet: Sheet) -> str:
        return "".join(map(_line, word_rows(sheet)))


def marked(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: with an apostrophe before what it would take for one."""
    return text if _HARMLESS.fullmatch(text) else _FORMULA.sub(r"\1'", text)


def unmarked(text: str) -> str:
    """Return the text of which :func:`marked` made this."""
    return _MARKED.sub(r"\1", text)


def _line(row: Row) -> str:
    cells = (
        _text(row.source or ""),
        *map(str, row[1:5]),
        _text(row.text),
        decimal(row.score, 4),
        "true" if row.doubtful else "false",
        *(decimal(value, 1) for value in row[8:]),
    )
    return ",".join(cells) + "\r\n"


def _text(text: str) -> str:
    shown = marked(cell(text))
    return '"' + shown.replace('"', '""') + '"' if _QUOTED.search(shown) else shown
