"""The command line for the model directory: listing, checking and fetching, download progress."""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import ferrocr
from conftest import DETECTOR, ORIENTER, RECOGNIZER, Terminal
from ferrocr import ModelStore
from ferrocr.cli import main
from ferrocr.cli._errors import (
    EXIT_CANNOT_RUN,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_PROBLEMS,
    EXIT_USAGE,
)
from ferrocr.models._catalog import DEFAULT_SET
from ferrocr.progress import ArchiveProgress, DownloadProgress

Captured = pytest.CaptureFixture[str]

ACTIONS = (
    *("list", "path", "info", "audit", "pull", "verify", "remove", "restore", "prune", "purge", "keep", "export"),
    *("backup", "import"),
)


# --- help ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_an_example_and_the_common_options(action: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["models", action, "--help"])
    assert caught.value.code == EXIT_OK
    text = capsys.readouterr().out
    assert f"example:\n  ferrocr models {'export' if action == 'backup' else action}" in text
    assert "--dir DIR" in text
    assert "--json" in text


# --- list, path, info ---------------------------------------------------------------------------------------------


def test_list_prints_names(models: Path, capsys: Captured) -> None:
    assert main(["models", "list", "--dir", str(models)]) == EXIT_OK
    assert capsys.readouterr() == ("a.bin\nb.onnx\n", "")


def test_list_of_nothing_is_empty_and_says_why(tmp_path: Path, capsys: Captured) -> None:
    assert main(["models", "list", "--dir", str(tmp_path / "none")]) == EXIT_OK
    out, err = capsys.readouterr()
    assert out == ""
    assert str(tmp_path / "none") in err


def test_list_as_json(models: Path, capsys: Captured) -> None:
    assert main(["models", "list", "--dir", str(models), "--json"]) == EXIT_OK
    assert json.loads(capsys.readouterr().out) == [
        {"name": "a.bin", "path": str(models / "a.bin"), "bytes": 3},
        {"name": "b.onnx", "path": str(models / "b.onnx"), "bytes": 5},
    ]


