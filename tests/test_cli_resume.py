"""``ferrocr read -o DIR --resume``: whatever happens between two runs, and whenever one is killed, after the next one
each input has exactly the right output, and nothing was read again without need.
"""

import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import ferrocr
from fake_engine import Captured, FakeEngine
from ferrocr.cli import main
from ferrocr.cli._errors import EXIT_OK, EXIT_PROBLEMS
from ferrocr.cli._resume import Record, Records, Stamp
from own_process import scaled

NAMES = ("a.png", "a.jpg", "b.png", "sub/a.png", "sub/deeper/c.tif", "broken.png")
CONTENTS = ("one", "two", "three", "")
OPTIONS = ((), ("--preset", "fast"), ("--format", "jsonl"))
KILLED = 77

Options = tuple[str, ...]


class LoggingEngine(FakeEngine):
    """Notes in a file what it reads: it may be in a process that is killed."""

    log: Path

    def recognize_many(self, images: Iterable[str], **options: Any) -> Iterator[Any]:  # noqa: ANN401
        """One page or error for each file."""

        def noted() -> Iterator[str]:
            for image in images:
                with self.log.open("a") as log:
                    log.write(f"{image}\n")
                yield image

        return super().recognize_many(noted(), **options)


def killed_at(step: int, function: Callable[..., Any], counter: Iterator[int]) -> Callable[..., Any]:
    """The function, before or after which the process ends."""

    def counted(*arguments: object, **more: object) -> object:
        if next(counter) == step:
            os._exit(KILLED)
        result = function(*arguments, **more)
        if next(counter) == step:
            os._exit(KILLED)
        return result

    return counted


