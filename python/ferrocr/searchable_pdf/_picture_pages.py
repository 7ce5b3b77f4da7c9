"""Pictures as pages of a PDF, without loss. Needs img2pdf and Pillow, which ``pip install "ferrocr[pdf]"`` brings."""

import io
import math
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import img2pdf
import pikepdf
import PIL.Image
from PIL import ImageOps

from .. import _core
from .._engine._heif import open_picture
from .._engine._pixels import from_pillow, page_frames
from .._files import check_regular
from ..exceptions import DocumentError, ImageError, ImageNotFoundError, OcrError, StorageError

_UNKNOWN_DPI = 300.0
"""For pictures that do not say: a page that was photographed with 12 megapixels becomes 10 by 13 inches."""

_NO_DPI = 72.0
"""The resolution that cameras and editors write that do not know it; nobody scans so coarsely."""

_LONGEST = 14_400
"""Points that a side of a page may have."""

_BATCH = 32 * 2**20
"""Bytes of pages that are in memory before they go to the disk."""


def pictures_as_pdf(path: Path, *, is_tiff: bool, opened: ExitStack) -> pikepdf.Pdf:
    """Return a document with a page for the picture, or for each page of a TIFF file.

    Args:
        path: The file.
        is_tiff: True if it may have several pages.
        opened: Has what must stay open for as long as the document.

    Raises:
        ImageError: It is no picture, or is damaged.
        StorageError: It cannot be read.
    """
    pdf = opened.enter_context(pikepdf.new())
    batch: list[bytes] = []
    try:
        for page in _tiff_pages(path) if is_tiff else iter([_page_of_file(path)]):
            batch.append(page)
            if sum(map(len, batch)) > _BATCH:
                _append(pdf, batch, opened)
                batch = []
    except OcrError:
        raise
    except FileNotFoundError as error:
        message = f"there is no picture file {path}"
        raise ImageNotFoundError(message) from error
    except PIL.UnidentifiedImageError as error:
        message = f"Pillow does not know what {path} is"
        raise ImageError(message, "give a PDF, a TIFF or another picture") from error
    except PIL.Image.DecompressionBombError as error:
        raise ImageError(str(error)) from error
    # Errors of Pillow for damaged files, TIFF files above all.
    except (OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError) as error:
        message = f"Pillow cannot decode {path}: {error}"
        raise ImageError(message) from error
    _append(pdf, batch, opened)
    return pdf


def _append(pdf: pikepdf.Pdf, batch: list[bytes], opened: ExitStack) -> None:
    """Put pages on the disk and into the document, which reads them from there."""
    try:
        file = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # closed with the document
        with pikepdf.new() as together:
            for page in batch:
                with pikepdf.open(io.BytesIO(page)) as one:
                    together.pages.extend(one.pages)
            together.save(file)
    except OSError as error:
        message = f"cannot write a temporary file: {error}"
        raise StorageError(message, "make room, or name another place with TMPDIR") from error
    pdf.pages.extend(opened.enter_context(pikepdf.open(file)).pages)


def _page_of_file(path: Path) -> bytes:
    check_regular(path)
    content = path.read_bytes()
    with open_picture(content) as picture:
        turn = picture.getexif().get(0x0112, 1)
        # Pictures that a PDF can hold as they are; a turn of one, but not its mirror image.
        if picture.format in ("JPEG", "MPO", "PNG") and turn in (0, 1, 3, 6, 8) and not _has_alpha(picture):
            with suppress(Exception):  # of many kinds; Pillow finds out what is the matter
                return _page(content, _resolution(picture))
        return _page_of(picture)


def _tiff_pages(path: Path) -> Iterator[bytes]:
    frames = _core.Frames.of_file(path)
    count, done = frames.count, 0
    frames.close()
    with PIL.Image.open(path) as picture:
        for index in page_frames(picture):
            picture.seek(index)
            done += 1
            yield _page_of(picture)
    if done != count:
        message = f"{path} is damaged: {done} of its {count} pages can be found"
        raise DocumentError(message, "save the file anew with the program that made it")


def _page_of(picture: PIL.Image.Image) -> bytes:
    """Return a page with the pixels of a picture."""
    resolution = _resolution(picture)
    upright = ImageOps.exif_transpose(picture)
    if upright.mode not in ("1", "L", "RGB") or _has_alpha(upright):
        upright = _on_paper(upright)
    for kind in ("exif", "icc_profile"):
        upright.info.pop(kind, None)
    out = io.BytesIO()
    upright.save(out, "PNG")
    return _page(out.getvalue(), resolution)


def _on_paper(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Return it in 8 bits as the engine sees it, and on white where it can be seen through."""
    seen = PIL.Image.fromarray(from_pillow(picture, lambda _width, _height: None).data)
    if seen.mode != "RGBA":
        return seen
    paper = PIL.Image.new("RGBA", seen.size, "white")
    paper.alpha_composite(seen)
    return paper.convert("RGB")


def _has_alpha(picture: PIL.Image.Image) -> bool:
    return "A" in picture.getbands() or "transparency" in picture.info


def _page(content: bytes, resolution: tuple[float, float]) -> bytes:
    """Return a file of one page, with a picture that a PDF can hold as it is."""

    def layout(width: int, height: int, _resolution: object) -> tuple[float, float, float, float]:
        size = width / resolution[0] * 72, height / resolution[1] * 72
        scale = min(1.0, _LONGEST / max(size))
        return (size[0] * scale, size[1] * scale) * 2

    page = img2pdf.convert(
        content, layout_fun=layout, first_frame_only=True, nodate=True, engine=img2pdf.Engine.internal
    )
    assert page is not None
    return page


def _resolution(picture: PIL.Image.Image) -> tuple[float, float]:
    """Return pixels to the inch, across and down."""
    try:
        across, down = (float(value) for value in picture.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return _UNKNOWN_DPI, _UNKNOWN_DPI
    # Written so that it refuses what is no number.
    if not (1 <= across < math.inf and 1 <= down < math.inf) or across == down == _NO_DPI:
        return _UNKNOWN_DPI, _UNKNOWN_DPI
    # PNG counts by the meter: 150.01 to the inch are 150.
    across, down = (round(value) if abs(value - round(value)) < 0.03 else value for value in (across, down))
    return across, down
