"""Engines that all callers in a process share."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from ferrocr import OcrEngine
from ferrocr._sharing import SharedEngines
from ferrocr.exceptions import ResourcesFreedError


class Engine:
    """Counts its uses, and refuses them once it is freed."""

    def __init__(self) -> None:
        self.freed = 0

    def free_resources(self) -> str:
        self.freed += 1
        return "report"

    def read(self) -> "Engine":
        if self.freed:
            raise ResourcesFreedError
        return self


def shared() -> "tuple[SharedEngines[str], list[Engine]]":
    made: list[Engine] = []

    def make(_key: str) -> OcrEngine:
        made.append(Engine())
        return cast("OcrEngine", made[-1])

    return SharedEngines(make), made


def read(engine: OcrEngine) -> Engine:
    return cast("Engine", engine).read()


def test_a_key_has_one_engine_however_many_threads_ask_first() -> None:
    engines, made = shared()
    begin = threading.Barrier(8)

    def ask(_: int) -> Engine:
        begin.wait()
        return engines.use("a", read)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == len(made) == 1
    assert engines.use("b", read) is made[1]


def test_a_release_frees_all_and_the_next_use_makes_new_ones() -> None:
    engines, made = shared()
    for key in "ab":
        engines.use(key, read)
    assert len(engines.release()) == 2
    assert [engine.freed for engine in made] == [1, 1]
    assert engines.use("a", read) is made[2]
    assert (len(engines.release()), len(engines.release())) == (1, 0)


def test_a_use_that_a_release_gets_in_the_way_of_begins_anew() -> None:
    engines, made = shared()

    def work(engine: OcrEngine) -> Engine:
        if engine is cast("object", made[0]):
            engines.release()
        return read(engine)

    assert engines.use("a", work) is made[1]


def test_an_engine_that_refuses_for_another_reason_is_no_endless_loop() -> None:
    engines, made = shared()
    engines.engine("a")
    made[0].freed = 1
    with pytest.raises(ResourcesFreedError):
        engines.use("a", read)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_child_makes_its_own_and_leaves_those_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    engines, made = shared()
    engines.use("a", read)
    with engines._lock:  # as another thread may have it
        monkeypatch.setattr(os, "getpid", lambda: -1)
        engines._forked()
        assert engines.use("a", read) is made[1]
        assert len(engines.release()) == 1
    assert made[0].freed == 0
