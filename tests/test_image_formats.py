"""Kinds of picture files: every usual variety is read, what is cut off is refused, and others are called by name."""

import io

import pytest
from PIL import Image

from conftest import draw_text
from ferrocr import ImageError, OcrEngine

TEXT = "Order 4711 paid"


def drawn(mode: str) -> Image.Image:
    """The text in pixels of some kind."""
    picture = draw_text([TEXT], width=420)
    if mode == "I":
        return picture.convert("I")
    if mode == "I;16":
        return picture.convert("I").point(lambda value: value * 257).convert("I;16")
    if mode == "LA":
        picture.putalpha(255)
        return picture
    return picture.convert(mode)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        ("1", "group3"),
        ("1", "group4"),
        ("1", "tiff_ccitt"),
        ("P", "tiff_lzw"),
        ("LA", "raw"),
        ("I;16", "tiff_deflate"),
        ("I", "raw"),
        ("F", "raw"),
        ("RGB", "jpeg"),
        ("YCbCr", "raw"),
        ("CMYK", "packbits"),
    ],
)
def test_usual_varieties_of_tiff_are_read(engine: OcrEngine, mode: str, compression: str) -> None:
    assert engine.recognize(saved(drawn(mode), "TIFF", compression=compression)).text == TEXT


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_that_is_cut_off_is_refused(engine: OcrEngine, mode: str, *, progressive: bool) -> None:
    file = saved(drawn(mode), "JPEG", progressive=progressive, restart_marker_rows=int(progressive))
    for length in range(len(file) // 5, len(file) - 2, len(file) // 40):
        for end in (b"", b"\xff\xd9"):
            with pytest.raises(ImageError, match="is damaged: it is cut off") as caught:
                engine.recognize(file[:length] + end)
            assert caught.value.hint
    assert engine.recognize(file[:-2]).text == TEXT, "a mark is missing, and no pixel"


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_other_files_that_are_cut_off_are_refused(engine: OcrEngine, kind: str) -> None:
    file = saved(drawn("RGB"), kind)
    for share in (0.2, 0.5, 0.8, 0.95):
        with pytest.raises(ImageError, match="is damaged") as caught:
            engine.recognize(file[: int(share * len(file))])
        assert caught.value.hint


@pytest.mark.parametrize("kind", ["ICO", "PPM", "JPEG2000"])
def test_formats_that_are_not_read_have_a_name_and_a_hint(engine: OcrEngine, kind: str) -> None:
    with pytest.raises(ImageError, match=f"it is {kind.replace('G2', 'G 2')}") as caught:
        engine.recognize(saved(drawn("RGB"), kind))
    assert caught.value.hint
    assert "convert it to PNG" in caught.value.hint
