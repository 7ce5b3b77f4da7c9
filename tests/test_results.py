"""Results in the hand: short to look at, and given in every other form."""

import builtins
import io
import json
import pickle
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ferrocr import (
    Block,
    Char,
    Document,
    DocumentError,
    DocumentPage,
    InvalidArgumentError,
    Line,
    OcrError,
    Page,
    PillowMissingError,
    RuntimeUnavailableError,
    StorageError,
    Word,
)
from ferrocr._writable import BinaryFormat, TextFormat
from ferrocr.cli._formats import FORMATS
from ferrocr.formats import WRITERS, Failure, Sheet, chunks
from ferrocr.formats import json as form
from format_pages import BLANK, HOSTILE, PLAIN, UP, Quad, line_of, sheets, upright, with_characters


def failed(page: int, text: str = "it is damaged") -> OcrError:
    """The error of a page."""
    error = DocumentError(text, "mend it")
    error.page = page
    return error


def book(source: str | None = "book.pdf") -> Document:
    """Pages 1 and 3 of four, of which the second could not be read."""
    pages = (
        DocumentPage(1, PLAIN, "ocr", source, dpi=200.0),
        DocumentPage(3, UP, "text layer", source, (72.0, 144.0), 100.0),
    )
    return Document(pages, (failed(2),), 4, source)


entries = st.lists(sheets | st.builds(Failure, st.sampled_from(HOSTILE), st.none() | st.just("a.png")), max_size=3)


# Short forms


def test_what_is_printed_is_short() -> None:
    texts = (f"Line {number} of a page with as many words as pages have" for number in range(15))
    lines = tuple(line_of(text, 0, 30 * number) for number, text in enumerate(texts))
    page = Page(1000, 1000, lines, (Block(upright(0, 0, 900, 900), lines),))
    assert repr(page) == "<Page 1000x1000, 15 lines: 'Line 0 of a page with as many words as pages have', …>"
    document = Document(tuple(DocumentPage(number, page) for number in range(1, 400)), (), 400)
    for one in (document, *document.pages[:2], page.blocks[0], *page.lines[:2], *page.words[:2]):
        assert len(repr(one)) < 150
        assert "\n" not in repr(one)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Char("a", 0.5, upright(1, 2, 3.4, 4)), "<Char 'a' 0.500 at (1, 2, 3, 4)>"),
        (Word("it's", 0.98765, upright(1, 2, 3, 4)), '<Word "it\'s" 0.988 at (1, 2, 3, 4)>'),
        (Word("it", 0.5, upright(1, 2, 3, 4), (), True), "<Word 'it' 0.500, doubtful, at (1, 2, 3, 4)>"),
        (Line("x" * 90, 1.0, upright(1, 2, 3, 4), ()), f"<Line '{'x' * 59}…' 1.000 at (1, 2, 3, 4)>"),
        (Line("of a test", 1.0, cast("Quad", ()), ()), "<Line 'of a test' 1.000>"),
        (PLAIN.blocks[1], "<Block of 1 line: '4711' at (200, 80, 240, 100)>"),
        (PLAIN, "<Page 320x120, 3 lines: 'Iron tastes', …>"),
        (BLANK, "<Page 50x60, 0 lines>"),
        (DocumentPage(7, UP), "<DocumentPage 7, 1 line: 'runs up'>"),
        (DocumentPage(7, BLANK, source="a\nb.pdf"), "<DocumentPage 7 of 'a\\nb.pdf', 0 lines>"),
        (Document((), (), 3), "<Document 0 of 3 pages>"),
        (Document((), (failed(1), failed(2)), 3, "a.pdf"), "<Document 'a.pdf', 0 of 3 pages, 2 errors>"),
    ],
)
def test_each_value_is_shown_so(value: object, shown: str) -> None:
    assert repr(value) == shown


@given(sheets)
def test_no_text_reaches_a_terminal_as_a_command(sheet: Sheet) -> None:
    for one in (sheet.page, *sheet.page.lines, *sheet.page.words, *sheet.page.blocks):
        assert repr(one).isprintable()


