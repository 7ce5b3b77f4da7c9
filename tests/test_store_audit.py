"""What an audit says of a model directory, and what a single model says of itself."""

import ast
import dataclasses
import hashlib
import json
import os
import pickle
import shutil
import sys
import time
from pathlib import Path

import pytest

from conftest import DETECTOR, ORIENTER, RECOGNIZER, as_nobody, snapshot, tiny_model
from ferrocr import (
    AuditEntry,
    AuditReport,
    InvalidArgumentError,
    ModelCorruptError,
    ModelNotFoundError,
    ModelState,
    ModelStore,
    OcrEngine,
    StorageError,
    _core,
    model_sets,
)
from ferrocr.models._hash_memory import hash_memory

ENTRY = AuditEntry(
    "a.onnx", "/m/a.onnx", ModelState.OLD, 5, 1.5, None, "detector", None, True, (7, 8), False, "why", "do", None
)


def states(report: AuditReport) -> dict[str, ModelState]:
    """The state of each name."""
    return {entry.name: entry.state for entry in report}


# --- states -------------------------------------------------------------------------------------------------------


def test_every_state_that_needs_no_real_model(folder: Path) -> None:
    (folder / "broken.onnx").write_bytes(b"no model")
    (folder / DETECTOR).write_bytes(b"cut off")
    (folder / "notes.md").write_text("no model")
    (folder / "sub").mkdir()
    (folder / ".hidden.onnx").write_bytes(tiny_model())
    (folder / "later.onnx.part").write_bytes(b"half")
    store = ModelStore(folder)
    (folder / "gone.onnx").write_bytes(tiny_model("gone"))
    store.remove("gone.onnx")
    store.keep("b.onnx")
    (folder / "b.onnx").unlink()
    assert states(store.audit()) == {
        "a.onnx": ModelState.UNVERIFIED,
        "a.txt": ModelState.UNVERIFIED,
        "b.onnx": ModelState.MISSING,
        "broken.onnx": ModelState.CORRUPT,
        DETECTOR: ModelState.CORRUPT,
        "gone.onnx": ModelState.TRASHED,
        "later.onnx.part": ModelState.PARTIAL,
        "notes.md": ModelState.FOREIGN,
        "old_c.onnx": ModelState.OLD,
        ".hidden.onnx": ModelState.FOREIGN,
        "sub": ModelState.FOREIGN,
    }


def test_a_known_model_is_current_under_any_name(models_dir: Path, tmp_path: Path) -> None:
    shutil.copy(models_dir / ORIENTER, tmp_path / ORIENTER)
    shutil.copy(models_dir / ORIENTER, tmp_path / "mine.onnx")
    report = ModelStore(tmp_path).audit()
    assert states(report) == {ORIENTER: ModelState.CURRENT, "mine.onnx": ModelState.CURRENT}
    assert report.clean
    for entry in report:
        assert entry.role == "orienter"
        assert entry.version is not None
        assert entry.version.startswith("PP-OCR")
        assert entry.sha256 == hashlib.sha256((models_dir / ORIENTER).read_bytes()).hexdigest()


def test_a_file_that_may_not_be_read_is_said_so(common_ground: Path) -> None:
    (common_ground / "a.onnx").write_bytes(tiny_model())
    (common_ground / "a.onnx").chmod(0)
    with as_nobody():
        assert states(ModelStore(common_ground).audit()) == {"a.onnx": ModelState.UNREADABLE}


def test_an_entry_says_what_can_be_known(folder: Path) -> None:
    (entry,) = (entry for entry in ModelStore(folder).audit() if entry.name == "a.onnx")
    content = (folder / "a.onnx").read_bytes()
    assert (entry.path, entry.bytes) == (str(folder / "a.onnx"), len(content))
    assert entry.modified == pytest.approx((folder / "a.onnx").stat().st_mtime, abs=0.01)
    assert entry.sha256 == hashlib.sha256(content).hexdigest()
    assert (entry.role, entry.in_use, entry.pids, entry.kept, entry.removal) == ("detector", False, (), False, None)
    assert entry.detail
    assert entry.action


