"""What ``ferrocr models`` takes and prints of odd text: bytes that are no UTF-8, escapes, words for a shell."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import tiny_model
from ferrocr import ModelNotFoundError, ModelStore
from ferrocr.cli import main
from ferrocr.cli._command import quoted
from ferrocr.cli._errors import EXIT_CANNOT_RUN, EXIT_OK, EXIT_USAGE, FAILURES, report

Captured = pytest.CaptureFixture[str]


def models(directory: Path, *arguments: str) -> int:
    """Run a command."""
    return main(["models", *arguments, "--dir", str(directory)])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_a_directory_of_any_bytes_is_named_as_it_is(tmp_path: Path) -> None:
    """What is printed can be given back to a shell, byte by byte."""
    directory = tmp_path / os.fsdecode(b"it's \xff\x1b \\new\n\xc3\xa9")
    directory.mkdir()
    (directory / "a.onnx").write_bytes(tiny_model())

    def run(*command: str) -> tuple[bytes, str]:
        done = subprocess.run(
            [sys.executable, "-m", "ferrocr", "models", *command, "--dir", str(directory)],
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return done.stdout, done.stderr.decode()

    assert run("path")[0] == os.fsencode(directory) + b"\n"
    assert run("path", "a.onnx")[0] == os.fsencode(directory / "a.onnx") + b"\n"
    (listed,) = json.loads(run("list", "--json")[0])
    assert Path(listed["path"]).read_bytes() == tiny_model()
    _, err = run("remove", "a.onnx", "--yes")
    assert "moved 1 file (0.0 MB) to the trash\n" in err
    undo = next(line for line in err.splitlines() if line.startswith("undo: ")).removeprefix("undo: ferrocr")
    subprocess.run(["bash", "-c", f"{shlex.quote(sys.executable)} -m ferrocr{undo}"], check=True, capture_output=True)
    assert ModelStore(directory).list_local() == ["a.onnx"]


def test_words_of_a_suggested_command_survive_a_shell() -> None:
    words = [
        "",
        "plain",
        "two words",
        "it's",
        "$HOME",
        "a\\b",
        "b\ta\nd'\\",
        os.fsdecode(b"\xff'\\ x"),
        "\x1b1",
        "é\u202e",
    ]
    for word in words:
        assert quoted(word).isprintable()
        said = subprocess.run(["bash", "-c", f"printf %s {quoted(word)}"], check=True, capture_output=True).stdout
        assert said == os.fsencode(word)


def test_a_suggested_command_is_about_the_same_directory(
    folder: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    empty = tmp_path / "two words"
    assert main(["models", "list", "--dir", "two words"]) == EXIT_OK
    assert f"run: ferrocr models pull --dir '{empty}'\n" in capsys.readouterr().err
    for failure in FAILURES:
        if failure.hint is None or "models" not in failure.hint:
            continue
        report(failure.error("why"), directory="two words")
        assert f" --dir '{empty}'" in capsys.readouterr().err
        report(failure.error("why"))
        assert "--dir" not in capsys.readouterr().err

    def fail(*_: object, **__: object) -> None:
        raise ModelNotFoundError("none")

    monkeypatch.setattr(ModelStore, "info", fail)
    assert models(folder, "info", "a.onnx") == EXIT_CANNOT_RUN
    assert f"hint: run: ferrocr models pull --dir {folder}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["info"],
        ["path"],
        ["verify"],
        ["remove", "--yes"],
        ["keep"],
        ["keep", "--remove"],
        ["restore"],
        ["restore", "--removal"],
        ["export", "x.zip"],
        ["pull"],
        ["prune", "--yes", "--prefix"],
        ["prune", "--yes", "--keep"],
        ["prune", "--yes", "--for"],
    ],
    ids=str,
)
def test_a_name_that_is_no_text_is_a_usage_error(folder: Path, capsys: Captured, command: list[str]) -> None:
    for name in (os.fsdecode(b"bad\xff.onnx"), "\ud800"):
        assert models(folder, *command, name) == EXIT_USAGE
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: ")
        assert "UTF-8" in err


def test_nothing_that_a_terminal_obeys_is_printed(folder: Path, capsys: Captured) -> None:
    odd = "\x1b[31mred\x9b\u202e.onnx"
    for command in (["info", odd], ["remove", odd, "--yes"], ["keep", odd], ["import", odd], ["export", odd, odd]):
        assert models(folder, *command) != EXIT_OK
    with pytest.raises(SystemExit):
        main(["models", "keep", f"--{odd}"])
    ModelStore(folder).keep("a.onnx")
    with (folder / ".ferrocr" / "keep").open("a") as file:
        file.write("\x1b[31m*\n")
    assert models(folder, "keep") == EXIT_OK
    out, err = capsys.readouterr()
    assert "\\x1b[31m*\n" in out
    assert all(line.isprintable() for line in (out + err).split("\n"))


def test_a_listed_name_is_one_line(folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferrocr.cli._models._list.local_paths", lambda _: {"a\nb.onnx": str(folder / "a.onnx")})
    assert models(folder, "list") == EXIT_OK
    assert capsys.readouterr().out == "a\\nb.onnx\n"
