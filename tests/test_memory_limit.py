"""A process that gets no memory: an error of that picture, and not the end of the process."""

import sys
from pathlib import Path

import pytest

from conftest import run_python
from ferrocr import OcrError, OutOfMemoryError
from ferrocr._engine._ahead import OF_ONE_PICTURE
from own_process import check_child

CODE = """
import io, pathlib, resource, sys
import numpy as np
from PIL import Image, TiffImagePlugin
import ferrocr
TiffImagePlugin.STRIP_SIZE = 2**31 - 1  # one strip for all of it

def encoded(picture, kind, **options):
    stored = io.BytesIO()
    picture.save(stored, kind, **options)
    return stored.getvalue()

SIDE = 5000
small, file = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
page, less = Image.new("RGB", (SIDE, SIDE), "white"), Image.new("RGB", (3000, 3000), "white")
page.save(file, compress_level=1)
array = np.full((SIDE, SIDE), 255, np.uint8)
pictures = {
    "grey PNG": encoded(page.convert("L"), "PNG", compress_level=1),
    "PNG": file.read_bytes(),
    "PNG with alpha": encoded(page.convert("RGBA"), "PNG", compress_level=1),
    "PNG of 16 bits": encoded(Image.fromarray(array.astype(np.uint16)), "PNG", compress_level=1),
    "JPEG": encoded(page, "JPEG"),
    "progressive JPEG": encoded(less, "JPEG", progressive=True),
    "lossy WebP": encoded(less, "WEBP", method=0),
    "lossless WebP": encoded(less, "WEBP", lossless=True, method=0, quality=0),
    "GIF": encoded(page, "GIF"),
    "BMP": encoded(page.convert("L"), "BMP"),
    "TIFF": encoded(page.convert("L"), "TIFF"),
    "TIFF with LZW": encoded(page, "TIFF", compression="tiff_lzw"),
    "TIFF with deflate": encoded(page, "TIFF", compression="tiff_adobe_deflate"),
    "TIFF with runs": encoded(page, "TIFF", compression="packbits"),
    "TIFF with JPEG": encoded(page, "TIFF", compression="jpeg"),
    "TIFF of 1 bit": encoded(Image.new("1", (3 * SIDE, 2 * SIDE), 1), "TIFF", compression="group4"),
    "Pillow image": page,
    "RGB array": np.full((SIDE, SIDE, 3), 255, np.uint8),
    "array of 16 bits": array.astype(np.uint16),
    "file": file,
    "grey array": array,
    "bytes that are no picture": bytes(80 << 20),
}
with ferrocr.OcrEngine(threads=1, download=False, low_memory=True) as engine:
    text = engine.recognize(small)
    size = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + (60 << 20), limits[1]))
    for name, picture in pictures.items():
        try:
            engine.recognize(picture)
        except MemoryError as error:
            assert isinstance(error, ferrocr.OutOfMemoryError) and error.hint, (name, error)
        except ferrocr.ImageError:
            assert "no picture" in name, name
        else:
            raise AssertionError(name)
        print(name)
    errors = list(engine.recognize_many([file, file]))
    assert [type(error) for error in errors] == [ferrocr.OutOfMemoryError] * 2, errors
    errors = list(engine.recognize_pages(pictures["TIFF with LZW"]))
    assert [type(error) for error in errors] == [ferrocr.OutOfMemoryError], errors
    resource.setrlimit(resource.RLIMIT_AS, limits)
    assert engine.recognize(small) == text
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limit")
def test_what_does_not_fit_is_an_error_of_its_picture(models_dir: Path, picture_file: Path, tmp_path: Path) -> None:
    assert len(check_child(CODE, picture_file, tmp_path / "page.png", models=models_dir).splitlines()) == 22


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limit")
@pytest.mark.parametrize("room", [100, 200])
def test_models_that_do_not_fit_are_an_error(models_dir: Path, room: int) -> None:
    code = """
import pathlib, resource, sys
import ferrocr
from ferrocr import _core
from ferrocr._engine import _runtime
engine = ferrocr.OcrEngine(threads=1, download=False)
_runtime.disable_telemetry()
_core.load_runtime(_runtime.find_runtime().path)
size = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
limits = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (size + (int(sys.argv[1]) << 20), limits[1]))
try:
    engine.load()
except (MemoryError, ferrocr.OcrError) as error:
    assert not engine.loaded
resource.setrlimit(resource.RLIMIT_AS, limits)
engine.load()
engine.free_resources()
"""
    ended = run_python(code, str(room), FERROCR_MODEL_DIR=str(models_dir))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_it_is_python_s_own_error_too() -> None:
    assert issubclass(OutOfMemoryError, OcrError)
    assert issubclass(OutOfMemoryError, MemoryError)
    assert OutOfMemoryError in OF_ONE_PICTURE
