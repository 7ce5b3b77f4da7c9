"""The forms in which a picture or a document is handed over, as types."""

import os
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import PIL.Image


class Readable(Protocol):
    """A file that is open for reading bytes, or something like it: a socket, an answer over HTTP, a part of an archive.

    One that can be moved in is read from its start on, as Pillow does it, any other one from where it is.
    """

    def read(self, size: int, /) -> bytes | None:
        """Return at most so many bytes; none at the end."""


class HasArray(Protocol):
    """Something that numpy makes an array of, such as a tensor in the processor's memory."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any: ...  # noqa: ANN401


ImageInput: TypeAlias = (
    "str | os.PathLike[str] | os.PathLike[bytes] | bytes | bytearray | memoryview | Readable | PIL.Image.Image"
    " | npt.NDArray[np.generic] | HasArray"
)
"""A file's path, an encoded file's bytes, an open file of these, a Pillow image, or an array, or what numpy makes one
of, with the shape HxW (grey), HxWx1, HxWx2 (grey, alpha), HxWx3 (RGB) or HxWx4 (RGB, alpha). Arrays are uint8, bool, or
uint16 with the full range of 16 bits, in either byte order. Pillow images have any mode; whole numbers (I) lie in 0 to
65535 and decimal ones (F) in 0 to 255."""
