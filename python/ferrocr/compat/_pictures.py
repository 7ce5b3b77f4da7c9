"""Pictures without their EXIF turn, for programs that draw on the pixels as they are stored."""

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, cast

from .._engine._inputs import ImageInput, file_path

if TYPE_CHECKING:
    import PIL.Image

_TURN = 0x0112
"""EXIF's tag for the turn of a picture."""

_TURNING = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif", "Raw profile type xmp")
"""Places where Pillow looks for it."""


def as_stored(image: ImageInput) -> ImageInput:
    """Return the picture without its EXIF turn."""
    if isinstance(image, str | os.PathLike):
        path = file_path(image)
        return _opened(path) or path
    if isinstance(image, bytes | bytearray | memoryview):
        return _opened(BytesIO(image)) or image
    if hasattr(image, "getexif"):
        picture = cast("PIL.Image.Image", image)
        return _without_turn(picture) if _is_turned(picture) else picture
    return image


def _opened(file: Path | BytesIO) -> "PIL.Image.Image | None":
    """Return the file's picture if it has a turn; None for all others."""
    try:
        import PIL.Image
    except ImportError:  # then the program has no Pillow image to draw on either
        return None
    try:
        with PIL.Image.open(file) as picture:
            # The turn of a TIFF is part of how it is stored: everybody applies it.
            if picture.format in {"JPEG", "PNG", "WEBP"} and _is_turned(picture):
                return _without_turn(picture)
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError):
        pass  # the engine says what is wrong with it
    return None


def _is_turned(picture: "PIL.Image.Image") -> bool:
    return picture.getexif().get(_TURN, 1) in range(2, 9)


def _without_turn(picture: "PIL.Image.Image") -> "PIL.Image.Image":
    copy = picture.copy()
    for name in _TURNING:
        copy.info.pop(name, None)
    return copy
