"""The pages that a call wants of a document, and in which way."""

from contextlib import suppress
from typing import Literal, NamedTuple, Unpack, get_args

from .._arguments import text_of
from .._engine._call_options import ReadKeywords
from ..exceptions import InvalidArgumentError
from ._page_numbers import PageNumbers, Wanted

UseOfTextLayer = Literal["ignore", "auto", "only"]
USES_OF_TEXT_LAYER: tuple[UseOfTextLayer, ...] = get_args(UseOfTextLayer)

USUAL_DPI = 200.0
"""Fewer lose small print, more only cost: seven pages of 5 to 12 point text have a token F1 of .996, .9999 and .9996 at
100, 150 and 200, and eight labelled scans one of .972 at 100 to 300, where 300 takes 1.26 times the processor time of
200. Chinese documents did a little better at 200 than at 150. docs/decisions.md has the figures."""


class DocumentKeywords(ReadKeywords, total=False):
    """Keywords of :meth:`ferrocr.OcrEngine.recognize_document`, for methods that pass them on."""

    pages: PageNumbers | None
    dpi: float
    text_layer: UseOfTextLayer
    password: str | None


class DocumentRequest(NamedTuple):
    """The options of a call that are about the document, checked by :func:`checked_request`."""

    pages: Wanted
    dpi: float
    text_layer: UseOfTextLayer
    password: str | None


def checked_request(
    pages: PageNumbers | None, dpi: float, text_layer: UseOfTextLayer, password: str | None
) -> DocumentRequest:
    """Check the arguments.

    Raises:
        InvalidArgumentError: One is out of its range.
    """
    # Written so that it refuses what is no number.
    if isinstance(dpi, bool) or not isinstance(dpi, int | float) or not 1 <= dpi <= 10_000:
        message = f"dpi is a number of pixels to the inch from 1 to 10000, not {dpi!r}"
        raise InvalidArgumentError(message)
    if text_layer not in USES_OF_TEXT_LAYER:
        message = f"text_layer is 'ignore', 'auto' or 'only', not {text_layer!r}"
        raise InvalidArgumentError(message)
    # The text of the error would show it.
    if password is not None and (not isinstance(password, str) or "\0" in password):
        message = f"a password is a str without null characters, and this is a {type(password).__name__}"
        raise InvalidArgumentError(message)
    if password is not None:
        with suppress(InvalidArgumentError):
            text_of(password, "a password")
            return DocumentRequest(Wanted(pages), float(dpi), text_layer, password)
        message = "a password is text, and this one has bytes that are no UTF-8"
        raise InvalidArgumentError(message)
    return DocumentRequest(Wanted(pages), float(dpi), text_layer, None)


def split_request(
    *,
    pages: PageNumbers | None = None,
    dpi: float = USUAL_DPI,
    text_layer: UseOfTextLayer = "ignore",
    password: str | None = None,
    **others: Unpack[ReadKeywords],
) -> tuple[DocumentRequest, ReadKeywords]:
    """Return keywords of :class:`DocumentKeywords` that are about the document, checked, and the others as they are.

    Raises:
        InvalidArgumentError: One is out of its range.
    """
    return checked_request(pages, dpi, text_layer, password), others
