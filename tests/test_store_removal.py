"""Removing models without fear: plans, the trash, the keep-list, and models in use."""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import DETECTOR, ORIENTER, RECOGNIZER, run_python, snapshot, tiny_model
from ferrocr import (
    InvalidArgumentError,
    ModelInUseError,
    ModelKeptError,
    ModelNotFoundError,
    ModelState,
    ModelStore,
    OcrEngine,
    OcrError,
    PlannedFile,
    Removal,
)

HOUR = 3600


def names(removal: Removal) -> list[str]:
    """The names that went."""
    return [file.name for file in removal.removed]


def age(path: Path, seconds: float) -> None:
    """Let a file be that old."""
    then = time.time() - seconds
    os.utime(path, (then, then))


# --- remove and restore -------------------------------------------------------------------------------------------


def test_what_is_removed_comes_back(folder: Path) -> None:
    store = ModelStore(folder)
    content = (folder / "b.onnx").read_bytes()
    removal = store.remove("b.onnx")
    assert names(removal) == ["b.onnx"]
    assert (removal.bytes, removal.spared, removal.dry_run) == (len(content), (), False)
    assert removal.removal is not None
    assert store.list_local() == ["a.onnx", "old_c.onnx"]
    (trashed,) = store.restore()
    assert (trashed.removal, trashed.name, trashed.bytes) == (removal.removal, "b.onnx", len(content))
    assert trashed.removed == pytest.approx(time.time(), abs=60)
    assert (folder / "b.onnx").read_bytes() == content


def test_a_model_takes_its_list_of_characters_along(folder: Path) -> None:
    store = ModelStore(folder)
    before = {name: (folder / name).read_bytes() for name in ("a.onnx", "a.txt")}
    removal = store.remove("a.onnx")
    assert [(file.name, file.reason) for file in removal.files] == [
        ("a.onnx", "named"),
        ("a.txt", "list of characters of a.onnx"),
    ]
    assert [file.name for file in store.restore("a.onnx")] == ["a.onnx", "a.txt"]
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_any_file_can_be_removed(folder: Path) -> None:
    store = ModelStore(folder)
    (folder / "notes.md").write_text("no model")
    store.remove("notes.md")
    assert not (folder / "notes.md").exists()
    store.restore("notes.md")
    assert (folder / "notes.md").read_text() == "no model"


def test_all_or_none_is_removed(folder: Path) -> None:
    store = ModelStore(folder)
    before = snapshot(folder)
    cases: dict[str, type[OcrError]] = {"none.onnx": ModelNotFoundError, "../a.onnx": InvalidArgumentError}
    for name, error in cases.items():
        with pytest.raises(error):
            store.remove(["a.onnx", name])
    assert snapshot(folder) == before


def test_a_restore_takes_what_is_named(folder: Path) -> None:
    store = ModelStore(folder)
    first, second = store.remove("a.onnx"), store.remove(["b.onnx", "old_c.onnx"])
    assert [file.name for file in store.restore("b.onnx")] == ["b.onnx"]
    assert [file.name for file in store.restore(removal=first.removal, dry_run=True)] == ["a.onnx", "a.txt"]
    assert [file.name for file in store.restore()] == ["old_c.onnx"], "what is left of the latest removal"
    assert second.removal is not None
    with pytest.raises(ModelNotFoundError):
        store.restore(removal=second.removal)
    assert [file.name for file in store.restore()] == ["a.onnx", "a.txt"]
    with pytest.raises(ModelNotFoundError, match=r"trash .* is empty"):
        store.restore()


def test_a_restore_overwrites_nothing(folder: Path) -> None:
    store = ModelStore(folder)
    store.remove(["a.onnx", "b.onnx"])
    (folder / "b.onnx").write_bytes(b"put there since")
    before = snapshot(folder)
    with pytest.raises(InvalidArgumentError, match=r"b\.onnx"):
        store.restore()
    assert snapshot(folder) == before
    with pytest.raises(ModelNotFoundError, match=r"none\.onnx"):
        store.restore("none.onnx")


def test_a_purge_deletes_for_good(folder: Path) -> None:
    store = ModelStore(folder)
    store.remove("a.onnx")
    assert store.purge(older_than=timedelta(days=1)) == []
    before = snapshot(folder)
    assert [file.name for file in store.purge(dry_run=True)] == ["a.onnx", "a.txt"]
    assert snapshot(folder) == before
    assert [file.name for file in store.purge(older_than=0)] == ["a.onnx", "a.txt"]
    assert store.purge() == []
    with pytest.raises(ModelNotFoundError):
        store.restore("a.onnx")


