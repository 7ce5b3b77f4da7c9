"""Documents told apart by their content."""

import os
from pathlib import Path
from typing import Literal

from .._engine._inputs import ImageInput, file_path
from .._files import head_of
from ..exceptions import OcrError

SUFFIXES = frozenset({".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pdf", ".png", ".tif", ".tiff", ".webp"})
"""Suffixes of pictures and documents in a folder, in letters of any case."""

_HEAD = 1024
"""A PDF may begin with as many bytes of something else, such as the header of a mail; viewers look that far."""


_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")


def name_of(source: ImageInput) -> str | None:
    """Return its path as it was given; None for what is no file.

    Raises:
        ImageNotFoundError: No file can have that name.
    """
    if not isinstance(source, str | os.PathLike):
        return None
    file_path(source)
    return os.fsdecode(source)


def checked_kind(content: Path | bytes) -> Literal["pdf", "tiff"] | None:
    """Return the kind of a document, as its content says; None for a picture.

    Raises:
        ImageNotFoundError: There is no such file.
        StorageError: It cannot be read, or is a pipe or the like.
    """
    head = head_of(content, _HEAD) if isinstance(content, Path) else content[:_HEAD]
    if head.startswith(_TIFF):
        return "tiff"
    return "pdf" if b"%PDF-" in head and not head.startswith(_PICTURES) else None


def kind_of(content: Path | bytes) -> Literal["pdf", "tiff"] | None:
    """Return the kind of a document; None for a picture, and for what cannot be read."""
    try:
        return checked_kind(content)
    except OcrError:
        return None
