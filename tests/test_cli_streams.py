"""The command line where its streams are closed, full, or not read to the end."""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import pytest

from conftest import Terminal
from fake_engine import Captured
from ferrocr.cli import main
from ferrocr.progress import ArchiveProgress, DownloadProgress

needs_shell = pytest.mark.skipif(sys.platform == "win32", reason="descriptors are closed by a POSIX shell")

CODE = """
import ferrocr, sys
from ferrocr.cli import main
from fake_engine import FakeEngine
ferrocr.OcrEngine = FakeEngine
sys.exit(main(sys.argv[1:]))
"""

READ = ("read", "a.png", "-o", "all.txt")
DATA = (("read", "a.png"), ("models", "list", "--available"), ("--version",))
CLOSED, FULL = "cannot write stdout: it is closed", "cannot write stdout: No space left on device"


def redirected(redirection: str, arguments: Sequence[str], *, buffered: bool = True) -> tuple[int, str, str]:
    """Run the command line as a shell does with such a redirection; returns its exit code and what it printed."""
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-c", CODE, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "PYTHONUNBUFFERED": "" if buffered else "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


@needs_shell
@pytest.mark.parametrize("redirection", ["2>&-", ">&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_file_is_written_whatever_is_closed(redirection: str, files: Path) -> None:
    assert redirected(redirection, READ) == (0, "", "")
    assert (files / "all.txt").read_text() == "alpha\n"


@needs_shell
@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("redirection", "told"), [(">&-", CLOSED), (">/dev/full", FULL)])
@pytest.mark.parametrize("arguments", DATA)
def test_lost_data_is_an_error(redirection: str, told: str, arguments: tuple[str, ...]) -> None:
    if not Path("/dev/full").exists() and "full" in redirection:
        pytest.skip("there is no full device")
    assert redirected(redirection, arguments) == (3, "", f"error: {told}\n")


@needs_shell
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_lost_messages_are_none(redirection: str, files: Path) -> None:
    assert redirected(redirection, ["read", "broken.png", "a.png"]) == (1, "==> a.png <==\nalpha\n", "")
    assert redirected(redirection, ["models", "audit", "--dir", str(files)], buffered=False)[2] == ""


class Broken(io.StringIO):
    """A stream that takes nothing, from the beginning or only when it is flushed."""

    def __init__(self, number: int, *, at_once: bool) -> None:
        super().__init__()
        self._error = OSError(number, os.strerror(number))
        self._at_once = at_once

    def write(self, text: str) -> int:
        if self._at_once:
            raise self._error
        return len(text)

    def flush(self) -> None:
        raise self._error


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("arguments", [*DATA, ("--help",), ("models", "audit", "--json"), ("doctor", "--json")])
@pytest.mark.parametrize(
    ("number", "code", "told"),
    [(errno.EPIPE, 141, ""), (errno.ENOSPC, 3, f"error: {FULL}\n"), (errno.EBADF, 3, f"error: {CLOSED}\n")],
)
@pytest.mark.usefixtures("files", "fake_engine")
def test_each_command_says_that_stdout_is_lost(
    arguments: tuple[str, ...],
    number: int,
    code: int,
    told: str,
    at_once: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(number, at_once=at_once))
    assert main(arguments) == code
    assert capsys.readouterr().err.endswith(told)
    assert isinstance(sys.stdout, Broken)  # whoever calls has their own streams again


@pytest.mark.parametrize("stream", [None, Broken(errno.ENOSPC, at_once=True), Broken(errno.EPIPE, at_once=False)])
@pytest.mark.usefixtures("fake_engine")
def test_work_goes_on_without_stderr(
    stream: IO[str] | None, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    assert main(["read", "a.png", "broken.png", "-o", "out/"]) == 1
    assert (files / "out" / "a.png.txt").read_text() == "alpha\n"
    assert main(["models", "audit", "--dir", str(files)]) == 1
    assert "FOREIGN: " in capsys.readouterr().out


@pytest.mark.parametrize("name", ["stdin", "stderr"])
def test_a_question_needs_both_streams(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(sys, name, None)
    assert main(["models", "remove", "a.onnx", "--dir", str(folder)]) == 2
    assert (folder / "a.onnx").exists()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kind", ["none", "closed", "broken"])
def test_progress_needs_no_stderr(kind: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    stream = {"none": None, "closed": Terminal(), "broken": Broken(errno.EIO, at_once=True)}[kind]
    if kind == "closed":
        assert stream is not None
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    with DownloadProgress() as progress, ArchiveProgress() as archive:
        progress("a.onnx", "https://example.org", 0, 10)
        progress("a.onnx", "https://example.org", 10, 10)
        archive("a.onnx", 1, 2)
    assert capsys.readouterr().out == ""
