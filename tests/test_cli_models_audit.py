"""``ferrocr models audit``: its lines, its table, and the exit codes that a monitor goes by."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from conftest import ORIENTER, Terminal, snapshot, tiny_model
from ferrocr.cli import main

Captured = pytest.CaptureFixture[str]

CLEAN, FINDINGS, FAILED = 0, 1, 2


@pytest.fixture
def clean_folder(models_dir: Path, tmp_path: Path) -> Path:
    """A directory without findings."""
    directory = tmp_path / "clean"
    directory.mkdir()
    shutil.copy(models_dir / ORIENTER, directory)
    return directory


def audit(directory: Path, *arguments: str) -> int:
    """Run the command."""
    return main(["models", "audit", "--dir", str(directory), *arguments])


def test_each_line_is_a_state_and_a_path(folder: Path, capsys: Captured) -> None:
    before = snapshot(folder)
    assert audit(folder) == FINDINGS
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"UNVERIFIED: {folder / 'a.onnx'}",
        f"UNVERIFIED: {folder / 'a.txt'}",
        f"UNVERIFIED: {folder / 'b.onnx'}",
        f"OLD: {folder / 'old_c.onnx'}",
    ]
    assert err == "4 files, 4 findings\n"
    assert snapshot(folder) == before


def test_a_clean_directory_is_zero(clean_folder: Path, capsys: Captured) -> None:
    assert audit(clean_folder) == CLEAN
    assert capsys.readouterr() == (f"CURRENT: {clean_folder / ORIENTER}\n", "")


def test_a_directory_that_is_not_there_is_clean(tmp_path: Path, capsys: Captured) -> None:
    assert audit(tmp_path / "none") == CLEAN
    assert capsys.readouterr() == ("", "")


def test_all_being_well_is_told_to_a_person_only(
    clean_folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audit(clean_folder, "--json") == CLEAN
    assert capsys.readouterr().err == ""
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    assert audit(clean_folder) == CLEAN
    assert shown.getvalue() == "1 file, 0 findings\n"


def test_ignored_states_do_not_count(folder: Path, capsys: Captured) -> None:
    assert audit(folder, "--ignore", "unverified") == FINDINGS
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4, "they are listed all the same"
    assert err == "4 files, 1 finding, 3 ignored\n"
    assert audit(folder, "--ignore", "unverified", "OLD") == CLEAN
    assert audit(folder, "--ignore", "UNVERIFIED", "--ignore", "old") == CLEAN


def test_what_is_in_the_trash_is_no_finding(clean_folder: Path, capsys: Captured) -> None:
    (clean_folder / "x.onnx").write_bytes(tiny_model())
    assert main(["models", "remove", "x.onnx", "--yes", "--dir", str(clean_folder)]) == CLEAN
    capsys.readouterr()
    assert audit(clean_folder) == CLEAN
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("TRASHED: ")
    assert err == ""


def test_what_is_needed_is_missing(clean_folder: Path, capsys: Captured) -> None:
    assert audit(clean_folder, "--for", ORIENTER) == CLEAN
    assert audit(clean_folder, "--for", "ppocrv6-small") == FINDINGS
    assert capsys.readouterr().out.count("MISSING: ") == 2


@pytest.mark.parametrize("arguments", [["--for", "ppocrv99"], ["--dir", "{}/file"]])
def test_an_audit_that_cannot_be_made_is_two(tmp_path: Path, capsys: Captured, arguments: list[str]) -> None:
    (tmp_path / "file").write_text("no directory")
    assert audit(tmp_path, *(argument.format(tmp_path) for argument in arguments)) == FAILED
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")


def test_an_unknown_state_is_a_usage_error(tmp_path: Path, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        audit(tmp_path, "--ignore", "bad")
    assert caught.value.code == FAILED
    assert "UNVERIFIED" in capsys.readouterr().err


def test_details_are_a_table_and_what_to_do(folder: Path, capsys: Captured) -> None:
    assert main(["models", "keep", "a.onnx", "--dir", str(folder)]) == CLEAN
    capsys.readouterr()
    assert audit(folder, "--details") == FINDINGS
    out = capsys.readouterr().out
    header, first, *_ = out.splitlines()
    assert header.split() == ["STATE", "NAME", "SIZE", "ROLE", "VERSION", "FLAGS"]
    assert first.split()[:2] == ["UNVERIFIED", "a.onnx"]
    assert "detector" in first
    assert first.endswith("kept")
    assert "\nOLD old_c.onnx: " in out
    assert "ferrocr models prune" in out


def test_a_terminal_gets_the_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    assert audit(folder) == FINDINGS
    assert shown.getvalue().startswith("STATE ")


def test_the_report_as_json(folder: Path, capsys: Captured) -> None:
    assert audit(folder, "--json", "--ignore", "old") == FINDINGS
    report = json.loads(capsys.readouterr().out)
    assert (report["format"], report["directory"], report["clean"]) == (1, str(folder), False)
    assert [entry["name"] for entry in report["entries"]] == ["a.onnx", "a.txt", "b.onnx", "old_c.onnx"]


def test_nothing_is_remembered_on_request(folder: Path, cache: Path) -> None:
    audit(folder, "--no-memory", "--rehash")
    assert list(cache.iterdir()) == []


def test_the_help_says_the_exit_codes(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        audit(Path(), "--help")
    assert "exit codes of this command" in capsys.readouterr().out
