"""The pages of a PDF: rendered under the engine's limits, or taken as text."""

from pathlib import Path

from .._engine._call import Budget
from .._engine._call_options import ReadOptions
from .._engine._cores import Core, Reading
from ._pages import Limits, Prepared, Reader, resolution
from ._pdf import PdfFile
from ._request import DocumentRequest


class PdfPages:
    """A PDF whose pages can be asked for.

    Args:
        content: Its path or its content.
        name: Its name in messages.
        request: The options for its pages.
        limits: Limits of a picture: pages that would be larger are rendered smaller.
        reader: The reader of the document.

    Raises:
        DocumentError: It cannot be opened.
    """

    def __init__(
        self, content: Path | bytes, name: str, request: DocumentRequest, limits: Limits, reader: Reader
    ) -> None:
        self._request, self._limits, self._options = request, limits, reader.options
        self._file = PdfFile(
            content,
            name,
            request.password,
            workers=reader.workers,
            max_pixels=limits.max_pixels,
            timeout=reader.options.timeout,
            begun=reader.take_along,
        )
        self.count = self._file.count

    def page(self, number: int) -> Prepared:
        """Return a page: its text where that is wanted and there, or a picture that is rendered when it is begun.

        Raises:
            DocumentError: The page is damaged.
        """
        budget = Budget(self._options.timeout)
        size = self._file.size(number, budget)
        dpi, width, height = resolution(size, self._request.dpi, self._limits)
        if self._request.text_layer != "ignore":
            layer = self._file.text_layer(number, budget)
            if self._request.text_layer == "only" or layer.is_usable:
                to_pixels = self._file.to_pixels(number, width, height, budget)
                page = layer.page(width, height, to_pixels, characters=self._options.reading.characters)
                return Prepared(page, size, dpi, budget)
        return Prepared(_Rendered(self._file, number, (width, height), budget), size, dpi, budget)

    def close(self) -> None:
        """Give its file and its memory back."""
        self._file.close()


class _Rendered:
    """A page as a picture that exists no longer than until the core has it."""

    def __init__(self, file: PdfFile, number: int, size: tuple[int, int], budget: Budget) -> None:
        self._file, self._number, self._size, self._budget = file, number, size, budget

    def begin(self, core: Core, options: ReadOptions) -> Reading:
        """Render it, and begin to read it in the background."""
        core.check_size(*self._size)
        pixels = self._file.render(self._number, *self._size, self._budget)
        return core.begin_pixels(pixels, self._size, 3, options)