def test_a_trial_changes_nothing(folder: Path) -> None:
    store = ModelStore(folder)
    store.remove("b.onnx")
    store.keep("a.onnx")
    before = snapshot(folder)
    plan = store.remove(["a.onnx", "old_c.onnx"], dry_run=True)
    assert {file.name: file.decision for file in plan.files} == {"a.onnx": "kept", "old_c.onnx": "remove"}
    assert (plan.dry_run, plan.removal, names(plan)) == (True, None, ["old_c.onnx"])
    assert [file.name for file in plan.spared] == ["a.onnx"]
    assert names(store.prune(dry_run=True)) == ["old_c.onnx"]
    assert [file.name for file in store.restore(dry_run=True)] == ["b.onnx"]
    assert snapshot(folder) == before


def test_a_removal_is_a_plain_value() -> None:
    file = PlannedFile("a", "/m/a", 3, "remove", (), "named")
    removal = Removal((file, PlannedFile("b", "/m/b", 4, "in use", (7,), "in use by 7")), "1", dry_run=False)
    assert pickle.loads(pickle.dumps(removal)) == removal
    assert (removal.bytes, removal.removed) == (3, (file,))
    assert removal.to_dict()["files"][1]["pids"] == [7]


# --- prune --------------------------------------------------------------------------------------------------------


def test_a_prune_without_a_wish_takes_what_was_put_aside(folder: Path) -> None:
    assert names(ModelStore(folder).prune()) == ["old_c.onnx"]
    assert ModelStore(folder).prune().files == ()


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"prefix": "a"}, ["a.onnx", "a.txt"]),
        ({"prefix": "x"}, []),
        ({"states": ModelState.OLD}, ["old_c.onnx"]),
        ({"states": "old"}, ["old_c.onnx"]),
        ({"states": ["OLD", "UNVERIFIED"], "prefix": "old"}, ["old_c.onnx"]),
        ({"states": "UNVERIFIED", "older_than": timedelta(hours=1)}, ["b.onnx"]),
        ({"older_than": HOUR}, ["b.onnx", "old_c.onnx"]),
        ({"older_than": HOUR, "keep": "b.onnx"}, ["old_c.onnx"]),
        ({"older_than": HOUR, "keep": ["old_*"]}, ["b.onnx"]),
        ({"older_than": HOUR, "models": "b.onnx"}, ["old_c.onnx"]),
        ({"older_than": 10.0 * HOUR}, []),
    ],
    ids=str,
)
def test_a_prune_takes_what_matches_all_that_is_given(
    folder: Path, criteria: dict[str, Any], expected: list[str]
) -> None:
    for name in ("b.onnx", "old_c.onnx"):
        age(folder / name, 2 * HOUR)
    assert names(ModelStore(folder).prune(**criteria)) == expected
    assert not any((folder / name).exists() for name in expected)


@pytest.mark.parametrize(
    ("criteria", "reason"),
    [
        ({"prefix": ""}, "prefix"),
        ({"states": "NONSENSE"}, "UNVERIFIED"),
        ({"states": "TRASHED"}, "TRASHED"),
        ({"older_than": -1}, "older_than"),
        ({"older_than": float("nan")}, "older_than"),
        ({"older_than": float("inf")}, "older_than"),
        ({"older_than": 1e300}, "older_than"),
        ({"older_than": timedelta(days=-1)}, "older_than"),
        ({"keep": "nothing_*"}, r"nothing_\*"),
        ({"models": "ppocrv99"}, "ppocrv99"),
    ],
    ids=str,
)
def test_a_prune_that_is_mistyped_is_refused(folder: Path, criteria: dict[str, Any], reason: str) -> None:
    store = ModelStore(folder)
    store.unkeep(store.keep("a.onnx"))  # the bookkeeping is there from then on
    before = snapshot(folder)
    for dry_run in (True, False):
        with pytest.raises(InvalidArgumentError, match=reason):
            store.prune(**criteria, dry_run=dry_run)
    assert snapshot(folder) == before


NO_TEXT = (os.fsdecode(b"\xff.onnx"), "\ud800", 5, b"a.onnx", 1.5, Path("a.onnx"))


