"""Many pictures and pages in an event loop, and an engine that is released there."""

import asyncio
import inspect
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from conftest import draw_text
from ferrocr import (
    DocumentPage,
    ImageError,
    ImageNotFoundError,
    InvalidArgumentError,
    OcrEngine,
    OcrError,
    OcrTimeoutError,
    Page,
    ResourcesFreedError,
)
from ferrocr._engine._pictures import Pictures

AHEAD = [None, 0, 1, 5]

LONG = 60.0
"""Seconds that nothing here takes."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Pictures with their number, and one that is none."""
    folder = tmp_path_factory.mktemp("pages")
    found = [folder / f"{number}.png" for number in range(5)]
    for number, file in enumerate(found):
        draw_text([f"page number {number}"], width=400).save(file)
    found[3].write_bytes(b"no picture")
    return found


@pytest.fixture(scope="module")
def many_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document that takes a while."""
    path = tmp_path_factory.mktemp("documents") / "book.tif"
    page = draw_text([f"A line of text with number {number}" for number in range(20)])
    page.save(path, save_all=True, append_images=[page] * 39)
    return path


@pytest.fixture(scope="module")
def long_page() -> npt.NDArray[np.uint8]:
    """Takes a second or more to read."""
    return np.asarray(draw_text([f"A line of text with number {number}" for number in range(30)]))


def texts(results: list[Page | OcrError]) -> list[str]:
    """Return the outcome for each picture."""
    return [result.text if isinstance(result, Page) else type(result).__name__ for result in results]


async def given(items: list[Any], asked: list[Any] | None = None) -> AsyncIterator[Any]:
    """The items, one after the other in the loop."""
    for item in items:
        await asyncio.sleep(0)
        if asked is not None:
            asked.append(item)
        yield item


@pytest.fixture(scope="module", params=[False, True], ids=["", "isolated"])
def either(models_dir: Path, request: pytest.FixtureRequest) -> Iterator[OcrEngine]:
    """An engine with two threads, whose models are in this process or in another one."""
    with OcrEngine(model_dir=models_dir, download=False, threads=2, isolated=request.param) as engine:
        engine.load()
        yield engine


@pytest.mark.parametrize("ahead", AHEAD)
def test_many_pictures_come_in_order(either: OcrEngine, files: list[Path], ahead: int | None) -> None:
    expected = ["page number 0", "page number 1", "page number 2", "ImageError", "page number 4"]
    turns = 0

    async def read(images: Any) -> list[Page | OcrError]:  # noqa: ANN401
        return [result async for result in either.arecognize_many(images, ahead=ahead)]

    async def both() -> None:
        nonlocal turns
        reading = asyncio.gather(read(files), read(given(files)), read([]), read(given([])))
        while not reading.done():
            await asyncio.sleep(0.005)
            turns += 1
        first, second, *nothing = await reading
        assert texts(first) == texts(second) == expected
        assert nothing == [[], []]

    asyncio.run(both())
    assert turns > 1, "the loop goes on meanwhile"


@pytest.mark.parametrize("ahead", [0, 2])
def test_no_more_are_asked_for_than_are_read_ahead(two: OcrEngine, files: list[Path], ahead: int) -> None:
    asked: list[Path] = []

    async def read() -> None:
        taken = 0
        images = given([files[0]] * 12, asked)
        async with aclosing(two.arecognize_many(images, ahead=ahead)) as results:
            async for _ in results:
                taken += 1
                await asyncio.sleep(0.05)  # room for the feeder to go too far
                assert len(asked) <= taken + ahead
        assert taken == 12

    asyncio.run(read())


def test_an_error_is_raised_where_that_is_wanted(two: OcrEngine, files: list[Path]) -> None:
    async def read(**options: Any) -> list[Any]:  # noqa: ANN401
        return [result async for result in two.arecognize_many(files, **options)]

    for ahead in AHEAD:
        with pytest.raises(ImageError):
            asyncio.run(read(on_error="raise", ahead=ahead))
        assert [type(one) for one in asyncio.run(read(timeout=0, ahead=ahead))].count(OcrTimeoutError) >= 4
    assert all(page.words[0].characters for page in asyncio.run(read(characters=True)) if isinstance(page, Page))


@pytest.mark.parametrize("ahead", AHEAD)
def test_an_error_of_the_iterable_has_its_place(two: OcrEngine, files: list[Path], ahead: int | None) -> None:
    async def failing() -> AsyncIterator[Path]:
        yield files[0]
        await asyncio.sleep(0)
        message = "the queue is gone"
        raise LookupError(message)

    seen: list[str] = []

    async def read() -> None:
        async for result in two.arecognize_many(failing(), ahead=ahead):
            assert isinstance(result, Page)
            seen.append(result.text)

    with pytest.raises(LookupError, match="the queue is gone"):
        asyncio.run(read())
    assert seen == ["page number 0"]


@pytest.mark.parametrize("ahead", AHEAD)
@pytest.mark.parametrize("isolated", [False, True])
def test_cancelling_ends_all_that_is_being_read(
    models_dir: Path, long_page: npt.NDArray[np.uint8], *, ahead: int | None, isolated: bool
) -> None:
    complaints: list[object] = []
    with OcrEngine(model_dir=models_dir, download=False, threads=2, isolated=isolated) as engine:
        engine.load()

        async def read(asked: list[Any]) -> None:
            async for _ in engine.arecognize_many(given([long_page] * 50, asked), ahead=ahead):
                pass

        async def cancel() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
            asked: list[Any] = []
            task = asyncio.create_task(read(asked))
            while not asked:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)
            for _ in range(3):  # impatience changes nothing
                task.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(asked) < 50
            # Nothing is being read any more: a release has nobody to wait for.
            assert engine.free_resources(timeout=0).complete

        asyncio.run(cancel())
    assert complaints == []


def test_cancelling_ends_a_download(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[Path]
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())

    async def cancel(kind: str) -> None:
        begun, loop = asyncio.Event(), asyncio.get_running_loop()

        def told(*_: object) -> None:
            loop.call_soon_threadsafe(begun.set)

        async with OcrEngine(model_dir=tmp_path / kind, progress=told) as engine:
            images: Any = files if kind == "many" else files[0]
            results: Any = getattr(engine, f"arecognize_{kind}")(images)
            task = asyncio.create_task(anext(results))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not engine.loaded
            await results.aclose()

    for kind in ("many", "pages"):
        asyncio.run(cancel(kind))


@pytest.mark.parametrize("ahead", [0, 3])
def test_a_waiting_iterable_is_cancelled_too(two: OcrEngine, files: list[Path], ahead: int) -> None:
    ended: list[str] = []

    async def waiting() -> AsyncIterator[Path]:
        yield files[0]
        try:
            await asyncio.sleep(LONG)
        finally:
            ended.append("it")

    async def read() -> None:
        async with aclosing(two.arecognize_many(waiting(), ahead=ahead)) as results:
            # The page comes although the next picture does not.
            assert isinstance(await asyncio.wait_for(anext(results), LONG), Page)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(results), 0.05)

    asyncio.run(read())
    assert ended == ["it"]


@pytest.mark.parametrize("isolated", [False, True])
def test_leaving_the_loop_ends_the_rest(
    models_dir: Path, long_page: npt.NDArray[np.uint8], files: list[Path], *, isolated: bool
) -> None:
    async def read() -> None:
        async with OcrEngine(model_dir=models_dir, download=False, isolated=isolated) as engine:
            async for result in engine.arecognize_many([files[0], *[long_page] * 20], ahead=3):
                assert isinstance(result, Page)
                break
            async with aclosing(engine.arecognize_many([files[0], *[long_page] * 20], ahead=3)) as results:
                await anext(results)
        assert engine.closed

    asyncio.run(read())


def test_a_release_ends_the_sequence(models_dir: Path, files: list[Path]) -> None:
    async def read(ahead: int) -> list[object]:
        seen: list[object] = []
        engine = OcrEngine(model_dir=models_dir, download=False)
        with pytest.raises(ResourcesFreedError):
            async for result in engine.arecognize_many([files[0]] * 5, ahead=ahead):
                seen.append(result)
                await asyncio.to_thread(engine.free_resources)
        return seen

    for ahead in (0, 3):
        assert len(asyncio.run(read(ahead))) == 1


def test_wrong_arguments_are_refused_at_once(two: OcrEngine) -> None:
    wrong_ones: list[dict[str, Any]] = [{"ahead": -1}, {"timeout": -1}, {"min_score": 2}, {"on_error": "skip"}]
    for wrong in wrong_ones:
        with pytest.raises(InvalidArgumentError):
            two.arecognize_many([], **wrong)
        with pytest.raises(InvalidArgumentError):
            two.arecognize_pages("a.pdf", **wrong)
    with pytest.raises(TypeError, match=r"arecognize_many\(\) got an unexpected keyword argument 'ahed'"):
        two.arecognize_many([], ahed=1)  # type: ignore[call-overload]
    with pytest.raises(InvalidArgumentError, match="no list of pages"):
        two.arecognize_pages("a.pdf", pages="x")
    for name in ("recognize_many", "recognize_pages"):
        assert list(inspect.signature(getattr(OcrEngine, name)).parameters) == list(
            inspect.signature(getattr(OcrEngine, f"a{name}")).parameters
        )


# --- pages of documents ---


def test_pages_come_one_by_one(either: OcrEngine, many_pages: Path) -> None:
    expected = list(either.recognize_pages(many_pages, pages="2,1", on_error="raise"))

    async def read(**options: Any) -> list[DocumentPage | OcrError]:  # noqa: ANN401
        return [page async for page in either.arecognize_pages(many_pages, **options)]

    assert asyncio.run(read(pages="2,1")) == expected
    assert asyncio.run(read(pages=[2, 1], ahead=0)) == expected
    (error,) = asyncio.run(read(pages="1", timeout=0))
    assert isinstance(error, OcrTimeoutError)
    assert error.page == 1
    with pytest.raises(OcrTimeoutError):
        asyncio.run(read(pages="1", timeout=0, on_error="raise"))
    with pytest.raises(InvalidArgumentError, match="no page 41"):
        asyncio.run(read(pages="41"))


def test_a_document_that_cannot_be_opened_is_an_error(two: OcrEngine) -> None:
    async def read(document: Any) -> None:  # noqa: ANN401
        async for _ in two.arecognize_pages(document):
            raise AssertionError

    with pytest.raises(ImageNotFoundError):
        asyncio.run(read("missing.pdf"))
    with pytest.raises(ImageError, match="gives text"):
        asyncio.run(read(io.StringIO("x")))


def test_a_cancelled_task_ends_its_pages_and_closes_the_document(
    models_dir: Path, many_pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[object] = []
    begin = Pictures.begin

    def noted(*arguments: object) -> object:
        begun.append(arguments)
        return begin(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Pictures, "begin", noted)
    with OcrEngine(model_dir=models_dir, download=False, threads=2) as engine:
        engine.load()

        async def read() -> None:
            async for _ in engine.arecognize_pages(many_pages):
                pass

        async def cancel() -> None:
            task = asyncio.create_task(read())
            while not begun:
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not engine._documents
            assert engine.free_resources(timeout=0).complete

        asyncio.run(cancel())
        assert len(begun) < 40


# --- the engine ---


def test_an_engine_is_released_at_the_end_of_its_block(models_dir: Path, files: list[Path]) -> None:
    async def read() -> OcrEngine:
        async with OcrEngine(model_dir=models_dir, download=False) as engine:
            page = await engine.arecognize(files[0])
            assert page.text == "page number 0"
            assert engine.loaded
        assert engine.closed
        with pytest.raises(ResourcesFreedError):
            async with engine:
                raise AssertionError
        return engine

    assert not asyncio.run(read()).loaded


def test_a_release_waits_without_holding_the_loop_up(models_dir: Path, long_page: npt.NDArray[np.uint8]) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    async def read() -> None:
        async with OcrEngine(model_dir=models_dir, download=False, threads=1) as engine:
            engine.load()
            reading = asyncio.create_task(engine.arecognize(long_page))
            counting = asyncio.create_task(count())
            await asyncio.sleep(0.01)
            before = turns
        assert turns > before
        assert reading.done() or isinstance(await reading, Page)
        counting.cancel()

    asyncio.run(read())


def test_a_picture_in_the_loop_may_be_an_open_file(two: OcrEngine, files: list[Path]) -> None:
    async def read() -> list[Page | OcrError]:
        images = (io.BytesIO(files[0].read_bytes()), Image.open(files[1]))
        return [page async for page in two.arecognize_many(images)]

    assert texts(asyncio.run(read())) == ["page number 0", "page number 1"]
