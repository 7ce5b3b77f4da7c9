"""The annotated picture: what is drawn where, and on which pictures."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from PIL import Image

from conftest import run_python
from ferrocr import ImageError, ImageNotFoundError, InvalidArgumentError, Line, Page, PillowMissingError, StorageError
from ferrocr.formats import Sheet
from ferrocr.formats.draw import draw
from format_pages import BLANK, PLAIN, UP, Quad, line_of, sheets, upright

BLUE, ORANGE, RED = (0, 114, 178), (213, 94, 0), (204, 0, 85)


def paper(page: Page, colour: str = "white") -> Image.Image:
    """An empty picture for a page."""
    return Image.new("RGB", (page.width, page.height), colour)


def drawn(page: Page, **options: bool) -> npt.NDArray[np.bool_]:
    """Where the picture is not paper any more."""
    pixels: npt.NDArray[np.uint8] = np.asarray(page.draw(paper(page), **options))
    changed: npt.NDArray[np.bool_] = np.any(pixels != 255, axis=2)
    return changed


def test_lines_and_blocks_are_outlined_and_the_picture_is_left_alone() -> None:
    picture = paper(PLAIN)
    result = PLAIN.draw(picture, numbers=False, scores=False)
    assert result is not picture
    assert picture.getcolors() == [(320 * 120, (255, 255, 255))]
    assert result.mode == "RGB"
    for line in PLAIN.lines:
        for x, y in line.quad:
            assert result.getpixel((int(x), int(y))) != (255, 255, 255)
    assert result.getpixel((20, 35)) != (255, 255, 255), "the block's left edge, between its lines"
    assert result.getpixel((150, 50)) == (255, 255, 255)


@pytest.mark.parametrize(("score", "colour"), [(1.0, BLUE), (0.95, BLUE), (0.94, ORANGE), (0.8, ORANGE), (0.3, RED)])
def test_the_colour_says_how_sure_a_line_is(score: float, colour: tuple[int, int, int]) -> None:
    page = Page(200, 100, (line_of("x", 50, 50, score=score),))
    assert page.draw(paper(page)).getpixel((50, 60)) == colour


def test_labels_can_be_left_out() -> None:
    both, numbers, scores, none = (
        drawn(PLAIN, numbers=a, scores=b).sum() for a, b in ((True, True), (True, False), (False, True), (False, False))
    )
    assert both > numbers > none
    assert both > scores > none


def test_words_are_outlined_when_asked_for() -> None:
    assert drawn(PLAIN, words=True).sum() > drawn(PLAIN).sum()


@pytest.mark.parametrize(
    ("quad", "plate"),
    [
        (upright(150, 100, 250, 120), (148, 110)),  # to its left
        (((150, 120), (50, 120), (50, 100), (150, 100)), (152, 110)),  # upside down: to its right
        (((150, 150), (150, 60), (170, 60), (170, 150)), (160, 153)),  # runs up: below it
        (upright(2, 100, 90, 120), (4, 97)),  # no room: above it
    ],
)
def test_a_label_stands_before_the_start_of_its_line(quad: Quad, plate: tuple[int, int]) -> None:
    page = Page(300, 200, (Line("x", 0.9, quad, ()),))
    x, y = plate
    assert drawn(page)[y, x]
    assert not drawn(page, numbers=False, scores=False)[y, x]


def test_a_label_of_a_line_at_the_edge_is_on_the_picture() -> None:
    page = Page(300, 200, (Line("x", 0.9, upright(290, 0, 300, 10), ()),))
    changed = drawn(page)
    assert changed[:, :285].any(), "moved to the left"
    assert changed[:20].any()


def test_a_page_without_lines_changes_nothing() -> None:
    assert not drawn(BLANK).any()
    assert drawn(UP).any()


@settings(max_examples=40)
@given(sheets)
def test_any_page_can_be_drawn(sheet: Sheet) -> None:
    assert sheet.page.draw(paper(sheet.page)).size == (sheet.page.width, sheet.page.height)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_pictures_of_any_mode_are_drawn_on(mode: str) -> None:
    picture = Image.new(mode, (320, 120))
    assert np.asarray(PLAIN.draw(picture)).shape == (120, 320, 3)


def test_what_is_transparent_is_white() -> None:
    picture = Image.new("RGBA", (320, 120), (0, 0, 0, 0))
    assert PLAIN.draw(picture).getpixel((310, 10)) == (255, 255, 255)


def test_a_file_is_opened_and_turned_as_its_exif_data_say(tmp_path: Path) -> None:
    sideways = Image.new("RGB", (120, 320), "white")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    sideways.save(tmp_path / "a.jpg", exif=exif)
    for image in (tmp_path / "a.jpg", str(tmp_path / "a.jpg")):
        assert PLAIN.draw(image).size == (320, 120)
    with Image.open(tmp_path / "a.jpg") as opened:
        assert draw(PLAIN, opened).size == (320, 120)


def test_another_picture_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="the picture has 321x120 pixels, and the page 320x120"):
        PLAIN.draw(Image.new("RGB", (321, 120)))


def test_a_file_that_is_no_picture_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match="cannot decode"):
        PLAIN.draw(tmp_path / "a.png")
    with pytest.raises(ImageNotFoundError, match="there is no picture file"):
        PLAIN.draw(tmp_path / "b.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(StorageError, match="no regular file") as caught:
            PLAIN.draw(path)
        assert caught.value.hint is not None


def test_without_pillow_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['PIL'] = None\n"
        "import ferrocr\n"
        "try: ferrocr.Page(1, 1, ()).draw('a.png')\n"
        "except ferrocr.PillowMissingError as error: print(error); assert isinstance(error, ImportError)\n"
    )
    done = run_python(code)
    assert done.stdout == "drawing needs Pillow, which is not installed\nrun: pip install 'ferrocr[draw]'\n", (
        done.stderr
    )
    assert issubclass(PillowMissingError, ImportError)