@pytest.mark.parametrize("wrong", NO_TEXT, ids=repr)
@pytest.mark.parametrize(
    "call",
    [
        lambda store, wrong: store.get_local_path(wrong),
        lambda store, wrong: store.info(wrong),
        lambda store, wrong: store.verify(wrong),
        lambda store, wrong: store.verify("a.onnx", sha256=wrong),
        lambda store, wrong: store.audit(models=[wrong]),
        lambda store, wrong: store.lease([wrong]),
        lambda store, wrong: store.pull([wrong]),
        lambda store, wrong: store.pull(DETECTOR, mirror=wrong),
        lambda store, wrong: store.remove(wrong),
        lambda store, wrong: store.remove(["a.onnx", wrong]),
        lambda store, wrong: store.remove("a.onnx", keep=[wrong]),
        lambda store, wrong: store.prune(wrong),
        lambda store, wrong: store.prune(states=[wrong]),
        lambda store, wrong: store.prune(models=[wrong]),
        lambda store, wrong: store.restore([wrong]),
        lambda store, wrong: store.restore(removal=wrong),
        lambda store, wrong: store.keep([wrong]),
        lambda store, wrong: store.unkeep([wrong]),
        lambda store, wrong: store.export("x.zip", [wrong]),
    ],
)
def test_what_is_no_name_is_refused(folder: Path, call: Callable[[ModelStore, Any], object], wrong: object) -> None:
    before = snapshot(folder)
    with pytest.raises(InvalidArgumentError):
        call(ModelStore(folder), wrong)
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    "wrong", ["abc", "5", b"5", True, 10**400, float("nan"), -1, [1], 1j], ids=lambda it: repr(it)[:9]
)
def test_what_is_no_time_is_refused(folder: Path, wrong: Any) -> None:  # noqa: ANN401
    store = ModelStore(folder)
    with pytest.raises(InvalidArgumentError, match="older_than"):
        store.purge(older_than=wrong)
    with pytest.raises(InvalidArgumentError, match="older_than"):
        store.prune(older_than=wrong)


def test_a_removal_without_an_id_is_refused(folder: Path) -> None:
    store = ModelStore(folder)
    store.remove("a.onnx")
    with pytest.raises(InvalidArgumentError, match="is empty"):
        store.restore(removal="")
    assert store.list_local() == ["b.onnx", "old_c.onnx"]


def test_a_strict_trial_raises_what_the_removal_would(folder: Path) -> None:
    store = ModelStore(folder)
    before = snapshot(folder)
    with pytest.raises(ModelKeptError, match=r"a\.onnx"):
        store.remove(["a.onnx", "b.onnx"], keep="a.onnx", dry_run=True, strict=True)
    assert names(store.prune("a", keep="a.onnx", dry_run=True, strict=True)) == [], "it spares what is kept"
    assert names(store.remove("b.onnx", dry_run=True, strict=True)) == ["b.onnx"]
    assert snapshot(folder) == before
    with store.lease("a.onnx"):
        for act in (store.remove, store.prune):
            with pytest.raises(ModelInUseError, match=r"a\.onnx"):
                act("a.onnx", dry_run=True, strict=True)


def test_an_unfinished_download_is_told_from_a_file(folder: Path) -> None:
    store = ModelStore(folder)
    store.unkeep(store.keep("a.onnx"))
    (folder / ".ferrocr" / "incoming").mkdir(exist_ok=True)
    left = folder / ".ferrocr" / "incoming" / "x.onnx.1-0.part"
    left.write_bytes(b"half")
    (folder / "by_hand.part").write_bytes(b"half")
    plan = store.prune(states="PARTIAL", dry_run=True)
    assert {file.path: file.unfinished for file in plan.files} == {str(left): True, str(folder / "by_hand.part"): False}
    assert all("unfinished" in file for file in plan.to_dict()["files"])


# --- keeping ------------------------------------------------------------------------------------------------------


def test_what_is_kept_is_not_removed(folder: Path) -> None:
    store = ModelStore(folder)
    assert store.kept() == []
    assert store.keep("a.onnx") == ["a.onnx"]
    assert store.keep(["old_*", "a.onnx"]) == store.kept() == ["a.onnx", "old_*"]
    for name in ("a.onnx", "a.txt", "old_c.onnx"):
        with pytest.raises(ModelKeptError, match=name):
            store.remove([name, "b.onnx"])
    assert [file.decision for file in store.prune().files] == ["kept"]
    assert store.keep("b.onnx", remove="old_*") == ["a.onnx", "b.onnx"]
    with pytest.raises(InvalidArgumentError, match="old_"):
        store.keep("old_c.onnx", remove="old_*")
    assert store.unkeep("b.onnx") == ["a.onnx"]
    assert names(store.prune()) == ["old_c.onnx"]
    assert (folder / "b.onnx").exists()