def run_in_child(arguments: list[str], log: Path, step: int | None) -> int:
    """Run the command in a forked process, which ends at a step of what it does to the disk; its exit status."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
        child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        LoggingEngine.log = log
        ferrocr.OcrEngine = LoggingEngine  # type: ignore[assignment, misc]
        if step is not None:
            counter = iter(range(10_000))
            os.replace = killed_at(step, os.replace, counter)
            os.fsync = killed_at(step, os.fsync, counter)
        os._exit(main(arguments))
    finally:
        os._exit(99)


class FolderMachine(RuleBasedStateMachine):
    """Inputs come, change and go; outputs are damaged; runs are killed."""

    @initialize()
    def start(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="ferrocr-resume-"))
        self.inputs, self.outputs = self.root / "in", self.root / "out"
        self.inputs.mkdir()
        self.files: dict[str, str] = {}
        self.options: Options = ()
        # What is done for sure, and what may be: the last one before a kill.
        self.done: dict[tuple[str, Options], str] = {}
        self.unsure: set[tuple[str, Options]] = set()

    def teardown(self) -> None:
        if hasattr(self, "root"):
            shutil.rmtree(self.root)

    def output_of(self, name: str, options: Options) -> Path:
        return self.outputs / f"{name}{'.jsonl' if 'jsonl' in options else '.txt'}"

    # --- what users and accidents do ---

    @rule(name=st.sampled_from(NAMES), content=st.sampled_from(CONTENTS), keeps_time=st.booleans())
    def write(self, name: str, content: str, keeps_time: bool) -> None:
        path = self.inputs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.stat().st_mtime_ns if path.exists() else None
        path.write_text(content)
        # A clock that counts in whole seconds gives two changes one time; none counts in more than two.
        if keeps_time and before is not None and time.time_ns() - before < 1.5e9:
            os.utime(path, ns=(before, before))
        self.files[name] = content

    @rule(name=st.sampled_from(NAMES), age=st.integers(0, 10_000))
    def touch(self, name: str, age: int) -> None:
        if name in self.files:
            now = time.time_ns() - age * 10**9
            os.utime(self.inputs / name, ns=(now, now))

    @rule(name=st.sampled_from(NAMES))
    def remove(self, name: str) -> None:
        if self.files.pop(name, None) is not None:
            (self.inputs / name).unlink()

    @rule(options=st.sampled_from(OPTIONS))
    def change_options(self, options: Options) -> None:
        self.options = options

    @rule(name=st.sampled_from(NAMES), keep=st.integers(0, 3), options=st.sampled_from(OPTIONS))
    def truncate_output(self, name: str, keep: int, options: Options) -> None:
        path = self.output_of(name, options)
        if path.exists() and path.stat().st_size > keep:
            os.truncate(path, keep)
            for other in OPTIONS:
                if self.output_of(name, other) == path:
                    self.done.pop((name, other), None)
                    self.unsure.discard((name, other))

    @rule(cut=st.integers(1, 50))
    @precondition(lambda self: (self.outputs / ".ferrocr" / "done.jsonl").exists())
    def tear_the_last_record(self, cut: int) -> None:
        path = self.outputs / ".ferrocr" / "done.jsonl"
        data = path.read_bytes()
        if data:
            path.write_bytes(data[:-cut])
            self.unsure |= self.done.keys()

    # --- runs ---

    @rule(step=st.none() | st.integers(0, 40))
    def run(self, step: int | None) -> None:
        if not self.files:
            return
        log = self.root / "log"
        log.write_text("")
        arguments = ["read", str(self.inputs), "-o", f"{self.outputs}/", "--resume", *self.options]
        status = run_in_child(arguments, log, step)
        was_read = [Path(line).relative_to(self.inputs).as_posix() for line in log.read_text().splitlines()]
        assert len(was_read) == len(set(was_read))
        needless = {name for name in was_read if self.is_done(name) and (name, self.options) not in self.unsure}
        assert not needless
        assert status in (KILLED, EXIT_PROBLEMS if "broken.png" in self.files else EXIT_OK)
        for place, name in enumerate(was_read):
            self.note(name, is_sure=status != KILLED or place < len(was_read) - 1)
        if status != KILLED:
            self.unsure -= {(name, self.options) for name in self.files}
            self.check_all()

    def is_done(self, name: str) -> bool:
        return self.done.get((name, self.options)) == self.files[name]

    def note(self, name: str, *, is_sure: bool) -> None:
        if name == "broken.png":
            return
        path = self.output_of(name, self.options)
        for other in OPTIONS:  # one file, one state
            if self.output_of(name, other) == path:
                self.done.pop((name, other), None)
                self.unsure.discard((name, other))
        self.done[name, self.options] = self.files[name]
        if not is_sure:
            self.unsure.add((name, self.options))

    def check_all(self) -> None:
        for name, content in self.files.items():
            path = self.output_of(name, self.options)
            if name == "broken.png":
                assert not path.exists()
            elif "jsonl" in self.options:
                assert json.loads(path.read_text())["text"] == content
            else:
                assert path.read_text() == f"{content}\n"
            if name != "broken.png":
                self.done[name, self.options] = content

    @invariant()
    def nothing_but_whole_files_is_to_be_seen(self) -> None:
        if hasattr(self, "outputs") and self.outputs.exists():
            seen = {path.name for path in self.outputs.rglob("*") if path.is_file() and ".ferrocr" not in path.parts}
            assert all(name.endswith((".txt", ".jsonl")) for name in seen)


if hasattr(os, "fork"):
    TestFolder = FolderMachine.TestCase
    TestFolder.settings = settings(max_examples=scaled(25), stateful_step_count=30, deadline=None)


# --- records ------------------------------------------------------------------------------------------------------

stamps = st.builds(Stamp, st.integers(0, 2**40), st.integers(0, 2**62), st.text(max_size=5), st.booleans())
outputs = st.dictionaries(st.text(max_size=4), stamps, max_size=3)
records = st.builds(
    Record,
    st.text(st.characters(), max_size=8),
    st.text(max_size=8),
    stamps,
    st.dictionaries(st.text(max_size=4), stamps, max_size=3),
)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.text(st.characters(), max_size=4), records), max_size=4), st.integers(0, 400))
def test_records_come_back_also_when_the_last_one_is_torn(added: list[tuple[str, Record]], cut: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for output, record in added:
            Records(folder).add(output, record)
        expected = dict(added)
        found = Records(folder)
        assert {output: found.find(output) for output in expected} == expected
        if added:
            path = folder / "done.jsonl"
            path.write_bytes(path.read_bytes()[: -min(cut, len(path.read_bytes().splitlines()[-1]) + 1) or None])
            Records(folder).add("new", added[0][1])
            after = Records(folder)
            assert after.find("new") == added[0][1]
            for output, record in dict(added[:-1]).items():
                if output not in ("new", added[-1][0]):
                    assert after.find(output) == record


@given(st.binary(max_size=200) | st.just(b'{"output": 1}\n[]\nnull\n{"output": "a", "read": 3}\n'))
def test_nothing_in_the_file_of_records_is_too_odd(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "done.jsonl").write_bytes(content)
        assert Records(Path(name)).find("a") is None


def test_records_that_no_longer_count_are_written_away(tmp_path: Path) -> None:
    stamp = Stamp(1, 2, "x", is_settled=True)
    known = Records(tmp_path)
    path = tmp_path / "done.jsonl"
    known.add("a", Record("a", "o", stamp, {"a.txt": stamp}))
    path.write_bytes(path.read_bytes() * 1500)
    assert Records(tmp_path).find("a") == Record("a", "o", stamp, {"a.txt": stamp})
    assert len(path.read_bytes().splitlines()) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["done.jsonl"]


# --- one run after the other --------------------------------------------------------------------------------------


def test_what_is_done_is_not_read_again(fake_engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    command = ["read", "a.png", "b.png", "-o", "out/", "--resume"]
    assert main(command) == EXIT_OK
    assert fake_engine.was_read == ["a.png", "b.png"]
    assert main(command) == EXIT_OK
    assert fake_engine.was_read == ["a.png", "b.png"]
    assert capsys.readouterr().err.splitlines()[-1] == "0 files written to out/, 2 done before"
    assert main(command[:-1]) == EXIT_OK  # without --resume
    assert fake_engine.was_read == ["a.png", "b.png"] * 2


def test_another_version_reads_again(
    fake_engine: type[FakeEngine], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["read", "a.png", "-o", "out/", "--resume"]
    assert main(command) == EXIT_OK
    monkeypatch.setattr("ferrocr.cli._read.__version__", "9.9.9")
    assert main(command) == EXIT_OK
    assert fake_engine.was_read == ["a.png"] * 2


def test_what_killed_runs_left_is_swept_unless_somebody_holds_it(fake_engine: type[FakeEngine], files: Path) -> None:
    work = files / "out" / ".ferrocr"
    work.mkdir(parents=True)
    old, held, fresh = work / ".old.part", work / ".held.part", work / ".fresh.part"
    for path in (old, held, fresh):
        path.touch()
    for path in (old, held):
        os.utime(path, (1, 1))
    with held.open() as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        except ImportError:
            pass  # an open file cannot be removed there
        assert main(["read", "a.png", "-o", "out"]) == EXIT_OK
    assert (old.exists(), held.exists(), fresh.exists()) == (False, True, True)


def test_a_change_that_the_clock_does_not_show_is_seen(fake_engine: type[FakeEngine], files: Path) -> None:
    command = ["read", "a.png", "-o", "out/", "--resume"]
    assert main(command) == EXIT_OK
    before = Path("a.png").stat().st_mtime_ns
    Path("a.png").write_text("omega")
    os.utime("a.png", ns=(before, before))
    assert main(command) == EXIT_OK
    assert Path("out/a.png.txt").read_text() == "omega\n"


def test_a_file_that_has_been_left_alone_is_not_even_opened(
    fake_engine: type[FakeEngine], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime("a.png", (1_000_000_000, 1_000_000_000))
    command = ["read", "a.png", "-o", "out/", "--resume"]
    assert main(command) == EXIT_OK
    monkeypatch.setattr("ferrocr.cli._resume._hash_of", None)
    assert main(command) == EXIT_OK
    assert fake_engine.was_read == ["a.png"]
