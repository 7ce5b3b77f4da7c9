"""Open files and the like, from which a picture or a document is read."""

import io
from inspect import iscoroutine
from typing import TYPE_CHECKING, cast

from ..exceptions import ImageError, OcrError, StorageError

if TYPE_CHECKING:
    from .._image_types import ImageInput, Readable

_PIECE = 2**20
"""Bytes that are asked for at a time: what is not there takes no memory."""


def is_readable(source: object) -> bool:
    """Return True for an open file, and what else has bytes to read."""
    return callable(getattr(source, "read", None))


def settled(source: "ImageInput", max_bytes: int) -> "ImageInput":
    """Return the content of an open file, and any other form of a picture or document as it is.

    Raises:
        ImageError: It is longer than `max_bytes`, or is open for text.
        StorageError: It cannot be read.
    """
    return content_of(cast("Readable", source), max_bytes) if is_readable(source) else source


def content_of(source: "Readable", max_bytes: int) -> bytes:
    """Return all bytes of an open file: from its start on, where one can move in it, else from where it is.

    Raises:
        ImageError: It is longer than `max_bytes`, or is open for text.
        StorageError: It cannot be read.
    """
    try:
        _rewind(source)
        return _all_of(source, max_bytes)
    except OcrError:
        raise
    except (OSError, ValueError) as error:  # the latter where it is closed
        message = f"cannot read the open file: {error}"
        raise StorageError(message) from error


def too_long(max_bytes: int) -> ImageError:
    """Build the error for a file that is longer than is allowed."""
    # As the core says it of files.
    message = f"the file is longer than max_bytes={max_bytes}"
    return ImageError(message, "store the picture compressed, for example as PNG")


def _rewind(source: object) -> None:
    seekable, seek = getattr(source, "seekable", None), getattr(source, "seek", None)
    if seek is None or isinstance(source, io.TextIOBase):
        return
    # As Pillow does it: what was just written into a buffer is at its end.
    if seekable is None or seekable() is True:
        try:
            seek(0)
        except io.UnsupportedOperation:  # it only looked so
            return


def _all_of(source: "Readable", max_bytes: int) -> bytes:
    content = bytearray()
    while True:
        piece = source.read(min(_PIECE, max_bytes + 1 - len(content)))
        if isinstance(piece, str):
            message = "the open file gives text"
            raise ImageError(message, 'open it for reading bytes: open(path, "rb")')
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise _no_bytes(piece)
        if not piece:
            return bytes(content)
        content += piece
        if len(content) > max_bytes:
            raise too_long(max_bytes)


def _no_bytes(piece: object) -> ImageError:
    if iscoroutine(piece):
        piece.close()
        message = "the open file is one for an event loop"
        return ImageError(message, "await what its read() gives, and pass these bytes")
    message = f"read() of the open file gives {type(piece).__name__}, and no bytes"
    return ImageError(message, "pass a file that is open for reading bytes, and waits for them")
