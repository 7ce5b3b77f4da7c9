"""The command line: what it prints where, its exit codes, and what it leaves on the disk."""

import json
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ferrocr
from fake_engine import Captured, FakeEngine, ascii_only, make_page
from ferrocr import exceptions
from ferrocr.cli import main
from ferrocr.cli._errors import (
    EXIT_CANNOT_RUN,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_PIPE,
    EXIT_PROBLEMS,
    EXIT_USAGE,
    FAILURES,
)

ROOT = Path(__file__).parent.parent


# --- arguments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["read"],
        ["read", "a.png", "--format", "docx"],
        ["read", "a.png", "--threads", "0"],
        ["read", "a.png", "--threads", "many"],
        ["read", "a.png", "--device-id", "-1"],
        ["read", "a.png", "--provider", "abacus"],
        ["models"],
        ["models", "path", "one", "two"],
        ["doctor", "extra"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_a_usage_error(arguments: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == EXIT_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert "error: " in err


COMMANDS = [[], ["read"], ["models", "list"], ["models", "path"], ["models", "pull"], ["doctor"]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "none")
def test_every_help_shows_an_example(command: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == EXIT_OK
    assert f"example:\n  ferrocr {' '.join(command)}" in capsys.readouterr().out


def test_help_lists_the_exit_codes(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = {int(line.split()[0]) for line in capsys.readouterr().out.partition("exit codes:\n")[2].splitlines()}
    assert listed == {EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE, EXIT_CANNOT_RUN, EXIT_INTERRUPTED, EXIT_PIPE}


def test_version(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == EXIT_OK
    assert capsys.readouterr().out == f"ferrocr {ferrocr.__version__}\n"


def test_version_imports_nothing_heavy() -> None:
    code = (
        "import sys; from ferrocr.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'PIL', 'onnxruntime', 'tqdm', 'importlib.metadata'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "ferrocr", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"ferrocr {ferrocr.__version__}\n"


# --- read ---------------------------------------------------------------------------------------------------------


def test_one_file_is_its_text_alone(fake_engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    assert main(["read", "a.png"]) == EXIT_OK
    assert capsys.readouterr() == ("alpha\n", "")


def test_several_files_have_headers(fake_engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    assert main(["read", "a.png", "b.png"]) == EXIT_OK
    assert capsys.readouterr().out == "==> a.png <==\nalpha\n\n==> b.png <==\nbeta\n贝塔\n"


def test_a_broken_file_does_not_end_the_rest(fake_engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    assert main(["read", "a.png", "broken.png", "b.png"]) == EXIT_PROBLEMS
    out, err = capsys.readouterr()
    assert out == "==> a.png <==\nalpha\n\n==> b.png <==\nbeta\n贝塔\n"
    assert err == "error: broken.png is not a picture\nhint: convert it to PNG first\n"


def test_json_has_an_object_for_each_file(fake_engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    assert main(["read", "b.png", "broken.png", "--format", "json"]) == EXIT_PROBLEMS
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == "1.0"
    read, broken = document["pages"]
    quad = [[1.0, 2.0], [9.0, 2.0], [9.0, 5.0], [1.0, 5.0]]
    assert read == {
        "source": "b.png",
        "number": 1,
        "dpi": None,
        "width": 40,
        "height": 30,
        "text": "beta\n贝塔",
        "lines": [{"text": text, "score": 0.9877, "quad": quad, "words": []} for text in ("beta", "贝塔")],
        "blocks": [],
    }
    assert broken == {"source": "broken.png", "number": 1, "error": "broken.png is not a picture"}


def test_json_lines_have_a_line_for_each_file(fake_engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    assert main(["read", "a.png", "broken.png", "b.png", "--format", "jsonl"]) == EXIT_PROBLEMS
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("text") for line in lines] == ["alpha", None, "beta\n贝塔"]
    assert lines[1]["error"] == "broken.png is not a picture"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_json(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        fake = type(
            "Fake", (FakeEngine,), {"recognize_many": lambda _self, images, **_: (make_page(text) for _ in images)}
        )
        patch.setattr(ferrocr, "OcrEngine", fake)
        out = Path(folder) / "out.json"
        assert main(["read", __file__, "--format", "json", "-o", str(out)]) == EXIT_OK
        assert json.loads(out.read_text(encoding="utf-8"))["pages"][0]["text"] == text


def test_options_reach_the_engine(fake_engine: type[FakeEngine], files: Path) -> None:
    given_options = (
        "--models ppocrv5-mobile --model-dir m --threads 3 --languages en,de --provider cuda --device-id 1 "
        "--preset fast --no-download --isolated --workers 2 --detector d.onnx --recognizer r.onnx --orienter none"
    )
    main(["read", "a.png", *given_options.split()])
    progress = fake_engine.options.pop("progress")
    assert callable(progress)
    assert fake_engine.options == {
        "models": "ppocrv5-mobile",
        "detector": "d.onnx",
        "recognizer": "r.onnx",
        "orienter": False,
        "model_dir": "m",
        "threads": 3,
        "languages": ["en", "de"],
        "provider": "cuda",
        "device_id": 1,
        "preset": "fast",
        "download": False,
        "isolated": True,
        "workers": 2,
    }


def test_missing_files_need_no_models(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["read", "x.png", "y.png", "--model-dir", "empty", "--no-download"]
    assert main(arguments) == EXIT_PROBLEMS
    assert capsys.readouterr().err.splitlines() == [
        "error: there is no picture file x.png",
        "error: there is no picture file y.png",
    ]


def test_a_name_that_cannot_be_looked_at_is_one_files_error(tmp_path: Path, capsys: Captured) -> None:
    endless = "x" * 5000
    arguments = ["read", endless, str(tmp_path / "y.png"), "--model-dir", str(tmp_path / "empty"), "--no-download"]
    assert main(arguments) == EXIT_PROBLEMS
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("error: ")
    assert endless in first
    assert second == f"error: there is no picture file {tmp_path / 'y.png'}"


def test_a_message_of_several_lines_stays_in_one_piece(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured
) -> None:
    fake_engine.load_error = exceptions.DownloadError("no source:\n  one: gone\n  two: away", "try later")
    assert main(["read", "a.png"]) == EXIT_CANNOT_RUN
    assert capsys.readouterr().err == "error: no source:\n  one: gone\n  two: away\nhint: try later\n"


def test_missing_models_are_named(files: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "1")
    assert main(["read", "a.png", "--model-dir", str(files / "empty")]) == EXIT_CANNOT_RUN
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert "\nhint: " in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (exceptions.ModelNotFoundError("no model"), EXIT_CANNOT_RUN),
        (exceptions.RuntimeUnavailableError("no runtime", "install it"), EXIT_CANNOT_RUN),
        (exceptions.DownloadError("no source"), EXIT_CANNOT_RUN),
        (exceptions.InvalidArgumentError("no such set"), EXIT_USAGE),
        (exceptions.OcrError("something else"), EXIT_CANNOT_RUN),
        (KeyboardInterrupt(), EXIT_INTERRUPTED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_what_stops_the_command_has_a_code_and_leaves_the_output_alone(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured, error: BaseException, code: int
) -> None:
    fake_engine.load_error = error
    out = files / "out.txt"
    out.write_text("as before")
    before = sorted(files.iterdir())
    assert main(["read", "a.png", "-o", str(out)]) == code
    assert out.read_text() == "as before"
    assert sorted(files.iterdir()) == before
    printed = capsys.readouterr()
    assert printed.out == ""
    first = printed.err.splitlines()[0]
    assert first == (f"error: {error}".splitlines()[0] if str(error) else "interrupted")


def test_the_output_file_holds_it_all(fake_engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    before = {path.name for path in files.iterdir()}
    assert main(["read", "b.png", "-o", "out.txt"]) == EXIT_OK
    assert (files / "out.txt").read_text(encoding="utf-8") == "beta\n贝塔\n"
    assert {path.name for path in files.iterdir()} - before == {"out.txt"}
    assert capsys.readouterr() == ("", "")


def test_an_output_that_cannot_be_written_is_an_error(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured
) -> None:
    assert main(["read", "a.png", "-o", "nowhere/out.txt"]) == EXIT_CANNOT_RUN
    assert capsys.readouterr().err.startswith("error: cannot write nowhere/out.txt: ")
    assert fake_engine.options == {}


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/null is another thing there")
def test_a_device_is_written_to_and_not_replaced(fake_engine: type[FakeEngine], files: Path) -> None:
    assert main(["read", "a.png", "-o", "/dev/null"]) == EXIT_OK
    assert not Path("/dev/null").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and links")
def test_an_output_file_keeps_its_mode_and_its_link(fake_engine: type[FakeEngine], files: Path) -> None:
    out, link = files / "out.txt", files / "link.txt"
    out.touch(mode=0o600)
    link.symlink_to(out)
    assert main(["read", "a.png", "-o", str(link)]) == EXIT_OK
    assert link.is_symlink()
    assert out.read_text() == "alpha\n"
    assert out.stat().st_mode & 0o777 == 0o600


def test_every_exception_of_the_package_has_a_row() -> None:
    classes = [value for value in vars(exceptions).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(classes) > 10
    for number, row in enumerate(FAILURES):
        assert not any(issubclass(row.error, earlier.error) for earlier in FAILURES[:number]), row
    for error in classes:
        assert any(issubclass(error, row.error) for row in FAILURES), error


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_reader_that_goes_away_is_no_noise(models: Path) -> None:
    command = [sys.executable, "-m", "ferrocr", "models", "list", "--dir", str(models)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == EXIT_PIPE


def test_text_that_stdout_cannot_encode_is_escaped(models: Path) -> None:
    (models / "贝.onnx").touch()
    code = f"from ferrocr.cli import main; main(['models', 'list', '--dir', {str(models)!r}])"
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", code], capture_output=True, check=True, env=ascii_only()
    )
    assert b"\\u8d1d.onnx" in done.stdout


# --- with real models ---------------------------------------------------------------------------------------------


def test_the_sample_is_read(models_dir: Path, tmp_path: Path, capsys: Captured) -> None:
    sample = runpy.run_path(str(ROOT / "examples" / "sample.py"))
    picture, broken = tmp_path / "sample.png", tmp_path / "broken.png"
    sample["draw_sample"](picture)
    broken.write_bytes(picture.read_bytes()[:40])
    files = [str(picture), str(broken)]
    assert main(["read", *files, "--model-dir", str(models_dir), "--format", "json", "--no-download"]) == EXIT_PROBLEMS
    out, err = capsys.readouterr()
    read, failed = json.loads(out)["pages"]
    assert (read["width"], read["height"]) == (sample["WIDTH"], sample["HEIGHT"])
    expected = sample["expected_words"]()
    found = set(read["text"].split())
    assert sum(word in found for word in expected) >= 0.9 * len(expected), read["text"]
    assert failed["error"]
    assert err.startswith("error: ")
