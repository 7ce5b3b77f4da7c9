"""One engine under many threads: the same pages as in quiet, no option that leaks, no lock that holds two up."""

import faulthandler
import random
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from conftest import SHARED, draw_text
from ferrocr import ImageError, ModelStore, OcrCancelledError, OcrEngine, Page, ResourcesFreedError
from own_process import SCALE, scaled

Form = Path | bytes | np.ndarray
THREADS = 16


@pytest.fixture(autouse=True)
def _guard() -> Iterator[None]:
    """Threads that hang say where: a deadlock would otherwise only be seen as tests that never end."""
    faulthandler.dump_traceback_later(300 * SCALE, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def drawn(count: int) -> list[np.ndarray]:
    """Pictures with 0 to 8 lines of different sizes and inks, some upside down; no two are the same."""
    rng = random.Random(1)
    pages = []
    for number in range(count):
        lines = [f"{number} {''.join(rng.choices('abcdefghiklmnoprstuvwz ', k=20))}" for _ in range(rng.randrange(9))]
        page = np.asarray(draw_text(lines, size=rng.choice((16, 24, 32)), ink=rng.choice((0, 90))))
        pages.append(np.ascontiguousarray(page[::-1, ::-1]) if rng.random() < 0.2 else page)
    return pages


def real(count: int) -> list[Path]:
    """Photographs and scanned pages, where they are beside this checkout. The smaller files first."""
    found = [path for path in (SHARED / "data").rglob("*") if path.suffix in (".png", ".jpg")]
    return sorted(found, key=lambda path: (path.stat().st_size, path.name))[:count]


def outcome(engine: OcrEngine, form: Form) -> Page | str:
    """The page, or why there is none: some of the real files are no pictures."""
    try:
        return engine.recognize(form)
    except ImageError as error:
        return str(error)


def test_sixteen_threads_read_what_one_reads(models_dir: Path) -> None:
    forms: list[Form] = [*drawn(scaled(32)), *real(scaled(8))]
    with OcrEngine(model_dir=models_dir, download=False) as engine:
        expected = [outcome(engine, form) for form in forms]
        assert sum(isinstance(page, Page) and len(page.lines) > 0 for page in expected) > len(forms) // 2
        order = list(range(len(forms)))
        random.Random(2).shuffle(order)
        with ThreadPoolExecutor(THREADS) as pool:
            pages = dict(zip(order, pool.map(lambda at: outcome(engine, forms[at]), order), strict=True))
        different = [at for at in order if pages[at] != expected[at]]
        assert different == []


def test_other_engines_beside_it_change_nothing(models_dir: Path) -> None:
    forms = drawn(scaled(6))
    with OcrEngine(model_dir=models_dir, download=False) as engine:
        expected = [engine.recognize(form) for form in forms]

    def read_all(number: int) -> list[Page]:
        with OcrEngine(model_dir=models_dir, download=False, threads=1 + number % 3) as own:
            return [own.recognize(form) for form in forms]

    with ThreadPoolExecutor(3) as pool:
        assert all(pages == expected for pages in pool.map(read_all, range(3)))


def test_options_of_a_call_stay_in_it(engine: OcrEngine) -> None:
    page = np.asarray(draw_text(["Iron tastes of rain", "Order 4711 paid", "il1 O0o .,;"], size=20, ink=120))
    bounds = (None, 0.0, 0.5, 0.9, 0.97, 1.0)
    expected = {bound: engine.recognize(page, min_score=bound) for bound in bounds}
    assert expected[1.0].lines == ()
    assert len(expected[0.0].lines) >= 2
    calls = random.Random(3).choices(bounds, k=scaled(32))
    with ThreadPoolExecutor(THREADS) as pool:
        pages = pool.map(lambda bound: engine.recognize(page, min_score=bound), calls)
        assert [bound for bound, read in zip(calls, pages, strict=True) if read != expected[bound]] == []


def test_first_calls_of_many_threads_load_once(models_dir: Path, picture_file: Path) -> None:
    with OcrEngine(model_dir=models_dir, download=False, threads=2) as quiet:
        quiet.load()
    engine = OcrEngine(model_dir=models_dir, download=False, threads=2)
    barrier = threading.Barrier(THREADS)

    def read(_: int) -> Page:
        barrier.wait()
        return engine.recognize(picture_file)

    with ThreadPoolExecutor(THREADS) as pool:
        assert len(set(pool.map(read, range(THREADS)))) == 1
    assert engine.free_resources().sessions == quiet.free_resources().sessions


class Race:
    """Runs things over and over on threads of their own until one ends, and keeps what they raise."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.raised: list[BaseException] = []
        self.rounds = 0

    def _run(self, work: Callable[[], object]) -> None:
        while not self.over.is_set():
            try:
                work()
                self.rounds += 1
            except BaseException as error:
                self.raised.append(error)
                return

    def run(self, work: list[Callable[[], object]], end: Callable[[], object]) -> None:
        threads = [threading.Thread(target=self._run, args=(each,), daemon=True) for each in work]
        for thread in threads:
            thread.start()
        try:
            end()
        finally:
            self.over.set()
        for thread in threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in threads), "a thread hangs"


@pytest.mark.parametrize("release", ["free_resources", "cancel", "with", "forgotten wait"])
def test_a_release_races_with_everything_else(real_folder: Path, picture_file: Path, release: str) -> None:
    store = ModelStore(real_folder)  # of its own, so that no other process changes it meanwhile
    for number in range(scaled(2)):
        engine = OcrEngine(model_dir=real_folder, download=False)
        expected = engine.recognize(picture_file)

        def read(engine: OcrEngine = engine, expected: Page = expected) -> None:
            assert engine.recognize(picture_file) == expected

        def end(engine: OcrEngine = engine, number: int = number) -> None:
            threading.Event().wait(0.2 * number)
            if release == "with":
                with engine:
                    pass
            elif release == "forgotten wait":
                engine.free_resources(timeout=0)
                assert engine.free_resources().complete
            else:
                engine.free_resources(cancel=release == "cancel")

        race = Race()
        looks = [engine.list_local, engine.load, lambda: store.audit(remember=False), store.in_use, engine.__repr__]
        race.run([read, read, read, *looks], end)
        unexpected = [error for error in race.raised if type(error) not in (ResourcesFreedError, OcrCancelledError)]
        assert not unexpected, "\n".join("".join(traceback.format_exception(error)) for error in unexpected)
        assert any(isinstance(error, ResourcesFreedError) for error in race.raised) or race.over.is_set()
        assert engine.closed
        assert not engine.loaded


def test_unloads_race_with_calls(models_dir: Path, picture_file: Path) -> None:
    with OcrEngine(model_dir=models_dir, download=False, threads=1) as engine:
        expected = engine.recognize(picture_file)

        def read() -> None:
            assert engine.recognize(picture_file) == expected

        def end() -> None:
            for _ in range(scaled(5)):
                engine.unload()
                read()

        race = Race()
        race.run([read, read, read], end)
        assert race.raised == [], "an unload is no caller's business"


def test_other_threads_go_on_during_a_call(engine: OcrEngine) -> None:
    page = np.asarray(draw_text([f"Row {number} of a page that takes its time" for number in range(40)], size=24))
    engine.recognize(page)
    began = threading.Event()

    def read() -> None:
        began.set()
        engine.recognize(page)

    reader = threading.Thread(target=read)
    reader.start()
    began.wait()
    steps = 0
    while reader.is_alive():
        steps += 1
    reader.join()
    # Python alone makes millions of them a second; with the lock held during the call it would be a handful.
    assert steps > 10_000
