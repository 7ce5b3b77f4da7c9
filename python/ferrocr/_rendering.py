"""Connects pages with :mod:`ferrocr.formats`, which is not imported before somebody writes or draws a page."""

from typing import TYPE_CHECKING

from .results import Page, render_with

if TYPE_CHECKING:
    import os

    import PIL.Image


class _Formats:
    """Writes and draws pages."""

    @staticmethod
    def text(page: Page, format: str) -> str:
        """Return the text of a file with this page."""
        from .formats import Sheet, chunks

        return "".join(chunks(format, [Sheet(page)]))

    @staticmethod
    def picture(
        page: Page,
        image: "PIL.Image.Image | str | os.PathLike[str]",
        *,
        words: bool,
        numbers: bool,
        scores: bool,
    ) -> "PIL.Image.Image":
        """Return the annotated picture."""
        from .formats.draw import draw

        return draw(page, image, words=words, numbers=numbers, scores=scores)


render_with(_Formats())
