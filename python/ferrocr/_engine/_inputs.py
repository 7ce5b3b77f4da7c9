"""Pictures that users hand over, as one of the three forms that the core takes."""

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from .._files import head_or_nothing
from .._image_types import ImageInput as ImageInput
from ..exceptions import ImageError, ImageNotFoundError, OcrError, OutOfMemoryError
from ._forms import Encoded, File, Form, SizeCheck
from ._heif import HEAD, Boxed, boxed_kind, decoded
from ._readable import content_of, is_readable, too_long

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import PIL.Image

    from .._image_types import Readable

# A drive of Windows is one letter, and no address has a backslash there.
_ADDRESS = re.compile("(?:[a-z][a-z0-9+.-]+://|data:)", re.IGNORECASE)


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
        return _of_file(file_path(image), check_size, max_bytes)
    if isinstance(image, bytes | bytearray | memoryview):
        if memoryview(image).nbytes > max_bytes:
            raise too_long(max_bytes)
        # A copy, unless it is `bytes` already.
        return _of_bytes(bytes(image), check_size)
    # numpy takes as long to import as all the rest, and is needed for these alone.
    if _is_array(image):
        from . import _pixels

        return _pixels.from_array(cast("npt.NDArray[np.generic]", image), check_size)
    if type(image).__module__.partition(".")[0] == "PIL" or hasattr(image, "getexif"):
        from . import _pixels

        return _pixels.from_pillow(cast("PIL.Image.Image", image), check_size)
    if is_readable(image):
        return _of_bytes(content_of(cast("Readable", image), max_bytes), check_size)
    if hasattr(image, "__array__") or hasattr(image, "__array_interface__"):
        from . import _pixels

        return _pixels.from_array_like(image, check_size)
    message = f"cannot read a picture from {type(image).__name__}"
    hint = "pass a path, bytes, an open file, a Pillow image or a numpy array (HxW, HxWx3 RGB or HxWx4)"
    raise ImageError(message, hint)


def _of_file(path: Path, check_size: SizeCheck, max_bytes: int) -> Form:
    kind = boxed_kind(head_or_nothing(path, HEAD))
    if kind is None:  # the core says what is wrong with it, if anything
        return File(path)
    with suppress(OSError):
        if path.stat().st_size > max_bytes:
            raise too_long(max_bytes)
    return _of_boxed(path, kind, str(path), check_size)


def _of_bytes(data: bytes, check_size: SizeCheck) -> Form:
    kind = boxed_kind(data[:HEAD])
    return Encoded(data) if kind is None else _of_boxed(data, kind, "the picture", check_size)


def _of_boxed(file: Path | bytes, kind: Boxed, name: str, check_size: SizeCheck) -> Form:
    from . import _pixels

    with decoded(file, kind, name) as picture:
        return _pixels.from_pillow(picture, check_size)


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
    path = Path(text)
    if _ADDRESS.match(text) and not _exists(path):
        raise _no_file(text)
    return path


def _is_array(image: object) -> bool:
    # Whoever has an array has imported numpy.
    numpy = sys.modules.get("numpy")
    # It is there without its classes while another thread imports it.
    return isinstance(image, getattr(numpy, "ndarray", ()))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long a name, for example
        return False


def _no_file(address: str) -> ImageNotFoundError:
    """Build the error for an address. It may have a password in it, and an address of data is as long as these."""
    scheme = address.partition(":")[0].lower()
    message = f"there is no picture file of that name: it is an address ({scheme}:), and addresses are not opened"
    if scheme == "data":
        return ImageNotFoundError(message, "decode it, and pass the bytes: base64.b64decode(address.partition(',')[2])")
    if scheme == "file":
        return ImageNotFoundError(message, "pass the path in it, without file://")
    return ImageNotFoundError(
        message,
        "fetch it first, or pass what your library opens: recognize(urllib.request.urlopen(address))",
        shell_hint="fetch it first: curl -s ADDRESS | ferrocr read -",
    )