def test_list_available_is_the_catalog(models: Path, capsys: Captured) -> None:
    assert main(["models", "list", "--available", "--json", "--dir", str(models)]) == EXIT_OK
    rows = json.loads(capsys.readouterr().out)
    keys = {"name", "role", "family", "languages", "bytes", "sha256", "licence", "sources", "sets", "local"}
    assert rows
    assert all(set(row) >= keys for row in rows)
    assert any(DEFAULT_SET in row["sets"] for row in rows)
    assert not any(row["local"] for row in rows)
    assert main(["models", "list", "--available", "--dir", str(models)]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(rows)
    languages = {line.split()[0]: line.split("  ")[-1].strip() for line in lines}
    assert languages["ka_PP-OCRv4_rec_mobile.onnx"] == "en,kn"
    assert languages[RECOGNIZER].endswith(" languages")
    assert languages[DETECTOR] == "-"


def test_path(models: Path, capsys: Captured) -> None:
    assert main(["models", "path", "--dir", str(models)]) == EXIT_OK
    assert main(["models", "path", "a.bin", "--dir", str(models)]) == EXIT_OK
    assert capsys.readouterr().out.splitlines() == [str(models), str(models / "a.bin")]


def test_path_as_json(models: Path, capsys: Captured) -> None:
    assert main(["models", "path", "a.bin", "--json", "--dir", str(models)]) == EXIT_OK
    assert json.loads(capsys.readouterr().out) == {"name": "a.bin", "path": str(models / "a.bin")}


def test_list_on_a_terminal_is_a_table(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (models / ORIENTER).write_bytes(b"x" * 150_000)
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    assert main(["models", "list", "--dir", str(models)]) == EXIT_OK
    header, *rows = shown.getvalue().splitlines()
    assert header.split() == ["NAME", "ROLE", "FAMILY", "SIZE", "SETS"]
    assert [row.split()[0] for row in rows] == sorted(["a.bin", "b.onnx", ORIENTER])
    known = next(row for row in rows if ORIENTER in row)
    assert "orienter" in known
    assert "0.1 MB" in known or "0.2 MB" in known
    assert DEFAULT_SET in known


def test_info_is_labelled_lines(folder: Path, capsys: Captured) -> None:
    assert main(["models", "info", "a.onnx", "--dir", str(folder)]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    labels = {line.split(":")[0] for line in lines}
    assert labels >= {"name", "path", "state", "size", "sha256", "input", "output", "opsets"}
    assert any(line.split() == ["input:", "x", "[?,", "3,", "?,", "?]"] for line in lines)
    assert "characters" not in labels


def test_info_as_json(folder: Path, capsys: Captured) -> None:
    assert main(["models", "info", "a.onnx", "--json", "--dir", str(folder)]) == EXIT_OK
    info = json.loads(capsys.readouterr().out)
    assert (info["name"], info["state"], info["catalog_name"]) == ("a.onnx", "UNVERIFIED", None)
    assert info["inputs"] == [{"name": "x", "shape": "[?, 3, ?, ?]"}]
    assert main(["models", "info", "none.onnx", "--dir", str(folder)]) == EXIT_CANNOT_RUN


def test_path_of_a_missing_model(models: Path, capsys: Captured) -> None:
    assert main(["models", "path", "c.onnx", "--dir", str(models)]) == EXIT_CANNOT_RUN
    out, err = capsys.readouterr()
    assert out == ""
    assert "c.onnx" in err


# --- pull ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], [DEFAULT_SET]),
        (["--set", "ppocrv5-mobile"], ["ppocrv5-mobile"]),
        (["a.onnx", "b.onnx"], ["a.onnx", "b.onnx"]),
        (["a.onnx", "--set", "s"], ["a.onnx", "s"]),
    ],
)
def test_pull_asks_for_what_is_named(
    models: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, arguments: list[str], names: list[str]
) -> None:
    asked: list[Any] = []

    def pull(_self: object, names: Iterable[str], *, mirror: str | None, file: object, progress: object) -> list[str]:
        asked.append((list(names), mirror, file, callable(progress)))
        return [str(models / "a.bin")]

    monkeypatch.setattr(ferrocr.ModelStore, "pull", pull)
    assert main(["models", "pull", *arguments, "--mirror", "https://m", "--dir", str(models)]) == EXIT_OK
    assert asked == [(names, "https://m", None, True)]
    assert capsys.readouterr().out == f"{models / 'a.bin'}\n"


def test_pull_without_network_fails(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "1")
    assert main(["models", "pull", "--dir", str(tmp_path / "m")]) == EXIT_CANNOT_RUN
    assert capsys.readouterr().err.startswith("error: ")


def test_pull_takes_a_model_from_a_file(models_dir: Path, tmp_path: Path, capsys: Captured) -> None:
    arguments = ["models", "pull", ORIENTER, "--from", str(models_dir / ORIENTER), "--json", "--dir", str(tmp_path)]
    assert main(arguments) == EXIT_OK, "also without a network"
    assert json.loads(capsys.readouterr().out) == [{"name": ORIENTER, "path": str(tmp_path / ORIENTER)}]
    assert (tmp_path / ORIENTER).read_bytes() == (models_dir / ORIENTER).read_bytes()
    (tmp_path / "wrong").write_bytes(b"something else")
    (tmp_path / ORIENTER).unlink()
    arguments[4] = str(tmp_path / "wrong")
    assert main(arguments) == EXIT_CANNOT_RUN
    assert "wrong" in capsys.readouterr().err
    assert main(["models", "pull", "--from", str(tmp_path / "wrong"), "--dir", str(tmp_path)]) == EXIT_USAGE


def test_a_pull_that_is_interrupted_says_how_it_goes_on(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pull(*_: object, **__: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(ferrocr.ModelStore, "pull", pull)
    assert main(["models", "pull", "--dir", str(tmp_path)]) == EXIT_INTERRUPTED
    out, err = capsys.readouterr()
    assert out == ""
    assert "goes on" in err


# --- verify -------------------------------------------------------------------------------------------------------


def test_verify_looks_at_all_models(folder: Path, capsys: Captured) -> None:
    arguments = ["models", "verify", "--dir", str(folder)]
    assert main(arguments) == EXIT_OK, "nothing is known of them"
    names = ("a.onnx", "b.onnx", "old_c.onnx")
    assert capsys.readouterr() == ("".join(f"UNVERIFIED: {folder / name}\n" for name in names), "")
    (folder / ORIENTER).write_bytes(b"cut off")
    assert main(arguments) == EXIT_PROBLEMS
    out, err = capsys.readouterr()
    assert f"CORRUPT: {folder / ORIENTER}\n" in out
    assert ORIENTER in err


def test_verify_judges_as_an_audit_does(folder: Path, models_dir: Path, capsys: Captured) -> None:
    shutil.copy(models_dir / ORIENTER, folder / "renamed.onnx")
    for name in ("cut.onnx", "old_cut.onnx"):
        (folder / name).write_bytes((folder / "a.onnx").read_bytes()[:-3])
    (folder / "notes.bin").write_text("no model")
    states = {
        "a.onnx": "UNVERIFIED",
        "b.onnx": "UNVERIFIED",
        "cut.onnx": "CORRUPT",
        "notes.bin": "FOREIGN",
        "old_c.onnx": "UNVERIFIED",
        "old_cut.onnx": "CORRUPT",
        "renamed.onnx": "OK",
    }
    assert main(["models", "verify", "--dir", str(folder)]) == EXIT_PROBLEMS
    out, err = capsys.readouterr()
    assert out == "".join(f"{state}: {folder / name}\n" for name, state in states.items())
    assert [name for name in states if str(folder / name) in err] == ["cut.onnx", "notes.bin", "old_cut.onnx"]
    for entry in ModelStore(folder).audit():
        if entry.name in states and not entry.name.startswith("old_"):
            assert entry.state == states[entry.name].replace("OK", "CURRENT")


def test_verify_of_a_known_model(models_dir: Path, capsys: Captured) -> None:
    assert main(["models", "verify", ORIENTER, "--dir", str(models_dir)]) == EXIT_OK
    assert capsys.readouterr() == (f"OK: {models_dir / ORIENTER}\n", "")


def test_verify_of_what_is_named(folder: Path, capsys: Captured) -> None:
    right = hashlib.sha256((folder / "a.onnx").read_bytes()).hexdigest()
    cases = {
        ("a.onnx",): EXIT_PROBLEMS,
        ("a.onnx", "--sha256", right): EXIT_OK,
        ("a.onnx", "--sha256", "0" * 64): EXIT_PROBLEMS,
        ("a.onnx", "--sha256", "xyz"): EXIT_USAGE,
        ("a.onnx", "b.onnx", "--sha256", right): EXIT_USAGE,
        ("--sha256", right): EXIT_USAGE,
        ("none.onnx",): EXIT_CANNOT_RUN,
        ("../a.onnx",): EXIT_USAGE,
    }
    for arguments, code in cases.items():
        assert main(["models", "verify", *arguments, "--dir", str(folder)]) == code, arguments
    capsys.readouterr()
    assert main(["models", "verify", "a.onnx", "--sha256", right, "--json", "--dir", str(folder)]) == EXIT_OK
    assert json.loads(capsys.readouterr().out) == [
        {"name": "a.onnx", "path": str(folder / "a.onnx"), "state": "OK", "sha256": right, "detail": None}
    ]


# --- progress -----------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that progress sees, as the one item of a list."""
    now = [100.0]
    monkeypatch.setattr("ferrocr.models.progress.monotonic", lambda: now[0])
    return now


def test_progress_in_a_log_is_a_line_at_each_end(capsys: Captured, clock: list[float]) -> None:
    with DownloadProgress() as progress:
        for done in (0, 400_000, 1_500_000, 1_500_000):
            progress("a.onnx", "models.example", done, 1_500_000)
            clock[0] += 0.5
    assert capsys.readouterr() == (
        "",
        "fetching a.onnx (1.5 MB) from models.example\nfetched a.onnx: 1.5 MB in 1.0 s, 1.5 MB/s\n",
    )


def test_a_download_is_told_of_once_its_size_is_known(capsys: Captured) -> None:
    with DownloadProgress() as progress:
        progress("a.onnx", "slow.example", 0, None)
        assert capsys.readouterr().err == "", "it may not even be reached"
        progress("a.onnx", "models.example", 0, None)
        progress("a.onnx", "models.example", 0, 1_500_000)
        assert capsys.readouterr().err == "fetching a.onnx (1.5 MB) from models.example\n"
        progress("a.onnx", "models.example", 7, 1_500_000)
        assert capsys.readouterr().err == ""
        progress("b.onnx", "models.example", 0, None)
        progress("b.onnx", "models.example", 7, None)
    said = "fetching b.onnx (a size that the server does not say) from models.example\n"
    assert capsys.readouterr().err == said


def test_a_bar_learns_how_long_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with DownloadProgress() as progress:
        progress("a.onnx", "models.example", 0, None)
        progress("a.onnx", "models.example", 0, 1000)
        progress("a.onnx", "models.example", 1000, 1000)
    assert "a.onnx from models.example: 100%" in shown.getvalue()


def test_a_rate_counts_only_what_came_since_the_start(capsys: Captured, clock: list[float]) -> None:
    with DownloadProgress() as progress:
        progress("a.onnx", "https", 15_000_000, 20_000_000)
        clock[0] += 2
        progress("a.onnx", "https", 20_000_000, 20_000_000)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "fetched a.onnx: 20.0 MB, of which 5.0 MB in 2.0 s, 2.5 MB/s"


def test_another_process_is_waited_for(capsys: Captured) -> None:
    with DownloadProgress() as progress:
        for done in (10, 20, 30):
            progress("a.onnx", "another process", done, 40)
        progress("a.onnx", "models.example", 30, 40)
    assert capsys.readouterr().err.splitlines() == [
        "waiting for another process to fetch a.onnx",
        "fetching a.onnx (0.0 MB) from models.example",
    ]


def test_progress_starts_anew_with_the_next_source(capsys: Captured) -> None:
    with DownloadProgress() as progress:
        progress("a.onnx", "one", 10, 10)
        progress("a.onnx", "two", 10, 10)
    assert [line.split()[0] for line in capsys.readouterr().err.splitlines()] == ["fetching", "fetched"] * 2


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with DownloadProgress() as progress:
        for done in range(0, 1001, 250):
            progress("a.onnx", "one", done, 1000)
    assert "a.onnx from one: 100%" in shown.getvalue()


def test_a_bar_starts_where_the_download_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with DownloadProgress() as progress:
        progress("a.onnx", "https", 750, 1000)
        bar = progress._bar
        assert bar is not None
        assert (bar.initial, bar.n) == (750, 750)
        progress("a.onnx", "https", 1000, 1000)
    assert "a.onnx from https: 100%" in shown.getvalue()


def test_the_progress_of_an_archive_is_one_bar(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    with ArchiveProgress() as progress:
        progress("a.onnx", 5, 10)
    assert capsys.readouterr() == ("", "")
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with ArchiveProgress() as progress:
        progress("a.onnx", 5, 10)
        progress("b.onnx", 10, 10)
    assert "b.onnx: 100%" in shown.getvalue()