def test_values_compare_and_travel_as_before() -> None:
    for one in (with_characters(PLAIN), book()):
        assert repr(pickle.loads(pickle.dumps(one))) == repr(one)
    assert pickle.loads(pickle.dumps(with_characters(PLAIN))) == with_characters(PLAIN)
    page = pickle.loads(pickle.dumps(book().pages[1]))
    assert page == book().pages[1]
    assert hash(page) == hash(book().pages[1])


# Boxes and words


def test_a_box_is_upright_and_in_the_same_pixels() -> None:
    tilted = ((10.5, 20.0), (30.0, 10.0), (35.0, 19.0), (15.0, 29.5))
    for one in (Char("x", 1.0, tilted), Word("x", 1.0, tilted), Line("x", 1.0, tilted, ()), Block(tilted, ())):
        assert one.bbox == (10.5, 10.0, 35.0, 29.5)
    assert Image.new("L", (100, 100)).crop(PLAIN.words[0].bbox).size == (40, 20)


def test_words_of_a_page_are_those_of_its_lines() -> None:
    assert [word.text for word in PLAIN.words] == ["Iron", "tastes", "of", "rain", "4711"]
    assert DocumentPage(1, PLAIN).words == PLAIN.words
    assert BLANK.words == ()


# Files


@pytest.mark.parametrize("name", WRITERS)
def test_every_text_format_is_given_and_written(name: str, tmp_path: Path) -> None:
    page = book().pages[0]
    text = page.to(name)
    assert without_dates(text) == without_dates("".join(chunks(name, [Sheet.of(page)])))
    page.to(name, tmp_path / "a")
    page.to(name, str(tmp_path / "b"))
    binary, open_for_text = io.BytesIO(), io.StringIO(newline="")
    page.to(name, binary)
    page.to(name, open_for_text)
    written = [(tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes(), binary.getvalue()]
    written.append(open_for_text.getvalue().encode())
    assert [without_dates(one.decode()) for one in written] == [without_dates(text)] * 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def without_dates(text: str | bytes) -> str:
    """The text without the moments that it was written at."""
    assert isinstance(text, str)
    return re.sub(r"[0-9-]+T[0-9:]+", "", text)


@pytest.mark.parametrize("name", [name for name, kind in WRITERS.items() if not kind.one_page])
def test_a_document_is_a_file_of_its_pages(name: str) -> None:
    one, other = (Sheet.of(page) for page in book().pages)
    assert book().to(name) == "".join(chunks(name, [one, Failure("it is damaged", "book.pdf", 2), other]))


def test_a_source_names_the_picture() -> None:
    assert '"source": null' in PLAIN.to("json")
    assert '"source": "a.png"' in PLAIN.to("json", source=Path("a.png"))
    assert '"source": null' in PLAIN.to("json", source=Image.new("L", (9, 9)))
    assert book().to("jsonl", source="b.pdf").count('"source": "b.pdf"') == 3


def test_a_format_of_one_page_has_no_room_for_a_document() -> None:
    for name in ("page", "png"):
        with pytest.raises(InvalidArgumentError, match="holds one page"):
            book().to(name, source="book.pdf")
    assert Document(book().pages[:1], (), 4).to("page")


def test_types_name_every_format() -> None:
    assert set(get_args(TextFormat)) == set(WRITERS)
    assert set(get_args(BinaryFormat)) == set(FORMATS) - set(WRITERS)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="no format 'docx'") as caught:
        PLAIN.to("docx")
    assert caught.value.hint == f"choose one of {', '.join(WRITERS)}, png, pdf"


def forms_of(picture: Image.Image, path: Path) -> list[Any]:
    """A picture in every form in which pictures are handed over."""
    numpy = pytest.importorskip("numpy")
    picture.save(path)
    encoded = path.read_bytes()
    return [path, str(path), encoded, bytearray(encoded), io.BytesIO(encoded), picture, numpy.asarray(picture)]


def test_pictures_and_pdf_files_are_made_of_any_form_of_the_picture(tmp_path: Path) -> None:
    pytest.importorskip("pikepdf")
    for source in forms_of(Image.new("RGB", (320, 120), "white"), tmp_path / "a.png"):
        assert Image.open(io.BytesIO(PLAIN.to("png", source=source))).size == (320, 120)
        assert PLAIN.draw(source).size == (320, 120)
    for source in forms_of(Image.new("L", (320, 120), 255), tmp_path / "a.png"):
        pdf = PLAIN.to("pdf", source=source)
        assert pdf.startswith(b"%PDF-")
    PLAIN.to("pdf", tmp_path / "a.pdf", source=tmp_path / "a.png")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    page = DocumentPage(1, PLAIN, source=str(tmp_path / "a.png"))
    assert page.to("png").startswith(b"\x89PNG")
    assert Document((page,), (), 1, page.source).to("pdf").startswith(b"%PDF-")


