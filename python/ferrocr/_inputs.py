"""What a user may hand over as a picture, as one of the three forms that the core takes."""

import os
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
HxWx3 (RGB) or HxWx4 (RGB, alpha). Arrays are uint8, bool, or uint16 with the full range of 16 bits."""


class Pixels(NamedTuple):
    """Interleaved 8-bit pixels: `data` has height x width x channels of them, C-contiguous."""

    data: npt.NDArray[np.uint8]
    width: int
    height: int
    channels: int


def normalise(image: ImageInput) -> Path | bytes | Pixels:
    """Tell the forms apart.

    Raises:
        ImageError: A type, shape or element type that is no picture.
    """
    if isinstance(image, str | os.PathLike):
        return Path(image)
    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image)
    if isinstance(image, np.ndarray):
        return _from_array(image)
    if type(image).__module__.partition(".")[0] == "PIL" or hasattr(image, "getexif"):
        return _from_pillow(image)
    message = (
        f"cannot read a picture from {type(image).__name__}\n"
        "pass a path, bytes, a Pillow image or a numpy array (HxW, HxWx3 RGB or HxWx4)"
    )
    raise ImageError(message)


def _from_array(array: npt.NDArray[np.generic]) -> Pixels:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4)):
        message = f"an array of shape {array.shape} is no picture\nexpected HxW, HxWx3 (RGB) or HxWx4 (RGB, alpha)"
        raise ImageError(message)
    if 0 in array.shape:
        message = f"an array of shape {array.shape} has no pixels"
        raise ImageError(message)
    height, width = array.shape[:2]
    channels = array.shape[2] if array.ndim == 3 else 1
    return Pixels(np.ascontiguousarray(_to_bytes(array)), width, height, channels)


def _to_bytes(array: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return cast("npt.NDArray[np.uint8]", array)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return (cast("npt.NDArray[np.uint16]", array) >> 8).astype(np.uint8)
    message = (
        f"an array of {array.dtype} is no picture, its range is not known\n"
        "convert it to uint8 with values from 0 to 255, for example (array * 255).astype(numpy.uint8)"
    )
    raise ImageError(message)


def _from_pillow(image: "PIL.Image.Image") -> Pixels:
    from PIL import ImageOps

    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith(("I", "F")):
            return _from_array(_squeeze_depth(upright))
        has_alpha = "A" in upright.getbands() or "transparency" in upright.info
        return _from_array(np.asarray(upright.convert("RGBA" if has_alpha else "RGB")))
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        message = f"Pillow cannot decode the image: {error}"
        raise ImageError(message) from error


def _squeeze_depth(image: "PIL.Image.Image") -> npt.NDArray[np.uint8]:
    """Grey values of more than 8 bits to 8: 16-bit ranges by shifting, others by their own range."""
    values = np.asarray(image)
    if values.dtype == np.uint16 or (image.mode == "I" and values.min() >= 0 and 255 < values.max() <= 65535):
        values = values.astype(np.uint32) >> 8
    grey: npt.NDArray[np.uint8] = np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8)
    return grey
