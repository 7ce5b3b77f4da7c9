"""The input of writers: a page and where it comes from, or a page that could not be read."""

from dataclasses import dataclass
from typing import Self

from ..documents import DocumentPage, Origin
from ..results import Page


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page and what is known of the picture that it was read from.

    Attributes:
        page: The page.
        source: Name of the picture or document, as the reader of the file should see it; None where there is none.
        number: The page's number in its source, from 1 on.
        dpi: Pixels an inch, where that is known.
        origin: The origin of the text: it was read, or taken from a PDF that has it already.
    """

    page: Page
    source: str | None = None
    number: int = 1
    dpi: float | None = None
    origin: Origin = "ocr"

    @classmethod
    def of(cls, page: DocumentPage) -> Self:
        """Return a page of a document with all that is known of it."""
        return cls(page.page, page.source, page.number, page.dpi, page.origin)


@dataclass(frozen=True, slots=True)
class Failure:
    """A page that could not be read. Formats that have no place for it leave it out.

    Attributes:
        error: Why not.
        source: As in :class:`Sheet`.
        number: As in :class:`Sheet`.
    """

    error: str
    source: str | None = None
    number: int = 1
