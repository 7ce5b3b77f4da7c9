"""``ferrocr read --format``: every format, written as the package writes it."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import ferrocr
from conftest import Terminal
from ferrocr.cli import main
from ferrocr.cli._errors import EXIT_CANNOT_RUN, EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE
from ferrocr.formats import WRITERS, Sheet, chunks
from test_cli import Captured, FakeEngine, _ascii, make_page


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> type[FakeEngine]:
    """The fake in place of the engine."""
    fake = type("Fake", (FakeEngine,), {})
    monkeypatch.setattr(ferrocr, "OcrEngine", fake)
    return fake


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with three files to read."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("a.png", "alpha"), ("b.png", "beta\n贝塔"), ("broken.png", "")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_help_describes_every_format(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main(["read", "--help"])
    described = capsys.readouterr().out.partition("formats:\n")[2].splitlines()
    assert [line.split()[0] for line in described] == [*WRITERS, "png"]


@pytest.mark.parametrize("name", ["tsv", "hocr", "alto", "markdown"])
def test_a_file_of_any_format_is_what_the_package_writes(
    engine: type[FakeEngine], files: Path, capsys: Captured, name: str
) -> None:
    arguments = ["read", "a.png", "broken.png", "b.png", "--format", name]
    sheets = [Sheet(make_page("alpha"), "a.png"), Sheet(make_page("beta\n贝塔"), "b.png")]
    expected = "".join(chunks(name, sheets))
    assert main([*arguments, "-o", "out"]) == EXIT_PROBLEMS
    assert Path("out").read_bytes() == expected.encode()
    capsys.readouterr()
    assert main(arguments) == EXIT_PROBLEMS
    assert capsys.readouterr().out == expected


def test_page_xml_is_for_one_picture(engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    assert main(["read", "a.png", "--format", "page"]) == EXIT_OK
    assert 'imageFilename="a.png"' in capsys.readouterr().out


@pytest.mark.parametrize("name", ["page", "png"])
def test_what_holds_one_picture_refuses_more_before_it_reads(
    engine: type[FakeEngine], files: Path, capsys: Captured, name: str
) -> None:
    assert main(["read", "a.png", "b.png", "--format", name, "-o", "out"]) == EXIT_USAGE
    assert f"a file of the format {name} holds one picture, and there are 2" in capsys.readouterr().err
    assert engine.options == {}
    assert not Path("out").exists()


def test_an_annotated_picture_is_a_png(
    engine: type[FakeEngine], files: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (40, 30), "white").save("c.png")
    monkeypatch.setattr(engine, "recognize_many", lambda _self, _images: (page for page in [make_page("x")]))
    assert main(["read", "c.png", "--format", "png", "-o", "out.png"]) == EXIT_OK
    with Image.open("out.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (40, 30))
        assert len(picture.getcolors() or []) > 1
    assert main(["read", "c.png", "--format", "png"]) == EXIT_OK
    assert capsysbinary.readouterr().out == Path("out.png").read_bytes()


@pytest.mark.parametrize("name", ["page", "png"])
def test_a_picture_that_cannot_be_read_leaves_no_file(
    engine: type[FakeEngine], files: Path, capsys: Captured, name: str
) -> None:
    before = sorted(files.iterdir())
    assert main(["read", "broken.png", "--format", name, "-o", "out"]) == EXIT_PROBLEMS
    assert sorted(files.iterdir()) == before
    assert main(["read", "broken.png", "--format", name]) == EXIT_PROBLEMS
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("error: broken.png is not a picture") == 2


def test_a_picture_is_not_printed_as_text(
    engine: type[FakeEngine], files: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stdout in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["read", "a.png", "--format", "png"]) == EXIT_USAGE
    assert capsys.readouterr().err.count("hint: name a file: -o OUT") == 2
    assert engine.options == {}


def test_drawing_without_pillow_says_what_to_install(
    engine: type[FakeEngine], files: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL.ImageFont", None)
    assert main(["read", "a.png", "--format", "png", "-o", "out.png"]) == EXIT_CANNOT_RUN
    assert "hint: run: pip install 'ferrocr[draw]'" in capsys.readouterr().err
    assert engine.options == {}


def test_formats_of_data_are_utf_8_whatever_stdout_is(files: Path) -> None:
    code = (
        "import ferrocr, sys; from ferrocr.cli import main; sys.path.insert(0, sys.argv[1]); import test_cli\n"
        "ferrocr.OcrEngine = test_cli.FakeEngine; main(['read', 'b.png', '--format', 'jsonl'])"
    )
    command = [sys.executable, "-X", "utf8=0", "-c", code, str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, check=True, env=_ascii())
    assert json.loads(done.stdout)["text"] == "beta\n贝塔"


def test_what_stands_in_for_stdout_gets_text(engine: type[FakeEngine], files: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["read", "a.png", "--format", "tsv"]) == EXIT_OK
    assert out.getvalue().endswith("alpha\n")
