"""``ferrocr read -o DIR``: a file for each input, whole or not at all; and how a run ends that is ended early."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from PIL import Image

from conftest import Terminal, as_nobody, draw_text
from fake_engine import Captured, FakeEngine
from ferrocr.cli import main
from ferrocr.cli._errors import EXIT_CANNOT_RUN, EXIT_INTERRUPTED, EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals, permissions and names")


def written(folder: str | Path) -> dict[str, str]:
    """The outputs in a folder; bookkeeping is hidden."""
    root = Path(folder)
    found = sorted(path for path in root.rglob("*") if path.is_file() and ".ferrocr" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in found}


def leftovers(folder: str | Path) -> list[Path]:
    """Files that are not whole."""
    return list(Path(folder).rglob(".*.part"))


@pytest.mark.parametrize("there", [False, True])
def test_each_input_has_a_file_of_its_own_name(fake_engine: type[FakeEngine], files: Path, there: bool) -> None:
    (files / "a.jpg").write_text("another")
    if there:
        Path("out").mkdir()
    assert main(["read", "a.png", "a.jpg", "-o", "out" if there else "out/"]) == EXIT_OK
    assert written("out") == {"a.png.txt": "alpha\n", "a.jpg.txt": "another\n"}
    assert leftovers("out") == []


def test_folders_stay_as_they_are(fake_engine: type[FakeEngine], files: Path) -> None:
    Path("in/sub").mkdir(parents=True)
    for name in ("in/a.png", "in/sub/a.png"):
        Path(name).write_text(name)
    assert main(["read", "in", "-o", "out/"]) == EXIT_OK
    assert written("out") == {"a.png.txt": "in/a.png\n", "sub/a.png.txt": "in/sub/a.png\n"}
    assert main(["read", "in/**/*.png", "-o", "again/"]) == EXIT_OK
    assert written("again") == written("out")


def test_files_that_do_not_count_are_told_at_the_end(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured
) -> None:
    Path("in").mkdir()
    for name in ("a.png", "x.heic", "y.avif"):
        Path("in", name).write_text("text")
    for more in ([], ["-o", "out/"]):
        assert main(["read", "in", *more]) == EXIT_OK
        assert "left out 2 files: .avif (1), .heic (1)\n" in capsys.readouterr().err
        assert main(["read", "in", "--quiet", *more]) == EXIT_OK
        assert "left out" not in capsys.readouterr().err


def test_a_folder_in_the_folder_may_be_on_another_file_system(fake_engine: type[FakeEngine], files: Path) -> None:
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK) or shared.stat().st_dev == files.stat().st_dev:
        pytest.skip("no second file system that anybody may write to")
    Path("in/sub").mkdir(parents=True)
    Path("in/sub/a.png").write_text("far away")
    Path("out").mkdir()
    with TemporaryDirectory(dir=shared) as other:
        Path("out/sub").symlink_to(other)
        for _ in range(2):
            assert main(["read", "in", "-o", "out/"]) == EXIT_OK
            assert written(other) == {"a.png.txt": "far away\n"}
            assert leftovers(other) + leftovers("out") == []


def test_outputs_are_no_inputs_of_the_next_run(fake_engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    Path("broken.png").unlink()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 30), "white").save(name)
    fake_engine.recognize_many = lambda _self, images, **_: (  # type: ignore[method-assign]
        FakeEngine.recognize_many.__globals__["make_page"](name) for name in images
    )
    for _ in range(2):
        assert main(["read", ".", "-o", "seen/", "--format", "png"]) == EXIT_OK
        assert sorted(path.name for path in Path("seen").glob("*.png")) == ["a.png", "b.png"]
        assert not Path("seen/seen").exists()
    capsys.readouterr()
    assert main(["read", ".", "-o", "./", "--format", "png"]) == EXIT_USAGE
    assert main(["read", "a.png", "b.png", "-o", ".", "--format", "png"]) == EXIT_USAGE
    assert main(["read", "a.png", "-o", "a.png"]) == EXIT_USAGE
    assert capsys.readouterr().err.count("error: ") == 3


def test_two_inputs_for_one_output_are_refused_before_anything_is_read(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured
) -> None:
    for folder in ("x", "y"):
        Path(folder).mkdir()
        (Path(folder) / "a.png").write_text(folder)
    assert main(["read", "x/a.png", "y/a.png", "-o", "out/"]) == EXIT_USAGE
    assert "x/a.png and y/a.png would both be written to out/a.png.txt" in capsys.readouterr().err
    assert fake_engine.was_read == []
    assert main(["read", "x/a.png", "./x/a.png", "-o", "out/"]) == EXIT_OK
    assert fake_engine.was_read == ["x/a.png"]
    assert main(["read", "x", "y", "-o", "both/"]) == EXIT_OK
    assert written("both") == {"x/a.png.txt": "x\n", "y/a.png.txt": "y\n"}


def test_a_file_that_fails_has_no_output_and_is_told_of_again(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured
) -> None:
    for number in range(12):
        (files / f"{number}.png").write_text("x")
    assert main(["read", ".", "-o", "out/"]) == EXIT_PROBLEMS
    assert "broken.png.txt" not in written("out")
    assert len(written("out")) == 14
    error = capsys.readouterr().err.splitlines()
    assert error[0] == "error: broken.png is not a picture"
    assert error[-3:] == [
        "1 of 15 files could not be read, or not all of their pages:",
        "  broken.png is not a picture",
        "14 files written to out/",
    ]
    assert main(["read", ".", "-o", "out/", "--quiet"]) == EXIT_PROBLEMS
    assert capsys.readouterr().err == "error: broken.png is not a picture\nhint: convert it to PNG first\n"


@pytest.mark.parametrize("output", [None, "all.txt", "out/"])
def test_fail_fast_ends_at_the_first_failure(
    fake_engine: type[FakeEngine], files: Path, output: str | None, capsys: Captured
) -> None:
    arguments = ["read", "a.png", "broken.png", "b.png", "--fail-fast"]
    assert main([*arguments, *(["-o", output] if output else [])]) == EXIT_PROBLEMS
    assert fake_engine.was_read == ["a.png", "broken.png"]
    assert not Path("all.txt").exists()
    if output == "out/":
        assert written("out") == {"a.png.txt": "alpha\n"}
    elif output is None:
        assert capsys.readouterr().out == "==> a.png <==\nalpha\n"


def test_a_bar_counts_and_failures_follow_it(
    fake_engine: type[FakeEngine], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for extra, has_bar in (((), True), (("-q",), False)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        assert main(["read", "a.png", "broken.png", "b.png", "-o", "out/", *extra]) == EXIT_PROBLEMS
        shown = terminal.getvalue()
        assert ("3/3 files" in shown and "pages/s, 1 failed" in shown) is has_bar
        assert shown.count("broken.png is not a picture") == 1
        assert ("1 of 3 files could not be read" in shown) is has_bar


def test_jobs_are_pictures_in_work(fake_engine: type[FakeEngine], files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []

    def recognize_many(self: FakeEngine, images: object, *, ahead: int | None = None, **_: object) -> object:
        asked.append(ahead)
        return FakeEngine.recognize_many(self, images, ahead=ahead)  # type: ignore[arg-type]

    monkeypatch.setattr(fake_engine, "recognize_many", recognize_many)
    for jobs in ([], ["--jobs", "1"], ["--jobs", "4"]):
        assert main(["read", "a.png", *jobs]) == EXIT_OK
    assert asked == [None, 0, 3]


def test_resume_without_a_folder_is_refused(files: Path, capsys: Captured) -> None:
    assert main(["read", "a.png", "-o", "out.txt", "--resume"]) == EXIT_USAGE
    assert "hint: name a folder: -o DIR/" in capsys.readouterr().err


@posix
def test_a_folder_that_cannot_be_written_is_an_error_before_anything_is_read(
    fake_engine: type[FakeEngine], common_ground: Path, capsys: Captured
) -> None:
    (common_ground / "a.png").write_text("alpha")
    with as_nobody():
        assert main(["read", f"{common_ground}/a.png", "-o", f"{common_ground}/out/"]) == EXIT_CANNOT_RUN
    assert f"cannot write {common_ground}/out" in capsys.readouterr().err
    assert fake_engine.options == {}


@posix
def test_a_name_that_is_too_long_is_the_failure_of_one_file(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured
) -> None:
    (files / ("x" * 250 + ".png")).write_text("long")
    Path("broken.png").unlink()
    assert main(["read", ".", "-o", "out/"]) == EXIT_PROBLEMS
    assert set(written("out")) == {"a.png.txt", "b.png.txt"}
    assert "File name too long" in capsys.readouterr().err


@posix
@pytest.mark.parametrize("format", ["text", "json"])
def test_names_of_any_bytes(fake_engine: type[FakeEngine], files: Path, format: str) -> None:
    folder = files / "odd"
    folder.mkdir()
    names = [b"new\nline.png", b"sp ace.png", b"-dash.png", b"\xff\xfe.png", "贝.png".encode()]
    for name in names:
        (folder / os.fsdecode(name)).write_text("x")
    fake_engine.recognize_many = lambda _self, images, **_: (  # type: ignore[method-assign]
        FakeEngine.recognize_many.__globals__["make_page"]("x") for _ in images
    )
    command = ["read", "odd", "-o", "out/", "--format", format, "--resume"]
    assert main(command) == EXIT_OK
    suffix = b".txt" if format == "text" else b".json"
    found = {os.fsencode(path.name) for path in Path("out").iterdir()}
    assert found == {*(name + suffix for name in names), b".ferrocr"}
    assert main(["read", "odd", "--format", format]) == EXIT_OK


# --- real processes with real models ------------------------------------------------------------------------------


@pytest.fixture
def scans(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a folder of pictures that take a while."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FERROCR_MODEL_DIR", str(models_dir))
    Path("in").mkdir()
    lines = [f"Line {number} of a page that takes its time" for number in range(8)]
    for number in range(4):
        draw_text([f"Page {number}", *lines]).save(f"in/{number}.png")
    return tmp_path


def read_command(*arguments: str) -> list[str]:
    """The command, in an interpreter of its own."""
    return [sys.executable, "-m", "ferrocr", "read", *arguments]


@posix
@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGINT, EXIT_INTERRUPTED), (signal.SIGKILL, -signal.SIGKILL)], ids=["int", "kill"]
)
def test_a_run_that_is_ended_goes_on_where_it_was(scans: Path, sent: int, status: int) -> None:
    command = read_command("in", "-o", "out/", "--resume")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not Path("out/0.png.txt").exists():
            time.sleep(0.01)
        process.send_signal(sent)
        _, error = process.communicate()
    assert process.returncode == status
    assert error == ("interrupted\n" if sent == signal.SIGINT else "")
    before = {path: path.stat().st_mtime_ns for path in Path("out").glob("*.txt")}
    assert 1 <= len(before) < 4
    assert all(path.read_text().count("\n") == 9 for path in before)
    if sent == signal.SIGINT:
        assert leftovers("out") == []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    again = [path for path, changed in before.items() if path.stat().st_mtime_ns != changed]
    assert len(again) <= (0 if sent == signal.SIGINT else 1)
    assert len(written("out")) == 4
    assert f"{len(before) - len(again)} done before" in done.stderr


def test_standard_input_is_a_picture_or_a_document(scans: Path) -> None:
    pages = [draw_text([text], width=400) for text in ("Iron tastes of rain", "Order 4711 paid")]
    pages[0].save("two.tif", save_all=True, append_images=pages[1:])
    for name, expected in (("in/0.png", "Page 0\n"), ("two.tif", "Iron tastes of rain\n\fOrder 4711 paid\n")):
        with Path(name).open("rb") as file:
            done = subprocess.run(read_command("-"), stdin=file, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(expected)
    with Path("two.tif").open("rb") as file:
        command = read_command("-", "--pages", "2", "--format", "png", "-o", "two.png")
        subprocess.run(command, stdin=file, capture_output=True, check=True)
    with Image.open("two.png") as drawn:
        assert drawn.size == pages[1].size
    empty = subprocess.run(read_command("-"), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (empty.returncode, empty.stdout) == (EXIT_PROBLEMS, "")
    assert empty.stderr.startswith("error: standard input")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_full_disk_is_an_error_that_names_the_file(scans: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(read_command("in/0.png"), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == EXIT_CANNOT_RUN
    assert done.stderr.startswith("error: cannot write stdout: No space left on device\n")
    done = subprocess.run(read_command("in/0.png", "-o", "/dev/full"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (EXIT_CANNOT_RUN, "")
    assert done.stderr.startswith("error: cannot write /dev/full: No space left on device\n")
