"""The model directory as a state machine: whatever is done to it, and in whatever order, the store says what is there.

The machine keeps its own idea of the directory, as plain names and bytes, and compares after each step. Files are also
written, damaged, renamed and deleted behind the store's back, because what lies on the disk is the truth.
"""

import hashlib
import os
import shutil
import tempfile
from collections import Counter
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from conftest import ORIENTER, tiny_model
from ferrocr import (
    InvalidArgumentError,
    Lease,
    ModelInUseError,
    ModelKeptError,
    ModelNotFoundError,
    ModelState,
    ModelStore,
    catalog,
)

# A known model with the list of characters that goes with it. They appear where the mirror has them.
(LISTED,) = (entry.name for entry in catalog() if entry.characters is not None)
ITS_LIST = LISTED.replace(".onnx", ".txt")

NAMES = ("a.onnx", "b.bin", "c.ort", "old_a.onnx", "old_b.bin", ORIENTER, LISTED, "a.txt", ITS_LIST, "notes.md")
MODELS = tuple(name for name in NAMES if name.endswith((".onnx", ".bin", ".ort")))
CONTENTS = (tiny_model("one"), tiny_model("two"), b"\x00\x00\x00\x00ORTM flatbuffer", b"no model at all", b"")
KNOWN = {entry.name: entry.sha256 for entry in catalog()}
# A step takes about 3 ms; a thousand examples of 50 steps were run by hand.
EXAMPLES = int(os.environ.get("FERROCR_TEST_EXAMPLES", "60"))
STEPS = 30

names = st.sampled_from(NAMES)
models = st.sampled_from(MODELS)
contents = st.sampled_from(CONTENTS)


LISTS = {"a.txt": "a.onnx", ITS_LIST: LISTED}  # the lists of characters here, and the only model that each belongs to


def list_of(model: str) -> str:
    return f"{Path(model).stem}.txt"


def expected_state(name: str, files: dict[str, bytes], right_list: bytes) -> ModelState:
    """What the audit has to say, by rules written once more, without looking at the store's."""
    content = files[name]
    is_onnx, is_ort = content in CONTENTS[:2], content == CONTENTS[2]
    if name in LISTS:
        model = LISTS[name]
        if model not in files:
            return ModelState.FOREIGN
        if expected_state(model, files, right_list) != ModelState.CURRENT:
            return ModelState.UNVERIFIED
        return ModelState.CORRUPT if is_listed(files[model]) and content != right_list else ModelState.CURRENT
    if name == "notes.md":
        return ModelState.FOREIGN
    if name.startswith("old_"):
        return ModelState.OLD
    digest = hashlib.sha256(content).hexdigest()
    if name in KNOWN:
        return ModelState.CURRENT if digest == KNOWN[name] else ModelState.CORRUPT
    if digest in KNOWN.values():
        return ModelState.CURRENT
    if is_ort or (is_onnx and not name.endswith(".ort")):
        return ModelState.UNVERIFIED
    return ModelState.FOREIGN if name.endswith(".bin") else ModelState.CORRUPT


@lru_cache(maxsize=64)
def is_listed(content: bytes) -> bool:
    """True for the known model that has its characters in a list."""
    return hashlib.sha256(content).hexdigest() == KNOWN[LISTED]


