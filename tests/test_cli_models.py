"""The command line for the model directory: ``ferrocr models``, download progress, and ``ferrocr doctor``."""

import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import ferrocr
from ferrocr._defaults import DEFAULT_SET
from ferrocr.cli import main
from ferrocr.cli._errors import (
    EXIT_CANNOT_RUN,
    EXIT_OK,
    EXIT_PROBLEMS,
)
from ferrocr.progress import DownloadProgress

Captured = pytest.CaptureFixture[str]


# --- models -------------------------------------------------------------------------------------------------------


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
    assert len(capsys.readouterr().out.splitlines()) == len(rows)


def test_path(models: Path, capsys: Captured) -> None:
    assert main(["models", "path", "--dir", str(models)]) == EXIT_OK
    assert main(["models", "path", "a.bin", "--dir", str(models)]) == EXIT_OK
    assert capsys.readouterr().out.splitlines() == [str(models), str(models / "a.bin")]


def test_path_of_a_missing_model(models: Path, capsys: Captured) -> None:
    assert main(["models", "path", "c.onnx", "--dir", str(models)]) == EXIT_CANNOT_RUN
    out, err = capsys.readouterr()
    assert out == ""
    assert "c.onnx" in err


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

    def pull(_self: object, names: Iterable[str], *, mirror: str | None, progress: object) -> list[str]:
        asked.append((list(names), mirror, callable(progress)))
        return [str(models / "a.bin")]

    monkeypatch.setattr(ferrocr.ModelStore, "pull", pull)
    assert main(["models", "pull", *arguments, "--mirror", "https://m", "--dir", str(models)]) == EXIT_OK
    assert asked == [(names, "https://m", True)]
    assert capsys.readouterr().out == f"{models / 'a.bin'}\n"


def test_pull_without_network_fails(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "1")
    assert main(["models", "pull", "--dir", str(tmp_path / "m")]) == EXIT_CANNOT_RUN
    assert capsys.readouterr().err.startswith("error: ")


# --- progress -----------------------------------------------------------------------------------------------------


def test_progress_in_a_log_is_a_line_at_each_end(capsys: Captured) -> None:
    with DownloadProgress() as progress:
        for done in (0, 400_000, 1_500_000, 1_500_000):
            progress("a.onnx", "https://one", done, 1_500_000)
        progress("b.onnx", "https://one", 0, None)
    assert capsys.readouterr() == (
        "",
        "fetching a.onnx (1.5 MB) from https://one\nfetched a.onnx\nfetching b.onnx from https://one\n",
    )


def test_progress_starts_anew_with_the_next_source(capsys: Captured) -> None:
    with DownloadProgress() as progress:
        progress("a.onnx", "one", 10, 10)
        progress("a.onnx", "two", 10, 10)
    assert [line.split()[0] for line in capsys.readouterr().err.splitlines()] == ["fetching", "fetched"] * 2


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = type("Terminal", (io.StringIO,), {"isatty": lambda _self: True})()
    monkeypatch.setattr(sys, "stderr", terminal)
    with DownloadProgress() as progress:
        for done in range(0, 1001, 250):
            progress("a.onnx", "one", done, 1000)
    assert "a.onnx: 100%" in terminal.getvalue()


# --- doctor -------------------------------------------------------------------------------------------------------


def test_doctor_as_json(models: Path, capsys: Captured) -> None:
    assert main(["doctor", "--json", "--dir", str(models)]) == EXIT_PROBLEMS
    report = json.loads(capsys.readouterr().out)
    checks = {check["name"]: check for check in report["checks"]}
    assert set(checks) >= {"versions", "runtime", "models", "default", "memory"}
    assert all(set(check) == {"name", "ok", "detail", "fix", "facts"} for check in checks.values())
    assert report["ok"] is False
    assert checks["models"]["facts"] == {"directory": str(models), "files": {"a.bin": 3, "b.onnx": 5}}
    assert checks["default"]["ok"] is False
    assert set(checks["default"]["facts"]["files"].values()) == {"missing"}


def test_doctor_says_what_to_do(models: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_ONNXRUNTIME", str(models / "nothing"))
    assert main(["doctor", "--dir", str(models)]) == EXIT_PROBLEMS
    lines = capsys.readouterr().out.splitlines()
    for name in ("runtime", "default"):
        problem = next(index for index, line in enumerate(lines) if line.split()[:2] == ["problem", name])
        assert lines[problem + 1].startswith("hint: ")


def test_doctor_sees_a_file_of_the_wrong_size(models: Path, capsys: Captured) -> None:
    from ferrocr.store import model_sets

    name = model_sets()[DEFAULT_SET][0]
    (models / name).write_bytes(b"cut off")
    main(["doctor", "--json", "--dir", str(models)])
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["default"]["facts"]["files"][name].startswith("has 7 bytes instead of ")


def test_doctor_is_content_with_the_default_models(models_dir: Path, capsys: Captured) -> None:
    assert main(["doctor", "--json", "--dir", str(models_dir)]) == EXIT_OK, capsys.readouterr().out
