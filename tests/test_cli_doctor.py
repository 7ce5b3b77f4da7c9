"""``ferrocr doctor``: its checks, and what a release gives back."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import ferrocr
from conftest import run_python
from ferrocr import _core
from ferrocr._engine._options import PRESETS, Preset, Provider
from ferrocr.cli import main
from ferrocr.cli._benchmark import Measurement, advice_of
from ferrocr.cli._environment import KNOWN
from ferrocr.cli._errors import EXIT_CANNOT_RUN, EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE
from ferrocr.cli._release_check import Cycle, problems_of
from ferrocr.models._catalog import DEFAULT_SET

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


def checks_of(capsys: Captured, directory: Path) -> dict[str, dict[str, Any]]:
    main(["doctor", "--json", "--dir", str(directory)])
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


def test_doctor_shows_what_counts_in_the_environment_without_passwords(
    models: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_PASSWORD", "secret")
    monkeypatch.setenv("FERROCR_API_KEY", "secret")
    monkeypatch.setenv("FERROCR_MIRROR", "https://me:secret@mirror.example/models")
    monkeypatch.setenv("FERROCR_MODELDIR", "/srv/models")
    monkeypatch.setenv("HTTPS_PROXY", "me:secret@proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("PIP_INDEX_URL", "https://me:secret@index.example/simple")
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    main(["doctor", "--dir", str(models)])
    shown = capsys.readouterr().out
    assert "secret" not in shown
    assert "ferrocr does not know FERROCR_MODELDIR (meant: FERROCR_MODEL_DIR)" in shown
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    checks = checks_of(capsys, models)
    assert checks["variables"]["ok"] is True
    found = checks["variables"]["facts"]["set"]
    assert found["FERROCR_PASSWORD"] == found["FERROCR_API_KEY"] == "***"
    assert found["FERROCR_MIRROR"] == "https://***@mirror.example/models"
    assert found["HTTPS_PROXY"] == "***@proxy.example:3128"
    assert found["NO_PROXY"] == "localhost"
    assert "ORT_DISABLE_TELEMETRY" not in found, "what doctor sets itself is not the user's"
    sources = checks["sources"]["facts"]["mirror_and_indexes"]
    assert {"https://***@mirror.example/models", "https://***@index.example/simple"} <= set(sources)


def test_every_variable_is_known_to_doctor() -> None:
    root = Path(__file__).parent.parent
    sources = [*root.glob("python/ferrocr/**/*.py"), *root.glob("src/**/*.rs")]
    texts = [path.read_text(encoding="utf-8") for path in sources if "tests" not in (path.stem, path.parent.name)]
    names = {name for text in texts for name in re.findall(r"\bFERROCR_[A-Z_]*[A-Z]\b", text)}
    assert {name for name in names if not name.startswith("FERROCR_TEST_")} == set(KNOWN)


def test_doctor_says_whether_the_directory_can_be_written(
    models: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = checks_of(capsys, models / "not" / "there")["directory"]
    assert (directory["ok"], directory["facts"]["writable"], directory["facts"]["fault"]) == (True, True, None)
    assert directory["facts"]["free_bytes"] > 0
    # Whoever runs the tests may be allowed to write everywhere.
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    directory = checks_of(capsys, models)["directory"]
    assert (directory["ok"], directory["facts"]["writable"]) == (False, False)
    assert directory["facts"]["fault"].endswith(f"to {models}")
    assert "FERROCR_MODEL_DIR" in directory["fix"]


def test_a_directory_that_has_the_models_need_not_be_written(
    models_dir: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    directory = checks_of(capsys, models_dir)["directory"]
    assert (directory["ok"], directory["fix"], directory["facts"]["writable"]) == (True, None, False)


def test_doctor_is_content_with_the_default_models(models_dir: Path, capsys: Captured) -> None:
    assert main(["doctor", "--json", "--dir", str(models_dir)]) == EXIT_OK, capsys.readouterr().out


# --- --release-check ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("isolated", [(), ("--isolated",)], ids=["here", "isolated"])
def test_a_release_gives_everything_back_on_this_machine(models_dir: Path, isolated: tuple[str, ...]) -> None:
    # In a process of its own, because what other tests hold would be measured too.
    code = "import sys; from ferrocr.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = ("doctor", "--release-check", "--cycles", "3", "--json", "--dir", str(models_dir), *isolated)
    ended = run_python(code, *arguments)
    assert (ended.returncode, ended.stderr) == (EXIT_OK, ""), ended.stdout
    found = json.loads(ended.stdout)
    assert (found["ok"], found["problems"], len(found["cycles"])) == (True, [], 3)
    for cycle in found["cycles"]:
        assert set(cycle) == set(Cycle.__slots__)
        assert cycle["seconds"] > 0
        assert (cycle["processes"], cycle["processes_left"]) == (1 if isolated else None, 0)


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


def test_isolated_engines_are_for_the_release_check(capsys: Captured) -> None:
    assert main(["doctor", "--isolated"]) == EXIT_USAGE
    assert "--isolated is for --release-check" in capsys.readouterr().err


# --- --benchmark --------------------------------------------------------------------------------------------------


def measured(provider: Provider, preset: Preset, pages_per_s: float | None, agreement: float = 1.0) -> Measurement:
    """A measurement of a provider with a preset, as far as the advice goes by it."""
    return Measurement(provider, preset, pages_per_s=pages_per_s, agreement=agreement)


def test_the_benchmark_measures_all_that_works_here(models_dir: Path, capsys: Captured) -> None:
    arguments = ["doctor", "--benchmark", "--cycles", "1", "--dir", str(models_dir)]
    assert main([*arguments, "--json"]) == EXIT_OK
    report = json.loads(capsys.readouterr().out)
    found = {(one["provider"], one["preset"]): one for one in report["measurements"] if one["fault"] is None}
    assert set(found) >= {("cpu", preset) for preset in PRESETS}
    assert found["cpu", "default"]["agreement"] == 1
    assert all(one["pages_per_s"] > 0 and 0.8 < one["agreement"] <= 1 for one in found.values())
    assert all(0 < one["stages"]["detect"] < one["stages"]["total"] for one in found.values())
    assert report["advice"].startswith('take provider="')
    assert main(arguments) == EXIT_OK
    head, *rows, advice = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["provider", "preset", "pages/s"]
    assert len(rows) >= len(found)
    assert advice.startswith('take provider="')


def test_the_benchmark_fetches_nothing_and_names_a_picture_that_is_none(
    models_dir: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    assert main(["doctor", "--benchmark", "--dir", str(tmp_path / "models")]) == EXIT_CANNOT_RUN
    assert "ferrocr models pull" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()
    assert main(["doctor", "--benchmark", "--picture", "gone.png", "--dir", str(models_dir)]) != EXIT_OK
    assert "gone.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("found", "says", "says_not"),
    [
        ([measured("cpu", "default", 2), measured("cpu", "fast", 3, 0.95)], ["cpu", "1.50 times", "95.0%"], ["not"]),
        ([measured("cpu", "default", 2), measured("openvino", "default", 4)], ["openvino", 'not "cpu" as'], []),
        ([measured("cpu", "default", 2), measured("openvino", "default", 4, 0.9)], ['"cpu", as "auto"'], ["openvino"]),
        ([measured("cpu", "default", 2), measured("cuda", "default", None)], ['"cpu", as "auto"'], ["cuda"]),
    ],
)
def test_the_advice_is_the_fastest_that_reads_the_same(
    found: list[Measurement], says: list[str], says_not: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_core, "automatic_providers", lambda: ["cpu"])
    advice = advice_of(found)
    assert all(part in advice for part in says), advice
    assert not any(part in advice for part in says_not), advice


# --- the provider that is taken by itself -------------------------------------------------------------------------


@pytest.mark.parametrize(("used", "ok"), [("cuda", True), ("cpu", False)])
def test_doctor_says_why_another_provider_is_taken_than_the_best(
    used: str, ok: bool, models: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Willing:
        """An engine that passes CUDA over unless it works."""

        provider = used

        def __init__(self, **_: object) -> None:
            pass

        def __enter__(self) -> "Willing":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def load(self) -> None:
            if not ok:
                warnings.warn("cuda does not work here: libcudart.so.13 not found", RuntimeWarning, stacklevel=1)

    monkeypatch.setattr(_core, "automatic_providers", lambda: ["cuda", "cpu"])
    monkeypatch.setattr(ferrocr, "OcrEngine", Willing)
    check = checks_of(capsys, models)["auto"]
    assert (check["ok"], check["facts"]["best"], check["facts"]["used"]) == (ok, "cuda", used)
    if not ok:
        assert check["detail"].startswith('provider="auto" takes cpu instead of cuda: ')
        assert "libcudart.so.13 not found" in check["detail"]
        assert 'provider="cpu"' in check["fix"]


def test_doctor_tries_nothing_where_there_is_only_the_plain_provider(
    models: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_core, "automatic_providers", lambda: ["cpu"])
    monkeypatch.setattr(ferrocr, "OcrEngine", lambda **_: pytest.fail("it was made"))
    assert "auto" not in checks_of(capsys, models)


# --- what was not given back --------------------------------------------------------------------------------------


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
        ([Cycle("cpu", 35.0, 400.0, 49.0, 2, 2, 5, 5, 1.0, processes=1)], []),
        ([Cycle("cpu", 35.0, 400.0, 51.0, 2, 2, 5, 5, 1.0, processes=1)], ["first release left 51 MB of memory"]),
        (
            [Cycle("cpu", 35.0, 400.0, 40.0, 2, 2, 5, 5, 1.0, processes=1, processes_left=1)],
            ["cycle 1 ended 1 processes and left 1"],
        ),
        ([Cycle("cpu", None, None, None, None, None, None, None, 1.0)] * 2, []),
    ],
)
def test_what_was_not_given_back_is_said(cycles: list[Cycle], problems: list[str]) -> None:
    found = problems_of(cycles)
    assert len(found) == len(problems)
    assert all(part in problem for part, problem in zip(problems, found, strict=True))
