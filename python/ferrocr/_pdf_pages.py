"""The pages of a PDF: rendered under the engine's limits, or taken as text."""

from pathlib import Path

from . import _core
from ._documents import Limits, Prepared, Wish, resolution
from ._inputs import Asked
from ._pdf import PdfFile


class PdfPages:
    """A PDF whose pages can be asked for.

    Args:
        content: Its path or its content.
        name: What messages call it.
        wish: How pages are wanted.
        limits: What a picture may cost: pages that would be larger are rendered smaller.

    Raises:
        DocumentError: It cannot be opened.
    """

    def __init__(self, content: Path | bytes, name: str, wish: Wish, limits: Limits) -> None:
        self._wish, self._limits = wish, limits
        self._file = PdfFile(content, name, wish.password)
        self.count = self._file.count

    def page(self, number: int) -> Prepared:
        """A page: its text where that is wanted and there, or a picture that is rendered when it is begun.

        Raises:
            DocumentError: The page is damaged.
        """
        size = self._file.size(number)
        dpi, width, height = resolution(size, self._wish.dpi, self._limits)
        if self._wish.text_layer != "ignore":
            layer = self._file.text_layer(number)
            if self._wish.text_layer == "only" or layer.is_usable:
                to_pixels = self._file.to_pixels(number, width, height)
                return Prepared(layer.page(width, height, to_pixels, characters=self._wish.characters), size, dpi)
        return Prepared(_Rendered(self._file, number, width, height), size, dpi)

    def close(self) -> None:
        """Give its file and its memory back."""
        self._file.close()


class _Rendered:
    """A page as a picture that exists no longer than until the core has it."""

    def __init__(self, file: PdfFile, number: int, width: int, height: int) -> None:
        self._file, self._number = file, number
        self._size = width, height

    def begin(self, core: _core.Engine, asked: Asked) -> _core.Reading:
        """Render it, and begin to read it in the background."""
        core.check_size(*self._size)
        pixels = self._file.render(self._number, *self._size)
        return core.begin_pixels(pixels, self._size, 3, asked)
