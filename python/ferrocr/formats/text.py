"""The text alone."""

from typing import ClassVar

from ._sheet import Sheet
from ._writer import Writer


class TextWriter(Writer):
    """A line of the page is a line of the file. A form feed stands between pages, unless there are headers.

    Args:
        headers: Write the source above each page, for a person who reads several of them.
    """

    name: ClassVar[str] = "text"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain"

    def __init__(self, *, headers: bool = False) -> None:
        super().__init__()
        self._headers = headers

    def _page(self, sheet: Sheet) -> str:
        first = self.pages == 1
        if not self._headers:
            return ("" if first else "\f") + sheet.page.text + "\n"
        number = f", page {sheet.number}" if sheet.number > 1 else ""
        return ("" if first else "\n") + f"==> {sheet.source or ''}{number} <==\n{sheet.page.text}\n"
