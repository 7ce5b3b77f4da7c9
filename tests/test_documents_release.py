"""PDF files: that everything is given back, whoever ends it and in whatever way."""

import contextlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from ferrocr import (
    DocumentError,
    DocumentPage,
    ForkedError,
    InvalidArgumentError,
    OcrCancelledError,
    OcrEngine,
    ResourcesFreedError,
    StorageError,
    _core,
)
from ferrocr._workers import _start
from ferrocr.documents import _pdf
from ferrocr.documents._pdf import PdfFile
from own_process import check_child, scaled
from pdf_files import numbered, scanned

pytestmark = pytest.mark.usefixtures("no_pdf_stays_open")


def handles(file: Path) -> int:
    """Count how often this process and its workers have the file open."""
    count = 0
    for process in ("self", *(str(worker.pid) for worker in list(_start._alive.values()))):
        for handle in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                count += handle.readlink() == file
    return count


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Twenty pages."""
    path = tmp_path / "twenty.pdf"
    path.write_bytes(numbered(20))
    return path


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("how", ["end", "close", "break", "unused", "error", "wrong page"])
def test_a_document_is_closed_however_it_ends(two: OcrEngine, file: Path, how: str) -> None:
    if how == "wrong page":
        with pytest.raises(InvalidArgumentError):
            two.recognize_pages(file, pages="21")
        assert handles(file) == 0
        return
    pages = two.recognize_pages(file, pages="1-3", timeout=0 if how == "error" else None)
    assert handles(file) == 1
    if how == "end":
        assert len(list(pages)) == 3
    elif how == "close":
        next(pages)
        pages.close()
    elif how in ("break", "error"):
        for _ in pages:
            break
    if how != "close":
        del pages
    assert handles(file) == 0


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("text_layer", ["ignore", "auto"])
@pytest.mark.parametrize("taken", [0, 1, 3])
def test_a_release_closes_the_document_and_ends_its_pages(
    models_dir: Path, file: Path, taken: int, text_layer: str
) -> None:
    engine = OcrEngine(model_dir=models_dir, download=False, threads=2)
    pages = engine.recognize_pages(file, text_layer=text_layer)  # type: ignore[call-overload]
    for number in range(1, taken + 1):
        assert next(pages).number == number
    assert handles(file) == 1
    assert engine.free_resources().complete
    assert handles(file) == 0
    with pytest.raises(ResourcesFreedError):
        next(pages)
    assert list(pages) == []
    with pytest.raises(ResourcesFreedError):
        engine.recognize_pages(file)


def test_a_release_by_another_thread_ends_the_pages(models_dir: Path, file: Path) -> None:
    for delay in (0.0, 0.05, 0.2):
        engine = OcrEngine(model_dir=models_dir, download=False, threads=2)
        engine.load()
        threading.Timer(delay, lambda engine=engine: engine.free_resources(cancel=True)).start()
        with pytest.raises((ResourcesFreedError, OcrCancelledError)):
            for _ in range(1000):
                for page in engine.recognize_pages(file):
                    assert isinstance(page, DocumentPage)
        assert engine.free_resources().complete


def test_an_unload_between_two_pages_changes_nothing(models_dir: Path, file: Path) -> None:
    with OcrEngine(model_dir=models_dir, download=False, threads=2) as engine:
        for number, page in enumerate(engine.recognize_pages(file, pages="1-4"), 1):
            assert isinstance(page, DocumentPage)
            assert page.text == f"sheet {number}"
            assert engine.unload().complete


def test_documents_are_read_from_several_threads(two: OcrEngine, file: Path) -> None:
    contents = [numbered(4), file.read_bytes()]

    def read(number: int) -> list[str]:
        text_layer = "only" if number % 2 else "ignore"
        document = two.recognize_document(contents[number % 2], pages="1-4", text_layer=text_layer)  # type: ignore[arg-type]
        return [page.text for page in document.pages]

    with ThreadPoolExecutor(4) as pool:
        for texts in pool.map(read, range(scaled(12))):
            assert texts == ["sheet 1", "sheet 2", "sheet 3", "sheet 4"]


def test_a_long_file_is_opened_anew_and_has_to_be_the_same(
    models_dir: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pdf, "_KEPT", 1)  # at each page
    with OcrEngine(model_dir=models_dir, download=False) as engine:
        for source in (file, file.read_bytes()):
            document = engine.recognize_document(source, text_layer="only")
            assert [page.text for page in document.pages] == [f"sheet {number}" for number in range(1, 21)]
        pages = engine.recognize_pages(file, pages="1-4", text_layer="only", ahead=0)
        first = next(pages)
        assert isinstance(first, DocumentPage)
        file.write_bytes(numbered(21))
        for number, error in enumerate(pages, 2):
            assert isinstance(error, DocumentError)
            assert (error.page, "was changed since it was opened" in str(error)) == (number, True)
        pages = engine.recognize_pages(file, pages="1-2", text_layer="only", ahead=0)
        next(pages)
        file.unlink()
        (error,) = pages
        assert isinstance(error, StorageError)
        assert error.page == 2


def test_a_closed_file_gives_nothing_more() -> None:
    file = PdfFile(numbered(1), "x", None)
    file.close()
    file.close()
    with pytest.raises(ResourcesFreedError):
        file.size(1)


PRELUDE = """
import os, sys, threading, warnings, ferrocr
warnings.simplefilter("ignore", DeprecationWarning)  # Python warns about a fork beside threads, which is what is tried
file = sys.argv[1]
engine = ferrocr.OcrEngine(threads=2, download=False)
stream = engine.recognize_pages(file)
first = next(stream)
"""

EXITS = {
    "at once": "",
    "after sys.exit": "sys.exit(0)",
    "unused": "other = engine.recognize_pages(file, text_layer='only')",
    "in a cycle": "class A: pass\na = A(); a.a = a; a.s = stream; del stream",
    "in a daemon thread": "threading.Thread(target=list, args=[stream], daemon=True).start()",
    "in a thread": "threading.Thread(target=list, args=[stream]).start()",
    "freed": "engine.free_resources(cancel=True)",
}


@pytest.mark.parametrize("how", EXITS)
def test_the_interpreter_ends_with_an_open_document(models_dir: Path, file: Path, how: str) -> None:
    assert check_child(PRELUDE + EXITS[how], file, models=models_dir) == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_cannot_go_on_and_its_parent_can(models_dir: Path, file: Path) -> None:
    code = """
