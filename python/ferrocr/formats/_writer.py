"""The base of all formats of text: they are written page by page."""

from abc import ABC, abstractmethod
from typing import ClassVar, final

from ..exceptions import InvalidArgumentError
from ._sheet import Failure, Sheet


class Writer(ABC):
    """Makes one file's text: :meth:`begin`, then :meth:`add` for each page, then :meth:`end`.

    Each call returns the next piece, often empty. No page is kept, so a document may have any number of them. A writer
    is for one file and one thread.

    Attributes:
        name: The name of the format on the command line.
        suffix: Of a file's name, with its dot.
        media_type: For an answer over HTTP.
        summary: The content of a file in a few words, for the help of the command line.
        one_page: True if a file has one page at most: the second one is an InvalidArgumentError.
        has_characters: True if a file holds the characters of words where pages have them.
        pages: Number of pages that were added.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    media_type: ClassVar[str]
    summary: ClassVar[str] = ""
    one_page: ClassVar[bool] = False
    has_characters: ClassVar[bool] = False

    def __init__(self) -> None:
        self.pages = 0

    def begin(self) -> str:
        """Return the piece before the first page."""
        return ""

    @final
    def add(self, entry: Sheet | Failure) -> str:
        """Return the piece for one page.

        Raises:
            InvalidArgumentError: The format has one page a file, and this is the second; or the page's blocks do not
                hold its lines.
        """
        if isinstance(entry, Failure):
            return self._failure(entry)
        if self.one_page and self.pages:
            message = f"a file of the format {self.name} holds one page, and this is its second"
            raise InvalidArgumentError(message, "write each page to a file of its own, or choose another format")
        self.pages += 1
        return self._page(entry)

    def end(self) -> str:
        """Return the piece behind the last page."""
        return ""

    @abstractmethod
    def _page(self, sheet: Sheet) -> str:
        """Return the piece for a page, which `pages` counts already."""

    def _failure(self, failure: Failure) -> str:
        return ""
