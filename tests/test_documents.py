"""Documents of any kind: which pages are read, what comes of a picture, and what is refused."""

import asyncio
import itertools
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import draw_text, run_python
from ferrocr import (
    Document,
    DocumentPage,
    ImageError,
    ImageNotFoundError,
    InvalidArgumentError,
    OcrEngine,
    OcrError,
    Page,
    ResourcesFreedError,
    StorageError,
)
from ferrocr._engine._pictures import Pictures
from ferrocr.documents._page_numbers import PageNumbers, Wanted

# --- which pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pages", "numbers"),
    [
        (None, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("1", [1]),
        ("1-3,7", [1, 2, 3, 7]),
        ("7,1-3", [7, 1, 2, 3]),
        ("5-", [5, 6, 7, 8, 9]),
        ("9-", [9]),
        (" 1 - 2 , 4 ", [1, 2, 4]),
        ("2,2", [2, 2]),
        ("3-3", [3]),
        ([], []),
        ([9, 1], [9, 1]),
        (range(2, 5), [2, 3, 4]),
        (np.asarray([1, 9]), [1, 9]),
        (iter([4, 5]), [4, 5]),
    ],
)
def test_pages_come_as_they_are_named(pages: PageNumbers | None, numbers: list[int]) -> None:
    assert list(Wanted(pages).among(9, "a.pdf")) == numbers


@pytest.mark.parametrize(
    ("pages", "says"),
    [
        ("", "'' is neither"),
        ("1,,2", "'' is neither"),
        ("a", "'a' is neither"),
        ("-3", "'-3' is neither"),
        ("1-2-3", "'1-2-3' is neither"),
        ("1.5", "'1.5' is neither"),
        ("0", "no page 0"),
        ("0-3", "no page 0"),
        ("3-1", "'3-1' ends before it begins"),
        ("\u0663", "is neither"),
        ("1" * 5000, "is neither"),
        (3, "several int"),
        (b"1", "several int"),
        ([0], "not 0"),
        ([-1], "not -1"),
        ([True], "not True"),
        ([1.0], "not 1.0"),
        (["1"], "not '1'"),
    ],
)
def test_what_is_no_list_of_pages_is_refused(pages: PageNumbers, says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says) as caught:
        Wanted(pages)
    assert caught.value.hint
    assert "the first page is 1" in caught.value.hint


@pytest.mark.parametrize("pages", ["10", "1-10", "10-", "5,999999999999999999", [1, 10], "1-999999999999999999"])
def test_pages_that_the_document_has_not_are_refused_at_once(pages: PageNumbers) -> None:
    with pytest.raises(InvalidArgumentError, match=r"there is no page \d+ in a\.pdf, which has 9\n.*are 1 to 9"):
        Wanted(pages).among(9, "a.pdf")


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 40), st.booleans()), min_size=1), st.data())
def test_spans_are_what_they_say(spans: list[tuple[int, int, bool]], data: st.DataObject) -> None:
    parts, numbers = list[str](), list[int]()
    for first, more, is_open in spans:
        last = 80 if is_open else first + more
        alone = more == 0 and not is_open and data.draw(st.booleans())
        parts.append(str(first) if alone else f"{first}-{'' if is_open else last}")
        numbers += range(first, last + 1)
    blank = data.draw(st.sampled_from(["", " "]))
    assert list(Wanted(f"{blank},{blank}".join(parts)).among(80, "it")) == numbers
    assert list(Wanted(numbers).among(80, "it")) == numbers


@given(st.text(alphabet="0123456789-, x", max_size=12), st.integers(1, 30))
def test_any_text_is_a_list_of_pages_or_refused(text: str, count: int) -> None:
    try:
        numbers = list(itertools.islice(Wanted(text).among(count, "it"), 1000))
    except InvalidArgumentError as error:
        assert str(error)
    else:
        assert all(1 <= number <= count for number in numbers)


# --- arguments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"dpi": 0}, "dpi"),
        ({"dpi": float("nan")}, "dpi"),
        ({"dpi": float("inf")}, "dpi"),
        ({"dpi": True}, "dpi"),
        ({"dpi": "200"}, "dpi"),
        ({"text_layer": "always"}, "text_layer"),
        ({"text_layer": None}, "text_layer"),
        ({"pages": "x"}, "pages"),
        ({"password": 1234}, "password"),
        ({"password": "a\0b"}, "password"),
        ({"password": "\udcff"}, "password"),
        ({"on_error": "ignore"}, "on_error"),
        ({"timeout": -1}, "timeout"),
        ({"min_score": 2}, "min_score"),
    ],
)
def test_arguments_are_refused_before_the_file_is_looked_at(arguments: dict[str, Any], says: str) -> None:
    with OcrEngine() as ocr:
        for method in (ocr.recognize_document, ocr.recognize_pages):
            with pytest.raises(InvalidArgumentError, match=says) as caught:
                method("nowhere.pdf", **arguments)
            assert "1234" not in str(caught.value), "a password is not shown"
        with pytest.raises(InvalidArgumentError, match="ahead"):
            ocr.recognize_pages("nowhere.pdf", ahead=-1)


