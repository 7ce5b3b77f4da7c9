"""What users hand over as a picture: every array that is one is taken, every other is refused by name."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from ferrocr import ImageError, OcrEngine, OcrError
from ferrocr._inputs import Pixels, normalise

SIDES = st.integers(0, 9)
DTYPES = st.sampled_from([np.uint8, np.bool_, np.uint16, np.int32, np.float32, np.float64])


@given(hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)))
def test_an_array_is_taken_or_refused_by_name(array: np.ndarray) -> None:
    fits = array.ndim in (2, 3) and 0 not in array.shape and (array.ndim == 2 or array.shape[2] <= 4)
    fits = fits and array.dtype in (np.uint8, np.bool_, np.uint16)
    if not fits:
        with pytest.raises(ImageError):
            normalise(array)
        return
    pixels = normalise(array)
    assert isinstance(pixels, Pixels)
    assert (pixels.height, pixels.width) == array.shape[:2]
    assert pixels.data.size == pixels.width * pixels.height * pixels.channels
    assert pixels.data.dtype == np.uint8
    assert pixels.data.flags.c_contiguous


@given(
    st.integers(1, 7),
    st.integers(1, 7),
    st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"]),
)
def test_every_pillow_mode_is_taken(width: int, height: int, mode: str) -> None:
    pixels = normalise(Image.new(mode, (width, height)))
    assert isinstance(pixels, Pixels)
    assert (pixels.width, pixels.height) == (width, height)


def test_pillow_values_keep_their_meaning() -> None:
    def first(image: Image.Image) -> int:
        pixels = normalise(image)
        assert isinstance(pixels, Pixels)
        return int(pixels.data.flat[0])

    assert first(Image.new("1", (1, 1), 1)) == 255
    assert first(Image.new("I;16", (1, 1), 0x8000)) == 0x80
    assert first(Image.new("F", (1, 1), 300.0)) == 255
    transparent = Image.new("P", (1, 1), 0)
    transparent.info["transparency"] = 0
    pixels = normalise(transparent)
    assert isinstance(pixels, Pixels)
    assert pixels.channels == 4
    turned = Image.new("L", (2, 1))
    turned.getexif()[0x0112] = 6
    pixels = normalise(turned)
    assert isinstance(pixels, Pixels)
    assert (pixels.width, pixels.height) == (1, 2)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"II*\0", b"RIFF"]),
)
def test_any_bytes_end_in_a_page_or_an_error(engine: OcrEngine, content: bytes, magic: bytes) -> None:
    try:
        engine.recognize(magic + content)
    except OcrError as error:
        assert str(error)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_ends_in_a_page_or_an_error(
    engine: OcrEngine, damaged_source: dict[str, bytes], data: st.DataObject
) -> None:
    content = bytearray(damaged_source[data.draw(st.sampled_from(sorted(damaged_source)))])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        engine.recognize(bytes(content[: data.draw(st.integers(1, len(content)))]))
    except OcrError as error:
        assert str(error)


@pytest.fixture(scope="module")
def damaged_source(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small picture in every format."""
    folder = tmp_path_factory.mktemp("formats")
    picture = Image.effect_noise((48, 40), 50).convert("RGB")
    files = {}
    for suffix in ("png", "jpg", "tiff", "bmp", "gif", "webp"):
        path = Path(folder) / f"p.{suffix}"
        picture.save(path)
        files[suffix] = path.read_bytes()
    return files
