"""Tables of what was read, for notebooks."""

from collections.abc import Iterable, Sequence

from .._text import line_text
from ..documents import Document, DocumentPage
from ..exceptions import OcrError
from ..results import Page
from ._xml import escape

_MOST_ROWS = 60
"""Rows that are shown; of more, as many are left out in the middle. A notebook keeps what it shows in its file."""

_LONGEST = 300
"""Characters of a text that are shown."""

# Without these classes a notebook would take what stands between two prices for a formula.
_BOX = '<div class="tex2jax_ignore mathjax_ignore">'


def page_table(page: Page, title: str = "Page") -> str:
    """Return a table with a row for each line: its number, its text, its score."""
    size = f"{page.width}\N{MULTIPLICATION SIGN}{page.height} pixels"
    head = f"{escape(_line(title))}, {size}, {_count(len(page.lines), 'line')}"
    rows = [
        (str(number), line.text, f"{line.score:.3f}" + (" ?" if line.doubtful else ""))
        for number, line in enumerate(page.lines, 1)
    ]
    return _table(head, ("", "text", "score"), rows)


def document_table(document: Document, entries: Iterable[DocumentPage | OcrError]) -> str:
    """Return a table with a row for each page: its number, how it begins, how many lines it has."""
    name = escape(_line(document.source or "Document"))
    head = f"{name}, {len(document.pages)} of {_count(document.page_count, 'page')}"
    rows = [
        (str(entry.page or ""), str(entry), "error")
        if isinstance(entry, OcrError)
        else (str(entry.number), _beginning(entry.page), _count(len(entry.page.lines), "line"))
        for entry in entries
    ]
    return _table(head, ("page", "text", ""), rows)


def _beginning(page: Page) -> str:
    return " / ".join(line.text for line in page.lines[:3])


def _table(head: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    half = _MOST_ROWS // 2
    shown = list(map(_row, rows))
    if len(rows) > _MOST_ROWS:
        shown[half:-half] = [f'<tr><td></td><td colspan="2">… {len(rows) - 2 * half} more …</td></tr>']
    names = "".join(f"<th>{name}</th>" for name in columns)
    body = f"<thead><tr>{names}</tr></thead><tbody>{''.join(shown)}</tbody>" if rows else ""
    return f"{_BOX}<table><caption>{head}</caption>{body}</table></div>"


def _row(cells: Sequence[str]) -> str:
    number, text, note = cells
    return (
        f'<tr><td>{escape(number)}</td><td dir="auto" style="text-align: start; white-space: pre-wrap">'
        f"{escape(_line(text))}</td><td>{escape(note)}</td></tr>"
    )


def _line(text: str) -> str:
    """Return a text as one line that turns no other text around."""
    return line_text(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