def test_the_tutorials_directory(tmp_path: Path) -> None:
    for name in ("en_ocr_v1.bin", "old_fr_ocr_v1.bin"):
        (tmp_path / name).write_bytes(tiny_model(name))
    report = ModelStore(tmp_path).audit()
    assert report.text() == (f"UNVERIFIED: {tmp_path / 'en_ocr_v1.bin'}\nOLD: {tmp_path / 'old_fr_ocr_v1.bin'}")
    (tmp_path / "en_ocr_v1.bin").write_bytes(b"what another suite calls a model")
    assert states(ModelStore(tmp_path).audit())["en_ocr_v1.bin"] is ModelState.FOREIGN


def test_what_is_needed_and_not_there_is_missing(folder: Path) -> None:
    store = ModelStore(folder)
    for models in ("ppocrv6-small", ["ppocrv6-small"], model_sets()["ppocrv6-small"]):
        found = states(store.audit(models=models))
        assert {name for name, state in found.items() if state is ModelState.MISSING} == {
            DETECTOR,
            RECOGNIZER,
            ORIENTER,
        }
    assert ModelState.MISSING not in states(store.audit(models="a.onnx")).values()
    for unknown in ("ppocrv99", "mine.onnx", ["a.onnx", "nothing"]):
        with pytest.raises(InvalidArgumentError, match=r"ferrocr\.catalog\(\)"):
            store.audit(models=unknown)


def test_a_kept_model_is_flagged(folder: Path) -> None:
    store = ModelStore(folder)
    store.keep("a.onnx")
    assert {entry.name for entry in store.audit() if entry.kept} == {"a.onnx", "a.txt"}


# --- what it leaves alone -----------------------------------------------------------------------------------------


def test_an_audit_changes_nothing_in_the_directory(folder: Path, cache: Path) -> None:
    before = snapshot(folder)
    store = ModelStore(folder)
    first = store.audit()
    assert store.audit() == store.audit(rehash=True) == store.audit(remember=False) == first
    assert snapshot(folder) == before
    assert [path for path in cache.rglob("*") if path.is_file()] in ([], [hash_memory(str(folder))])


def test_an_audit_that_remembers_nothing_writes_nothing(folder: Path, cache: Path) -> None:
    ModelStore(folder).audit(remember=False)
    assert list(cache.iterdir()) == []


def test_a_damaged_memory_changes_no_report(folder: Path) -> None:
    first = ModelStore(folder).audit()
    memory = hash_memory(str(folder))
    assert memory is not None
    memory.parent.mkdir(parents=True, exist_ok=True)
    for damage in (b"\xff\0 what is this", b"", b"\n" * 1000):
        memory.write_bytes(damage)
        assert ModelStore(folder).audit() == first


def test_a_directory_that_is_not_there_is_clean_and_stays_away(tmp_path: Path) -> None:
    report = ModelStore(tmp_path / "none").audit()
    assert (report.directory, report.entries, report.clean, report.text()) == (str(tmp_path / "none"), (), True, "")
    assert not (tmp_path / "none").exists()


def test_a_directory_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="file"):
        ModelStore(tmp_path / "file").audit()


