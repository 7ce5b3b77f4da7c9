"""Isolated engines in any order of acts, their own and their processes': each call ends as it should.

The processes have no models (`echo_service.py`), so that one starts in no time.
"""

import os
import signal
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ferrocr import (
    EngineCrashedError,
    ImageError,
    OcrEngine,
    OcrError,
    OcrTimeoutError,
    Page,
    ResourcesFreedError,
)
from ferrocr._isolated import _exchange, _process
from ferrocr._isolated._client import IsolatedCore
from own_process import scaled, wait_until
from test_isolated_faults import open_files
from test_workers import has_ended

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes end by signals elsewhere")

signals = st.sampled_from(["SIGKILL", "SIGSEGV", "SIGABRT"])
good = st.integers(0, 99).map(lambda number: f"line {number}".encode())
pictures = st.one_of(good, st.just(b"broken"), signals.map(lambda name: f"crash {name}".encode()))


class EngineMachine(RuleBasedStateMachine):
    """Acts of callers, operators and the system on an isolated engine."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[int] = set()
        self.pages: Generator[Page | OcrError] | None = None

    @initialize(workers=st.integers(1, 2))
    def make(self, workers: int) -> None:
        self.workers = workers
        self.engine = OcrEngine(isolated=True, workers=workers, download=False)
        core = self.engine._core
        assert isinstance(core, IsolatedCore)
        self.core = core
        self.is_closed = False
        self.ended: Counter[str] = Counter()
        self.crashes = 0
        # Those that are read ahead may be hit by what is done meanwhile, or not.
        self.is_exact = True

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self._close_pages()
            assert self.engine.free_resources(cancel=True).complete
            assert self.core.pids == []
            for pid in self.seen:
                assert has_ended(pid)

    # --- calls ------------------------------------------------------------------------------------------------------

    def _call(self, use: Callable[[], object]) -> object:
        """Make a call, which a closed engine refuses."""
        if self.is_closed:
            with pytest.raises(ResourcesFreedError):
                use()
            return None
        return use()

    @rule()
    def load(self) -> None:
        self._call(self.engine.load)
        assert self.engine.loaded is not self.is_closed
        assert len(self.core.pids) == (0 if self.is_closed else self.workers)

    @rule(picture=pictures)
    def read(self, picture: bytes) -> None:
        if self.is_closed:
            self._call(lambda: self.engine.recognize(picture))
            return
        try:
            found: Page | OcrError = self.engine.recognize(picture)
        except OcrError as error:
            found = error
        self._check(picture, found)

    @rule(many=st.lists(pictures, max_size=4))
    def read_many(self, many: list[bytes]) -> None:
        if self.is_closed:
            self._call(lambda: list(self.engine.recognize_many(many)))
            return
        # Read ahead, a crash may cost others too.
        found = list(self.engine.recognize_many(many, ahead=0))
        assert len(found) == len(many)
        for picture, one in zip(many, found, strict=True):
            self._check(picture, one)

    def _check(self, picture: bytes, found: Page | OcrError) -> None:
        """Compare a call's end with that which its picture asks for, and count it."""
        if isinstance(found, Page):
            assert found.text == picture.decode()
            assert found.timings is not None
            assert found.timings.total == 0.5
            self.ended["Page"] += 1
            return
        self.ended[type(found).__name__] += 1
        if picture == b"broken":
            assert type(found) is ImageError
            return
        assert isinstance(found, EngineCrashedError)
        assert found.signal == picture.decode().split()[1]
        self.crashes += 1

    @rule(name=signals)
    def crash_before_it_has_begun(self, name: str) -> None:
        picture = f"crash-unseen {name}".encode()
        if self.is_closed:
            self._call(lambda: self.engine.recognize(picture))
            return
        with pytest.raises(EngineCrashedError):
            self.engine.recognize(picture)
        # It is made again once, since it might not have been to blame.
        self.ended["EngineCrashedError"] += 1
        self.crashes += 2

    @rule(order=st.sampled_from([b"wait", b"hang"]))
    def time_out(self, order: bytes) -> None:
        if self.is_closed:
            self._call(lambda: self.engine.recognize(order, timeout=0.02))
            return
        self.engine.load()  # else the start of a process may be what takes too long
        before = set(self.core.pids)
        with pytest.raises(OcrTimeoutError):
            self.engine.recognize(order, timeout=0.02)
        self.ended["OcrTimeoutError"] += 1
        if order == b"hang":
            assert len(before & set(self.core.pids)) == self.workers - 1, "one was ended"
        else:
            assert set(self.core.pids) == before, "it ended by itself"

    # --- pages that are read ahead ----------------------------------------------------------------------------------

    @precondition(lambda self: self.pages is None and not self.is_closed)
    @rule(many=st.lists(good, min_size=1, max_size=4), ahead=st.integers(0, 2))
    def begin_pages(self, many: list[bytes], ahead: int) -> None:
        self.is_exact = False
        self.many = list(many)
        self.pages = self.engine.recognize_many(list(many), ahead=ahead)

    @precondition(lambda self: self.pages is not None)
    @rule()
    def next_page(self) -> None:
        assert self.pages is not None
        if self.is_closed:
            with pytest.raises((ResourcesFreedError, StopIteration)):
                next(self.pages)
            self.pages = None
            return
        found = next(self.pages, None)
        if not self.many:
            assert found is None
            self.pages = None
            return
        wanted = self.many.pop(0)
        assert isinstance(found, EngineCrashedError) or (isinstance(found, Page) and found.text == wanted.decode())

    @rule()
    def close_pages(self) -> None:
        self._close_pages()
        assert self.engine.stats().in_flight == 0

    def _close_pages(self) -> None:
        if self.pages is not None:
            self.pages.close()
        self.pages = None

    # --- the life of its processes ----------------------------------------------------------------------------------

    @rule(name=signals, reads=st.booleans())
    def kill_one_that_does_nothing(self, name: str, reads: bool) -> None:
        for pid in self.core.pids[:1]:
            os.kill(pid, signal.Signals[name])
            self.crashes += 1
            if reads:
                self.read(b"line 0")

    @rule()
    def unload(self) -> None:
        before = len(self.core.pids)
        if self.is_closed:
            self._call(self.engine.unload)
            return
        if self.is_exact:
            wait_until(lambda: self.engine.stats().crashes == self.crashes, "those that were ended are gone")
            before = len(self.core.pids)
            assert self.engine.unload().processes == before
        else:
            self.engine.unload()
        assert not self.engine.loaded
        assert self.core.pids == []

    @rule(cancel=st.booleans(), timeout=st.sampled_from([None, 20.0]))
    def free(self, cancel: bool, timeout: float | None) -> None:
        if self.is_exact:  # one that is on its way to its end may be counted as ended by this
            wait_until(lambda: self.engine.stats().crashes == self.crashes, "those that were ended are gone")
        report = self.engine.free_resources(cancel=cancel, timeout=timeout)
        assert report.complete
        assert self.engine.free_resources() == report, "all get the same one"
        self.is_closed = True
        assert self.core.pids == []

    @precondition(lambda self: self.is_closed)
    @rule(workers=st.integers(1, 2))
    def make_another(self, workers: int) -> None:
        self._close_pages()
        self.make(workers)

    @precondition(lambda self: not self.is_closed)
    @rule(leaves=st.booleans())
    def fork(self, leaves: bool) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            signal.alarm(60)
            status = 1
            try:
                status = self._in_child(leaves=leaves)
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def _in_child(self, *, leaves: bool) -> int:
        engine = self.engine
        fresh = (engine.stats().calls, engine.loaded, self.core.pids, engine.closed) == (0, False, [], False)
        if leaves:
            report = engine.free_resources()
            return 0 if fresh and report.complete and report.processes == 0 else 2
        own = engine.recognize(b"line of a child")
        counted = engine.stats().calls == engine.stats().pages == 1
        report = engine.free_resources()
        return 0 if fresh and counted and own.text == "line of a child" and report.processes == self.workers else 3

    # --- what always holds ------------------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "engine"):
            return
        pids = set(self.core.pids)
        self.seen |= pids
        assert len(pids) <= self.workers
        assert self.engine.closed is self.is_closed
        stats = self.engine.stats()
        assert stats.calls == stats.pages + sum(stats.errors.values()) + stats.in_flight
        assert 0 <= stats.queued <= stats.in_flight
        assert stats.load_seconds == 0.25 * stats.loads
        if self.pages is None:
            assert stats.in_flight == 0
        if self.is_exact:
            wait_until(lambda: self.engine.stats().crashes == self.crashes, "crashes are counted")
            stats = self.engine.stats()
            assert Counter({"Page": stats.pages, **stats.errors}) == self.ended
            assert stats.seconds.total == 0.5 * stats.pages


def test_whatever_is_done_each_call_ends_as_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_process, "_MODULE", "echo_service")
    monkeypatch.setattr(_process, "_FOLDERS", (str(Path(__file__).parent),))
    monkeypatch.setattr(_exchange, "GRACE", 0.1)
    threads, files = threading.active_count(), open_files()
    few = settings(
        max_examples=scaled(12),
        stateful_step_count=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(EngineMachine, settings=few)
    wait_until(lambda: threading.active_count() <= threads and open_files() <= files, "nothing of them is left")
