"""Hints in the words of their readers: methods for programmers, commands with their directory for a shell."""

import json
import pickle
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import ferrocr
from conftest import RECOGNIZER, tiny_model
from fake_engine import Captured
from ferrocr import InvalidArgumentError, ModelNotFoundError, ModelStore, OcrError
from ferrocr.cli import _parser, main
from ferrocr.documents._page_numbers import Wanted
from ferrocr.documents._request import checked_request


class Case(NamedTuple):
    """A fault, and what is said about it."""

    do: Callable[[ModelStore], object]
    command: tuple[str, ...]
    """The same on the command line."""
    call: str
    """The hint for a programmer; DIR stands for the arguments that name the directory."""
    shell: str
    """The hint for a user of the command line, likewise."""


UNKNOWN = "0" * 64
KEPT = ("a.onnx", "--keep", "a.onnx")

CASES = {
    "missing, in the catalog": Case(
        lambda store: store.get_local_path(RECOGNIZER),
        ("path", RECOGNIZER),
        f'fetch it with `ModelStore(DIR).pull("{RECOGNIZER}")`',
        f"fetch it with `ferrocr models pull {RECOGNIZER}DIR`",
    ),
    "missing, unknown": Case(
        lambda store: store.get_local_path("x.onnx"),
        ("path", "x.onnx"),
        "x.onnx is not in the catalog: put the file there yourself",
        "x.onnx is not in the catalog: put the file there yourself",
    ),
    "there, and a folder": Case(
        lambda store: store.get_local_path("folder.onnx"),
        ("path", "folder.onnx"),
        "put the model itself there: a file, or a link to one of the directory",
        "put the model itself there: a file, or a link to one of the directory",
    ),
    "there, and no model": Case(
        lambda store: store.info("notes.md"),
        ("info", "notes.md"),
        "names of models end with .onnx, .ort, .bin: rename it",
        "names of models end with .onnx, .ort, .bin: rename it",
    ),
    "there, with another hash": Case(
        lambda store: store.verify("a.onnx", sha256=UNKNOWN),
        ("verify", "a.onnx", "--sha256", UNKNOWN),
        "put the right file in the place of a.onnx, or give the hash that it has",
        "put the right file in the place of a.onnx, or give the hash that it has",
    ),
    "damaged, in the catalog": Case(
        lambda store: store.verify("PP-OCRv6_det_small.onnx"),
        ("verify", "PP-OCRv6_det_small.onnx"),
        'fetch it with `ModelStore(DIR).pull("PP-OCRv6_det_small.onnx")`',
        "fetch it with `ferrocr models pull PP-OCRv6_det_small.onnxDIR`",
    ),
    "no network": Case(
        lambda store: store.pull([RECOGNIZER, "PP-OCRv6_det_small.onnx"]),
        ("pull", RECOGNIZER, "PP-OCRv6_det_small.onnx"),
        "where the network may be used, without FERROCR_OFFLINE, "
        f'`ModelStore(DIR).pull(["{RECOGNIZER}", "PP-OCRv6_det_small.onnx"])` fetches what is missing',
        "where the network may be used, without FERROCR_OFFLINE, "
        f"`ferrocr models pull {RECOGNIZER} PP-OCRv6_det_small.onnxDIR` fetches what is missing",
    ),
    "no such set": Case(
        lambda store: store.pull("nothing"),
        ("pull", "nothing"),
        "`ferrocr.catalog()` and `ferrocr.model_sets()` have them all",
        "`ferrocr models list --available` shows them all",
    ),
    "given to keep": Case(
        lambda store: store.remove("a.onnx", keep="a.onnx"),
        ("remove", "--yes", *KEPT),
        "leave the file out of `keep=`, or do not remove it",
        "leave the file out of `--keep`, or do not remove it",
    ),
    "needed": Case(
        lambda store: store.remove("a.onnx", models="a.onnx"),
        ("remove", "--yes", "a.onnx", "--for", "a.onnx"),
        "leave the models that need the file out of `models=`, or do not remove it",
        "leave the models that need the file out of `--for`, or do not remove it",
    ),
    "on the keep-list": Case(
        lambda store: store.remove("b.onnx"),
        ("remove", "--yes", "b.onnx"),
        '`ModelStore(DIR).unkeep("b.*")` takes that entry off the keep-list',
        "`ferrocr models keep --remove 'b.*'DIR` takes that entry off the keep-list",
    ),
    "keeps nothing": Case(
        lambda store: store.prune("old_", keep="x*"),
        ("prune", "--yes", "--keep", "x*"),
        "`ModelStore(DIR).list_local()` shows the names",
        "`ferrocr models listDIR` shows the names",
    ),
    "not on the list": Case(
        lambda store: store.unkeep("x"),
        ("keep", "--remove", "x"),
        "`ModelStore(DIR).kept()` shows the list",
        "`ferrocr models keepDIR` shows the list",
    ),
    "nothing trashed": Case(
        lambda store: store.restore("x.onnx"),
        ("restore", "x.onnx"),
        "`ModelStore(DIR).audit()` shows what is in the trash",
        "`ferrocr models auditDIR` shows what is in the trash",
    ),
    "trashed cannot be pruned": Case(
        lambda store: store.prune(states="trashed"),
        ("prune", "--yes", "--state", "trashed"),
        "`ModelStore(DIR).purge()` deletes what is in the trash",
        "`ferrocr models purgeDIR` deletes what is in the trash",
    ),
    "no archive": Case(
        lambda store: store.import_archive("a.zip"),
        ("import", "a.zip"),
        "such an archive is made by `ModelStore.export`",
        "such an archive is made by `ferrocr models export`",
    ),
    "other content": Case(
        lambda store: store.import_archive("other.zip"),
        ("import", "other.zip"),
        "`replace=True` puts the archive's files in their place, and moves those that are there to the trash",
        "`--replace` puts the archive's files in their place, and moves those that are there to the trash",
    ),
}