def test_what_a_call_protects_is_not_removed(folder: Path) -> None:
    store = ModelStore(folder)
    cases: tuple[dict[str, Any], ...] = ({"keep": "a.*"}, {"keep": ["a.onnx"]}, {"models": "a.onnx"})
    for protection in cases:
        with pytest.raises(ModelKeptError, match=r"a\.onnx"):
            store.remove("a.onnx", **protection)
    assert isinstance(ModelKeptError("x"), PermissionError)
    assert (folder / "a.onnx").exists()


def test_an_entry_that_matches_nothing_is_a_mistake(folder: Path) -> None:
    store = ModelStore(folder)
    for entries in ("none.onnx", ["a.onnx", "x_*"], "/x", ""):
        with pytest.raises(InvalidArgumentError):
            store.keep(entries)
    with pytest.raises(InvalidArgumentError, match=r"a\.onnx"):
        store.unkeep("a.onnx")
    assert store.kept() == []


# --- one str is one name ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.remove("ab"),
        lambda store: store.restore("ab"),
        lambda store: store.export(Path(store.get_local_path()).parent / "x.zip", "ab"),
    ],
)
def test_the_letters_of_a_name_are_no_names(tmp_path: Path, call: Callable[[ModelStore], object]) -> None:
    directory = tmp_path / "models"
    directory.mkdir()
    for name in ("a", "b"):
        (directory / name).write_bytes(tiny_model())
    with pytest.raises(ModelNotFoundError, match=r"\bab\b"):
        call(ModelStore(directory))
    assert sorted(path.name for path in directory.iterdir() if path.is_file()) == ["a", "b"]


# --- in use -------------------------------------------------------------------------------------------------------


def test_a_model_in_use_stays(real_folder: Path, picture_file: Path) -> None:
    store = ModelStore(real_folder)
    (real_folder / "old_c.onnx").write_bytes(tiny_model())
    with OcrEngine(model_dir=real_folder, download=False) as engine:
        text = engine.recognize(picture_file).text
        before = snapshot(real_folder)
        with pytest.raises(ModelInUseError, match=f"{DETECTOR}.*{os.getpid()}"):
            store.remove([DETECTOR, "old_c.onnx"])
        with pytest.raises(ModelInUseError, match=str(os.getpid())):
            store.prune(older_than=0)
        plan = store.remove(DETECTOR, dry_run=True)
        assert [(file.decision, file.pids) for file in plan.files] == [("in use", (os.getpid(),))]
        assert snapshot(real_folder)[DETECTOR] == before[DETECTOR]
        assert (real_folder / "old_c.onnx").exists()
        assert names(store.prune()) == ["old_c.onnx"], "what nobody uses can go"
        assert engine.recognize(picture_file).text == text
    assert names(store.remove([DETECTOR, RECOGNIZER, ORIENTER])) == sorted([DETECTOR, RECOGNIZER, ORIENTER])


def test_a_model_that_another_process_uses_stays(real_folder: Path) -> None:
    with OcrEngine(model_dir=real_folder, download=False) as engine:
        engine.load()
        code = """
import sys, ferrocr
try:
    ferrocr.ModelStore(sys.argv[1]).remove(sys.argv[2])
except ferrocr.ModelInUseError as error:
    print(error)
"""
        ended = run_python(code, str(real_folder), DETECTOR)
        assert ended.stderr == ""
        assert str(os.getpid()) in ended.stdout
    assert run_python(code, str(real_folder), DETECTOR).stdout == ""
    assert not (real_folder / DETECTOR).exists()


def test_a_process_that_ends_gives_its_models_free(real_folder: Path) -> None:
    code = """
import sys, ferrocr
engine = ferrocr.OcrEngine(model_dir=sys.argv[1], download=False)
engine.load()
print("loaded", flush=True)
sys.stdin.readline()
import os
os._exit(0)
"""
    store = ModelStore(real_folder)
    command = [sys.executable, "-c", code, str(real_folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "loaded\n"
        assert store.in_use()[DETECTOR] == (other.pid,)
        with pytest.raises(ModelInUseError, match=str(other.pid)):
            store.remove(DETECTOR)
        other.communicate("end\n", timeout=60)
    assert store.in_use() == {}
    assert names(store.remove(DETECTOR)) == [DETECTOR]
