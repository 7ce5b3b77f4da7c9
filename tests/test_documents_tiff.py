"""TIFF files with several pages: each comes by its number, in all kinds of pixels, under the limits."""

from pathlib import Path

import pytest
from PIL import Image

from conftest import draw_text
from ferrocr import DocumentPage, ImageError, InvalidArgumentError, OcrEngine, OcrError, ResourcesFreedError


def drawn(number: int, mode: str = "L") -> Image.Image:
    """A page that says its number."""
    return draw_text([f"sheet {number}"], width=260 + 10 * number).convert(mode)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Pages of all kinds of pixels and several compressions."""
    path = tmp_path / "pages.tif"
    modes = ["1", "L", "RGB", "RGBA", "I;16", "CMYK"]
    pages = [drawn(number, mode) for number, mode in enumerate(modes, 1) if mode != "I;16"]
    pages.insert(4, Image.eval(drawn(5), lambda value: value).convert("I;16"))
    pages[4] = pages[4].point(lambda value: value * 257)
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_lzw")
    return path


def test_pages_come_by_their_numbers(two: OcrEngine, file: Path) -> None:
    for source in (file, str(file), file.read_bytes()):
        document = two.recognize_document(source, text_layer="auto")
        assert [(page.number, page.text) for page in document.pages] == [(n, f"sheet {n}") for n in range(1, 7)]
        assert document.page_count == 6
        assert {(page.origin, page.size, page.dpi) for page in document.pages} == {("ocr", None, None)}
        pages = list(two.recognize_pages(source, pages="6,2", ahead=0))
        assert [page.number for page in pages if isinstance(page, DocumentPage)] == [6, 2]
        assert pages == [document.pages[5], document.pages[1]]
    assert document.pages[0].page == two.recognize(file)
    with pytest.raises(InvalidArgumentError, match="no page 7"):
        two.recognize_document(file, pages="7")


def test_pages_have_the_resolution_that_they_say(two: OcrEngine, tmp_path: Path) -> None:
    file = tmp_path / "scans.tif"
    drawn(1).save(file, save_all=True, append_images=[drawn(2)], dpi=(300, 300))
    document = two.recognize_document(file)
    assert [(page.dpi, page.size) for page in document.pages] == [(300, None)] * 2
    drawn(1).save(file, dpi=(204, 98))
    assert two.recognize_document(file).pages[0].dpi is None


@pytest.mark.parametrize("compression", ["group4", "packbits", "tiff_deflate", "jpeg", "raw"])
def test_all_compressions_are_read(two: OcrEngine, tmp_path: Path, compression: str) -> None:
    file = tmp_path / "pages.tiff"
    pages = [drawn(number, "1" if compression == "group4" else "L") for number in (1, 2, 3)]
    pages[0].save(file, save_all=True, append_images=pages[1:], compression=compression)
    assert two.recognize_document(file).text == "sheet 1\n\nsheet 2\n\nsheet 3"


@pytest.mark.parametrize("big", [False, True])
def test_both_forms_of_the_file_are_read(two: OcrEngine, tmp_path: Path, *, big: bool) -> None:
    file = tmp_path / "pages.tiff"
    drawn(1).save(file, save_all=True, append_images=[drawn(2)], big_tiff=big)
    assert two.recognize_document(file).text == "sheet 1\n\nsheet 2"


def test_a_file_that_is_cut_has_an_error_in_the_place_of_the_rest(two: OcrEngine, tmp_path: Path) -> None:
    whole, file = tmp_path / "whole.tif", tmp_path / "cut.tif"
    drawn(1).save(whole, save_all=True, append_images=[drawn(2), drawn(3)])
    content = whole.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3 - 1000])
    results = list(two.recognize_pages(file))
    assert isinstance(results[0], DocumentPage)
    assert results[0].text == "sheet 1"
    last = results[-1]
    assert isinstance(last, ImageError)
    assert (last.page, f"page {last.page} of {file}: " in str(last)) == (len(results), True)
    with pytest.raises(ImageError):
        two.recognize_document(file)
    for broken in (b"II*\0", b"MM\0*\0\0\0\x08", b"II*\0\xff\xff\xff\xff"):
        file.write_bytes(broken)
        with pytest.raises(ImageError, match=r"cut\.tif.*damaged"):
            two.recognize_pages(file)


def test_limits_hold_for_every_page(models_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "pages.tif"
    large = Image.new("L", (3000, 3000), 255)
    drawn(1).save(file, save_all=True, append_images=[large, drawn(3)])
    with OcrEngine(model_dir=models_dir, download=False, max_pixels=1_000_000) as engine:
        first, second, third = engine.recognize_pages(file)
        assert isinstance(first, DocumentPage)
        assert isinstance(third, DocumentPage)
        assert isinstance(second, ImageError)
        assert "max_pixels" in str(second)
        assert second.page == 2


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="reads /proc")
def test_the_file_is_closed_at_the_end_and_by_a_release(models_dir: Path, file: Path) -> None:
    def handles() -> int:
        return sum(handle.is_symlink() and handle.readlink() == file for handle in Path("/proc/self/fd").iterdir())

    engine = OcrEngine(model_dir=models_dir, download=False, threads=2)
    assert len(list(engine.recognize_pages(file))) == 6
    assert handles() == 0
    pages = engine.recognize_pages(file)
    next(pages)
    assert handles() == 1
    engine.free_resources()
    assert handles() == 0
    with pytest.raises(ResourcesFreedError):
        next(pages)


def test_real_files_have_the_pages_that_pillow_counts(engine: OcrEngine, shared_data: Path) -> None:
    file = shared_data / "smoke" / "forms_3pages_g4.tif"
    with Image.open(file) as image:
        assert getattr(image, "n_frames", 1) == 3
    pages = list(engine.recognize_pages(file))
    assert [page.page if isinstance(page, OcrError) else page.number for page in pages] == [1, 2, 3]
    assert all(isinstance(page, DocumentPage) and len(page.text) > 100 for page in pages)
