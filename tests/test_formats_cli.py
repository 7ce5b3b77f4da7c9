"""``ferrocr read --format``: every format, written as the package writes it."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from conftest import Terminal
from fake_engine import Captured, FakeEngine, ascii_only, make_page
from ferrocr.cli import main
from ferrocr.cli._errors import EXIT_CANNOT_RUN, EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE
from ferrocr.formats import WRITERS, Sheet, chunks


def test_the_help_describes_every_format(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main(["read", "--help"])
    described = capsys.readouterr().out.partition("formats:\n")[2].splitlines()
    assert [line.split()[0] for line in described] == [*WRITERS, "png", "pdf"]


@pytest.mark.parametrize("name", ["tsv", "hocr", "alto", "markdown"])
def test_a_file_of_any_format_is_what_the_package_writes(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured, name: str
) -> None:
    arguments = ["read", "a.png", "broken.png", "b.png", "--format", name]
    sheets = [Sheet(make_page("alpha"), "a.png"), Sheet(make_page("beta\n贝塔"), "b.png")]
    expected = "".join(chunks(name, sheets))
    assert main([*arguments, "-o", "out"]) == EXIT_PROBLEMS
    assert Path("out").read_bytes() == expected.encode()
    capsys.readouterr()
    assert main(arguments) == EXIT_PROBLEMS
    assert capsys.readouterr().out == expected


def test_page_xml_is_for_one_picture(fake_engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    assert main(["read", "a.png", "--format", "page"]) == EXIT_OK
    assert 'imageFilename="a.png"' in capsys.readouterr().out


@pytest.mark.parametrize("name", ["page", "png"])
def test_what_holds_one_picture_refuses_more_before_it_reads(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured, name: str
) -> None:
    assert main(["read", "a.png", "b.png", "--format", name]) == EXIT_USAGE
    assert f"a file of the format {name} holds one picture or document" in capsys.readouterr().err
    assert fake_engine.options == {}
    assert not Path("out").exists()


def test_an_annotated_picture_is_a_png(
    fake_engine: type[FakeEngine],
    files: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Image.new("RGB", (40, 30), "white").save("c.png")
    monkeypatch.setattr(fake_engine, "recognize_many", lambda _self, images, **_: (make_page("x") for _ in images))
    assert main(["read", "c.png", "--format", "png", "-o", "out.png"]) == EXIT_OK
    with Image.open("out.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (40, 30))
        assert len(picture.getcolors() or []) > 1
    assert main(["read", "c.png", "--format", "png"]) == EXIT_OK
    assert capsysbinary.readouterr().out == Path("out.png").read_bytes()


@pytest.mark.parametrize("name", ["page", "png"])
def test_a_picture_that_cannot_be_read_leaves_no_file(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured, name: str
) -> None:
    before = sorted(files.iterdir())
    assert main(["read", "broken.png", "--format", name, "-o", "out"]) == EXIT_PROBLEMS
    assert sorted(files.iterdir()) == before
    assert main(["read", "broken.png", "--format", name]) == EXIT_PROBLEMS
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("error: broken.png is not a picture") == 2


def test_a_picture_is_not_printed_as_text(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stdout in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["read", "a.png", "--format", "png"]) == EXIT_USAGE
    assert capsys.readouterr().err.count("hint: name a file: -o OUT") == 2
    assert fake_engine.options == {}


def test_drawing_without_pillow_says_what_to_install(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL.ImageFont", None)
    assert main(["read", "a.png", "--format", "png", "-o", "out.png"]) == EXIT_CANNOT_RUN
    assert "hint: run: pip install 'ferrocr[draw]'" in capsys.readouterr().err
    assert fake_engine.options == {}


def test_formats_of_data_are_utf_8_whatever_stdout_is(files: Path) -> None:
    code = (
        "import ferrocr, sys; from ferrocr.cli import main; sys.path.insert(0, sys.argv[1]); import fake_engine\n"
        "ferrocr.OcrEngine = fake_engine.FakeEngine; main(['read', 'b.png', '--format', 'jsonl'])"
    )
    command = [sys.executable, "-X", "utf8=0", "-c", code, str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, check=True, env=ascii_only())
    assert json.loads(done.stdout)["text"] == "beta\n贝塔"


def test_what_stands_in_for_stdout_gets_text(fake_engine: type[FakeEngine], files: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["read", "a.png", "--format", "tsv"]) == EXIT_OK
    assert out.getvalue().endswith("alpha\n")
