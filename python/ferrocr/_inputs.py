"""What a user may hand over as a picture, as one of the three forms that the core takes."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from .exceptions import ImageError

if TYPE_CHECKING:
    import PIL.Image

ImageInput: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | PIL.Image.Image | npt.NDArray[np.generic]"
)
"""A file's path, an encoded file's bytes, a Pillow image, or an array of shape HxW (grey), HxWx1, HxWx2 (grey, alpha),
HxWx3 (RGB) or HxWx4 (RGB, alpha). Arrays are uint8, bool, or uint16 with the full range of 16 bits, in either byte
order. Pillow images have any mode; whole numbers (I) lie in 0 to 65535 and decimal ones (F) in 0 to 255."""

SizeCheck: TypeAlias = Callable[[int, int], None]
"""Raises ImageError for a width and a height beyond the limits."""


class Pixels(NamedTuple):
    """Interleaved 8-bit pixels: `data` has height x width x channels of them, C-contiguous."""

    data: npt.NDArray[np.uint8]
    width: int
    height: int
    channels: int


def normalise(image: ImageInput, check_size: SizeCheck, max_bytes: int = sys.maxsize) -> Path | bytes | Pixels:
    """Tell the forms apart, and refuse what is too large before anything is made of it.

    `check_size` sees the size of arrays and Pillow images, and `max_bytes` is for encoded ones.

    Raises:
        ImageError: A type, shape, element type or size that is no picture.
    """
    if isinstance(image, str | os.PathLike):
        return Path(image)
    if isinstance(image, bytes | bytearray | memoryview):
        # A copy, unless it is `bytes` already.
        if memoryview(image).nbytes > max_bytes:
            raise _too_long(max_bytes)
        return bytes(image)
    if isinstance(image, np.ndarray):
        return _from_array(image, check_size)
    if type(image).__module__.partition(".")[0] == "PIL" or hasattr(image, "getexif"):
        return _from_pillow(image, check_size)
    message = f"cannot read a picture from {type(image).__name__}"
    raise ImageError(message, "pass a path, bytes, a Pillow image or a numpy array (HxW, HxWx3 RGB or HxWx4)")


def _too_long(max_bytes: int) -> ImageError:
    # As the core says it of files.
    message = f"the file is longer than max_bytes={max_bytes}"
    return ImageError(message, "store the picture compressed, for example as PNG")


def _from_array(array: npt.NDArray[np.generic], check_size: SizeCheck) -> Pixels:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4)):
        message = f"an array of shape {array.shape} is no picture"
        raise ImageError(message, "expected HxW, HxWx3 (RGB) or HxWx4 (RGB, alpha)")
    if 0 in array.shape:
        message = f"an array of shape {array.shape} has no pixels"
        raise ImageError(message)
    check_size(array.shape[1], array.shape[0])
    return _pixels(_array_to_bytes(array))


def _pixels(array: npt.NDArray[np.uint8]) -> Pixels:
    height, width = array.shape[:2]
    return Pixels(np.ascontiguousarray(array), width, height, array.shape[2] if array.ndim == 3 else 1)


def _array_to_bytes(array: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return cast("npt.NDArray[np.uint8]", array)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if _is_16_bit(array):
        return _high_bytes(array)
    message = f"an array of {array.dtype} is no picture, its range is not known"
    hint = "convert it to uint8 with values from 0 to 255, for example (array * 255).astype(numpy.uint8)"
    raise ImageError(message, hint)


def _is_16_bit(array: npt.NDArray[np.generic]) -> bool:
    # Not by comparing with np.uint16, which is one byte order alone.
    return array.dtype.kind == "u" and array.dtype.itemsize == 2


def _high_bytes(array: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    return (cast("npt.NDArray[np.uint16]", array) >> 8).astype(np.uint8)


def _from_pillow(image: "PIL.Image.Image", check_size: SizeCheck) -> Pixels:
    from PIL import ImageOps

    if 0 in image.size:
        message = f"a Pillow image of size {image.size} has no pixels"
        raise ImageError(message)
    check_size(*image.size)
    try:
        return _pixels(_pillow_to_bytes(ImageOps.exif_transpose(image)))
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        message = f"Pillow cannot decode the image: {error}"
        raise ImageError(message) from error


def _pillow_to_bytes(image: "PIL.Image.Image") -> npt.NDArray[np.uint8]:
    if image.mode == "F":
        return _decimals_to_bytes(np.asarray(image))
    if image.mode.startswith("I"):
        values = np.asarray(image)
        return _high_bytes(values) if _is_16_bit(values) else _integers_to_bytes(values)
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if has_alpha else "RGB"))


def _integers_to_bytes(values: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """Mode I, which holds 8 bits or 16 without saying which: the largest value tells."""
    low, high = values.min(), values.max()
    if low < 0 or high > 65535:
        message = f"a Pillow image of mode I with values from {low} to {high} is no picture, its range is not known"
        raise ImageError(message, "scale its values to 0 to 255 and convert it to mode L")
    return (values >> 8 if high > 255 else values).astype(np.uint8)


def _decimals_to_bytes(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Mode F, taken only where its values can be nothing but 0 to 255: from 0 to 1 would come out black."""
    low, high = values.min(), values.max()
    # Written so that it is false for values that are no numbers.
    if not (low >= 0 and (high == 0 or 1 < high <= 255)):
        message = f"a Pillow image of mode F with values from {low} to {high} is no picture, its range is not known"
        raise ImageError(message, "scale its values to 0 to 255 and convert it to mode L")
    return values.astype(np.uint8)
