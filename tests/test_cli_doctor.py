"""``ferrocr doctor``: its checks, and what a release gives back."""

import json
from pathlib import Path

import pytest

from conftest import run_python
from ferrocr._defaults import DEFAULT_SET
from ferrocr.cli import main
from ferrocr.cli._errors import EXIT_CANNOT_RUN, EXIT_OK, EXIT_PROBLEMS
from ferrocr.cli._release_check import Cycle, problems_of

Captured = pytest.CaptureFixture[str]


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


# --- --release-check ----------------------------------------------------------------------------------------------


def test_a_release_gives_everything_back_on_this_machine(models_dir: Path) -> None:
    # In a process of its own, because what other tests hold would be measured too.
    code = "import sys; from ferrocr.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = ("doctor", "--release-check", "--cycles", "3", "--json", "--dir", str(models_dir))
    ended = run_python(code, *arguments)
    assert (ended.returncode, ended.stderr) == (EXIT_OK, ""), ended.stdout
    found = json.loads(ended.stdout)
    assert (found["ok"], found["problems"], len(found["cycles"])) == (True, [], 3)
    for cycle in found["cycles"]:
        assert set(cycle) == set(Cycle.__slots__)
        assert cycle["seconds"] > 0


def test_the_release_check_is_a_table_with_a_verdict(models_dir: Path, picture_file: Path, capsys: Captured) -> None:
    arguments = ["doctor", "--release-check", "--cycles", "1", "--picture", str(picture_file), "--dir", str(models_dir)]
    assert main(arguments) == EXIT_OK
    head, row, verdict = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "cycle"
    assert row.split()[0] == "1"
    assert verdict.startswith("ok: ")


def test_the_release_check_fetches_nothing(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    assert main(["doctor", "--release-check", "--dir", str(tmp_path / "models")]) == EXIT_CANNOT_RUN
    assert "ferrocr models pull" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("cycles", "problems"),
    [
        ([Cycle("cpu", 50.0, 400.0, 80.0, 2, 2, 5, 5, 1.0), Cycle("cpu", 50.0, 400.0, 95.0, 2, 1, 5, 5, 1.0)], []),
        (
            [Cycle("cpu", 50.0, 400.0, 80.0, 2, 2, 5, 5, 1.0), Cycle("cpu", 50.0, 400.0, 96.0, 2, 2, 5, 5, 1.0)],
            ["from 80 to 96 MB"],
        ),
        ([Cycle("cpu", 50.0, 400.0, 150.0, 2, 2, 5, 5, 1.0)], []),
        ([Cycle("openvino", 33.0, 430.0, 150.0, 2, 2, 6, 6, 1.0)], []),
        ([Cycle("cuda", 33.0, 430.0, 150.0, 2, 2, 6, 6, 1.0)], ["first release left 150 MB of memory"]),
        ([Cycle("cpu", 50.0, 400.0, 390.0, 2, 2, 5, 5, 1.0)] * 2, ["first release left 390 MB of memory"]),
        ([Cycle("cpu", 50.0, 400.0, 80.0, 2, 4, 5, 6, 1.0)], ["cycle 1 left 2 threads", "cycle 1 left 1 descriptors"]),
        ([Cycle("cpu", None, None, None, None, None, None, None, 1.0)] * 2, []),
    ],
)
def test_what_was_not_given_back_is_said(cycles: list[Cycle], problems: list[str]) -> None:
    found = problems_of(cycles)
    assert len(found) == len(problems)
    assert all(part in problem for part, problem in zip(problems, found, strict=True))
