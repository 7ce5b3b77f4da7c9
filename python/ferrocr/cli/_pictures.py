"""The picture of a page that was read, with what was read drawn over it."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..formats import Sheet
from ..formats._drawn import drawn as drawn_page
from ._sources import Source

if TYPE_CHECKING:
    import PIL.Image


def drawn(source: Source, sheet: Sheet, password: str | None) -> "PIL.Image.Image":
    """Return the annotated picture of a page.

    Raises:
        ImageError: The picture cannot be opened once more.
        InvalidArgumentError: It has another size by now.
    """
    content = Path(source.name) if source.data is None else source.data
    return drawn_page(content, source.label, sheet, password)
