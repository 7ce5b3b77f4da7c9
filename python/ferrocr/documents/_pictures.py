"""Pictures and TIFF files as documents."""

from pathlib import Path

from .. import _core
from .._engine._ahead import Picture
from .._engine._call_options import ReadOptions
from .._engine._cores import Core, Reading
from ._pages import Prepared


class OnePicture:
    """A picture, as a document of one page."""

    count = 1

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def page(self, _number: int) -> Prepared:
        """Return the picture."""
        return Prepared(self._picture)

    def close(self) -> None:
        """Do nothing: nothing is open."""


class Tiff:
    """A TIFF file, which may have several pages."""

    def __init__(self, content: Path | bytes) -> None:
        self._content = content
        if isinstance(content, bytes):
            self._frames = _core.Frames.of_bytes(content)
        else:
            self._frames = _core.Frames.of_file(content)
        self.count = self._frames.count

    def page(self, number: int) -> Prepared:
        """Return a page, which is decoded when it is read."""
        return Prepared(_Frame(self._frames, self._content, number - 1), dpi=self._frames.dpi(number - 1))

    def close(self) -> None:
        """Give its file and its memory back."""
        self._frames.close()


class _Frame:
    """A page of a TIFF file."""

    def __init__(self, frames: _core.Frames, content: Path | bytes, index: int) -> None:
        self._frames, self._content, self._index = frames, content, index

    def begin(self, core: Core, options: ReadOptions) -> Reading:
        """Begin to read it in the background."""
        if isinstance(core, _core.Engine):
            return core.begin_frame(self._frames, self._index, options)
        return core.begin_page(self._content, self._index, options)
