"""What writers are given: a page and where it comes from, or a page that could not be read."""

from dataclasses import dataclass

from ..results import Page


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page and what is known of the picture that it was read from.

    Attributes:
        page: What was read.
        source: Name of the picture or document, as the reader of the file should see it; None where there is none.
        number: The page's number in its source, from 1 on.
        dpi: Pixels an inch, where that is known.
    """

    page: Page
    source: str | None = None
    number: int = 1
    dpi: float | None = None


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
