"""Open files, what numpy makes arrays of, addresses, HEIC and AVIF: taken, or refused with what to do."""

import gzip
import io
import socket
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import draw_text
from ferrocr import ImageError, ImageNotFoundError, OcrEngine, StorageError
from ferrocr._engine._forms import Encoded, File, Pixels
from ferrocr._engine._heif import boxed_kind
from ferrocr._engine._inputs import ImageInput, normalise
from ferrocr.documents._kinds import name_of
from pdf_files import numbered


def any_size(_width: int, _height: int) -> None:
    """Limits that allow everything."""


def encoded(image: object, max_bytes: int = 1000) -> bytes:
    """The bytes of an open file."""
    form = normalise(cast("ImageInput", image), any_size, max_bytes)
    assert isinstance(form, Encoded)
    return form.data


class Dripping(io.RawIOBase):
    """Gives a few bytes at a time, and can be moved in by nobody."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._left.read(min(size, 3))


class OnlyRead:
    """Has one method."""

    def __init__(self, pieces: list[Any]) -> None:
        self._pieces = pieces

    def read(self, _size: int) -> Any:  # noqa: ANN401
        return self._pieces.pop(0) if self._pieces else b""


@given(st.binary(max_size=200))
def test_any_open_file_is_read_whole(content: bytes) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a", content)
    with tempfile.TemporaryFile() as file, tempfile.SpooledTemporaryFile() as spooled:
        file.write(content)
        spooled.write(content)
        for opened in (
            io.BytesIO(content),
            io.BufferedReader(io.BytesIO(content)),
            Dripping(content),
            OnlyRead([content]),
            OnlyRead([bytearray(content)]),
            file,
            spooled,
            gzip.open(io.BytesIO(gzip.compress(content))),  # noqa: SIM115  # nothing of the system is open
            zipfile.ZipFile(packed).open("a"),  # noqa: SIM115
        ):
            assert encoded(opened) == content


def test_a_file_is_read_from_its_start_where_one_can_move_in_it() -> None:
    buffer = io.BytesIO()
    buffer.write(b"abc")
    assert encoded(buffer) == b"abc"
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"abc")
        there.shutdown(socket.SHUT_WR)
        with here.makefile("rb") as file:
            assert encoded(file) == b"abc"


def test_no_more_is_read_than_is_allowed() -> None:
    class Endless:
        taken = 0

        def read(self, size: int) -> bytes:
            assert size <= 2**20
            self.taken += size
            return b"x" * size

    endless = Endless()
    with pytest.raises(ImageError, match="longer than max_bytes=1000"):
        encoded(endless)
    assert endless.taken == 1001
    assert len(encoded(io.BytesIO(b"x" * 1000))) == 1000


def closed() -> io.BytesIO:
    file = io.BytesIO(b"x")
    file.close()
    return file


async def coroutine(_size: int) -> bytes:
    return b""


class Awaited:
    read = staticmethod(coroutine)


class Failing:
    def read(self, _size: int) -> bytes:
        raise ConnectionResetError(104, "reset by peer")


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: io.StringIO("abc"), ImageError, 'open(path, "rb")'),
        (closed, StorageError, "closed file"),
        (Failing, StorageError, "reset by peer"),
        (Awaited, ImageError, "await what its read() gives"),
        (lambda: OnlyRead([None]), ImageError, "gives NoneType"),
        (lambda: OnlyRead([[1, 2]]), ImageError, "gives list"),
    ],
)
def test_a_file_that_gives_no_bytes_is_refused(make: Callable[[], object], error: type[Exception], told: str) -> None:
    with pytest.raises(error) as caught:
        encoded(make())
    assert told in str(caught.value)


class Tensor:
    """An object that other libraries would have, which gives an array."""

    def __init__(self, array: object, *, shape: object = None) -> None:
        self._array = array
        if shape is not None:
            self.shape = shape

    def __array__(self, *_arguments: object, **_options: object) -> Any:  # noqa: ANN401
        if isinstance(self._array, Exception):
            raise self._array
        return self._array


def test_what_numpy_makes_an_array_of_is_taken() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)

    class Interface:
        __array_interface__ = array.__array_interface__

    for image in (Tensor(array), Tensor(array, shape=(2, 4, 3)), Interface()):
        pixels = normalise(cast("ImageInput", image), any_size)
        assert isinstance(pixels, Pixels)
        assert pixels.data.tolist() == array.tolist()


def test_what_is_no_array_of_pixels_is_refused() -> None:
    with pytest.raises(ImageError, match="can't convert cuda") as caught:
        normalise(Tensor(TypeError("can't convert cuda tensor")), any_size)
    assert "tensor.cpu()" in str(caught.value.hint)
    with pytest.raises(ImageError, match=r"shape \(3, 20, 30\)") as caught:
        normalise(Tensor(np.zeros((3, 20, 30), np.uint8)), any_size)
    assert "numpy.moveaxis(array, 0, -1)" in str(caught.value.hint)
    with pytest.raises(ImageError, match="float64"):
        normalise(Tensor(np.zeros((20, 30))), any_size)

    def refuse(width: int, height: int) -> None:
        message = f"{width}x{height} is too large"
        raise ImageError(message)

    with pytest.raises(ImageError, match="50000x40000"):
        normalise(Tensor(AssertionError("nothing is made of it"), shape=(40_000, 50_000, 3)), refuse)
    with pytest.raises(ImageError, match="from object"):
        normalise(cast("ImageInput", object()), any_size)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://user:secret@a.example/scan.png", "urlopen(address)"),
        ("HTTP://a.example/scan.pdf", "urlopen(address)"),
        ("s3://bucket/key", "urlopen(address)"),
        ("file:///tmp/scan.png", "without file://"),
        (f"data:image/png;base64,{'A' * 5000}", "base64.b64decode"),
    ],
)
def test_an_address_is_refused_with_what_to_do(address: str, told: str) -> None:
    for look in (lambda: normalise(address, any_size), lambda: name_of(address)):
        with pytest.raises(ImageNotFoundError, match="addresses are not opened") as caught:
            look()
        assert told in str(caught.value.hint)
        assert "secret" not in str(caught.value)
        assert len(str(caught.value)) < 300
        assert isinstance(caught.value, FileNotFoundError)
    if told.startswith("urlopen"):
        assert "curl -s ADDRESS | ferrocr read -" in str(caught.value.shell_hint)


def test_a_file_that_is_called_like_an_address_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:" / "bucket").mkdir(parents=True)
    (tmp_path / "s3:" / "bucket" / "key").touch()
    assert normalise("s3://bucket/key", any_size) == File(Path("s3:/bucket/key"))
    assert normalise("C:\\scans\\a.png", any_size) == File(Path("C:\\scans\\a.png"))


# HEIC and AVIF


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf", "AVIF"),
        (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B", "AVIF"),
        (b"\0\0\0\x20ftypisom\0\0\0\0isomiso2avc1mp41", None),
        (b"\0\0\0\x10ftypisom\0\0\0\0heic", None),
        (b"\xff\xff\xff\xffftypisom\0\0\0\0iso2", None),
        (b"\0\0\0\x18ftyp", None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"", None),
    ],
)
def test_they_are_told_by_their_content(head: bytes, kind: str | None) -> None:
    assert boxed_kind(head) == kind


@given(st.binary(max_size=80))
def test_any_head_has_an_answer(head: bytes) -> None:
    assert boxed_kind(head) is None or head[4:8] == b"ftyp"


def written(kind: str, path: Path) -> Path:
    """A picture with its turn, as a camera writes it."""
    picture = draw_text(["Order 4711"], width=400).convert("RGB")
    turn = picture.getexif()
    turn[0x0112] = 6
    turned = picture.rotate(90, expand=True)
    if kind == "HEIC":
        pytest.importorskip("pillow_heif").from_pillow(turned).save(path, exif=turn.tobytes())
    else:
        if not pytest.importorskip("PIL.AvifImagePlugin").SUPPORTED:
            pytest.skip("this Pillow has no AVIF")
        turned.save(path, "AVIF", exif=turn.tobytes())
    return path


@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
def test_they_become_upright_pixels(kind: str, tmp_path: Path) -> None:
    path = written(kind, tmp_path / "photo")
    expected = np.asarray(draw_text(["Order 4711"], width=400).convert("RGB")).astype(int)
    for image in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        pixels = normalise(image, any_size)
        assert isinstance(pixels, Pixels)
        assert abs(pixels.data.astype(int) - expected).mean() < 3
    with pytest.raises(ImageError, match="max_bytes"):
        normalise(path, any_size, 100)
    content = path.read_bytes()
    for cut in (30, 60, len(content) // 2):
        with pytest.raises(ImageError, match="decode"):
            normalise(content[:cut], any_size)


def test_a_large_one_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def refuse(width: int, height: int) -> None:
        message = f"{width}x{height}"
        raise ImageError(message)

    with pytest.raises(ImageError, match=r"128x400|400x128"):
        normalise(written("AVIF", tmp_path / "photo"), refuse)


@pytest.mark.parametrize(
    ("missing", "brand", "told"),
    [
        ({"pillow_heif", "pi_heif"}, b"heic", 'run: pip install "ferrocr[heif]", or convert it to PNG'),
        ({"PIL"}, b"heic", 'run: pip install "ferrocr[heif]", or convert it to PNG'),
        ({"PIL"}, b"avif", 'run: pip install "ferrocr[heif]", or convert it to PNG'),
        ({"PIL.AvifImagePlugin"}, b"avif", 'run: pip install --upgrade "pillow>=11.3", or convert it to PNG'),
    ],
)
def test_what_is_missing_for_them_is_named(
    missing: set[str], brand: bytes, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    if "PIL.AvifImagePlugin" in missing:
        import PIL

        monkeypatch.delattr(PIL, "AvifImagePlugin", raising=False)
    content = b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" + brand
    (tmp_path / "photo").write_bytes(content)
    with pytest.raises(ImageError, match=f"photo is {brand.decode().upper()}") as caught:
        normalise(tmp_path / "photo", any_size)
    assert caught.value.hint == told


# With the engine


def test_an_engine_reads_open_files(engine: OcrEngine, picture_file: Path) -> None:
    expected = engine.recognize(picture_file)
    content = picture_file.read_bytes()
    with picture_file.open("rb") as file:
        assert engine.recognize(file) == expected
    assert engine.recognize(Dripping(content)) == expected
    assert list(engine.recognize_many([io.BytesIO(content)] * 2)) == [expected] * 2
    assert engine.recognize(Tensor(np.asarray(Image.open(picture_file)))) == expected
    document = engine.recognize_document(io.BytesIO(content))
    assert (document.pages[0].page, document.source) == (expected, None)


def test_an_engine_reads_documents_from_open_files(reader: OcrEngine) -> None:
    pytest.importorskip("pypdfium2")
    document = reader.recognize_document(Dripping(numbered(2)), text_layer="only")
    assert document.page_count == 2
    (one, two) = reader.recognize_pages(io.BytesIO(numbered(2)), text_layer="only", on_error="raise")
    assert (one, two) == document.pages


def test_an_address_among_pictures_is_an_error_in_its_place(engine: OcrEngine, picture_file: Path) -> None:
    error, page = engine.recognize_many(["https://a.example/b.png", picture_file])
    assert isinstance(error, ImageNotFoundError)
    assert page == engine.recognize(picture_file)


@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
def test_an_engine_reads_them(kind: str, engine: OcrEngine, tmp_path: Path) -> None:
    path = written(kind, tmp_path / "photo")
    page = engine.recognize(path)
    assert page.text == "Order 4711"
    assert page.draw(path).size == (page.width, page.height)
    assert engine.recognize_document(path.read_bytes()).text == "Order 4711"
