"""PDF files that PDFium comes to no end with, or breaks down over: each is an error, and nothing else suffers."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ferrocr import (
    DocumentError,
    DocumentPage,
    ForkedError,
    OcrCancelledError,
    OcrEngine,
    OcrError,
    OcrTimeoutError,
    ResourcesFreedError,
    StorageError,
)
from ferrocr._engine._call import Budget
from ferrocr._workers import _start
from ferrocr._workers._start import Answer, WorkerLostError
from ferrocr._workers._worker import Worker
from ferrocr.documents import _pdf
from ferrocr.documents._pdf import PdfFile
from ferrocr.documents._request import UseOfTextLayer
from own_process import check_child
from pdf_files import Sheet, make_pdf, numbered, stream, words

pytestmark = pytest.mark.usefixtures("no_pdf_stays_open")

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="processes end by signals elsewhere")

GOOD = Sheet(words("sheet 2"))


def pattern_bomb() -> bytes:
    """A page, and one like those of `numbered`. The first takes a million drawings a point."""
    tile = b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep .001/YStep .001/Resources<<>>"
    bomb = Sheet("/Pattern cs /P scn 0 0 300 100 re f", more="/Resources<</Pattern<</P 8 0 R>>>>")
    return make_pdf([bomb, GOOD], objects=[stream(b"0 0 1 1 re f", tile.decode())])


def form_bomb(kinds: int) -> bytes:
    """A form that has ten of the next one, and so on; with one kind, two of itself."""
    form = "/Type/XObject/Subtype/Form/BBox[0 0 300 100]/Resources<</XObject<</X {} 0 R>>>>"
    content = b"/X Do " * (10 if kinds > 1 else 2)
    forms = [stream(content, form.format(8 + min(number + 1, kinds - 1))) for number in range(kinds)]
    return make_pdf([Sheet("/X Do", more="/Resources<</XObject<</X 8 0 R>>>>"), GOOD], objects=forms)


BOMBS: dict[str, Callable[[], bytes]] = {
    "a pattern of tiny tiles": pattern_bomb,
    "forms in forms": lambda: form_bomb(12),
    "a form in itself": lambda: form_bomb(1),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when PDFium is asked for a page."""
    begun, ask = threading.Event(), Worker.ask

    def noted(worker: Worker, header: dict[str, object], data: bytes = b"", **options: int) -> Answer:
        if "number" in header:
            begun.set()
        return ask(worker, header, data, **options)

    monkeypatch.setattr(Worker, "ask", noted)
    return begun


def alive() -> set[int]:
    """Processes of workers."""
    return {worker.pid for worker in list(_start._alive.values())}


# --- files without an end -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("text_layer", ["ignore", "auto", "only"])
def test_a_page_without_an_end_is_an_error_in_its_place(
    engine: OcrEngine, bomb: str, text_layer: UseOfTextLayer
) -> None:
    first, second = engine.recognize_pages(BOMBS[bomb](), text_layer=text_layer, timeout=0.5)
    if text_layer == "only" and "pattern" in bomb:  # which is no text, so nobody draws it
        assert isinstance(first, DocumentPage)
    else:
        assert isinstance(first, OcrTimeoutError)
        assert first.page == 1
        assert str(first).startswith("page 1 of the document: PDFium did not get to the end of it within the timeout")
    if isinstance(second, OcrError):  # the other page is read, where the machine is fast enough for half a second
        assert isinstance(second, OcrTimeoutError)
        assert "PDFium" not in str(second)
    else:
        assert second.text == "sheet 2"


def test_without_a_timeout_there_is_a_bound(reader: OcrEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pdf, "LONGEST", 1.0)
    for bomb in ("forms in forms", "a form in itself"):
        document = reader.recognize_document(BOMBS[bomb](), text_layer="auto", on_error="return")
        assert document.text == "sheet 2"
        (error,) = document.errors
        assert isinstance(error, DocumentError)
        assert (error.page, "to the end of it within 1 s" in str(error)) == (1, True)
        assert error.hint
        assert "timeout" in error.hint


