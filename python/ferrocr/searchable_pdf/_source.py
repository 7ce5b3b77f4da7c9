"""Documents of every form as files, which is how they are opened here."""

import io
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from .._engine._inputs import ImageInput, file_path, normalise
from .._engine._readable import settled
from ..exceptions import StorageError


def as_file(source: ImageInput, opened: ExitStack) -> Path:
    """Return the document's file; one for as long as `opened` is, where it has none.

    Raises:
        ImageError: It is no picture and no document.
        StorageError: It cannot be read, or the file cannot be written.
    """
    if isinstance(source, str | os.PathLike):
        return file_path(source)
    content = settled(source, sys.maxsize)
    data = bytes(content) if isinstance(content, bytes | bytearray | memoryview) else _encoded(content)
    try:
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="ferrocr-"))
        path = Path(folder) / "document"
        path.write_bytes(data)
    except OSError as error:
        message = f"cannot write a temporary file: {error}"
        raise StorageError(message, "make room, or name another place with TMPDIR") from error
    return path


def _encoded(image: ImageInput) -> bytes:
    """Return a picture in memory as PNG, without its resolution but where it is Pillow's."""
    import PIL.Image

    if isinstance(image, PIL.Image.Image):
        picture = image
    else:
        from .._engine._forms import Pixels

        pixels = normalise(image, _any_size)
        assert isinstance(pixels, Pixels)
        data = pixels.data.reshape(pixels.height, pixels.width) if pixels.channels == 1 else pixels.data
        picture = PIL.Image.fromarray(data)
    out = io.BytesIO()
    if picture.mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        picture.save(out, "PNG", dpi=picture.info.get("dpi"), exif=picture.getexif())
    else:
        from .._engine._pixels import from_pillow

        seen = PIL.Image.fromarray(from_pillow(picture, _any_size).data)
        seen.save(out, "PNG", dpi=picture.info.get("dpi"))
    return out.getvalue()


def _any_size(_width: int, _height: int) -> None:
    pass
