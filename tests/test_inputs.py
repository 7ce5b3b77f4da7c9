"""What users hand over as a picture: every array that is one is taken, every other is refused by name."""

import io
import sys
import tracemalloc
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from conftest import draw_text
from ferrocr import ImageError, OcrEngine, OcrError
from ferrocr._engine._forms import Pixels
from ferrocr._engine._inputs import ImageInput, normalise

DTYPES = st.sampled_from(["uint8", "bool", "<u2", ">u2", "int16", "int32", "uint32", "float32", "float64"])


def any_size(_width: int, _height: int) -> None:
    """Limits that allow everything."""


def pixels_of(image: ImageInput) -> Pixels:
    """What `image` becomes where it is one that has to be converted."""
    pixels = normalise(image, any_size)
    assert isinstance(pixels, Pixels)
    return pixels


def first(image: ImageInput) -> int:
    """The first value of what `image` becomes."""
    return int(pixels_of(image).data.flat[0])


@given(hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)))
def test_an_array_is_taken_or_refused_by_name(array: np.ndarray) -> None:
    fits = array.ndim in (2, 3) and 0 not in array.shape and (array.ndim == 2 or array.shape[2] <= 4)
    fits = fits and array.dtype.str[1:] in ("u1", "b1", "u2")
    if not fits:
        with pytest.raises(ImageError):
            normalise(array, any_size)
        return
    pixels = pixels_of(array)
    assert (pixels.height, pixels.width) == array.shape[:2]
    assert pixels.data.size == pixels.width * pixels.height * pixels.channels
    assert pixels.data.dtype == np.uint8
    assert pixels.data.flags.c_contiguous


@given(
    st.integers(1, 7),
    st.integers(1, 7),
    st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I;16B", "I", "F"]),
)
def test_every_pillow_mode_is_taken(width: int, height: int, mode: str) -> None:
    pixels = pixels_of(Image.new(mode, (width, height)))
    assert (pixels.width, pixels.height) == (width, height)


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bits_become_8_in_either_byte_order(order: str) -> None:
    values = np.asarray([[0x0000, 0x00FF, 0x12FE, 0xFFFF]], dtype=f"{order}u2")
    assert pixels_of(values).data.tolist() == [[0, 0, 0x12, 0xFF]]
    mode = "I;16" if order == "<" else "I;16B"
    assert pixels_of(Image.frombytes(mode, (4, 1), values.tobytes())).data.tolist() == [[0, 0, 0x12, 0xFF]]


def test_pillow_values_keep_their_meaning() -> None:
    assert first(Image.new("1", (1, 1), 1)) == 255
    for value, byte in ((0, 0), (200, 200), (255, 255), (0x8000, 0x80), (0xFFFF, 0xFF)):
        assert first(Image.new("I", (1, 1), value)) == byte
    for level in (0.0, 2.0, 255.0):
        assert first(Image.new("F", (1, 1), level)) == level
    transparent = Image.new("P", (1, 1), 0)
    transparent.info["transparency"] = 0
    assert pixels_of(transparent).channels == 4
    turned = Image.new("L", (2, 1))
    turned.getexif()[0x0112] = 6
    pixels = pixels_of(turned)
    assert (pixels.width, pixels.height) == (1, 2)


@pytest.mark.parametrize(
    ("mode", "value"),
    [("I", -1), ("I", 65536), ("F", -0.5), ("F", 0.5), ("F", 1.0), ("F", 255.5), ("F", float("nan"))],
)
def test_pillow_values_of_unknown_range_are_refused(mode: str, value: float) -> None:
    with pytest.raises(ImageError, match=f"mode {mode}") as caught:
        normalise(Image.new(mode, (2, 2), value), any_size)
    assert caught.value.hint
    assert "mode L" in caught.value.hint


def test_sizes_are_checked_before_anything_is_converted() -> None:
    seen = []

    def refuse(width: int, height: int) -> None:
        seen.append((width, height))
        message = "too large"
        raise ImageError(message)

    huge = np.broadcast_to(np.zeros((), np.uint8), (40_000, 50_000))
    tracemalloc.start()
    try:
        for array in (huge, huge.view(np.bool_), np.broadcast_to(np.zeros((), ">u2"), (40_000, 50_000, 3))):
            with pytest.raises(ImageError, match="too large"):
                normalise(array, refuse)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    # A picture that knows its size, and that fails as soon as anybody wants its pixels.
    unread = Image.new("L", (1, 1))
    unread.load = unread.copy = unread.getexif = None  # type: ignore[assignment]
    unread._size = (60_000, 70_000)
    with pytest.raises(ImageError, match="too large"):
        normalise(unread, refuse)
    assert seen == [(50_000, 40_000)] * 3 + [(60_000, 70_000)]


def test_a_huge_array_is_refused_without_a_copy() -> None:
    huge = np.broadcast_to(np.zeros((), np.uint8), (40_000, 40_000))
    with OcrEngine(models="ppocrv6-small") as ocr:
        tracemalloc.start()
        try:
            with pytest.raises(ImageError, match="max_pixels"):
                ocr.recognize(huge)
            with pytest.raises(ImageError, match="max_"):
                ocr.recognize(np.broadcast_to(np.zeros((), np.uint8), (1, 2**33)))
            assert tracemalloc.get_traced_memory()[1] < 2**20
        finally:
            tracemalloc.stop()
        assert not ocr.loaded, "models are not loaded for it either"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"II*\0", b"RIFF"]),
)
def test_any_bytes_end_in_a_page_or_an_error(engine: OcrEngine, content: bytes, magic: bytes) -> None:
    try:
        engine.recognize(magic + content)
    except OcrError as error:
        assert str(error)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def test_numpy_may_be_in_the_middle_of_its_import(engine: OcrEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    image = draw_text(["Iron tastes of rain"])
    picture = io.BytesIO()
    image.save(picture, "PNG")
    # As another thread leaves it until it is done.
    monkeypatch.setitem(sys.modules, "numpy", types.ModuleType("numpy"))
    assert engine.recognize(picture.getvalue()).text == "Iron tastes of rain"
    with pytest.raises(ImageError, match="cannot read a picture from object"):
        engine.recognize(object())  # type: ignore[arg-type]