@pytest.fixture
def store(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    """A directory with something of everything."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.onnx").write_bytes(tiny_model("other"))
    ModelStore(other).export(tmp_path / "other.zip")
    (tmp_path / "a.zip").write_text("no archive")
    (folder / "folder.onnx").mkdir()
    (folder / "notes.md").touch()
    (folder / "PP-OCRv6_det_small.onnx").write_bytes(b"damaged")
    store = ModelStore(folder)
    store.keep("b.*")
    monkeypatch.chdir(tmp_path)
    return store


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_reader_has_their_own_words(
    case: Case, store: ModelStore, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    with pytest.raises(OcrError) as caught:
        case.do(store)
    error = caught.value
    assert error.hint == case.call.replace("DIR", f'"{folder}"')
    assert str(error).endswith(f"\n{error.hint}")
    assert not re.search(r"(^|[ `(])--[a-z]|ferrocr models", error.hint)
    assert pickle.loads(pickle.dumps(error)).shell_hint == error.shell_hint

    option = f" --dir '{folder}'"
    assert main(["models", *case.command, "--dir", str(folder)]) != 0
    assert f"hint: {case.shell.replace('DIR', option)}\n" in capsys.readouterr().err
    monkeypatch.setenv("FERROCR_MODEL_DIR", str(folder))
    assert main(["models", *case.command]) != 0
    told = capsys.readouterr().err
    assert f"hint: {case.shell.replace('DIR', '')}\n" in told
    for command in re.findall("`ferrocr ([^`]*)`", told):
        try:
            _parser().parse_args(shlex.split(command))
        except SystemExit:
            assert command == "models export"  # as a name


def test_what_is_there_is_not_said_to_be_unknown_alone(store: ModelStore) -> None:
    with pytest.raises(InvalidArgumentError, match=r"'a\.onnx' is in the directory, and neither in the catalog nor a"):
        store.pull("a.onnx")


def test_the_engine_names_the_directory_too(tmp_path: Path) -> None:
    with ferrocr.OcrEngine(model_dir=tmp_path, download=False) as ocr, pytest.raises(ModelNotFoundError) as caught:
        ocr.load()
    assert caught.value.hint is not None
    assert f'`ModelStore("{tmp_path}").pull(["' in caught.value.hint


@pytest.mark.parametrize(
    ("wrong", "hint", "shell"),
    [
        (lambda: Wanted("x"), 'pages="5-"', "--pages 5-"),
        (lambda: checked_request("0", 200, "ignore", None), 'pages="5-"', "--pages 5-"),
    ],
)
def test_arguments_are_keywords_or_options(wrong: Callable[[], Any], hint: str, shell: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        wrong()
    assert caught.value.hint is not None
    assert hint in caught.value.hint
    assert caught.value.shell_hint is not None
    assert shell in caught.value.shell_hint
    assert "pages=" not in caught.value.shell_hint


def test_a_limit_that_has_no_option_is_not_to_be_raised() -> None:
    with ferrocr.OcrEngine(max_side=10, download=False) as ocr, pytest.raises(ferrocr.ImageError) as caught:
        ocr._core.check_size(11, 11)  # type: ignore[union-attr]
    assert (caught.value.hint or "").startswith("raise the limit")
    assert caught.value.shell_hint == "scale the picture down first"


def test_an_audit_advises_methods_or_commands(store: ModelStore, folder: Path, capsys: Captured) -> None:
    entry = store.info("a.onnx").entry
    call = f'`ModelStore("{folder}").verify("a.onnx", sha256=...)`, with its publisher\'s hash'
    command = f"`ferrocr models verify a.onnx --sha256 HASH --dir '{folder}'`, with its publisher's hash"
    assert (entry.action, entry.shell_action) == (call, command)
    assert entry.to_dict()["action"] == call
    assert all("ferrocr models" not in entry.action for entry in store.audit())
    for words in (["info", "a.onnx"], ["audit", "--details"]):
        main(["models", *words, "--dir", str(folder)])
        printed = capsys.readouterr().out
        assert command in printed
        assert "ModelStore" not in printed
        main(["models", *words, "--json", "--dir", str(folder)])
        told = json.loads(capsys.readouterr().out)
        assert command in [told.get("action"), *(entry["action"] for entry in told.get("entries", []))]
        assert "shell_action" not in told


@pytest.mark.parametrize("command", ["export", "import"])
def test_an_archive_is_no_stream(command: str, folder: Path, capsys: Captured, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    assert main(["models", command, "-", "--dir", str(folder)]) == 2
    assert "hint: name a file, such as models.zip" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before
    assert not Path("-").exists()


def test_doctor_fetches_into_the_directory_that_was_named(tmp_path: Path, capsys: Captured) -> None:
    assert main(["doctor", "--dir", str(tmp_path)]) == 1
    assert f"hint: run: ferrocr models pull --set ppocrv6-small --dir {tmp_path}\n" in capsys.readouterr().out
