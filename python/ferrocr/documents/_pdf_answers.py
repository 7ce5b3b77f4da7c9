"""Answers of a worker about PDF files, checked: it may be in the hands of what it reads."""

import math
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from .._workers._start import Answer
from .._workers._wire import Header
from ..exceptions import DocumentError, EncryptedDocumentError, OcrError, StorageError
from ._text_layer import Glyph, TextLayer

_GLYPH = 4 + 8 + 4 * 4
"""Bytes of a glyph: its character's code, its angle and its box."""

_MOST_GLYPHS = 200_000
"""Glyphs of a page that a worker may give."""

MOST_BYTES = _MOST_GLYPHS * _GLYPH
"""Bytes of the text of a page."""

_ERRORS = {kind.__name__: kind for kind in (DocumentError, EncryptedDocumentError, StorageError)}
"""Errors that a worker may name."""


@contextmanager
def checked() -> Iterator[None]:
    """Refuse an answer that is none.

    Raises:
        DocumentError: The block, which takes it apart, fails.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, OverflowError):
        message = "PDFium's process gave an answer that makes no sense"
        raise DocumentError(message, "the file may be made to do harm") from None


def error_of(header: Header) -> OcrError:
    """Return the error that an answer tells of."""
    kind = _ERRORS.get(str(header["error"]), DocumentError)
    hint, shell_hint = (None if header.get(name) is None else str(header[name]) for name in ("hint", "shell_hint"))
    return kind(str(header.get("message", "")), hint, shell_hint=shell_hint)


def finite(values: object, count: int) -> list[float]:
    """Return so many numbers, each of which is one.

    Raises:
        ValueError: They are others, or not as many.
    """
    numbers = [float(value) for value in cast("list[float]", values)]
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ValueError
    return numbers


def layer_of(answer: Answer) -> TextLayer:
    """Return the text of a page.

    Raises:
        ValueError: The answer has none.
    """
    data, count = memoryview(answer.data), len(answer.data) // _GLYPH
    codes, angles, edges = array("I"), array("d"), array("f")
    for column, size, part in ((codes, 4, 0), (angles, 8, 4), (edges, 16, 12)):
        column.frombytes(data[part * count : (part + size) * count])
    boxes = zip(*[iter(edges)] * 4, strict=True)
    glyphs = tuple(
        Glyph(chr(code) if code else "", None if math.isnan(box[0]) else box, angle)
        for code, angle, box in zip(codes, angles, boxes, strict=True)
    )
    # A sum is finite if all of its numbers are: they have 32 bits, or are angles.
    sums = [answer.header["pictured"], sum(angles), sum(sum(glyph.box) for glyph in glyphs if glyph.box is not None)]
    return TextLayer(glyphs, finite(sums, 3)[0], has_notes=answer.header["has_notes"] is True)
