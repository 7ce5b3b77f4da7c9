"""Pictures as programs hand them over, read with the engine that their languages share."""

import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ferrocr

from ..._engine._inputs import ImageInput, file_path
from ...formats import Sheet
from ...formats.pdf import SearchablePdf
from .._pictures import as_stored
from ._config import Config
from ._engines import engines, only

if TYPE_CHECKING:
    pass


def sheets_of(image: ImageInput, config: Config, timeout: float, *, characters: bool) -> list[Sheet]:
    """Return the pages of a picture; a TIFF or PDF file, given by its path, has any number.

    Positions are in the frame of the stored pixels, as Tesseract's are: an EXIF turn is not applied.

    Raises:
        TypeError: It is no picture.
        OcrError: It cannot be read.
    """
    _check(image)
    options: dict[str, Any] = {"characters": characters, "timeout": timeout or None, **only(config.allowed)}
    picture = as_stored(image)
    dpi = config.dpi or _dpi_of(picture)
    if isinstance(picture, str | os.PathLike):
        pages = engines.use(
            config.languages,
            lambda engine: list(engine.recognize_pages(picture, on_error="raise", **options)),
        )
        return [Sheet(one.page, one.source, one.number, config.dpi or one.dpi, one.origin) for one in pages]
    return [Sheet(engines.use(config.languages, lambda engine: engine.recognize(picture, **options)), dpi=dpi)]


def searchable_pdf(image: ImageInput, config: Config, timeout: float) -> bytes:
    """Return a PDF of the picture, upright, with its text.

    Raises:
        TypeError: It is no picture.
        OcrError: It cannot be read, or a package that makes PDF files is not installed.
    """
    _check(image)
    options: dict[str, Any] = {"timeout": timeout or None, **only(config.allowed)}
    made = BytesIO()
    with _as_file(image, config.dpi) as path, SearchablePdf(path) as pdf:
        pages = engines.use(
            config.languages,
            lambda engine: list(engine.recognize_pages(path, on_error="raise", **options)),
        )
        for page in pages:
            pdf.add(Sheet.of(page))
        pdf.save(made)
    return made.getvalue()


def _check(image: object) -> None:
    is_array = isinstance(image, getattr(sys.modules.get("numpy"), "ndarray", ()))
    is_encoded = isinstance(image, str | os.PathLike | bytes | bytearray | memoryview)
    if not (is_array or is_encoded or hasattr(image, "getexif")):
        message = "Unsupported image object"
        raise TypeError(message)


def _dpi_of(picture: ImageInput) -> float | None:
    """Return a Pillow image's pixels to the inch, where it has a number that can be true."""
    info: Mapping[str, Any] = getattr(picture, "info", {})
    try:
        value = float(info["dpi"][0])
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) and value >= 1 else None


@contextmanager
def _as_file(image: ImageInput, dpi: float | None) -> Iterator[Path]:
    """Give a file with the picture, which has `dpi` pixels to the inch if that is a number."""
    if isinstance(image, str | os.PathLike) and dpi is None:
        yield file_path(image)
        return
    with tempfile.TemporaryDirectory(prefix="ferrocr-") as folder:
        path = Path(folder) / "picture"
        if isinstance(image, bytes | bytearray | memoryview) and dpi is None:
            path.write_bytes(image)
        else:
            _save(image, dpi, path)
        yield path


def _save(image: Any, dpi: float | None, path: Path) -> None:  # noqa: ANN401
    """Write the picture as PNG, turned upright."""
    try:
        import PIL.Image
        from PIL import ImageOps
    except ImportError as error:
        message = "searchable PDF files of pictures are made with Pillow, which is not installed"
        raise ferrocr.RuntimeUnavailableError(message, 'run: pip install "ferrocr[pdf]"') from error
    if isinstance(image, str | os.PathLike):
        image = PIL.Image.open(image)
    elif isinstance(image, bytes | bytearray | memoryview):
        image = PIL.Image.open(BytesIO(image))
    elif not hasattr(image, "getexif"):
        image = PIL.Image.fromarray(image)
    own = dpi or _dpi_of(image)
    upright = ImageOps.exif_transpose(image)
    if upright.mode not in {"1", "L", "LA", "P", "RGB", "RGBA"}:
        upright = upright.convert("RGB")
    upright.save(path, "PNG", compress_level=1, **({} if own is None else {"dpi": (own, own)}))
