"""Models in one file: written, checked and taken in again."""

import pickle
import shutil
from pathlib import Path

import pytest

from conftest import DETECTOR, ORIENTER, snapshot, tiny_model
from ferrocr import (
    ArchivedFile,
    InvalidArgumentError,
    ModelCorruptError,
    ModelNotFoundError,
    ModelStore,
)
from ferrocr.cli import main
from ferrocr.cli._errors import EXIT_OK, EXIT_PROBLEMS

FILES = ["a.onnx", "a.txt", "b.onnx", "old_c.onnx"]


def contents(directory: Path) -> dict[str, bytes]:
    """What the visible files hold."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def test_models_come_out_as_they_went_in(folder: Path, tmp_path: Path) -> None:
    written = ModelStore(folder).backup(tmp_path / "models.zip")
    assert [file.name for file in written] == FILES
    other = ModelStore(tmp_path / "other")
    taken = other.import_archive(str(tmp_path / "models.zip"))
    assert taken == written
    assert all(file.is_new for file in taken)
    assert contents(tmp_path / "other") == contents(folder)
    assert not any(file.is_new for file in other.import_archive(tmp_path / "models.zip"))
    assert pickle.loads(pickle.dumps(taken)) == taken
    assert isinstance(taken[0], ArchivedFile)


def test_the_same_models_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    ModelStore(folder).export(tmp_path / "one.zip")
    ModelStore(folder).export(tmp_path / "two.zip", ["old_c.onnx", "b.onnx", "a.onnx"])
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_an_export_takes_what_is_named_and_only_reads(folder: Path, tmp_path: Path) -> None:
    before = snapshot(folder)
    store = ModelStore(folder)
    assert [file.name for file in store.export(tmp_path / "b.zip", "b.onnx")] == ["b.onnx"]
    assert [file.name for file in store.export(tmp_path / "a.zip", ["a.onnx"])] == ["a.onnx", "a.txt"]
    assert snapshot(folder) == before


def test_an_export_that_cannot_be_is_refused(folder: Path, tmp_path: Path) -> None:
    store = ModelStore(folder)
    with pytest.raises(ModelNotFoundError, match=r"none\.onnx"):
        store.export(tmp_path / "x.zip", ["a.onnx", "none.onnx"])
    with pytest.raises(InvalidArgumentError, match="in the model directory"):
        store.export(folder / "x.zip")
    with pytest.raises(ModelNotFoundError):
        ModelStore(tmp_path / "none").backup(tmp_path / "x.zip")
    (folder / DETECTOR).write_bytes(b"cut off")
    with pytest.raises(ModelCorruptError, match=DETECTOR):
        store.export(tmp_path / "x.zip", ["a.onnx", DETECTOR])
    assert not (tmp_path / "x.zip").exists()


def test_what_is_damaged_is_left_out_and_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, archive = ModelStore(folder), tmp_path / "x.zip"
    (folder / DETECTOR).write_bytes(b"cut off")
    with pytest.warns(RuntimeWarning, match=DETECTOR):
        files = store.backup(archive)
    (damaged,) = (file for file in files if file.left_out is not None)
    assert (damaged.name, damaged.is_new, damaged.bytes) == (DETECTOR, False, 7)
    assert [file.name for file in files if file.is_new] == FILES
    assert [file.name for file in ModelStore(tmp_path / "other").import_archive(archive)] == FILES
    arguments = ["models", "export", str(archive), "--dir", str(folder)]
    assert main(arguments) == EXIT_PROBLEMS
    out, err = capsys.readouterr()
    assert DETECTOR not in out
    assert f"left out {DETECTOR}: expected" in err
    (folder / DETECTOR).unlink()
    assert main(arguments) == EXIT_OK


def test_a_trial_takes_nothing_in(folder: Path, tmp_path: Path) -> None:
    ModelStore(folder).backup(tmp_path / "models.zip")
    (folder / "b.onnx").unlink()
    before = snapshot(folder)
    taken = ModelStore(folder).import_archive(tmp_path / "models.zip", dry_run=True)
    assert [file.name for file in taken if file.is_new] == ["b.onnx"]
    assert snapshot(folder) == before
    ModelStore(tmp_path / "none").import_archive(tmp_path / "models.zip", dry_run=True)
    assert not (tmp_path / "none").exists()


def test_other_content_is_replaced_only_on_request(folder: Path, tmp_path: Path) -> None:
    store = ModelStore(folder)
    store.backup(tmp_path / "models.zip")
    original = (folder / "b.onnx").read_bytes()
    (folder / "b.onnx").write_bytes(tiny_model("newer"))
    with pytest.raises(InvalidArgumentError, match=r"b\.onnx"):
        store.import_archive(tmp_path / "models.zip")
    assert (folder / "b.onnx").read_bytes() == tiny_model("newer")
    assert [file.name for file in store.import_archive(tmp_path / "models.zip", replace=True) if file.is_new] == [
        "b.onnx"
    ]
    assert (folder / "b.onnx").read_bytes() == original
    store.remove("b.onnx")
    store.restore(removal=store.restore(dry_run=True)[0].removal)
    assert (folder / "b.onnx").read_bytes() == original


def test_a_damaged_archive_changes_nothing(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "models.zip"
    ModelStore(folder).backup(archive)
    whole = archive.read_bytes()
    middle = whole.index(tiny_model("b.onnx")) + 20
    damages = (whole[: len(whole) // 2], b"", b"no archive", whole[:middle] + b"?" + whole[middle + 1 :])
    for damage in damages:
        archive.write_bytes(damage)
        with pytest.raises(ModelCorruptError, match=r"models\.zip"):
            ModelStore(tmp_path / "other").import_archive(archive)
        assert ModelStore(tmp_path / "other").list_local() == []
    with pytest.raises(OSError, match=r"none\.zip"):
        ModelStore(folder).import_archive(tmp_path / "none.zip")


def test_a_known_name_needs_the_known_content(models_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    shutil.copy(models_dir / ORIENTER, tmp_path / "models" / ORIENTER)
    ModelStore(tmp_path / "models").backup(tmp_path / "models.zip")
    (file,) = ModelStore(tmp_path / "other").import_archive(tmp_path / "models.zip")
    assert ModelStore(tmp_path / "other").verify(ORIENTER) == file.sha256


def test_progress_grows_to_its_end_and_can_end_the_work(folder: Path, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    ModelStore(folder).backup(tmp_path / "models.zip", progress=lambda *step: steps.append(step))
    assert steps
    assert {name for name, _, _ in steps} <= set(FILES)
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)
    assert all(done <= total for _, done, total in steps)

    class StopError(Exception):
        pass

    def stop(*_: object) -> None:
        raise StopError

    with pytest.raises(StopError):
        ModelStore(folder).backup(tmp_path / "ended.zip", progress=stop)
    assert not (tmp_path / "ended.zip").exists()
    with pytest.raises(StopError):
        ModelStore(tmp_path / "other").import_archive(tmp_path / "models.zip", progress=stop)
    assert ModelStore(tmp_path / "other").list_local() == []
