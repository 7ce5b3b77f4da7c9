"""Pages of documents before they are read, whatever the kind of the document."""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

from .._engine._ahead import Picture
from .._engine._call import Budget, Work
from .._engine._call_options import CallOptions
from .._engine._forms import SizeCheck
from .._workers._lender import Workers
from ..results import Page

_LONGEST_SIDE = 2**29
"""PDFium counts the bytes of a row in 31 bits."""


class Limits(NamedTuple):
    """Limits of a picture."""

    max_pixels: int
    max_side: int
    max_bytes: int
    check_size: SizeCheck


class Reader(NamedTuple):
    """The reader of a document."""

    workers: Workers
    """Processes for what could come to no end."""
    take_along: Callable[[Work], object]
    """Has what goes on cancelled together with the call."""
    options: CallOptions
    """Options of the call, whose timeout is that of each page."""


class Prepared(NamedTuple):
    """A page of a document: its text, or a picture that is to be read."""

    what: Page | Picture
    size: tuple[float, float] | None = None
    dpi: float | None = None
    budget: Budget | None = None
    """Counts what was spent on it before it is read."""


class OpenDocument(Protocol):
    """A document whose pages can be asked for, in any order."""

    count: int

    def page(self, number: int) -> Prepared:
        """Return a page; raise OcrError for one that is damaged."""

    def close(self) -> None:
        """Give its file and its memory back; may be called again, from any thread."""


def resolution(size: tuple[float, float], dpi: float, limits: Limits) -> tuple[float, int, int]:
    """Return dpi, width and height that a page of `size` points is rendered at, so that it is within the limits."""
    width, height = size
    side = min(limits.max_side, _LONGEST_SIDE)
    wanted = dpi / 72
    scale = min(wanted, side / max(width, height), math.sqrt(limits.max_pixels / width / height))
    # Rounded down where a pixel more would be beyond a limit.
    count = round if scale == wanted else int
    return scale * 72, max(1, count(width * scale)), max(1, count(height * scale))
