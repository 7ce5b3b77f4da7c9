"""The three forms in which the core takes a picture."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ._call import Call
from ._call_options import ReadOptions
from ._cores import Core, Reading

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .. import _core


SizeCheck: TypeAlias = Callable[[int, int], None]
"""Raises ImageError for a width and a height beyond the limits."""


class File(NamedTuple):
    """A file that the core opens and decodes."""

    path: Path

    def recognize(self, core: Core, options: ReadOptions, call: Call) -> "_core._RawPage":
        """Read it, waiting for that."""
        return core.recognize_file(self.path, options, call.deadline.left(), call.stop)

    def begin(self, core: Core, options: ReadOptions) -> Reading:
        """Begin to read it in the background."""
        return core.begin_file(self.path, options)


class Encoded(NamedTuple):
    """A file's content, which the core decodes."""

    data: bytes

    def recognize(self, core: Core, options: ReadOptions, call: Call) -> "_core._RawPage":
        """Read it, waiting for that."""
        return core.recognize_encoded(self.data, options, call.deadline.left(), call.stop)

    def begin(self, core: Core, options: ReadOptions) -> Reading:
        """Begin to read it in the background."""
        return core.begin_encoded(self.data, options)


class Pixels(NamedTuple):
    """Interleaved 8-bit pixels: `data` has height x width x channels of them, C-contiguous."""

    data: "npt.NDArray[np.uint8]"
    width: int
    height: int
    channels: int

    def recognize(self, core: Core, options: ReadOptions, call: Call) -> "_core._RawPage":
        """Read them, waiting for that."""
        return core.recognize_pixels(
            self.data, (self.width, self.height), self.channels, options, call.deadline.left(), call.stop
        )

    def begin(self, core: Core, options: ReadOptions) -> Reading:
        """Begin to read them in the background."""
        return core.begin_pixels(self.data, (self.width, self.height), self.channels, options)


Form: TypeAlias = File | Encoded | Pixels
