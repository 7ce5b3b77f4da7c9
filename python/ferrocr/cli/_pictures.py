"""The picture of a page that was read, with what was read drawn over it."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from .._documents import kind_of
from ..formats import Sheet
from ..formats.draw import draw
from ._sources import Source

if TYPE_CHECKING:
    import PIL.Image

_PDF = b"%PDF-"
_HEAD = 1024


def drawn(source: Source, sheet: Sheet, password: str | None) -> "PIL.Image.Image":
    """The annotated picture of a page.

    Raises:
        ImageError: The picture cannot be opened once more.
        InvalidArgumentError: It has another size by now.
    """
    return draw(sheet.page, _picture_of(source, sheet, password))


def _picture_of(source: Source, sheet: Sheet, password: str | None) -> "PIL.Image.Image | str":
    if _is_pdf(source):
        return _rendered(source, sheet, password)
    if source.data is None and sheet.number == 1:
        return source.name
    import PIL.Image

    from ..exceptions import ImageError

    try:
        picture = PIL.Image.open(source.name if source.data is None else io.BytesIO(source.data))
        picture.seek(sheet.number - 1)
        picture.load()  # closes the file
    except (OSError, EOFError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        message = f"Pillow cannot decode page {sheet.number} of {source.label}: {error}"
        raise ImageError(message) from error
    return picture


def _is_pdf(source: Source) -> bool:
    if source.data is None:
        return kind_of(Path(source.name)) == "pdf"
    return _PDF in source.data[:_HEAD]


def _rendered(source: Source, sheet: Sheet, password: str | None) -> "PIL.Image.Image":
    """A page of a PDF, in exactly the pixels that were read."""
    import PIL.Image

    from .._pdf import PdfFile

    size = sheet.page.width, sheet.page.height
    file = PdfFile(Path(source.name) if source.data is None else source.data, source.label, password)
    try:
        return PIL.Image.frombytes("RGB", size, bytes(file.render(sheet.number, *size)))
    finally:
        file.close()
