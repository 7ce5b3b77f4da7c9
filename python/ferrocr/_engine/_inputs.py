"""Pictures that users hand over, as one of the three forms that the core takes."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from ..exceptions import ImageError, ImageNotFoundError, OcrError, OutOfMemoryError
from ._forms import Encoded, File, Form, SizeCheck

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import PIL.Image

ImageInput: TypeAlias = (
    "str | os.PathLike[str] | os.PathLike[bytes] | bytes | bytearray | memoryview | PIL.Image.Image"
    " | npt.NDArray[np.generic]"
)
"""A file's path, an encoded file's bytes, a Pillow image, or an array of shape HxW (grey), HxWx1, HxWx2 (grey, alpha),
HxWx3 (RGB) or HxWx4 (RGB, alpha). Arrays are uint8, bool, or uint16 with the full range of 16 bits, in either byte
order. Pillow images have any mode; whole numbers (I) lie in 0 to 65535 and decimal ones (F) in 0 to 255."""


def normalise(image: ImageInput, check_size: SizeCheck, max_bytes: int = sys.maxsize) -> Form:
    """Tell the forms apart, and refuse what is too large before anything is made of it.

    `check_size` sees the size of arrays and Pillow images, and `max_bytes` is for encoded ones.

    Raises:
        ImageError: A type, shape, element type or size that is no picture.
        OutOfMemoryError: There is no memory for a copy of it.
    """
    try:
        return _form(image, check_size, max_bytes)
    except OcrError:
        raise
    except MemoryError as error:
        message = "there is no memory for a copy of the picture"
        hint = (
            "give it smaller pictures, or the process more memory; a lower max_pixels refuses those that are too large"
        )
        raise OutOfMemoryError(message, hint) from error


def _form(image: ImageInput, check_size: SizeCheck, max_bytes: int) -> Form:
    if isinstance(image, str | os.PathLike):
        return File(file_path(image))
    if isinstance(image, bytes | bytearray | memoryview):
        if memoryview(image).nbytes > max_bytes:
            raise _too_long(max_bytes)
        # A copy, unless it is `bytes` already.
        return Encoded(bytes(image))
    # numpy takes as long to import as all the rest, and is needed for these alone.
    if _is_array(image):
        from . import _pixels

        return _pixels.from_array(cast("npt.NDArray[np.generic]", image), check_size)
    if type(image).__module__.partition(".")[0] == "PIL" or hasattr(image, "getexif"):
        from . import _pixels

        return _pixels.from_pillow(cast("PIL.Image.Image", image), check_size)
    message = f"cannot read a picture from {type(image).__name__}"
    raise ImageError(message, "pass a path, bytes, a Pillow image or a numpy array (HxW, HxWx3 RGB or HxWx4)")


def file_path(path: "str | os.PathLike[str] | os.PathLike[bytes]") -> Path:
    """Return the path of a picture or a document, whatever bytes its name has.

    Raises:
        ImageNotFoundError: No file can have that name.
        ImageError: It only looks like a path.
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        message = f"cannot read a picture from {type(path).__name__}, which gives no path"
        raise ImageError(message) from None
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        message = f"there is no picture file {text!r}: no file can have that name"
        raise ImageNotFoundError(message) from None
    return Path(text)


def _is_array(image: object) -> bool:
    # Whoever has an array has imported numpy.
    numpy = sys.modules.get("numpy")
    # It is there without its classes while another thread imports it.
    return isinstance(image, getattr(numpy, "ndarray", ()))


def _too_long(max_bytes: int) -> ImageError:
    # As the core says it of files.
    message = f"the file is longer than max_bytes={max_bytes}"
    return ImageError(message, "store the picture compressed, for example as PNG")
