"""Text that somebody else has chosen neither commands a terminal nor breaks a format."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import draw_text
from fake_engine import Captured, make_page
from ferrocr import ImageError, ImageNotFoundError, InvalidArgumentError, OcrEngine, Page
from ferrocr._text import escaped_json, line_text, whole_characters
from ferrocr.cli import main
from ferrocr.documents._text_layer import Glyph, TextLayer
from ferrocr.formats import WRITERS, Sheet, chunks
from ferrocr.formats.pdf import SearchablePdf

COMMANDS = "\x00\x07\x1b\x7f\x80\x9b\x9f\u202a\u202e\u2066\u2069"
BREAKS = "\t\n\x0b\x0c\r\x85\u2028\u2029"
UNDECODABLE = os.fsdecode(b"caf\xe9 \x9b.png")

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")


def test_commands_are_left_out_of_a_line_and_breaks_are_spaces() -> None:
    for letter in COMMANDS:
        assert line_text(f"a{letter}b") == "ab"
    for letter in BREAKS:
        assert line_text(f"a{letter}b") == "a b"
    # Letters, spaces, joiners and marks of their scripts are text.
    same = "Zoë\u3000中\u200d\u200c\u200e\u200f\u061c\xad\xa0\ud83d"
    assert line_text(same) == same


@given(st.text(st.characters()))
def test_json_says_the_same_when_it_is_escaped(text: str) -> None:
    text += COMMANDS + BREAKS + "\udc80"
    escaped = escaped_json(json.dumps(text, ensure_ascii=False))
    assert json.loads(escaped) == text
    assert escaped.encode().decode() == escaped
    assert not set(escaped) & set(COMMANDS + BREAKS)


def layer_page(text: str) -> Page:
    """A page of glyphs of which each has such a text, ten points apart."""
    glyphs = (Glyph(letter, (10.0 * place, 0, 10.0 * place + 8, 10), 0.0) for place, letter in enumerate(text))
    return TextLayer(tuple(glyphs), 0.0, has_notes=False).page(500, 20, lambda point: point, characters=True)


def test_a_layer_of_a_pdf_gives_no_commands() -> None:
    page = layer_page("3J\x9b3J\u202eY\x85Z\u2028W")
    (line,) = page.lines
    assert line.text == "3J3JY Z W"
    assert [word.text for word in line.words] == ["3J3JY", "Z", "W"]
    assert [one.text for one in line.words[0].characters] == list("3J3JY")


def test_a_page_whose_glyphs_are_commands_is_read_instead() -> None:
    glyphs = tuple(Glyph(letter, (0.0, 0.0, 1.0, 1.0), 0.0) for letter in "ab\x80\x81")
    assert not TextLayer(glyphs, 0.0, has_notes=False).is_usable


@pytest.mark.parametrize("name", WRITERS)
def test_no_format_has_commands(name: str) -> None:
    (line,) = make_page("a").lines
    page = Page(40, 30, (replace(line, text=f"a{COMMANDS}{BREAKS}\ud800b"),))
    sheet = Sheet(page, source=f"{COMMANDS}\udcff.png")
    text = "".join(chunks(name, [sheet]))
    text.encode()
    if name == "csv":
        text = text.replace("\r\n", "")  # the end of a row, and nothing else
    ends = set("\n\t") if name in ("text", "tsv", "hocr", "alto", "page", "markdown", "json", "jsonl") else set()
    assert not (set(text) - ends) & set(COMMANDS + BREAKS + "\ud800\udcff")


def test_text_keeps_its_lines() -> None:
    (line,) = make_page("a").lines
    assert Page(1, 1, (replace(line, text="a\nb"), line)).to("text") == "a b\na\n"
    assert Page(1, 1, ()).to("text") == "\n"


def test_text_that_is_no_character_can_be_written() -> None:
    assert whole_characters("a\ud800\udc00b") == "a\ufffd\ufffdb"
    make_page("half \ud800").to("text").encode()


# --- names --------------------------------------------------------------------------------------------------------


class BytesPath:
    """An entry as `os.scandir(b".")` gives it."""

    def __init__(self, path: bytes) -> None:
        self._path = path

    def __fspath__(self) -> bytes:
        return self._path


class NoPath:
    """A path to nothing."""

    def __fspath__(self) -> str:
        return 7  # type: ignore[return-value]


@only_linux
def test_a_picture_of_any_name_is_read(engine: OcrEngine, tmp_path: Path) -> None:
    file = tmp_path / UNDECODABLE
    draw_text(["Order 4711 paid"], width=300).save(file, "PNG")
    for path in (file, str(file), BytesPath(os.fsencode(file))):
        assert engine.recognize(path).text == "Order 4711 paid"
        document = engine.recognize_document(path)
        assert (document.text, document.pages[0].source) == ("Order 4711 paid", str(file))
        assert [page.text for page in engine.recognize_many([path], on_error="raise")] == ["Order 4711 paid"]
    page = engine.recognize(file)
    assert page.draw(file).size == (page.width, page.height)
    with SearchablePdf(file) as pdf:
        pdf.add(Sheet(page))
        pdf.save(tmp_path / os.fsdecode(b"\xff.pdf"))
    assert engine.recognize_document(tmp_path / os.fsdecode(b"\xff.pdf"), text_layer="only").text.split()[0] == "Order"


def test_a_name_that_no_file_can_have_is_an_error_of_ours(engine: OcrEngine) -> None:
    for method in (engine.recognize, engine.recognize_document, engine.recognize_pages):
        with pytest.raises(ImageNotFoundError, match="no file can have that name"):
            method("a\ud800.png")
        with pytest.raises(ImageError, match="NoPath, which gives no path"):
            method(NoPath())
    (error,) = engine.recognize_many(["a\ud800.png"])
    assert isinstance(error, ImageNotFoundError)
    with pytest.raises(ImageNotFoundError):
        Page(1, 1, ()).draw("a\ud800.png")
    with pytest.raises(ImageNotFoundError):
        SearchablePdf("a\ud800.png")


def test_halves_of_characters_are_refused_where_text_is_meant() -> None:
    with pytest.raises(InvalidArgumentError, match="a language"):
        OcrEngine(languages=["\ud800"])
    for name in ("max_pixels", "max_side", "max_bytes", "max_regions", "max_strip_width"):
        with pytest.raises(InvalidArgumentError, match=f"{name} is a number from .*, not None"):
            OcrEngine(**{name: None})  # type: ignore[arg-type]
    OcrEngine(threads=None).free_resources()


@only_linux
@pytest.mark.parametrize("format", ["text", "json", "jsonl", "tsv", "hocr", "alto", "page", "markdown"])
def test_files_of_any_name_are_written_and_resumed(
    format: str, files: Path, fake_engine: type, capfd: Captured
) -> None:
    (files / "a.png").rename(files / UNDECODABLE)
    for _ in range(2):
        assert main(["read", UNDECODABLE, "b.png", "--format", format, "-o", "out/", "--resume"]) == 0
    assert len(fake_engine.was_read) == 2  # type: ignore[attr-defined]
    assert len(list((files / "out").glob("caf*"))) == 1
    assert main(["read", UNDECODABLE, "broken.png", "--format", format if format != "page" else "text"]) == 1
    told = capfd.readouterr()
    assert not set(told.out + told.err) & set(COMMANDS)