class DirectoryMachine(RuleBasedStateMachine):
    """What users, operators and accidents do to a model directory."""

    mirror: Path

    @initialize()
    def start(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="ferrocr-machine-"))
        self.dir = self.root / "models"
        self.store = ModelStore(self.dir)
        self.files: dict[str, bytes] = {}
        pair = [self.mirror / name for name in (LISTED, ITS_LIST)]
        self.pair = tuple(path.read_bytes() for path in pair) if all(path.is_file() for path in pair) else ()
        self.clean = (*CONTENTS, (self.mirror / ORIENTER).read_bytes(), *self.pair[:1])
        self.trash: list[list[tuple[str, bytes]]] = []
        self.keeping: set[str] = set()
        self.leased: Counter[str] = Counter()
        self.open_leases: list[tuple[Lease, tuple[str, ...]]] = []

    def teardown(self) -> None:
        for lease, _ in getattr(self, "open_leases", []):
            lease.release()
        if hasattr(self, "root"):
            shutil.rmtree(self.root)

    # --- by hand ---

    @rule(name=names, content=contents)
    def write(self, name: str, content: bytes) -> None:
        self.dir.mkdir(exist_ok=True)
        (self.dir / name).write_bytes(content)
        self.files[name] = content

    @rule(name=names)
    def delete(self, name: str) -> None:
        (self.dir / name).unlink(missing_ok=True)
        self.files.pop(name, None)

    @rule(name=names, at=st.integers(0, 10_000), bit=st.integers(0, 7))
    def flip(self, name: str, at: int, bit: int) -> None:
        content = bytearray(self.files.get(name, b""))
        if content and name in KNOWN:  # elsewhere a flipped bit may or may not leave a readable model
            content[at % len(content)] ^= 1 << bit
            self.write(name, bytes(content))

    @rule(name=names, keep=st.integers(0, 100))
    def truncate(self, name: str, keep: int) -> None:
        if name in KNOWN and self.files.get(name):
            self.write(name, self.files[name][:keep])

    @rule(source=names, goal=names)
    def rename(self, source: str, goal: str) -> None:
        # Elsewhere than under its own name, nothing says whether damaged content is still a readable model.
        if self.files.get(source) in self.clean and source != goal:
            (self.dir / source).replace(self.dir / goal)
            self.files[goal] = self.files.pop(source)

    @rule()
    def move_the_directory_away_and_back(self) -> None:
        if self.dir.exists():
            away = self.dir.with_name("elsewhere")
            self.dir.rename(away)
            assert self.store.list_local() == []
            assert ModelStore(away).list_local() == sorted(set(self.files) & set(MODELS))
            away.rename(self.dir)

    # --- through the store ---

    @rule()
    def pull(self) -> None:
        before = self.files.get(ORIENTER)
        content = (self.mirror / ORIENTER).read_bytes()
        self.store.pull(ORIENTER, mirror=self.mirror.as_uri())
        if before is not None and before != content:
            self.trash.append([(ORIENTER, before)])
        self.files[ORIENTER] = content

    @rule()
    def pull_with_list(self) -> None:
        if not self.pair:
            return
        self.store.pull(LISTED, mirror=self.mirror.as_uri())
        for name, content in zip((ITS_LIST, LISTED), reversed(self.pair), strict=True):
            before = self.files.get(name)
            if before is not None and before != content:
                self.trash.append([(name, before)])
            self.files[name] = content

    @rule(chosen=st.lists(names, min_size=1, max_size=3, unique=True), dry_run=st.booleans())
    def remove(self, chosen: list[str], dry_run: bool) -> None:
        if self.idle_entries():
            error: type[Exception] | None = InvalidArgumentError
            if any(name not in self.files for name in chosen):
                error = ModelNotFoundError
        elif any(name not in self.files for name in chosen):
            error = ModelNotFoundError
        elif dry_run:
            error = None
        elif any(self.is_used(name) and not self.is_kept(name) for name in chosen):
            error = ModelInUseError
        elif any(self.is_kept(name) for name in chosen):
            error = ModelKeptError
        else:
            error = None
        if error is not None:
            with pytest.raises(error):
                self.store.remove(chosen, dry_run=dry_run)
            return
        removal = self.store.remove(chosen, dry_run=dry_run)
        if not dry_run:
            self.took(self.with_list(chosen))
        assert (removal.removal is None) == dry_run

    @rule(prefix=st.sampled_from(["old_", "a", "ch_", "PP-", "nothing"]), dry_run=st.booleans())
    def prune_prefix(self, prefix: str, dry_run: bool) -> None:
        chosen = sorted(name for name in self.files if name in MODELS and name.startswith(prefix))
        self.prune(chosen, dry_run=dry_run, prefix=prefix)

    @rule(states=st.sets(st.sampled_from(["OLD", "UNVERIFIED", "CORRUPT", "FOREIGN", "CURRENT"]), min_size=1))
    def prune_states(self, states: set[str]) -> None:
        chosen = sorted(name for name in self.files if self.state(name) in states)
        self.prune(chosen, dry_run=False, states=sorted(states))

    def prune(
        self, chosen: list[str], *, dry_run: bool, prefix: str | None = None, states: list[str] | None = None
    ) -> None:
        def call() -> None:
            self.store.prune(prefix, states=states or (), dry_run=dry_run)

        going = [name for name in chosen if not self.is_kept(name)]
        for own, model in LISTS.items():
            if own in going and model in self.files and model not in going:
                going.remove(own)  # it stays with its model
        if self.idle_entries():
            with pytest.raises(InvalidArgumentError):
                call()
        elif not dry_run and any(self.is_used(name) for name in going):
            with pytest.raises(ModelInUseError):
                call()
        else:
            call()
            if not dry_run:
                self.took(self.with_list(going))

    @rule()
    def undo(self) -> None:
        if not self.trash:
            with pytest.raises(ModelNotFoundError):
                self.store.restore()
            return
        latest = self.trash[-1]
        if any(name in self.files for name, _ in latest):
            with pytest.raises(InvalidArgumentError):
                self.store.restore()
            return
        self.store.restore()
        self.files.update(self.trash.pop())

    @rule(name=names)
    def restore(self, name: str) -> None:
        copies = [(removal, pair) for removal in reversed(self.trash) for pair in removal if pair[0] == name]
        if not copies or name in self.files:
            with pytest.raises(InvalidArgumentError if copies else ModelNotFoundError):
                self.store.restore(name)
            return
        removal, pair = copies[0]
        # The list that was removed with its model comes back with it, unless there is another one by now.
        beside = [own for own, model in LISTS.items() if model == name and own not in self.files]
        also = [each for each in removal if each[0] in beside]
        self.store.restore(name)
        for each in (pair, *also):
            removal.remove(each)
            self.files[each[0]] = each[1]
        self.trash = [removal for removal in self.trash if removal]

    @rule()
    def purge(self) -> None:
        assert self.store.purge(older_than=3600) == []
        assert len(self.store.purge()) == sum(map(len, self.trash))
        self.trash = []

    @rule(entry=st.sampled_from([*MODELS, "*.onnx", "old_*"]))
    def keep(self, entry: str) -> None:
        if any(matches(entry, name) for name in self.files if name in MODELS):
            self.store.keep(entry)
            self.keeping.add(entry)
        else:
            with pytest.raises(InvalidArgumentError):
                self.store.keep(entry)

    @rule(entry=st.sampled_from([*MODELS, "*.onnx", "old_*"]))
    def unkeep(self, entry: str) -> None:
        if entry in self.keeping:
            self.store.unkeep(entry)
            self.keeping.remove(entry)
        else:
            with pytest.raises(InvalidArgumentError):
                self.store.unkeep(entry)

    @rule(chosen=st.lists(models, min_size=1, max_size=2, unique=True))
    def use(self, chosen: list[str]) -> None:
        lease = self.store.lease(chosen)
        assert lease.held == self.dir.exists(), "a directory that is not there is not made"
        if not lease.held:
            return
        # The list of characters beside a model is used with it, if it is there at that moment.
        also = [own for own, model in LISTS.items() if model in chosen and own in self.files]
        self.open_leases.append((lease, (*chosen, *also)))
        self.leased.update((*chosen, *also))

    @rule()
    def stop_using(self) -> None:
        if self.open_leases:
            lease, used = self.open_leases.pop(0)
            lease.release()
            self.leased.subtract(used)

    @rule()
    def carry_over_in_an_archive(self) -> None:
        wanted = sorted(name for name in self.files if name in MODELS and self.is_sound(name))
        if not wanted:
            return
        archive = self.root / "models.zip"
        self.store.export(archive, wanted)
        other = ModelStore(self.root / "other")
        other.import_archive(archive)
        for name in other.list_local():
            assert Path(other.get_local_path(name)).read_bytes() == self.files[name]
        assert other.list_local() == wanted
        shutil.rmtree(self.root / "other")
        unchanged = self.store.import_archive(archive)
        assert not any(file.is_new for file in unchanged)

    # --- what must hold after each step ---

    @invariant()
    def the_list_is_what_is_there(self) -> None:
        assert self.store.list_local() == sorted(name for name in self.files if name in MODELS)

    @invariant()
    def the_audit_is_what_is_there(self) -> None:
        report = self.store.audit()
        found = {entry.name: entry for entry in report if entry.state not in (ModelState.TRASHED, ModelState.MISSING)}
        assert set(found) == set(self.files), "each file is reported, once, and nothing else is"
        missing = self.idle_entries() | self.missing_lists()
        assert len(report.entries) == len(found) + sum(map(len, self.trash)) + len(missing)
        for name, content in self.files.items():
            entry = found[name]
            assert entry.state == self.state(name), entry
            assert entry.bytes == len(content) == Path(entry.path).stat().st_size
            if entry.state != ModelState.FOREIGN:
                assert entry.sha256 == hashlib.sha256(content).hexdigest()
            assert entry.in_use == self.is_used(name)
            if name in MODELS:
                assert entry.kept == any(matches(kept, name) for kept in self.keeping)
        assert {entry.name for entry in report if entry.state == ModelState.MISSING} == missing
        assert len(report.text().splitlines()) == len(report.entries)

    @invariant()
    def nothing_is_lost(self) -> None:
        for name, content in self.files.items():
            assert (self.dir / name).read_bytes() == content
        trashed = [entry for entry in self.store.audit() if entry.state == ModelState.TRASHED]
        found = Counter((entry.name, Path(entry.path).read_bytes()) for entry in trashed)
        assert found == Counter(pair for removal in self.trash for pair in removal)

    # --- the machine's own rules ---

    def state(self, name: str) -> ModelState:
        return expected_state(name, self.files, self.pair[1] if self.pair else b"")

    def is_sound(self, name: str) -> bool:
        damaged = name.endswith(".onnx") and self.files[name] in CONTENTS[2:]
        lacks = is_listed(self.files[name]) and self.files.get(list_of(name)) != self.pair[1]
        return self.state(name) != ModelState.CORRUPT and not damaged and not lacks

    def idle_entries(self) -> set[str]:
        present = [name for name in self.files if name in MODELS]
        return {entry for entry in self.keeping if not any(matches(entry, name) for name in present)}

    def missing_lists(self) -> set[str]:
        """The lists of characters without which models here cannot be used; what was put aside needs none."""
        models = [name for name in self.files if name in MODELS and is_listed(self.files[name])]
        usable = [name for name in models if self.state(name) == ModelState.CURRENT]
        return {list_of(name) for name in usable} - set(self.files)

    def is_kept(self, name: str) -> bool:
        return any(matches(entry, each) for entry in self.keeping for each in self.with_model(name))

    def is_used(self, name: str) -> bool:
        return any(self.leased[each] > 0 for each in self.with_model(name))

    def with_model(self, name: str) -> list[str]:
        """What holds for a model holds for the list of characters beside it."""
        return [name, LISTS[name]] if LISTS.get(name) in self.files else [name]

    def with_list(self, chosen: list[str]) -> list[str]:
        """What goes with the chosen files: a model takes its list of characters along."""
        return sorted({*chosen, *(own for own, model in LISTS.items() if model in chosen and own in self.files)})

    def took(self, chosen: list[str]) -> None:
        if chosen:
            self.trash.append([(name, self.files.pop(name)) for name in chosen])


def matches(entry: str, name: str) -> bool:
    return fnmatchcase(name, entry)


def test_the_directory_as_a_state_machine(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")  # its mirror is a folder
    machine = type("Machine", (DirectoryMachine,), {"mirror": models_dir})
    run_state_machine_as_test(machine, settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS))
