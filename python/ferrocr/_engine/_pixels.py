"""Arrays and Pillow images as 8-bit pixels. The only module that imports numpy, when there is one of these."""

from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from ..exceptions import ImageError
from ._forms import Pixels, SizeCheck

if TYPE_CHECKING:
    import PIL.Image

_REDUCED, _MASK = 1, 4
"""Kinds of pictures in a TIFF file that are no pages."""


def from_array(array: npt.NDArray[np.generic], check_size: SizeCheck) -> Pixels:
    """Return the array's values as 8 bits.

    Raises:
        ImageError: A shape, element type or size that is no picture.
    """
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4)):
        message = f"an array of shape {array.shape} is no picture"
        hint = "expected HxW, HxWx3 (RGB) or HxWx4 (RGB, alpha)"
        if array.ndim == 3 and array.shape[0] in (1, 3, 4):
            hint += "; where channels come first: numpy.moveaxis(array, 0, -1)"
        raise ImageError(message, hint)
    if 0 in array.shape:
        message = f"an array of shape {array.shape} has no pixels"
        raise ImageError(message)
    check_size(array.shape[1], array.shape[0])
    return _pixels(_array_to_bytes(array))


def from_array_like(image: object, check_size: SizeCheck) -> Pixels:
    """Return the values of something that numpy makes an array of.

    Raises:
        ImageError: No array can be made of it, or that is no picture.
    """
    # Before anything is made of it: it may be on a disk, or computed only now.
    shape = getattr(image, "shape", ())
    if isinstance(shape, tuple) and len(shape) in (2, 3) and all(isinstance(side, int) for side in shape):
        check_size(shape[1], shape[0])
    try:
        array = np.asarray(image)
    except Exception as error:  # whatever its library raises
        message = f"no array can be made of {type(image).__name__}: {error}"
        raise ImageError(message, "move a tensor to the processor's memory before: tensor.cpu().numpy()") from error
    return from_array(array, check_size)


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


def from_pillow(image: "PIL.Image.Image", check_size: SizeCheck) -> Pixels:
    """Return the image's pixels, turned as its EXIF data say, with alpha where it has some.

    Raises:
        ImageError: Pillow cannot decode it, its values have an unknown range, or its size is refused.
    """
    from PIL import ImageOps

    if 0 in image.size:
        message = f"a Pillow image of size {image.size} has no pixels"
        raise ImageError(message)
    check_size(*image.size)
    try:
        return _pixels(_pillow_to_bytes(ImageOps.exif_transpose(image)))
    except (ImageError, TimeoutError):  # the latter is what handlers of signals raise
        raise
    except (OSError, SyntaxError, ValueError) as error:
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
    """Convert mode I, which holds 8 bits or 16 without saying which: the largest value tells."""
    low, high = values.min(), values.max()
    if low < 0 or high > 65535:
        message = f"a Pillow image of mode I with values from {low} to {high} is no picture, its range is not known"
        raise ImageError(message, "scale its values to 0 to 255 and convert it to mode L")
    return (values >> 8 if high > 255 else values).astype(np.uint8)


def _decimals_to_bytes(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Convert mode F, taken only where its values can be nothing but 0 to 255: from 0 to 1 would come out black."""
    low, high = values.min(), values.max()
    # Written so that it is false for values that are no numbers.
    if not (low >= 0 and (high == 0 or 1 < high <= 255)):
        message = f"a Pillow image of mode F with values from {low} to {high} is no picture, its range is not known"
        raise ImageError(message, "scale its values to 0 to 255 and convert it to mode L")
    return values.astype(np.uint8)


def page_frames(picture: "PIL.Image.Image") -> list[int]:
    """Return the frames of an open file that are its pages: all but smaller copies and masks of others in a TIFF.

    It stands at any of them afterwards.
    """
    are_aside = []
    for index in range(getattr(picture, "n_frames", 1)):
        picture.seek(index)
        are_aside.append(bool(int(getattr(picture, "tag_v2", {}).get(254, 0)) & (_REDUCED | _MASK)))
    return [index for index, is_aside in enumerate(are_aside) if not is_aside or all(are_aside)]