def test_files_that_are_none_are_refused_by_name(tmp_path: Path) -> None:
    with OcrEngine(download=False) as ocr:
        for method in (ocr.recognize_document, ocr.recognize_pages):
            with pytest.raises(ImageNotFoundError, match=r"nowhere\.pdf"):
                method(tmp_path / "nowhere.pdf")
            with pytest.raises(StorageError, match="no regular file"):
                method(tmp_path)
            with pytest.raises(StorageError):
                method("a\0b.pdf")
            with pytest.raises(InvalidArgumentError, match="is a picture"):
                method(b"GIF89a", text_layer="only")
        assert not ocr.loaded
    with pytest.raises(ResourcesFreedError):
        ocr.recognize_document(tmp_path / "nowhere.pdf")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    with OcrEngine(download=False) as ocr, pytest.raises(StorageError, match="no regular file"):
        ocr.recognize_document(tmp_path / "pipe.pdf")  # opening it would never end


# --- pictures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [Path, str, Path.read_bytes, Image.open, lambda path: np.asarray(Image.open(path))])
def test_a_picture_is_a_document_of_one_page(
    engine: OcrEngine, picture_file: Path, form: Callable[[Path], Any]
) -> None:
    page = engine.recognize(picture_file)
    source = str(picture_file) if form in (Path, str) else None
    document = engine.recognize_document(form(picture_file), pages="1", text_layer="auto")
    assert document == Document((DocumentPage(1, page, "ocr", source),), (), 1, source)
    assert (document.text, document.pages[0].text) == (page.text, page.text)
    assert list(engine.recognize_pages(form(picture_file))) == list(document.pages)
    assert pickle.loads(pickle.dumps(document)) == document
    with pytest.raises(InvalidArgumentError, match="there is no page 2"):
        engine.recognize_document(form(picture_file), pages="2")
    with pytest.raises(InvalidArgumentError, match="no size in points"):
        document.pages[0].in_points(page.lines[0].quad)


def test_a_picture_that_is_none_is_an_error_of_its_only_page(engine: OcrEngine, tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    file.write_bytes(b"\x89PNG, it says")
    (error,) = engine.recognize_pages(file)
    assert isinstance(error, ImageError)
    assert (error.page, str(error).count("x.png")) == (1, 1)
    with pytest.raises(ImageError, match=r"x\.png"):
        engine.recognize_document(file)
    document = engine.recognize_document(file, on_error="return")
    assert (document.pages, document.page_count, [error.page for error in document.errors]) == ((), 1, [1])
    copy = pickle.loads(pickle.dumps(document)).errors[0]
    assert (type(copy), copy.page, str(copy)) == (type(document.errors[0]), 1, str(document.errors[0]))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_of_what_moves_the_first_frame_is_read(engine: OcrEngine, tmp_path: Path, suffix: str) -> None:
    frames = [draw_text([text], width=500) for text in ("first frame", "second one", "and the last")]
    file = tmp_path / f"moving.{suffix}"
    frames[0].save(file, save_all=True, append_images=frames[1:], duration=50, lossless=True)
    with Image.open(file) as saved:
        assert getattr(saved, "n_frames", 1) == 3
    assert engine.recognize(file).text == "first frame"
    document = engine.recognize_document(file)
    assert (document.page_count, document.text) == (1, "first frame")


# --- in an event loop ---------------------------------------------------------------------------------------------


@pytest.fixture
def many_pages(tmp_path: Path) -> Path:
    """Forty pages of forty lines: half a minute's work or more."""
    pages = [draw_text([f"page {page} line {line}" for line in range(40)]) for page in range(40)]
    file = tmp_path / "many.tif"
    pages[0].save(file, save_all=True, append_images=pages[1:])
    return file


def test_a_document_is_read_beside_the_event_loop(two: OcrEngine, many_pages: Path) -> None:
    turns = 0

    async def read() -> tuple[Document, Document]:
        nonlocal turns
        both = asyncio.gather(*(two.arecognize_document(many_pages, pages=pages) for pages in ("2,1", "1")))
        while not both.done():
            await asyncio.sleep(0.01)
            turns += 1
        first, second = await both
        return first, second

    first, second = asyncio.run(read())
    assert turns > 1
    assert first == two.recognize_document(many_pages, pages="2,1")
    assert second.pages == first.pages[1:]
    with pytest.raises(InvalidArgumentError, match="no page 41"):
        asyncio.run(two.arecognize_document(many_pages, pages="41"))


def test_a_cancelled_task_ends_its_document_and_is_over_with_it(
    models_dir: Path, many_pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OcrEngine(model_dir=models_dir, download=False, threads=2) as engine:
        engine.load()
        begun: list[object] = []
        begin = Pictures.begin

        def noted(*arguments: object) -> object:
            begun.append(arguments)
            return begin(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(Pictures, "begin", noted)

        async def cancel() -> None:
            task = asyncio.create_task(engine.arecognize_document(many_pages))
            while not begun:
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # The thread is out, and what was read ahead too: a release has nobody to wait for.
            assert engine.free_resources(timeout=0).complete

        asyncio.run(cancel())
        assert len(begun) < 40


# --- without the extra --------------------------------------------------------------------------------------------


def test_the_package_is_asked_for_with_the_first_pdf_alone(picture_file: Path) -> None:
    code = """
import sys, ferrocr
sys.modules["pypdfium2"] = None
ocr = ferrocr.OcrEngine(download=False)
try:
    ocr.recognize_document(b"%PDF-1.7")
except ferrocr.RuntimeUnavailableError as error:
    assert isinstance(error, ImportError)
    print(error)
"""
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")
    assert 'pypdfium2, which is not installed\nrun: pip install "ferrocr[pdf]"' in done.stdout
    code = "import sys, ferrocr; print([name for name in sys.modules if 'pdfium' in name or 'numpy' in name])"
    assert run_python(code).stdout == "[]\n"


def test_errors_know_their_page_or_none() -> None:
    assert OcrError("x").page is None
    assert isinstance(Page(1, 1, ()), Page)