def test_the_memories_of_deleted_directories_go(folder: Path) -> None:
    memory = hash_memory(str(folder))
    assert memory is not None
    memory.parent.mkdir(parents=True)
    for name, days in ((memory.name, 400), ("gone.txt", 91), ("recent.txt", 89)):
        path = memory.with_name(name)
        path.write_text("")
        os.utime(path, (time.time() - days * 86_400,) * 2)
    for name in ("a folder", "folder"):
        (memory.parent / name).mkdir()
        os.utime(memory.parent / name, (0, 0))
    ModelStore(folder).audit()
    left = {path.name for path in memory.parent.iterdir()}
    assert "gone.txt" not in left
    assert left >= {memory.name, "recent.txt", "folder"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have another place")
def test_the_memory_lies_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    name = hashlib.sha256(b"/models").hexdigest()[:16] + ".txt"
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert hash_memory("/models") == Path("/cache/ferrocr/hashes") / name
    for unfit in ("", "relative/cache"):
        monkeypatch.setenv("XDG_CACHE_HOME", unfit)
        monkeypatch.setenv("HOME", "/home/user")
        assert hash_memory("/models") == Path("/home/user/.cache/ferrocr/hashes") / name

    # A user without a home.
    monkeypatch.setattr(_core, "cache_folder", lambda: None)
    assert hash_memory("/models") is None


# --- forms --------------------------------------------------------------------------------------------------------


def test_findings_are_what_somebody_should_look_at() -> None:
    assert [state for state in ModelState if not state.is_finding] == [ModelState.CURRENT, ModelState.TRASHED]
    assert all(state == state.name == str(state) for state in ModelState)
    report = AuditReport("/m", (ENTRY,))
    assert (report.clean, report.findings, list(report)) == (False, (ENTRY,), [ENTRY])


def test_a_report_survives_json_and_pickle(folder: Path) -> None:
    for report in (AuditReport("/m", (ENTRY,)), ModelStore(folder).audit()):
        plain = report.to_dict()
        assert json.loads(json.dumps(plain)) == plain
        assert (plain["format"], plain["directory"], plain["clean"]) == (1, report.directory, False)
        assert len(plain["entries"]) == len(report.entries)
        assert pickle.loads(pickle.dumps(report)) == report
        assert hash(report) == hash(pickle.loads(pickle.dumps(report)))
    with pytest.raises(AttributeError):
        ENTRY.state = ModelState.CURRENT  # type: ignore[misc]


def test_an_entry_is_one_line_whatever_its_name(folder: Path) -> None:
    odd = ("line\nbreak.onnx", "\x1b[31mred.onnx", "\u202egnp.onnx", "tab\t.onnx")
    try:
        for name in odd:
            (folder / name).write_bytes(tiny_model(name))
    except OSError:
        pytest.skip("this file system takes no such names")
    report = ModelStore(folder).audit()
    lines = str(report).split("\n")
    assert len(lines) == len(report.entries) == len(report.text().splitlines())
    assert all(line.isprintable() for line in lines)
    assert f"FOREIGN: {folder}{os.sep}line\\nbreak.onnx" in lines


@pytest.mark.skipif(sys.platform == "win32", reason="a backslash separates folders there")
def test_a_path_in_a_report_says_exactly_which_it_is() -> None:
    paths = {
        "/m/l'\u00e9t\u00e9 \u5b57": "/m/l'\u00e9t\u00e9 \u5b57",
        "/m/a\\b": "/m/a\\\\b",
        "/m/a\nb": "/m/a\\nb",
        "/m/a\\nb": "/m/a\\\\nb",
        "/m/\x1b\x9b\u202e\u200b": "/m/\\x1b\\x9b\\u202e\\u200b",
        os.fsdecode(b"/m/\xff"): "/m/\\udcff",
    }
    for path, text in paths.items():
        assert str(dataclasses.replace(ENTRY, path=path)) == f"OLD: {text}"
        assert ast.literal_eval(f'"{text}"') == path


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_a_name_that_is_no_utf8_is_foreign_and_can_be_printed(folder: Path) -> None:
    try:
        (folder / os.fsdecode(b"\xff\xfe.onnx")).write_bytes(tiny_model())
    except OSError:
        pytest.skip("this file system takes no such names")
    report = ModelStore(folder).audit()
    (entry,) = (entry for entry in report if "\ufffd" in entry.name)
    assert entry.state is ModelState.FOREIGN
    assert report.text().encode()
    assert json.dumps(report.to_dict())
    assert entry.name not in ModelStore(folder).list_local()


# --- use ----------------------------------------------------------------------------------------------------------


def test_an_audit_says_who_uses_a_model(real_folder: Path) -> None:
    store = ModelStore(real_folder)
    assert store.in_use() == {}
    with OcrEngine(model_dir=real_folder, download=False) as engine:
        assert store.in_use() == {}, "models load later"
        engine.load()
        assert store.in_use() == {name: (os.getpid(),) for name in (DETECTOR, RECOGNIZER, ORIENTER)}
        assert {entry.name for entry in store.audit() if entry.in_use and entry.pids == (os.getpid(),)} == {
            DETECTOR,
            RECOGNIZER,
            ORIENTER,
        }
        assert store.audit().clean
    assert store.in_use() == {}
    assert not any(entry.in_use for entry in store.audit())


def test_a_directory_may_be_renamed_and_deleted_under_an_engine(real_folder: Path, picture_file: Path) -> None:
    with OcrEngine(model_dir=real_folder, download=False) as engine:
        text = engine.recognize(picture_file).text
        renamed = real_folder.with_name("renamed")
        real_folder.rename(renamed)
        assert engine.recognize(picture_file).text == text
        shutil.rmtree(renamed)
        assert engine.recognize(picture_file).text == text
        assert engine.list_local() == []
    assert engine.free_resources().sessions > 0


# --- one model ----------------------------------------------------------------------------------------------------


def test_a_model_says_what_it_is(folder: Path) -> None:
    info = ModelStore(folder).info("a.onnx")
    assert info.entry.name == "a.onnx"
    assert info.entry.state is ModelState.UNVERIFIED
    assert info.catalog_name is None
    assert info.inputs == (("x", "[?, 3, ?, ?]"),)
    assert info.outputs == (("y", "[?, 1, ?, ?]"),)
    assert dict(info.opsets) == {"": 17}
    assert "a.onnx" in info.producer
    assert info.characters is None
    assert pickle.loads(pickle.dumps(info)) == info
    assert json.loads(json.dumps(info.to_dict())) == info.to_dict()


def test_a_recogniser_says_how_many_characters_it_reads(models_dir: Path) -> None:
    info = ModelStore(models_dir).info(RECOGNIZER)
    assert info.catalog_name == RECOGNIZER
    assert info.characters is not None
    assert info.characters > 1000
    assert info.entry.state is ModelState.CURRENT


def test_what_is_no_model_says_so(folder: Path) -> None:
    (folder / "broken.onnx").write_bytes(b"no model")
    info = ModelStore(folder).info("broken.onnx")
    assert (info.entry.state, info.inputs, info.outputs) == (ModelState.CORRUPT, (), ())
    with pytest.raises(ModelNotFoundError, match=r"none\.onnx"):
        ModelStore(folder).info("none.onnx")
    with pytest.raises(InvalidArgumentError):
        ModelStore(folder).info("../a.onnx")


def test_a_model_is_verified_against_the_catalog(models_dir: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    shutil.copy(models_dir / ORIENTER, tmp_path / ORIENTER)
    assert store.verify(ORIENTER) == hashlib.sha256((tmp_path / ORIENTER).read_bytes()).hexdigest()
    (tmp_path / ORIENTER).write_bytes(b"cut off")
    with pytest.raises(ModelCorruptError, match=ORIENTER):
        store.verify(ORIENTER)


def test_a_model_is_verified_against_a_hash(folder: Path) -> None:
    store = ModelStore(folder)
    right = hashlib.sha256((folder / "a.onnx").read_bytes()).hexdigest()
    assert store.verify("a.onnx", sha256=right) == store.verify("a.onnx", sha256=right.upper()) == right
    with pytest.raises(ModelCorruptError, match=r"a\.onnx"):
        store.verify("a.onnx", sha256="0" * 64)
    for wrong in (None, "", "abc", "z" * 64):
        with pytest.raises(InvalidArgumentError):
            store.verify("a.onnx", sha256=wrong)
    with pytest.raises(ModelNotFoundError):
        store.verify("none.onnx", sha256=right)
