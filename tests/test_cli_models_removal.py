"""What ``ferrocr models`` changes: plans, questions, the trash, the keep-list, archives."""

import argparse
import io
import json
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import Terminal, snapshot
from ferrocr import ModelInUseError, ModelStore, PlannedFile, Removal
from ferrocr.cli import main
from ferrocr.cli._errors import EXIT_CANNOT_RUN, EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE
from ferrocr.cli._models._common import duration, time_of

Captured = pytest.CaptureFixture[str]
Answer = Callable[[str], Terminal]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Puts a person at the terminal who answers that; gives what the person is shown on stderr."""

    def sit_down(text: str) -> Terminal:
        shown = Terminal()
        monkeypatch.setattr(sys, "stdin", Terminal(text))
        monkeypatch.setattr(sys, "stderr", shown)
        return shown

    return sit_down


@pytest.fixture(autouse=True)
def _nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())


def models(directory: Path, *arguments: str) -> int:
    """Run a command."""
    return main(["models", *arguments, "--dir", str(directory)])


# --- remove and prune ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [["remove", "a.onnx"], ["prune"], ["prune", "--prefix", "a"], ["purge"], ["remove", "none.onnx"]],
    ids=str,
)
def test_without_a_terminal_and_a_yes_nothing_is_done(folder: Path, capsys: Captured, arguments: list[str]) -> None:
    before = snapshot(folder)
    assert models(folder, *arguments) == EXIT_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert "--yes or --dry-run" in err
    assert snapshot(folder) == before


@pytest.mark.parametrize("arguments", [["remove", "old_c.onnx"], ["prune"], ["prune", "--prefix", "old_"]], ids=str)
def test_a_trial_shows_the_plan(folder: Path, capsys: Captured, arguments: list[str]) -> None:
    before = snapshot(folder)
    assert models(folder, *arguments, "--dry-run") == EXIT_OK
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["WHAT", "NAME", "SIZE", "WHY"]
    assert row.split()[:2] == ["remove", "old_c.onnx"]
    assert snapshot(folder) == before


def test_a_yes_moves_to_the_trash_and_says_how_to_undo_it(folder: Path, capsys: Captured) -> None:
    assert models(folder, "remove", "a.onnx", "b.onnx", "--yes") == EXIT_OK
    assert ModelStore(folder).list_local() == ["old_c.onnx"]
    err = capsys.readouterr().err
    assert "moved 3 files (0.0 MB) to the trash\n" in err
    undo = next(line for line in err.splitlines() if line.startswith("undo: ferrocr "))
    assert undo.endswith(f" --dir {folder}")
    assert main(undo.split()[2:]) == EXIT_OK
    assert ModelStore(folder).list_local() == ["a.onnx", "b.onnx", "old_c.onnx"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("y\n", EXIT_OK), ("YES\n", EXIT_OK), ("n\n", EXIT_PROBLEMS), ("\n", EXIT_PROBLEMS), ("", EXIT_PROBLEMS)],
)
def test_a_person_is_asked(folder: Path, answer: Answer, text: str, code: int) -> None:
    shown = answer(text)
    assert models(folder, "prune") == code
    assert "Move 1 file (0.0 MB) to the trash? [y/N] " in shown.getvalue()
    assert ((folder / "old_c.onnx").exists(), "nothing was done" in shown.getvalue()) == ((code != EXIT_OK),) * 2


def test_the_result_as_json(folder: Path, capsys: Captured) -> None:
    assert models(folder, "prune", "--state", "old", "--yes", "--json") == EXIT_OK
    result = json.loads(capsys.readouterr().out)
    assert result["removal"]
    assert result["dry_run"] is False
    assert [(file["name"], file["decision"]) for file in result["files"]] == [("old_c.onnx", "remove")]
    assert models(folder, "restore", "--json") == EXIT_OK
    assert [file["name"] for file in json.loads(capsys.readouterr().out)] == ["old_c.onnx"]


def test_what_is_kept_ends_a_removal_before_the_question(folder: Path, answer: Answer) -> None:
    before = snapshot(folder)
    for protection in (["--keep", "a.*"], ["--for", "a.onnx"]):
        shown = answer("y\n")
        assert models(folder, "remove", "a.onnx", "b.onnx", *protection) == EXIT_CANNOT_RUN
        assert "[y/N]" not in shown.getvalue()
        assert "a.onnx" in shown.getvalue()
    assert snapshot(folder) == before


def planned(directory: Path, *files: PlannedFile) -> Callable[..., Removal]:
    """Stands in for a method that removes: a plan of these files, and a removal that is none."""

    def act(_self: ModelStore, *_: object, dry_run: bool, **__: object) -> Removal:
        assert dry_run, f"{directory} was to stay as it is"
        return Removal(files, None, dry_run)

    return act


@pytest.mark.parametrize("command", [["remove", "a.onnx", "b.onnx"], ["prune", "--older-than", "0s"]], ids=str)
def test_what_is_in_use_ends_a_removal_before_the_question(
    folder: Path, answer: Answer, capsys: Captured, command: list[str]
) -> None:
    pid = os.getpid()
    with ModelStore(folder).lease("a.onnx") as lease:
        assert lease.held
        shown = answer("y\n")
        assert models(folder, *command) == EXIT_CANNOT_RUN
        with pytest.raises(ModelInUseError) as raised:
            ModelStore(folder).remove(["a.onnx", "b.onnx"])
    assert f"in use by {pid}" in capsys.readouterr().out
    assert "[y/N]" not in shown.getvalue()
    assert str(raised.value).splitlines()[0] in shown.getvalue(), "in the words of the removal itself"
    assert ModelStore(folder).list_local() == ["a.onnx", "b.onnx", "old_c.onnx"]


@pytest.mark.parametrize("command", [["remove", "a.onnx"], ["prune", "--prefix", "a"], ["purge"]], ids=str)
def test_a_program_gets_the_plan_of_what_is_not_done(
    folder: Path, capsys: Captured, answer: Answer, command: list[str]
) -> None:
    models(folder, "remove", "b.onnx", "--yes")
    before = snapshot(folder)
    names = ["b.onnx"] if command == ["purge"] else ["a.onnx", "a.txt"]

    def told(code: int, *options: str) -> dict[str, Any]:
        capsys.readouterr()
        assert models(folder, *command, *options, "--json") == code
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert [file["name"] for file in result["files"]] == names
        assert result["bytes"] > 0
        return result

    results = [told(EXIT_USAGE), told(EXIT_OK, "--dry-run")]
    answer("n\n")
    results.append(told(EXIT_PROBLEMS))
    assert {(result["done"], result["dry_run"]) for result in results} == {(False, True)}
    assert snapshot(folder) == before
    done = told(EXIT_OK, "--yes")
    assert (done["done"], done["dry_run"]) == (True, False)


def test_a_program_gets_the_plan_of_what_is_refused(folder: Path, capsys: Captured) -> None:
    assert models(folder, "remove", "a.onnx", "--keep", "a*", "--yes", "--json") == EXIT_CANNOT_RUN
    result = json.loads(capsys.readouterr().out)
    assert (result["done"], result["files"][0]["decision"]) == (False, "kept")


def test_nothing_to_remove_is_done_at_once(folder: Path, capsys: Captured) -> None:
    for command in (["prune", "--prefix", "x"], ["purge"]):
        assert models(folder, *command, "--yes", "--json") == EXIT_OK
        result = json.loads(capsys.readouterr().out)
        assert (result["done"], result["dry_run"], result["files"]) == (True, False, [])


def test_an_option_takes_no_name_away(folder: Path, capsys: Captured) -> None:
    """Each of them used to take all words that follow it."""
    assert models(folder, "remove", "--keep", "a.onnx", "b.onnx", "--dry-run") == EXIT_OK
    assert models(folder, "remove", "--for", "a.onnx", "old_c.onnx", "--dry-run") == EXIT_OK
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert [row for row in rows if row[0] != "WHAT"] == [["remove", "b.onnx"], ["remove", "old_c.onnx"]]
    assert models(folder, "keep", "a.onnx") == EXIT_OK
    assert models(folder, "keep", "--remove", "a.onnx", "b.onnx") == EXIT_OK
    assert ModelStore(folder).kept() == ["b.onnx"]


def test_the_question_says_what_does_not_come_back(
    folder: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = PlannedFile(
        "x.part", str(folder / ".ferrocr" / "incoming" / "x.part"), 2_500_000, "remove", (), "PARTIAL", unfinished=True
    )
    old = PlannedFile("b.onnx", str(folder / "b.onnx"), 1_000_000, "remove", (), "OLD")
    for files, question in (
        ((part,), "Delete 1 unfinished download (2.5 MB) for good? "),
        ((part, old), "Move 1 file (1.0 MB) to the trash and delete 1 unfinished download (2.5 MB) for good? "),
    ):
        monkeypatch.setattr(ModelStore, "prune", planned(folder, *files))
        shown = answer("n\n")
        assert models(folder, "prune", "--state", "partial", "old") == EXIT_PROBLEMS
        assert question in shown.getvalue()


def test_a_directory_that_changes_meanwhile_is_told_of(folder: Path, capsys: Captured) -> None:
    def act(_self: ModelStore, *_: object, dry_run: bool, **__: object) -> Removal:
        name = "a.onnx" if dry_run else "b.onnx"
        return Removal(
            (PlannedFile(name, str(folder / name), 5, "remove", (), "OLD"),), None if dry_run else "1", dry_run
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ModelStore, "prune", act)
        assert models(folder, "prune", "--yes") == EXIT_OK
    out, err = capsys.readouterr()
    assert "a.onnx" in out
    assert "has changed" in err
    assert "b.onnx" in err


def test_a_prune_spares_what_is_kept(folder: Path, capsys: Captured) -> None:
    assert models(folder, "prune", "--older-than", "0s", "--keep", "a.onnx", "--keep", "old_*", "--yes") == EXIT_OK
    assert ModelStore(folder).list_local() == ["a.onnx", "old_c.onnx"]
    assert capsys.readouterr().out.count("kept ") == 2


def test_nothing_to_remove_is_no_problem(folder: Path, capsys: Captured) -> None:
    before = snapshot(folder)
    assert models(folder, "prune", "--prefix", "x", "--yes") == EXIT_OK
    assert capsys.readouterr() == ("", "")
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    "arguments",
    [["remove"], ["prune", "--older-than", "3"], ["prune", "--state", "bad"], ["purge", "--older-than", "-1d"]],
    ids=str,
)
def test_wrong_arguments_are_usage_errors(folder: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        models(folder, *arguments, "--yes")
    assert caught.value.code == EXIT_USAGE


def test_mistakes_have_exit_codes(folder: Path, capsys: Captured) -> None:
    assert models(folder, "remove", "none.onnx", "--yes") == EXIT_CANNOT_RUN
    assert models(folder, "remove", "../x", "--yes") == EXIT_USAGE
    assert models(folder, "prune", "--keep", "none_*", "--yes") == EXIT_USAGE
    assert models(folder, "prune", "--prefix", "", "--yes") == EXIT_USAGE
    assert models(folder, "restore") == EXIT_CANNOT_RUN
    assert capsys.readouterr().out == ""


def test_durations() -> None:
    cases = {
        "90s": timedelta(seconds=90),
        "15m": timedelta(minutes=15),
        "12h": timedelta(hours=12),
        "30d": timedelta(days=30),
        "2w": timedelta(weeks=2),
        "1.5h": timedelta(minutes=90),
        "0s": timedelta(0),
    }
    assert {text: duration(text) for text in cases} == cases
    for wrong in ("", "30", "d", "-1d", "1y", "1 d", "1d2h", "9" * 400 + "w", "1e3s", "\u0661d"):
        with pytest.raises(argparse.ArgumentTypeError, match="no time such as"):
            duration(wrong)


def test_times_of_any_size_can_be_shown() -> None:
    assert time_of(1_700_000_000.0).startswith("2023-11-1")
    assert {time_of(odd) for odd in (None, 1e300, -1e300, float("nan"))} == {"?"}


# --- restore and purge --------------------------------------------------------------------------------------------


def test_restore_and_purge_show_what_they_do(folder: Path, capsys: Captured, answer: Answer) -> None:
    models(folder, "remove", "a.onnx", "--yes")
    capsys.readouterr()
    before = snapshot(folder)
    assert models(folder, "restore", "--dry-run") == EXIT_OK
    assert models(folder, "purge", "--dry-run") == EXIT_OK
    header, row, *_ = capsys.readouterr().out.splitlines()
    assert header.split() == ["NAME", "SIZE", "REMOVED", "REMOVAL"]
    assert row.startswith("a.onnx ")
    assert snapshot(folder) == before
    shown = answer("n\n")
    assert models(folder, "purge") == EXIT_PROBLEMS
    assert "Delete 2 files (0.0 MB) for good? [y/N]" in shown.getvalue()
    assert models(folder, "purge", "--older-than", "1d", "--yes") == EXIT_OK
    assert "nothing to delete" in shown.getvalue()
    assert models(folder, "purge", "--yes", "--json") == EXIT_OK
    assert models(folder, "restore") == EXIT_CANNOT_RUN


# --- keep ---------------------------------------------------------------------------------------------------------


def test_the_keep_list_is_shown_and_changed(folder: Path, capsys: Captured) -> None:
    assert models(folder, "keep") == EXIT_OK
    assert capsys.readouterr() == ("", f"the keep-list of {folder} is empty\n")
    assert models(folder, "keep", "a.onnx", "old_*") == EXIT_OK
    assert capsys.readouterr() == ("a.onnx\nold_*\n", "")
    assert models(folder, "keep", "--remove", "a.onnx", "--json") == EXIT_OK
    assert json.loads(capsys.readouterr().out) == ["old_*"]
    assert models(folder, "keep", "none.onnx") == EXIT_USAGE
    assert models(folder, "keep", "--set", "ppocrv99") == EXIT_USAGE
    assert models(folder, "keep", "--set", "ppocrv6-small") == EXIT_USAGE, "it is not there"
    assert ModelStore(folder).kept() == ["old_*"]


def test_the_keep_list_is_changed_as_a_whole(folder: Path) -> None:
    assert models(folder, "keep", "a.onnx", "--remove", "b.onnx") == EXIT_USAGE
    assert ModelStore(folder).kept() == []
    ModelStore(folder).keep("b.onnx")
    assert models(folder, "keep", "none.onnx", "--remove", "b.onnx") == EXIT_USAGE
    assert ModelStore(folder).kept() == ["b.onnx"]
    assert models(folder, "keep", "a.onnx", "--remove", "b.onnx") == EXIT_OK
    assert ModelStore(folder).kept() == ["a.onnx"]


# --- export and import --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["export", "backup"])
def test_models_are_carried_over(folder: Path, tmp_path: Path, capsys: Captured, command: str) -> None:
    archive, other = tmp_path / "models.zip", tmp_path / "other"
    assert models(folder, command, str(archive)) == EXIT_OK
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["NAME", "a.onnx", "a.txt", "b.onnx", "old_c.onnx"]
    assert err == f"wrote 4 files (0.0 MB) to {archive}\n"
    assert models(other, "import", str(archive), "--dry-run") == EXIT_OK
    assert not other.exists()
    capsys.readouterr()
    assert models(other, "import", str(archive), "--json") == EXIT_OK
    out, err = capsys.readouterr()
    assert {file["name"] for file in json.loads(out) if file["is_new"]} == {"a.onnx", "a.txt", "b.onnx", "old_c.onnx"}
    assert err == f"took 4 files (0.0 MB) from {archive}; 0 already there\n"
    assert ModelStore(other).list_local() == ModelStore(folder).list_local()


def test_an_import_replaces_only_on_request(folder: Path, tmp_path: Path, capsys: Captured) -> None:
    archive = tmp_path / "models.zip"
    models(folder, "export", str(archive), "b.onnx")
    (folder / "b.onnx").write_bytes(b"other")
    assert models(folder, "import", str(archive)) == EXIT_USAGE
    assert "--replace" in capsys.readouterr().err
    assert models(folder, "import", str(archive), "--replace") == EXIT_OK
    assert (folder / "b.onnx").read_bytes() != b"other"
