"""The text alone."""

from typing import ClassVar

from .._text import line_text, printable, whole_characters
from ._sheet import Sheet
from ._writer import Writer


class TextWriter(Writer):
    """A line of the page is a line of the file. A form feed stands between pages, unless there are headers.

    What is no text is left out: control characters, and marks that turn the direction of writing.

    Args:
        headers: Write the source above each page, for a person who reads several of them.
    """

    name: ClassVar[str] = "text"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain"
    summary: ClassVar[str] = "the text, line by line"

    def __init__(self, *, headers: bool = False) -> None:
        super().__init__()
        self._headers = headers

    def _page(self, sheet: Sheet) -> str:
        first = self.pages == 1
        text = "".join(whole_characters(line_text(line.text)) + "\n" for line in sheet.page.lines) or "\n"
        if not self._headers:
            return ("" if first else "\f") + text
        number = f", page {sheet.number}" if sheet.number > 1 else ""
        # A name with a line break would look like text, or like another name.
        return ("" if first else "\n") + f"==> {printable(sheet.source or '')}{number} <==\n{text}"
