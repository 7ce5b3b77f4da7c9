"""``ferrocr read --show``: pictures for terminals are parsed back to the pictures that they were made of."""

import base64
import io
import itertools
import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fake_engine import Captured, FakeEngine
from ferrocr.cli import _show, main
from ferrocr.cli._errors import EXIT_OK
from ferrocr.cli._graphics import blocks, iterm, kitty, protocol_of, sixel


@st.composite
def pictures(draw: st.DrawFn) -> Image.Image:
    """A small picture of few colours, whose channels are whole per cents."""
    width, height = draw(st.integers(1, 30)), draw(st.integers(1, 20))
    colours = draw(st.lists(st.tuples(*3 * [st.sampled_from([0, 51, 102, 153, 204, 255])]), min_size=1, max_size=6))
    picture = Image.new("RGB", (width, height))
    picks = draw(st.lists(st.sampled_from(colours), min_size=width * height, max_size=width * height))
    for place, colour in enumerate(picks):
        picture.putpixel((place % width, place // width), colour)
    return picture


def opened(data: str) -> Image.Image:
    """The picture in base64."""
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


@given(pictures())
def test_kitty_gets_the_picture_in_chunks(picture: Image.Image) -> None:
    commands = re.findall("\x1b_G([^;]*);([^\x1b]*)\x1b\\\\", kitty(picture))
    assert "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in commands) + "\n" == kitty(picture)
    assert [keys.endswith("m=1") for keys, _ in commands] == [True] * (len(commands) - 1) + [False]
    assert all(len(data) <= 4096 for _, data in commands)
    assert opened("".join(data for _, data in commands)).tobytes() == picture.tobytes()


def test_a_large_picture_takes_several_chunks() -> None:
    noise = Image.frombytes("RGB", (100, 100), os.urandom(30_000))
    assert kitty(noise).count("m=1;") == 30_000 * 4 // 3 // 4096


@given(pictures())
def test_iterm_gets_the_picture_with_its_size(picture: Image.Image) -> None:
    found = re.fullmatch("\x1b]1337;File=inline=1;size=([0-9]+):([^\x07]*)\x07\n", iterm(picture))
    assert found is not None
    assert len(base64.b64decode(found[2])) == int(found[1])
    assert opened(found[2]).tobytes() == picture.tobytes()


def painted(text: str) -> Image.Image:
    """What a sixel terminal shows."""
    found = re.fullmatch('\x1bP0;1q"1;1;([0-9]+);([0-9]+)(.*)\x1b\\\\\n', text, re.DOTALL)
    assert found is not None
    picture = Image.new("RGB", (int(found[1]), int(found[2])), (1, 2, 3))
    registers: dict[str, tuple[int, int, int]] = {}
    x, top, colour = 0, 0, ""
    for token in re.findall("#[0-9;]+|![0-9]+[?-~]|[?-~]|[$-]", found[3]):
        if token.startswith("#") and ";" in token:
            name, kind, red, green, blue = token[1:].split(";")
            assert kind == "2"
            registers[name] = (round(int(red) * 2.55), round(int(green) * 2.55), round(int(blue) * 2.55))
        elif token.startswith("#"):
            colour = token[1:]
        elif token == "$":
            x = 0
        elif token == "-":
            x, top = 0, top + 6
        else:
            count = int(token[1:-1]) if token.startswith("!") else 1
            for place, bit in itertools.product(range(x, x + count), range(6)):
                if (ord(token[-1]) - 63) >> bit & 1:
                    picture.putpixel((place, top + bit), registers[colour])
            x += count
    return picture


@given(pictures())
@settings(max_examples=50)
def test_sixels_paint_the_picture(picture: Image.Image) -> None:
    assert painted(sixel(picture)).tobytes() == picture.tobytes()


@given(pictures())
def test_half_blocks_have_every_pixel(picture: Image.Image) -> None:
    lines = blocks(picture).splitlines()
    width, height = picture.size
    assert len(lines) == (height + 1) // 2
    for row, line in enumerate(lines):
        assert line.endswith("\x1b[0m")
        cells = re.findall("\x1b\\[38;2;([0-9;]+);(?:48;2;([0-9;]+)|49)m▀", line)
        assert len(cells) == width
        for x, (upper, lower) in enumerate(cells):
            assert tuple(map(int, upper.split(";"))) == picture.getpixel((x, 2 * row))
            if lower:
                assert tuple(map(int, lower.split(";"))) == picture.getpixel((x, 2 * row + 1))
            else:
                assert 2 * row + 1 == height


@pytest.mark.parametrize(
    ("environment", "attributes", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "", "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, "", "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "COLORTERM": "truecolor"}, "", "iterm"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "", "iterm"),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1", "COLORTERM": "truecolor"}, "", "blocks"),
        ({"TERM": "xterm", "TMUX": "/tmp/x", "KITTY_WINDOW_ID": "1"}, "\x1b[?62;4c", "sixel"),
        ({"TERM": "foot"}, "\x1b[?62;4;22c", "sixel"),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, "\x1b[?64;1;2c", "blocks"),
        ({"TERM": "xterm-256color"}, "\x1b[?64;14;24c", None),
        ({"TERM": "xterm-256color"}, "\x1b[?4c", None),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, "", None),
        ({}, "\x1b[?62;4c", None),
    ],
)
def test_the_best_that_a_terminal_says_it_can(
    environment: dict[str, str], attributes: str, protocol: str | None
) -> None:
    assert protocol_of(environment, attributes) == protocol