def test_what_was_spent_on_rendering_counts(engine: OcrEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(file: PdfFile, number: int, width: int, height: int, budget: Budget) -> bytearray:
        budget.spent += 1000
        return bytearray(width * height * 3)

    monkeypatch.setattr(PdfFile, "render", slow)
    (error,) = engine.recognize_pages(numbered(1), timeout=1000)
    assert isinstance(error, OcrTimeoutError)
    assert "within its timeout of 1000 s" in str(error)
    (page,) = engine.recognize_pages(numbered(1), timeout=1060)
    assert isinstance(page, DocumentPage)


@pytest.mark.parametrize("cancel", [False, True])
def test_a_release_ends_a_page_without_an_end(asked: threading.Event, *, cancel: bool) -> None:
    before, caught = alive(), list[OcrError]()
    engine = OcrEngine(download=False)

    def read() -> None:
        try:
            engine.recognize_document(form_bomb(1), text_layer="auto")
        except OcrError as error:
            caught.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    asked.wait()
    report = engine.free_resources(cancel=cancel)
    assert (report.complete, report.processes) == (True, 1)
    thread.join()
    assert [type(error) for error in caught] == [OcrCancelledError if cancel else ResourcesFreedError]
    assert alive() == before


def test_other_documents_do_not_notice(reader: OcrEngine, asked: threading.Event) -> None:
    other = OcrEngine(download=False)
    stream = other.recognize_pages(form_bomb(1), text_layer="auto", timeout=1000)
    thread = threading.Thread(target=list_of, args=[stream])
    thread.start()
    asked.wait()
    for _ in range(3):
        assert reader.recognize_document(numbered(2), text_layer="only").text == "sheet 1\n\nsheet 2"
    other.free_resources(cancel=True)
    thread.join()


def list_of(stream: Iterator[object]) -> None:
    """Takes all pages, and no error that a release makes."""
    with contextlib.suppress(OcrCancelledError):
        list(stream)


def test_a_cancelled_task_ends_its_page(engine: OcrEngine, asked: threading.Event) -> None:
    async def cancel() -> None:
        task = asyncio.create_task(engine.arecognize_document(pattern_bomb()))
        while not asked.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert engine.recognize_document(numbered(1)).text == "sheet 1"


@needs_signals
def test_ctrl_c_ends_a_page_without_an_end(engine: OcrEngine, asked: threading.Event) -> None:
    def press() -> None:
        asked.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        engine.recognize_document(pattern_bomb())
    thread.join()
    assert engine.recognize_document(numbered(1)).text == "sheet 1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_does_not_wait_for_a_page_without_an_end(asked: threading.Event) -> None:
    file = PdfFile(pattern_bomb(), "it", None)

    def render() -> None:
        with pytest.raises(ResourcesFreedError):
            file.render(1, 834, 278)

    thread = threading.Thread(target=render)
    thread.start()
    asked.wait()
    child = os.fork()
    if child == 0:
        status = 9
        try:
            with pytest.raises(ForkedError):
                file.size(1)
            own = PdfFile(numbered(3), "its own", None)
            status = own.count
            own.close()
            file.close()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert thread.is_alive()
    file.close()
    thread.join()


ENDS = """
import sys, threading, time, ferrocr
from ferrocr._workers._worker import Worker
engine, begun, ask = ferrocr.OcrEngine(download=False), threading.Event(), Worker.ask
def noted(worker, header, data=b"", **options):
    if header["number" if "number" in header else "do"] == 1:
        begun.set()
    return ask(worker, header, data, **options)
Worker.ask = noted
reading = lambda: engine.recognize_document(sys.argv[1], text_layer="auto")
threading.Thread(target=reading, daemon=True).start()
begun.wait()
"""


def test_the_interpreter_ends_beside_a_page_without_an_end(tmp_path: Path) -> None:
    file = tmp_path / "bomb.pdf"
    file.write_bytes(form_bomb(1))
    assert check_child(ENDS, file, models=tmp_path) == ""


# --- crashes and memory -------------------------------------------------------------------------------------------


@needs_signals
def test_a_crash_is_an_error_of_its_page(reader: OcrEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "three.pdf"
    file.write_bytes(numbered(3))
    pages = reader.recognize_pages(file, text_layer="only", ahead=0)
    assert next(pages).number == 1  # type: ignore[union-attr]
    (worker,) = reader._workers._lent.values()
    ask = worker.ask

    def crash(header: dict[str, object], data: bytes = b"", **options: int) -> Answer:
        os.kill(worker.pid, signal.SIGSEGV)
        return ask(header, data, **options)

    monkeypatch.setattr(worker, "ask", crash)
    error = next(pages)
    assert isinstance(error, DocumentError)
    assert (error.page, "PDFium broke down over it: its process ended with SIGSEGV" in str(error)) == (2, True)
    assert [page.text for page in pages if isinstance(page, DocumentPage)] == ["sheet 3"]
    (other,) = reader._workers._idle
    assert other is not worker


@needs_signals
@pytest.mark.parametrize("change", ["another", "gone"])
def test_a_file_is_the_same_after_a_crash(reader: OcrEngine, tmp_path: Path, change: str) -> None:
    file = tmp_path / "three.pdf"
    file.write_bytes(numbered(3))
    pages = reader.recognize_pages(file, text_layer="only", ahead=0)
    next(pages)
    (worker,) = reader._workers._lent.values()
    os.kill(worker.pid, signal.SIGKILL)
    worker._process.wait()
    if change == "another":
        file.write_bytes(numbered(4))
    else:
        file.unlink()
    for number, error in enumerate(pages, 2):
        assert isinstance(error, DocumentError if change == "another" else StorageError)
        assert (error.page, "changed since it was opened" in str(error)) == (number, change == "another")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such bound")
def test_a_page_may_take_so_much_memory(reader: OcrEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = zlib.compress(bytes(64 * 2**20), 1)
    bomb = make_pdf([Sheet(), Sheet(words("sheet 2"))]).replace(
        stream(b""), stream(packed, "/Filter/FlateDecode").replace(b"stream\n", b"stream\n", 1)
    )
    document = reader.recognize_document(bomb, text_layer="only", on_error="return")
    assert [page.text for page in document.pages] == ["", "sheet 2"]
    monkeypatch.setattr(_pdf, "_BASE_MEMORY", 40 * 2**20)
    monkeypatch.setattr(_pdf, "_MEMORY_OF_A_PIXEL", 0)
    document = reader.recognize_document(bomb, text_layer="only", on_error="return")
    assert [page.text for page in document.pages] == ["sheet 2"]
    (error,) = document.errors
    assert isinstance(error, DocumentError)
    assert (error.page, "memory" in str(error)) == (1, True)


def test_a_picture_that_there_is_no_memory_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    file = PdfFile(numbered(1), "it", None)

    def exactly(*_: object) -> bytearray:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(Worker, "_exactly", exactly)
        with pytest.raises(DocumentError, match="no memory for a picture of 30x10 pixels"):
            file.render(1, 30, 10)
    assert len(file.render(1, 30, 10)) == 900
    file.close()


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ({}, b""),
        ({"size": [1, float("nan")]}, b""),
        ({"size": "ab"}, b""),
        ({"size": [1, 2, 3]}, b""),
        ({"size": None}, b""),
    ],
)
def test_answers_without_sense_are_errors(
    monkeypatch: pytest.MonkeyPatch, header: dict[str, object], data: bytes
) -> None:
    file = PdfFile(numbered(1), "it", None)
    monkeypatch.setattr(file, "_ask", lambda *_: Answer(header, bytearray(data)))
    for ask in (lambda: file.size(1), lambda: file.render(1, 9, 9), lambda: file.to_pixels(1, 9, 9)):
        with pytest.raises(DocumentError, match="no sense"):
            ask()
    glyph = (0x7FFFFFFF).to_bytes(4, sys.byteorder) + bytes(24)
    header |= {"pictured": 0.0, "has_notes": False}
    monkeypatch.setattr(file, "_ask", lambda *_: Answer(header, bytearray(glyph)))
    with pytest.raises(DocumentError, match="no sense"):
        file.text_layer(1)
    file.close()


# --- the worker of an engine --------------------------------------------------------------------------------------


def test_a_worker_is_used_for_one_document_after_the_other() -> None:
    before = alive()
    with OcrEngine(download=False, threads=2) as engine:
        assert alive() == before
        read = [engine.recognize_document(numbered(1), text_layer="only") for _ in range(2)]
        (worker,) = engine._workers._idle
        assert engine.recognize_document(numbered(2), text_layer="only").pages[0] == read[0].pages[0]
        assert list(engine._workers._idle) == [worker]
        streams = [engine.recognize_pages(numbered(2), text_layer="only") for _ in range(3)]
        assert len(alive() - before) == 3
        assert [len(list(stream)) for stream in streams] == [2] * 3
        assert (len(alive() - before), engine.unload().processes) == (1, 1)
        assert alive() == before
        engine.recognize_document(numbered(1), text_layer="only")
        assert engine.free_resources().processes == 1
        assert alive() == before
    with OcrEngine(download=False, low_memory=True) as engine:
        engine.recognize_document(numbered(1), text_layer="only")
        assert alive() == before


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads /proc")
def test_a_password_is_on_no_command_line(reader: OcrEngine) -> None:
    reader.recognize_document(numbered(1), text_layer="only", password="open sesame")
    for pid in alive():
        assert b"sesame" not in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_file_is_found_wherever_the_worker_stands(
    reader: OcrEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.pdf").write_bytes(numbered(2))
    pages = reader.recognize_pages("one.pdf", text_layer="only", ahead=0)
    monkeypatch.chdir("/")
    assert [page.text for page in pages if isinstance(page, DocumentPage)] == ["sheet 1", "sheet 2"]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no such folder on this system")
@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_file_that_only_this_process_has_open_is_read(reader: OcrEngine, tmp_path: Path, *, is_deleted: bool) -> None:
    file = tmp_path / "one.pdf"
    file.write_bytes(numbered(1))
    with file.open("rb") as handle:
        if is_deleted:
            file.unlink()
        assert reader.recognize_document(f"/dev/fd/{handle.fileno()}", text_layer="only").text == "sheet 1"


def test_a_worker_that_ended_while_it_waited_is_replaced(reader: OcrEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    reader.recognize_document(numbered(1), text_layer="only")
    (worker,) = reader._workers._idle
    monkeypatch.setattr(Worker, "is_usable", True)  # as if it ended after one has looked

    def ask(*_: object, **__: object) -> Answer:
        worker.end()
        raise WorkerLostError(is_late=False, status=0)

    monkeypatch.setattr(worker, "ask", ask)
    assert reader.recognize_document(numbered(1), text_layer="only").text == "sheet 1"
