"""HEIC and AVIF, which the core does not decode: Pillow does, and needs a package beside it for HEIC.

It decodes in this process, also where the engine is isolated.
"""

import io
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from ..exceptions import ImageError, OutOfMemoryError

if TYPE_CHECKING:
    import PIL.Image

Boxed = Literal["HEIC", "AVIF"]

HEAD = 64
"""Bytes at the beginning of a file that tell these formats."""

_BRANDS: tuple[tuple[Boxed, frozenset[bytes]], ...] = (
    ("AVIF", frozenset({b"avif", b"avis"})),
    ("HEIC", frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})),
)

_PACKAGES = ("pillow_heif", "pi_heif")
"""The latter is the former without what encodes."""

_HINT = 'run: pip install "ferrocr[heif]", or convert it to PNG'


def boxed_kind(head: bytes) -> Boxed | None:
    """Return the format, as the first bytes of a file say it; None for any other."""
    if head[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(head[:4], "big"), HEAD)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    return next((kind for kind, known in _BRANDS if known & brands), None)


def open_picture(file: Path | bytes) -> "PIL.Image.Image":
    """Open a picture with Pillow, HEIC and AVIF too.

    Raises:
        ImageError: It is of one of these two formats, and the package for it is missing.
        OSError: As ``PIL.Image.open``, whose other errors are raised too.
    """
    import PIL.Image

    content = io.BytesIO(file) if isinstance(file, bytes) else file
    kind = boxed_kind(_head(file))
    if kind == "HEIC":
        return _opened_heic(file, _heif_plugin())
    if kind == "AVIF":
        _check_avif()
    return PIL.Image.open(content)


def decoded(file: Path | bytes, kind: Boxed, name: str) -> "PIL.Image.Image":
    """Open a picture of one of these formats, which messages call `name`.

    Raises:
        ImageError: It is damaged, or the package for it is missing.
        OutOfMemoryError: There is no memory for it.
    """
    try:
        return open_picture(file)
    except ImportError:
        message = f"{name} is {kind}, which is read with Pillow, and that is not installed"
        raise ImageError(message, _HINT) from None
    except ImageError as error:
        message = f"{name} is {error.for_shell()[0]}"
        raise ImageError(message, error.hint) from None
    except MemoryError:
        message = f"there is no memory for {name}"
        raise OutOfMemoryError(message, "give it smaller pictures") from None
    except TimeoutError:  # which handlers of signals raise
        raise
    except (OSError, SyntaxError, ValueError, RuntimeError) as error:
        # Pillow's own words of a file that it does not know name an object in memory.
        why = "it is damaged" if type(error).__name__ == "UnidentifiedImageError" else error
        message = f"Pillow cannot decode {name}: {why}"
        raise ImageError(message) from error


def _head(file: Path | bytes) -> bytes:
    if isinstance(file, bytes):
        return file[:HEAD]
    with file.open("rb") as opened:
        return opened.read(HEAD)


def _opened_heic(file: Path | bytes, plugin: "type[PIL.Image.Image]") -> "PIL.Image.Image":
    import PIL.Image

    # Not by Pillow's own list of plugins, which belongs to the program that imports us.
    content = io.BytesIO(file) if isinstance(file, bytes) else str(file)
    picture = plugin(content)  # type: ignore[call-arg]  # an ImageFile
    most = PIL.Image.MAX_IMAGE_PIXELS
    if most is not None and picture.width * picture.height > 2 * most:
        message = f"it has {picture.width}x{picture.height} pixels, more than Pillow's MAX_IMAGE_PIXELS allows"
        raise PIL.Image.DecompressionBombError(message)
    return picture


def _heif_plugin() -> "type[PIL.Image.Image]":
    for package in _PACKAGES:
        with suppress(ImportError):
            return cast("type[PIL.Image.Image]", import_module(package).HeifImageFile)
    message = "HEIC, which is read with pillow-heif, and that is not installed"
    raise ImageError(message, _HINT)


def _check_avif() -> None:
    with suppress(ImportError):
        from PIL import AvifImagePlugin

        if AvifImagePlugin.SUPPORTED:
            return
    message = "AVIF, which Pillow reads from 11.3 on, and this one cannot"
    raise ImageError(message, 'run: pip install --upgrade "pillow>=11.3", or convert it to PNG')
