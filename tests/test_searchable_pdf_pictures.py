"""Pictures of every kind as pages of searchable PDF files."""

import io
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from ferrocr import ImageError, Page
from ferrocr.formats import Sheet
from ferrocr.formats.pdf import SearchablePdf
from searchable import check, found_boxes, line_of, pdfium, raw

pytest.importorskip("img2pdf", reason="img2pdf is not installed")


def shade(mode: str = "RGB", size: tuple[int, int] = (120, 80)) -> Image.Image:
    """A picture whose corners differ."""
    return Image.linear_gradient("L").resize(size).rotate(20, fillcolor=90).convert(mode)


def made(file: Path, number: int = 1) -> tuple[tuple[float, float], Image.Image, bytes]:
    """Of the PDF of a picture: the size in points, the picture on a page, and the file with a word on that page."""
    out = io.BytesIO()
    with SearchablePdf(file) as pdf:
        pdf.add(Sheet(Page(120, 80, (line_of("rain", 10, 10),)), number=number))
        pdf.save(out)
    content = out.getvalue()
    check(content)
    with pdfium().PdfDocument(content) as document:
        page = document[number - 1]
        assert page.get_textpage().get_text_range() == "rain"
        (picture,) = page.get_objects([raw().FPDF_PAGEOBJ_IMAGE])
        assert isinstance(picture, pdfium().PdfImage)
        return page.get_size(), page.render(scale=120 / page.get_width()).to_pil().convert("RGB"), content


def looks(picture: Image.Image) -> list[int]:
    """Grey values of its corners, roughly."""
    small = picture.convert("L").resize((3, 2))
    return [round(value / 24) for value in small.tobytes()]


def test_a_jpeg_goes_in_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    shade().save(file, dpi=(150, 150))
    size, _, content = made(file)
    assert size == pytest.approx((120 * 72 / 150, 80 * 72 / 150), abs=0.01)
    assert file.read_bytes() in content


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_it_says(orientation: int, tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = shade()
    method = (None, 0, 3, 1, 5, 2, 6, 4)[orientation - 1]
    stored = upright if method is None else upright.transpose(Image.Transpose(method))
    stored.save(file, exif=exif, quality=95)
    size, seen, content = made(file)
    assert size == pytest.approx((120 * 72 / 300, 80 * 72 / 300), abs=0.01)
    assert looks(seen) == pytest.approx(looks(upright), abs=1)
    ((_, box),) = found_boxes(content, (120, 80))
    assert box == pytest.approx([10, 10, 58, 30], abs=1.5)


SAVED: dict[str, Callable[[Path], None]] = {
    "grey.png": lambda path: shade("L").save(path),
    "colour.png": lambda path: shade().save(path),
    "palette.png": lambda path: shade().quantize(16).save(path),
    "two colours.png": lambda path: shade("1").save(path),
    "16 bits.png": lambda path: Image.fromarray(__import__("numpy").asarray(shade("L")).astype("uint16") * 257).save(
        path
    ),
    "alpha.png": lambda path: shade("RGBA").save(path),
    "transparent.gif": lambda path: shade("P").save(path, transparency=3),
    "a.webp": lambda path: shade().save(path, lossless=True),
    "a.bmp": lambda path: shade().save(path),
    "cmyk.jpg": lambda path: shade("CMYK").save(path),
    "cmyk.tif": lambda path: shade("CMYK").save(path),
    "fax.tif": lambda path: shade("1").save(path, compression="group4"),
}


@pytest.mark.parametrize("name", SAVED)
def test_pictures_of_every_kind_become_pages(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    SAVED[name](file)
    _, seen, _ = made(file)
    if not name.startswith(("two", "fax", "transparent")):
        assert looks(seen) == pytest.approx(looks(shade()), abs=2)  # programs differ in what they make of CMYK


def test_pictures_that_can_be_seen_through_lie_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (120, 80), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert made(tmp_path / "a.png")[1].getpixel((100, 60)) == (255, 255, 255)


def test_each_page_of_a_tiff_becomes_one(tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    pages = [shade(), shade("1", (60, 40)), shade("L")]
    pages[0].save(file, save_all=True, append_images=pages[1:], dpi=(100, 200))
    size, seen, content = made(file, 3)
    assert size == pytest.approx((86.4, 28.8), abs=0.01)
    assert looks(seen.resize((120, 80))) == pytest.approx(looks(shade()), abs=1)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert len(pdf.pages) == 3


def test_small_copies_in_a_tiff_are_no_pages(tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    with Image.new("L", (8, 8)) as small:
        small.encoderinfo = {}
        shade().save(file, save_all=True, append_images=[small, shade("L")])
    from PIL import TiffImagePlugin

    with TiffImagePlugin.AppendingTiffWriter(str(file)) as writer:
        del writer
    content = bytearray(file.read_bytes())
    # The second directory says that it is a smaller copy of another one, where its width was said.
    start = int.from_bytes(content[4:8], "little")
    entries = int.from_bytes(content[start : start + 2], "little")
    second = int.from_bytes(content[start + 2 + 12 * entries :][:4], "little")
    count = int.from_bytes(content[second : second + 2], "little")
    listed = [content[second + 2 + 12 * at :][:12] for at in range(count)]
    marked = (254).to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little") * 2
    rest = [entry for entry in listed if int.from_bytes(entry[:2], "little") not in (254, 305)]
    entries_new = sorted([marked, *map(bytes, rest)], key=lambda entry: int.from_bytes(entry[:2], "little"))
    after = content[second + 2 + 12 * count :][:4]
    place = len(content)
    content += len(entries_new).to_bytes(2, "little") + b"".join(entries_new) + after
    content[start + 2 + 12 * entries : start + 6 + 12 * entries] = place.to_bytes(4, "little")
    file.write_bytes(content)
    with pikepdf.open(io.BytesIO(made(file, 2)[2])) as pdf:
        assert len(pdf.pages) == 2


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow says so, and ends there
def test_a_tiff_whose_chain_is_broken_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    shade().save(file, save_all=True, append_images=[shade("L")])
    content = bytearray(file.read_bytes())
    start = int.from_bytes(content[4:8], "little")
    entries = int.from_bytes(content[start : start + 2], "little")
    after = start + 2 + 12 * entries
    content[after : after + 4] = (len(content) + 1000).to_bytes(4, "little")
    file.write_bytes(content)
    with pytest.raises(ImageError):
        SearchablePdf(file)
