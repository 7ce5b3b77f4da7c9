"""What all formats have in common: they are found by name, stream, lose no lines, and cost nothing to import."""

import gc
import re
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from conftest import run_python
from ferrocr import Block, InvalidArgumentError, Line, Page, formats
from ferrocr.formats import WRITERS, Failure, Sheet, TextWriter, chunks
from format_pages import BLANK, PLAIN, UP, line_of, sheets, upright, with_characters

MANY = [name for name, kind in WRITERS.items() if not kind.one_page]


def test_every_format_is_found_by_its_name() -> None:
    assert list(WRITERS) == ["text", "json", "jsonl", "csv", "tsv", "hocr", "alto", "page", "markdown"]
    for name, kind in WRITERS.items():
        assert kind.name == name
        assert kind.suffix.startswith(".")
        assert "/" in kind.media_type
        assert kind.summary
        assert type(formats.writer(name)) is kind
    assert len({kind.suffix for kind in WRITERS.values()}) == len(WRITERS), "files side by side have names of their own"


@pytest.mark.parametrize("kind", WRITERS.values())
def test_a_format_says_whether_it_holds_characters(kind: type[formats.Writer]) -> None:
    plain, full = ("".join(chunks(kind.name, [Sheet(page)])) for page in (PLAIN, with_characters(PLAIN)))
    assert (without_dates(plain) != without_dates(full)) == kind.has_characters


def without_dates(text: str) -> str:
    """The text without the moments that it was written at."""
    return re.sub(r"[0-9-]+T[0-9:]+", "", text)


def test_an_unknown_format_is_refused_at_once() -> None:
    with pytest.raises(InvalidArgumentError, match="no format 'docx'") as caught:
        chunks("docx", [])
    assert caught.value.hint is not None
    assert "markdown" in caught.value.hint


@pytest.mark.parametrize("name", WRITERS)
def test_a_page_gives_itself(name: str) -> None:
    assert PLAIN.to(name).rstrip()[-20:] == "".join(chunks(name, [Sheet(PLAIN)])).rstrip()[-20:]
    with pytest.raises(InvalidArgumentError, match="no format"):
        PLAIN.to(name.upper())


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=30)  # each format has its own test with more of them
@given(sheet=sheets)
def test_whatever_is_read_can_be_written_as_utf_8(name: str, sheet: Sheet) -> None:
    text = "".join(chunks(name, [sheet]))
    if name != "text":  # which is the text as it is
        assert text.encode().decode() == text


@pytest.mark.parametrize("name", MANY)
def test_a_thousand_pages_are_written_one_by_one(name: str) -> None:
    alive: list[weakref.ref[Line]] = []

    def lines() -> Iterator[Sheet]:
        for number in range(1000):
            # A page itself can have no weak references; nobody else holds its line.
            line = Remembered(f"page {number}", 0.9, upright(0, 0, 50, 20), ())
            alive.append(weakref.ref(line))
            yield Sheet(Page(60, 30, (line,)), "book.tif", number + 1)

    pieces = 0
    for piece in chunks(name, lines()):
        pieces += 1
        if "page 999" in piece:
            assert pieces == 1001
            gc.collect()
            assert sum(reference() is not None for reference in alive) <= 1
    assert pieces == 1002


class Remembered(Line):
    """A line that can be watched."""

    __slots__ = ("__weakref__",)


@pytest.mark.parametrize("name", set(WRITERS) - set(MANY))
def test_a_second_page_is_refused_where_a_file_has_one(name: str) -> None:
    making = formats.writer(name)
    making.add(Failure("broken"))
    making.add(Sheet(PLAIN))
    with pytest.raises(InvalidArgumentError, match="holds one page"):
        making.add(Sheet(PLAIN))


@pytest.mark.parametrize("name", WRITERS)
def test_what_could_not_be_read_is_left_out_where_there_is_no_place_for_it(name: str) -> None:
    text = "".join(chunks(name, [Failure("no such file", "gone.png", 3)]))
    assert ("no such file" in text) == (name in ("json", "jsonl"))


@pytest.mark.parametrize("name", ["json", "jsonl", "csv", "tsv", "hocr", "alto", "page", "markdown"])
def test_blocks_that_lose_a_line_are_refused(name: str) -> None:
    one, two = line_of("one", 0, 0), line_of("two", 0, 30)
    outline = upright(0, 0, 30, 50)
    for held in ((one,), (two, one), (one, two, two), (one, line_of("other", 0, 30))):
        page = Page(100, 100, (one, two), (Block(outline, held),))
        with pytest.raises(InvalidArgumentError, match="blocks of a page"):
            page.to(name)
    assert Page(100, 100, (one, two), (Block(outline, (one, two)),)).to(name)


def test_text_is_the_text() -> None:
    assert PLAIN.to("text") == "Iron tastes\nof rain\n4711\n"
    assert BLANK.to("text") == "\n"


def test_a_form_feed_stands_between_pages_of_text() -> None:
    assert (
        "".join(chunks("text", [Sheet(UP), Failure("broken"), Sheet(BLANK), Sheet(UP)])) == "runs up\n\f\n\fruns up\n"
    )


def test_headers_name_source_and_page() -> None:
    making = TextWriter(headers=True)
    pieces = [making.add(Sheet(UP, "a.tif", number)) for number in (1, 2)]
    assert "".join(pieces) == "==> a.tif <==\nruns up\n\n==> a.tif, page 2 <==\nruns up\n"


def test_importing_them_imports_nothing_heavy() -> None:
    code = (
        "import sys, ferrocr; early = 'ferrocr.formats' in sys.modules\n"
        "import ferrocr.formats, ferrocr.formats.draw\n"
        "heavy = {'numpy', 'PIL', 'xml', 'html', 'urllib.request', 'http', 'asyncio'} & set(sys.modules)\n"
        "assert not early and not heavy, heavy\n"
        "for name in ferrocr.formats.WRITERS: ferrocr.Page(1, 1, ()).to(name)\n"
        "heavy = {'numpy', 'PIL', 'urllib.request', 'http'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr


def test_the_document_describes_every_format() -> None:
    text = (Path(__file__).parent.parent / "docs" / "formats.md").read_text(encoding="utf-8")
    for name, kind in WRITERS.items():
        assert f"`{name}`" in text
        assert kind.suffix in text