def test_what_is_made_with_a_picture_asks_for_it() -> None:
    for result in (PLAIN, DocumentPage(1, PLAIN), book(None)):
        with pytest.raises(InvalidArgumentError, match="is made with the picture") as caught:
            result.to("pdf")
        assert caught.value.hint == 'give it too: to("pdf", source="scan.png")'


def test_a_file_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is no file"):
        PLAIN.to("text", tmp_path)
    with pytest.raises(StorageError, match="cannot write"):
        PLAIN.to("text", tmp_path / "missing" / "a.txt")
    with pytest.raises(InvalidArgumentError, match="open for text"):
        PLAIN.to("png", io.StringIO(), source=Image.new("L", (320, 120)))
    with pytest.raises(InvalidArgumentError, match="a path or an open file, not int"):
        PLAIN.to("text", 3)  # type: ignore[call-overload]
    (tmp_path / "a.txt").write_text("before")
    with pytest.raises(InvalidArgumentError):
        replace(PLAIN, blocks=PLAIN.blocks[:1]).to("json", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "before"


# Plain data


@settings(max_examples=50)
@given(sheets)
def test_plain_data_are_those_of_json_and_come_back(sheet: Sheet) -> None:
    page = sheet.page
    plain = page.to_dict()
    assert plain == form.to_dict(Sheet(page))
    # Halves of characters become what JSON escapes.
    assert json.loads(page.to("jsonl")) == {"schema_version": form.SCHEMA_VERSION, **json.loads(json.dumps(plain))}
    back = Page.from_dict(plain)
    assert back.to_dict() == plain
    assert Page.from_dict(json.loads(json.dumps(plain))) == back
    assert Page.from_dict(back.to_dict()) == back, "what was rounded stays as it is"
    of_document = DocumentPage(sheet.number, page, "text layer", sheet.source, (1.0, 2.0), sheet.dpi)
    assert DocumentPage.from_dict(of_document.to_dict()).to_dict() == of_document.to_dict()
    assert DocumentPage.from_dict(of_document.to_dict()) == replace(of_document, page=back, origin="ocr", size=None)


@settings(max_examples=50)
@given(entries)
def test_documents_come_back(written: list[Sheet | Failure]) -> None:
    data = form.file_dict(written)
    document = Document.from_dict(data)
    assert len(document.pages) + len(document.errors) == len(written)
    assert Document.from_dict(document.to_dict()).to_dict() == document.to_dict()
    assert json.loads(document.to("json")) == json.loads(json.dumps(document.to_dict()))


def test_a_document_keeps_what_json_holds() -> None:
    document = book()
    back = Document.from_dict(document.to_dict())
    assert (back.page_count, back.source, back.text) == (3, "book.pdf", document.text)
    assert [(page.number, page.page, page.dpi) for page in back.pages] == [(1, PLAIN, 200.0), (3, UP, 100.0)]
    assert [(str(error), error.page) for error in back.errors] == [("it is damaged", 2)]
    assert [page["number"] for page in document.to_dict()["pages"]] == [1, 2, 3]
    assert Document.from_dict(json.loads(document.to("json"))).to_dict() == document.to_dict()


@pytest.mark.parametrize("kind", [Page, DocumentPage, Document])
@pytest.mark.parametrize("data", [None, [], {"pages": 3}, {"schema_version": "2.0", "pages": []}, "{}"])
def test_other_data_are_refused(kind: type[Page | DocumentPage | Document], data: object) -> None:
    with pytest.raises(InvalidArgumentError):
        kind.from_dict(data)


def test_a_page_that_could_not_be_read_is_none() -> None:
    with pytest.raises(InvalidArgumentError, match="could not be read, it is damaged"):
        Page.from_dict({"source": None, "number": 2, "error": "it is damaged"})


# Tables


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_have_a_row_for_each_word(library: str) -> None:
    pytest.importorskip(library)
    table = getattr(book(), f"to_{library}")()
    assert ",".join(table.columns) == "source,page,block,line,word,text,score,doubtful,left,top,right,bottom"
    assert list(table["text"]) == ["Iron", "tastes", "of", "rain", "4711", "runs", "up"]
    assert list(table["page"]) == [1, 1, 1, 1, 1, 3, 3]
    assert list(table["line"]) == [1, 1, 2, 2, 3, 1, 1]
    assert list(table["right"]) == [60, 130, 40, 90, 240, 60, 60]
    lines = getattr(PLAIN, f"to_{library}")("lines")
    assert list(lines["text"]) == ["Iron tastes", "of rain", "4711"]
    assert "word" not in lines.columns
    with pytest.raises(InvalidArgumentError, match="not 'pages'"):
        getattr(PLAIN, f"to_{library}")("pages")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_table_has_the_same_types_without_rows(library: str) -> None:
    pytest.importorskip(library)
    full, empty = (getattr(page, f"to_{library}")() for page in (PLAIN, BLANK))
    assert len(empty) == 0
    assert [str(kind) for kind in full.dtypes] == [str(kind) for kind in empty.dtypes]


@settings(max_examples=30)
@given(sheets)
def test_any_page_is_a_table(sheet: Sheet) -> None:
    pytest.importorskip("pandas")
    page = DocumentPage(sheet.number, sheet.page, source=sheet.source)
    assert len(page.to_pandas()) == sum(max(1, len(line.words)) for line in sheet.page.lines)
    assert len(page.to_pandas("lines")) == len(sheet.page.lines)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_missing_library_is_named_with_its_extra(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(RuntimeUnavailableError, match=f"needs {library}") as caught:
        getattr(PLAIN, f"to_{library}")()
    assert caught.value.hint == f'run: pip install "ferrocr[{library}]"'
    assert isinstance(caught.value, ImportError)


# Notebooks


class Seen(HTMLParser):
    """The tags and the text of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"class", "dir", "style", "colspan"}

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_data(self, data: str) -> None:
        self.text += data


TAGS = {"div", "table", "caption", "thead", "tbody", "tr", "th", "td"}


@settings(max_examples=50)
@given(sheets, st.sampled_from(HOSTILE))
def test_no_text_is_markup_in_a_notebook(sheet: Sheet, hostile: str) -> None:
    page = DocumentPage(1, sheet.page, source=hostile)
    document = Document((page,), (failed(2, hostile),), 2, hostile)
    for result in (sheet.page, page, document):
        html = result._repr_html_()
        assert Seen(html).tags <= TAGS
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)
        assert not re.search("&#x(202[A-E]|206[6-9]);", html)
        assert 'class="tex2jax_ignore mathjax_ignore"' in html, "prices are no formulas"


def test_a_notebook_shows_lines_and_pages() -> None:
    assert re.findall("<td[^>]*>([^<]*)</td>", PLAIN._repr_html_())[:3] == ["1", "Iron tastes", "0.975"]
    assert "book.pdf, 2 of 4 pages" in book()._repr_html_()
    assert re.findall("<tr><td>([^<]*)</td>", book()._repr_html_()) == ["1", "2", "3"]
    assert "it is damaged" in book()._repr_html_()
    many = Page(9, 9, tuple(line_of(f"line {number}", 0, 0) for number in range(5000)))
    assert len(many._repr_html_()) < 20_000
    assert "4940 more" in many._repr_html_()


def test_a_notebook_without_tables_shows_a_sketch(monkeypatch: pytest.MonkeyPatch) -> None:
    sketch = Image.open(io.BytesIO(PLAIN._repr_png_() or b""))
    assert sketch.size == (320, 120)
    assert len(sketch.getcolors(10_000) or ()) > 2
    large = Page(40_000, 20_000, (line_of("far", 30_000, 10_000),))
    assert Image.open(io.BytesIO(large._repr_png_() or b"")).size == (800, 400)
    real = builtins.__import__

    def no_pillow(name: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        if name.partition(".")[0] == "PIL":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", no_pillow)
    assert PLAIN._repr_png_() is None
    with pytest.raises(PillowMissingError):
        PLAIN.to("png", source="a.png")