child = os.fork()
if child == 0:
    try:
        next(stream)
    except ferrocr.ForkedError:
        pass
    else:
        os._exit(1)
    own = ferrocr.OcrEngine(download=False)
    assert own.recognize_document(file, text_layer="only").text.startswith("sheet 1")
    del stream
    sys.exit(42)
rest = list(stream)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 42, status
assert [page.text for page in rest] == [f"sheet {number}" for number in range(2, 21)], rest
assert engine.free_resources().complete
"""
    assert check_child(PRELUDE + code, file, models=models_dir) == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_document_stays_its_parent_s_though_its_engine_is_each_one_s(file: Path) -> None:
    """Both would move the one place in the file."""
    engine = OcrEngine(download=False)
    stream = engine.recognize_pages(file, text_layer="only", on_error="raise", ahead=0)
    texts = [next(stream).text]
    child = os.fork()
    if child == 0:
        try:
            next(stream)
        except ForkedError:
            again = engine.recognize_document(file, text_layer="only", pages="1")
            os._exit(42 if again.text == texts[0] else 2)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    texts += [page.text for page in stream]
    assert texts == [f"sheet {number}" for number in range(1, 21)]
    assert engine.free_resources().complete


def resident(file: PdfFile) -> int:
    """Megabytes that this process and the file's worker have in memory."""
    assert file._worker is not None
    pages = int(Path(f"/proc/{file._worker.pid}/statm").read_text().split()[1])
    return ((_core.resident_bytes() or 0) + pages * os.sysconf("SC_PAGE_SIZE")) >> 20


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_memory_does_not_grow_with_the_number_of_pages(tmp_path: Path) -> None:
    """The scans have 58 kB each, of which nothing may stay. FERROCR_TEST_SCALE=10 tries 4,000 pages."""
    count = scaled(400)
    noise = [Image.effect_noise((300, 300), 90 + number) for number in range(count)]
    path = tmp_path / "scans.pdf"
    path.write_bytes(scanned(noise, 72))
    assert path.stat().st_size > 50_000 * count
    file, half = PdfFile(path, "scans", None), 0
    for number in range(1, count + 1):
        file.render(number, 300, 300)
        if number == count // 2:
            half = resident(file)
    # The bytes of the second half of the pages alone are 12 MB for every 400 of them.
    assert resident(file) - half < 8
    file.close()
