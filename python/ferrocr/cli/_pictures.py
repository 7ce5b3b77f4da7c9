"""The picture of a page that was read, with what was read drawn over it."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from ..documents._kinds import kind_of
from ..documents._opening import pdf_file
from ..exceptions import ImageError, OcrError
from ..formats import Sheet
from ..formats.draw import draw
from ._sources import Source, is_pdf

if TYPE_CHECKING:
    import PIL.Image


def drawn(source: Source, sheet: Sheet, password: str | None) -> "PIL.Image.Image":
    """Return the annotated picture of a page.

    Raises:
        ImageError: The picture cannot be opened once more.
        InvalidArgumentError: It has another size by now.
    """
    if is_pdf(source):
        return draw(sheet.page, _rendered(source, sheet, password))
    if source.data is None and kind_of(Path(source.name)) is None:
        return draw(sheet.page, source.name)
    return _drawn_frame(source, sheet)


def _drawn_frame(source: Source, sheet: Sheet) -> "PIL.Image.Image":
    """Draw over a picture of a TIFF file, or of standard input."""
    import PIL.Image

    from .._engine._pixels import page_frames

    try:
        with PIL.Image.open(source.name if source.data is None else io.BytesIO(source.data)) as picture:
            picture.seek(page_frames(picture)[sheet.number - 1])
            return draw(sheet.page, picture)
    except OcrError:
        raise
    except (OSError, EOFError, SyntaxError, ValueError, LookupError, PIL.Image.DecompressionBombError) as error:
        message = f"Pillow cannot decode page {sheet.number} of {source.label}: {error}"
        raise ImageError(message) from error


def _rendered(source: Source, sheet: Sheet, password: str | None) -> "PIL.Image.Image":
    """Return a page of a PDF, in exactly the pixels that were read."""
    import PIL.Image

    size = sheet.page.width, sheet.page.height
    file = pdf_file()(Path(source.name) if source.data is None else source.data, source.label, password)
    try:
        return PIL.Image.frombytes("RGB", size, bytes(file.render(sheet.number, *size)))
    finally:
        file.close()
