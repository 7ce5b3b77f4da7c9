"""A page of a file, with what was read drawn over it."""

from pathlib import Path
from typing import TYPE_CHECKING

from .._engine._heif import open_picture
from ..documents._kinds import kind_of
from ..documents._opening import pdf_file
from ..exceptions import ImageError, OcrError
from ._sheet import Sheet
from .draw import draw

if TYPE_CHECKING:
    import PIL.Image


def drawn(content: Path | bytes, label: str, sheet: Sheet, password: str | None) -> "PIL.Image.Image":
    """Return the annotated picture of a page of `content`, which messages call `label`.

    Raises:
        ImageError: The picture cannot be opened once more.
        InvalidArgumentError: It has another size by now.
    """
    kind = kind_of(content)
    if kind == "pdf":
        size = sheet.page.width, sheet.page.height
        return draw(sheet.page, _rendered(content, label, sheet.number, size, password))
    if isinstance(content, Path) and kind is None:
        return draw(sheet.page, content)
    return _drawn_frame(content, label, sheet)


def _drawn_frame(content: Path | bytes, label: str, sheet: Sheet) -> "PIL.Image.Image":
    """Draw over a picture of a TIFF file, or of bytes."""
    import PIL.Image

    from .._engine._pixels import page_frames

    try:
        with open_picture(content) as picture:
            picture.seek(page_frames(picture)[sheet.number - 1])
            return draw(sheet.page, picture)
    except OcrError:
        raise
    except (OSError, EOFError, SyntaxError, ValueError, LookupError, PIL.Image.DecompressionBombError) as error:
        message = f"Pillow cannot decode page {sheet.number} of {label}: {error}"
        raise ImageError(message) from error


def _rendered(
    content: Path | bytes, label: str, number: int, size: tuple[int, int], password: str | None
) -> "PIL.Image.Image":
    """Return a page of a PDF, in exactly the pixels that were read."""
    import PIL.Image

    file = pdf_file()(content, label, password)
    try:
        return PIL.Image.frombytes("RGB", size, bytes(file.render(number, *size)))
    finally:
        file.close()
