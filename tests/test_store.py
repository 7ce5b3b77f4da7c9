"""The model directory from Python: listing, paths, the catalog, and downloads from a mirror that is a folder."""

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import ORIENTER
from ferrocr import (
    CatalogEntry,
    DownloadError,
    InvalidArgumentError,
    ModelCorruptError,
    ModelNotFoundError,
    ModelStore,
    catalog,
    model_sets,
)


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a pull begin; the tests that use it give it nothing but local sources."""
    monkeypatch.setenv("FERROCR_OFFLINE", "0")


def test_only_model_files_are_listed_in_order(tmp_path: Path) -> None:
    for name in ("b.onnx", "a.bin", "C.ORT", "notes.txt", ".hidden.onnx", "old_x.bin"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.onnx").mkdir()
    store = ModelStore(tmp_path)
    assert store.list_local() == sorted(["b.onnx", "a.bin", "C.ORT", "old_x.bin"])
    (tmp_path / "a.bin").unlink()
    assert "a.bin" not in store.list_local(), "what lies on the disk is the truth"
    assert ModelStore(tmp_path / "nowhere").list_local() == []


def test_paths_stay_in_the_directory(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"x")
    store = ModelStore(tmp_path)
    assert store.get_local_path() == str(tmp_path)
    assert Path(store.get_local_path("m.onnx")) == tmp_path / "m.onnx"
    with pytest.raises(ModelNotFoundError, match=re.escape(str(tmp_path))):
        store.get_local_path("other.onnx")
    for name in ("", "..", "../m.onnx", "/etc/passwd", "a/b.onnx", "a\0b"):
        with pytest.raises(InvalidArgumentError):
            store.get_local_path(name)


def test_the_directory_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_MODEL_DIR", str(tmp_path / "mine"))
    assert ModelStore().get_local_path() == str(tmp_path / "mine")
    monkeypatch.delenv("FERROCR_MODEL_DIR")
    assert Path(ModelStore().get_local_path()).is_absolute()
    assert "site-packages" not in ModelStore().get_local_path()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_a_path_of_any_bytes_can_be_opened(tmp_path: Path) -> None:
    directory = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(directory)  # noqa: PTH102
    Path(os.fsdecode(directory), "m.onnx").write_bytes(b"x")
    for given in (directory, os.fsdecode(directory), Path(os.fsdecode(directory))):
        store = ModelStore(given)
        assert os.fsencode(store.get_local_path()) == directory
        assert Path(store.get_local_path("m.onnx")).read_bytes() == b"x"
        assert store.resolve(["m.onnx"], download=False) == [Path(os.fsdecode(directory), "m.onnx")]
        assert os.fsencode(store.audit().directory) == directory


@pytest.mark.parametrize("wrong", [5, 1.5, ["a"], "\ud800"], ids=repr)
def test_what_is_no_path_is_refused(tmp_path: Path, wrong: Any) -> None:  # noqa: ANN401
    store = ModelStore(tmp_path)
    for call in (
        lambda: ModelStore(wrong),
        lambda: store.export(wrong),
        lambda: store.import_archive(wrong),
        lambda: store.pull(ORIENTER, file=wrong),
        lambda: store.resolve([wrong], download=False),
    ):
        with pytest.raises(InvalidArgumentError, match="path"):
            call()


def test_the_catalog_says_what_it_promises() -> None:
    entries = {entry.name: entry for entry in catalog()}
    assert len(entries) >= 40
    assert {entry.role for entry in entries.values()} == {"detector", "recognizer", "orienter", "page_orienter"}
    for entry in entries.values():
        assert isinstance(entry, CatalogEntry)
        assert re.fullmatch("[0-9a-f]{64}", entry.sha256), entry
        assert entry.licence == "Apache-2.0"
        assert entry.sources, entry
        assert all(source.startswith(("https://", "pip:")) for source in entry.sources)
    for name, members in model_sets().items():
        assert [entries[member].role for member in members] == ["detector", "recognizer", "orienter"], name


def test_a_pull_from_a_mirror_verifies_before_it_appears(models_dir: Path, tmp_path: Path, online: None) -> None:
    store = ModelStore(tmp_path / "store")
    steps: list[tuple[str, str, int, int | None]] = []
    paths = store.pull([ORIENTER], mirror=models_dir.as_uri(), progress=lambda *step: steps.append(step))
    (entry,) = (entry for entry in catalog() if entry.name == ORIENTER)
    assert hashlib.sha256(Path(paths[0]).read_bytes()).hexdigest() == entry.sha256
    assert store.list_local() == [ORIENTER]
    name, source, done, total = steps[-1]
    assert (name, source) == (ORIENTER, "file")
    assert done == total == entry.bytes
    assert store.pull([ORIENTER], mirror="file:///nowhere") == paths, "what is there is not fetched again"


def test_a_pull_ends_where_the_callback_raises(models_dir: Path, tmp_path: Path, online: None) -> None:
    class StopError(Exception):
        pass

    def stop(*_: object) -> None:
        raise StopError

    store = ModelStore(tmp_path)
    with pytest.raises(StopError):
        store.pull([ORIENTER], mirror=models_dir.as_uri(), progress=stop)
    # A file that was complete by then stays; a part of one never appears.
    assert store.list_local() in ([], [ORIENTER])
    if store.list_local():
        assert store.pull([ORIENTER]), "it is whole"


def test_offline_is_absolute(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "1")
    with pytest.raises(ModelNotFoundError, match=ORIENTER):
        ModelStore(tmp_path).pull([ORIENTER], mirror=models_dir.as_uri())
    assert list(tmp_path.iterdir()) == []


def test_one_name_is_one_name(models_dir: Path, tmp_path: Path, online: None) -> None:
    store = ModelStore(tmp_path)
    assert store.pull(ORIENTER, mirror=models_dir.as_uri()) == [str(tmp_path / ORIENTER)]
    with pytest.raises(InvalidArgumentError, match="'ab'"):
        store.pull("ab")


def test_a_model_is_taken_from_a_file(models_dir: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    with pytest.raises(InvalidArgumentError):
        store.pull("ppocrv6-small", file=models_dir / ORIENTER)
    (tmp_path / "wrong.onnx").write_bytes(b"something else")
    with pytest.raises(ModelCorruptError, match=r"wrong\.onnx"):
        store.pull(ORIENTER, file=tmp_path / "wrong.onnx")
    assert store.list_local() == []
    (path,) = store.pull(ORIENTER, file=models_dir / ORIENTER)  # also where the network is forbidden
    assert Path(path).read_bytes() == (models_dir / ORIENTER).read_bytes()


def test_names_and_mirrors_are_checked_first(tmp_path: Path, online: None) -> None:
    store = ModelStore(tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"mine\.onnx"):
        store.pull(["mine.onnx"])
    with pytest.raises((InvalidArgumentError, DownloadError), match="http"):
        store.pull([ORIENTER], mirror="http://example.org/models")