@given(st.text(st.characters(codec="latin-1"), max_size=20))
def test_no_answer_of_a_terminal_is_too_odd(answer: str) -> None:
    assert protocol_of({"TERM": "xterm"}, answer) in ("sixel", None)


def test_without_a_terminal_the_picture_is_a_file_that_the_viewer_opens(
    fake_engine: type[FakeEngine], tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Image.new("RGB", (40, 30), "white").save("c.png")
    opened: list[Path] = []
    monkeypatch.setattr(_show, "open_with_viewer", opened.append)
    monkeypatch.setattr(Path, "read_text", lambda *_args, **_more: "x")
    assert main(["read", "c.png", "c.png", "--show", "-o", "out.txt"]) == EXIT_OK
    assert len(opened) == 2
    for path in opened:
        assert str(path) in capsys.readouterr().err or path == opened[1]
        with Image.open(path) as picture:
            assert (picture.size, len(picture.getcolors() or []) > 1) == ((40, 30), True)


def test_a_picture_that_cannot_be_shown_is_read_nevertheless(
    fake_engine: type[FakeEngine], files: Path, capsys: Captured
) -> None:
    assert main(["read", "a.png", "b.png", "--show"]) == EXIT_OK  # they are text
    captured = capsys.readouterr()
    assert captured.out == "==> a.png <==\nalpha\n\n==> b.png <==\nbeta\n贝塔\n"
    assert captured.err.count("Pillow cannot decode") == 2


def test_no_viewer_without_a_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if sys.platform in ("win32", "darwin"):
        pytest.skip("there is a viewer")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not _show.open_with_viewer(tmp_path / "x.png")


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals there")
def test_a_terminal_that_says_sixel_gets_sixels() -> None:
    import pty

    code = (
        "from PIL import Image; from ferrocr.cli._show import Viewer\n"
        "Viewer().show(Image.new('RGB', (300, 200), 'red'), 'x')"
    )
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("TMUX", "COLORTERM")}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=slave, stdout=slave, env={**environment, "TERM": "vt340"}
    ) as process:
        os.close(slave)
        out = b""
        while not out.endswith(b"\x1b\\\r\n") and select.select([master], [], [], 30)[0]:
            out += os.read(master, 65536)
            if out == b"\x1b[c":
                os.write(master, b"\x1b[?62;4;6c")
        process.wait(30)
    os.close(master)
    assert b"\x1bP0;1q" in out
