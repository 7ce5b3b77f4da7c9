"""Searchable PDF files: where their text lies and what it says to other programs, and what stays as it is."""

import io
import math
import re
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name
from PIL import Image

from conftest import draw_text, run_python
from ferrocr import (
    DocumentError,
    EncryptedDocumentError,
    ImageError,
    ImageNotFoundError,
    InvalidArgumentError,
    Line,
    OcrEngine,
    Page,
    ResourcesFreedError,
    StorageError,
    Word,
)
from ferrocr.formats import Sheet
from ferrocr.formats.pdf import SearchablePdf, make_searchable
from ferrocr.searchable_pdf._glyphless import font_file
from pdf_files import Sheet as PdfSheet
from pdf_files import make_pdf, numbered, scanned, words
from searchable import (
    HEIGHT,
    READERS,
    WIDTH,
    blank,
    check,
    edges_of,
    found_boxes,
    line_of,
    pdfium,
    pdfium_text,
    poppler_text,
    present,
    pypdf_text,
    render,
    rows,
    searchable,
    turned,
    without_marks,
)

pytest.importorskip("img2pdf", reason="img2pdf is not installed")
pytestmark = pytest.mark.usefixtures("no_pdf_stays_open")

# --- what other programs see --------------------------------------------------------------------------------------

TEXTS = ["Iron tastes of rain", "Größe 12,50 € (netto)", "中文字符 混合 text", "emoji 😀 here", "<</Type [x] (y\\) %z"]


@pytest.mark.parametrize("reader", READERS)
def test_other_programs_extract_the_text(reader: str, tmp_path: Path) -> None:
    content = searchable(blank(), [Sheet(rows(TEXTS))], tmp_path)
    assert READERS[reader](content) == "\n".join(TEXTS)


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("👍🏽", "👍🏽"),
        ("𐍈𠀀", "𐍈𠀀"),  # beyond 16 bits
        ("e\u0301te\u0301", "e\u0301te\u0301"),  # marks over letters
        ("ﬁ", "ﬁ"),
        ("a\0b", "a�b"),
        ("\ud800z", "�z"),
        ("z\udfff", "z�"),
        ("\t", "�"),
        ("a\x7f\x9fb", "a��b"),
        ("\ufffe\uffff", "��"),
        (r"\)(", r"\)("),
    ],
)
def test_every_text_comes_out_as_it_is_and_what_is_no_character_is_replaced(
    word: str, wanted: str, tmp_path: Path
) -> None:
    page = Page(WIDTH, HEIGHT, (Line(word, 1.0, turned(20, 20, 80, 20, 0), ()),))
    content = searchable(blank(), [Sheet(page)], tmp_path)
    check(content)
    for reader in present(poppler_text, pypdf_text):
        assert reader(content) == wanted


@pytest.mark.parametrize("text", ["שלום", "مرحبا", "بالعالم", "ג1234ד"])
def test_text_that_runs_left_comes_out_in_the_order_in_which_it_is_read(text: str, tmp_path: Path) -> None:
    content = searchable(blank(), [Sheet(rows([text]))], tmp_path)
    for reader in present(pdfium_text, poppler_text):
        assert without_marks(reader(content)) == text


def test_words_that_run_left_are_found_from_the_right(tmp_path: Path) -> None:
    one, two = turned(90, 20, 60, 20, 0), turned(20, 20, 60, 20, 0)
    line = Line("שלום עולם", 1.0, turned(20, 20, 130, 20, 0), (Word("שלום", 1.0, one), Word("עולם", 1.0, two)))
    content = searchable(blank(), [Sheet(Page(WIDTH, HEIGHT, (line,)))], tmp_path)
    for reader in present(pdfium_text, poppler_text):
        assert without_marks(reader(content)) == "שלום עולם"


def test_words_without_a_space_between_them_stay_together(tmp_path: Path) -> None:
    parts = tuple(Word(text, 1.0, turned(20 + 24 * at, 20, 24, 20, 0)) for at, text in enumerate(("中", "文", "字")))
    page = Page(WIDTH, HEIGHT, (Line("中文字", 1.0, turned(20, 20, 72, 20, 0), parts),))
    content = searchable(blank(), [Sheet(page)], tmp_path)
    for reader in present(pdfium_text, poppler_text):
        assert reader(content) == "中文字"


LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyzABCXYZäöüßéçğšłżøåñ0123456789джзийλδθξ中文字符日本語한국어😀🎉𐍈")
WORDS = st.text(LETTERS, min_size=1, max_size=6)
# PDFium takes lines of single letters, one below the other, for some that run down: each has a word that is longer.
LINES = st.lists(
    st.lists(WORDS, min_size=1, max_size=5).filter(lambda words: max(map(len, words)) > 2).map(" ".join),
    min_size=1,
    max_size=8,
)


@given(LINES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_goes_in_comes_out(tmp_path: Path, texts: list[str]) -> None:
    page = rows(texts)
    content = searchable(blank((300, page.height / 2)), [Sheet(page)], tmp_path)
    assert pdfium_text(content) == "\n".join(texts)
    for reader in present(pypdf_text, poppler_text):
        assert reader(content).split() == " ".join(texts).split()


# --- where it lies ------------------------------------------------------------------------------------------------

BOXES = ["", "/CropBox[10 20 290 190]", "/MediaBox[-50 -30 250 170]", "/MediaBox[250 170 -50 -30]/UserUnit 2.5"]


@pytest.mark.parametrize("turn", [0, 90, 180, 270, -90])
@pytest.mark.parametrize("more", BOXES)
def test_words_lie_where_they_were_found(turn: int, more: str, tmp_path: Path) -> None:
    size = (WIDTH, HEIGHT) if turn % 180 == 0 else (HEIGHT, WIDTH)
    page = Page(*size, (line_of("Iron tastes of rain", 30, 50), line_of("it says", 60, 300, 31.5, -0.4)))
    content = searchable(blank(more=f"{more}/Rotate {turn}"), [Sheet(page)], tmp_path)
    check(content)
    found = dict(found_boxes(content, size))
    for line in page.lines:
        for word in line.words:
            assert found[word.text] == pytest.approx(edges_of(word.quad), abs=1.5), word.text  # pixels, two a point


@given(st.floats(-math.pi, math.pi), st.floats(4, 90), st.floats(0.2, 2))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(math.pi / 2, 20, 0.6)
@example(math.pi, 20, 0.6)
def test_words_lie_on_their_quads_however_they_are_turned(
    tmp_path: Path, angle: float, height: float, letter: float
) -> None:
    line = line_of("rain falls", 300, 200, height, angle, letter * height)
    page = Page(WIDTH, HEIGHT, (line,))
    content = searchable(blank(), [Sheet(page)], tmp_path)
    found = dict(found_boxes(content, (WIDTH, HEIGHT)))
    for word in line.words:
        assert found[word.text] == pytest.approx(edges_of(word.quad), abs=1.5)


@pytest.mark.parametrize("gap", [12, 5, 2, 0, -3])
def test_words_are_apart_however_close_they_stand(gap: float, tmp_path: Path) -> None:
    one, two = turned(20, 20, 60, 20, 0), turned(80 + gap, 20, 60, 20, 0)
    line = Line("rain falls", 1.0, turned(20, 20, 120 + gap, 20, 0), (Word("rain", 1, one), Word("falls", 1, two)))
    content = searchable(blank(), [Sheet(Page(WIDTH, HEIGHT, (line,)))], tmp_path)
    for reader in present(*READERS.values()):
        assert " ".join(reader(content).split()) == "rain falls", reader.__name__


# --- what stays as it is ------------------------------------------------------------------------------------------


def rich(folder: Path) -> Path:
    """A file with everything that may get lost, and with pages that share what they can share."""
    file = folder / "rich.pdf"
    with pikepdf.open(io.BytesIO(make_pdf([PdfSheet("q 2 0 0 2 5 5 cm 0.2 g 9 9 50 20 re f", (300, 200))] * 3))) as pdf:
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("second", 1))
        with pdf.open_metadata() as metadata:
            metadata["dc:title"] = "Rain"
        pdf.docinfo["/Author"] = "Ada"
        pdf.attachments["data.csv"] = b"1;2;3"
        link = Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], Dest=Array([pdf.pages[2].obj, Name.Fit])
        )
        pdf.pages[0].obj.Annots = Array([link])
        shared = pdf.make_indirect(Dictionary(Font=Dictionary()))
        shared_content = pdf.make_indirect(Array([pdf.make_stream(b"0.7 g 50 50 40 40 "), pdf.make_stream(b"re f")]))
        for page in list(pdf.pages)[1:]:
            page.obj.Resources, page.obj.Contents = shared, shared_content
        pdf.save(file)
    return file


def test_nothing_of_a_file_gets_lost(tmp_path: Path) -> None:
    file, out = rich(tmp_path), tmp_path / "out.pdf"
    with SearchablePdf(file) as pdf:
        pdf.add(Sheet(rows(["third page"]), number=3))
        pdf.add(Sheet(rows(["first page"]), number=1))
        pdf.save(out)
    before, after = file.read_bytes(), out.read_bytes()
    check(after)
    assert [pdfium_text(after, number) for number in (1, 2, 3)] == ["first page", "", "third page"]
    for number in (1, 2, 3):
        assert render(after, number) == render(before, number)
    with pikepdf.open(file) as one, pikepdf.open(out) as two:
        assert two.docinfo == one.docinfo
        assert two.Root.Metadata.read_raw_bytes() == one.Root.Metadata.read_raw_bytes()
        assert two.attachments["data.csv"].get_file().read_bytes() == b"1;2;3"
        with two.open_outline() as outline:
            assert [item.title for item in outline.root] == ["second"]
        assert two.pages[0].obj.Annots[0].Dest[0].objgen == two.pages[2].obj.objgen
        for old, new in zip(one.pages, two.pages, strict=True):
            olds = list(old.obj.Contents) if isinstance(old.obj.Contents, Array) else [old.obj.Contents]
            news = list(new.obj.Contents) if isinstance(new.obj.Contents, Array) else [new.obj.Contents]
            kept = news[-len(olds) :]
            assert [stream.read_raw_bytes() for stream in kept] == [stream.read_raw_bytes() for stream in olds]


def test_a_font_of_the_same_name_stays(tmp_path: Path) -> None:
    source = make_pdf(
        [PdfSheet(words("x").replace("F1", "FerrocrText"), more="/Resources<</Font<</FerrocrText 3 0 R>>>>")]
    )
    file, out = tmp_path / "a.pdf", io.BytesIO()
    file.write_bytes(source)
    with SearchablePdf(file, own_text="add") as pdf:
        pdf.add(Sheet(rows(["rain"])))
        pdf.save(out)
    assert render(out.getvalue()) == render(source)
    assert set(pdfium_text(out.getvalue()).split()) == {"x", "rain"}


def test_pages_with_text_of_their_own_are_left_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    scan = scanned([draw_text(["Iron tastes of rain"])])
    with pikepdf.open(io.BytesIO(make_pdf([PdfSheet(words("my own"))]))) as pdf, pikepdf.open(io.BytesIO(scan)) as more:
        pdf.pages.extend(more.pages)
        pdf.save(file)
    for own_text, wanted in (("keep", "my own"), ("add", "my own rain")):
        out = io.BytesIO()
        with SearchablePdf(file, own_text=own_text) as pdf:  # type: ignore[arg-type]
            pdf.add(Sheet(rows(["rain"]), number=1))
            pdf.add(Sheet(rows(["stamped"]), number=2, origin="text layer"))
            pdf.save(out)
        assert sorted(pdfium_text(out.getvalue()).split()) == sorted(wanted.split())
        assert pdfium_text(out.getvalue(), 2) == ""


def test_a_scan_with_a_stamp_gets_its_text(tmp_path: Path) -> None:
    file, out = tmp_path / "a.pdf", io.BytesIO()
    with pikepdf.open(io.BytesIO(scanned([draw_text(["Iron tastes of rain"])]))) as pdf:
        font = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        pdf.pages[0].add_resource(font, Name.Font, Name.F1)
        pdf.pages[0].contents_add(words("copy 7", 30, 10).encode())
        pdf.save(file)
    with SearchablePdf(file) as made:
        made.add(Sheet(rows(["Iron tastes of rain"])))
        made.save(out)
    assert set(pdfium_text(out.getvalue()).split()) == {"Iron", "tastes", "of", "rain", "copy", "7"}


def test_more_kinds_of_characters_than_codes_are_no_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferrocr.searchable_pdf._font._MOST", 4)
    content = searchable(blank(), [Sheet(rows(["abcdefab"]))], tmp_path)
    check(content)
    assert pdfium_text(content) == "abc\ufffd\ufffd\ufffdab"


def test_encrypted_files_stay_encrypted_and_are_told_apart(tmp_path: Path) -> None:
    file, out = tmp_path / "locked.pdf", tmp_path / "out.pdf"
    with pikepdf.open(io.BytesIO(blank())) as pdf:
        pdf.save(file, encryption=pikepdf.Encryption(owner="boss", user="rain"))
    with pytest.raises(EncryptedDocumentError, match="no password was given\npass password="):
        SearchablePdf(file)
    with pytest.raises(EncryptedDocumentError, match="does not open it"):
        SearchablePdf(file, password="snow")
    with SearchablePdf(file, password="rain") as pdf:
        pdf.add(Sheet(rows(["Iron tastes"])))
        pdf.save(out)
    for password in ("rain", "boss"):
        with pdfium().PdfDocument(out, password=password) as document:
            assert document[0].get_textpage().get_text_range() == "Iron tastes"
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(out)


def test_signed_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "signed.pdf"
    with pikepdf.open(io.BytesIO(blank())) as pdf:
        field = pdf.make_indirect(Dictionary(FT=Name.Sig, T=pikepdf.String("s"), V=Dictionary(Type=Name.Sig)))
        pdf.Root.AcroForm = Dictionary(
            SigFlags=3, Fields=Array([Dictionary(T=pikepdf.String("x"), Kids=Array([field]))])
        )
        pdf.save(file)
    with pytest.raises(DocumentError, match="is signed"):
        SearchablePdf(file)


# --- calls and errors ---------------------------------------------------------------------------------------------


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    file, out = tmp_path / "a.pdf", tmp_path / "out.pdf"
    file.write_bytes(blank())
    out.write_text("old")
    out.chmod(0o640)
    with SearchablePdf(file) as pdf:
        pdf.add(Sheet(rows(["rain"])))
        with pytest.raises(StorageError, match="cannot write"):
            pdf.save(tmp_path / "none" / "out.pdf")
        with pytest.raises(StorageError, match="it is no file"):
            pdf.save(tmp_path)
        pdf.save(out)
        first = out.read_bytes()
        pdf.save(str(out))
        assert out.read_bytes() == first
    assert pdfium_text(first) == "rain"
    assert out.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "out.pdf"]


def test_a_file_can_be_saved_over_its_source(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(blank())
    with SearchablePdf(file) as pdf:
        pdf.add(Sheet(rows(["rain"])))
        pdf.save(file)
    assert pdfium_text(file.read_bytes()) == "rain"


def test_pages_can_be_added_after_a_save(tmp_path: Path) -> None:
    file, first, second = tmp_path / "a.pdf", io.BytesIO(), io.BytesIO()
    file.write_bytes(make_pdf([PdfSheet()] * 2))
    with SearchablePdf(file) as pdf:
        pdf.add(Sheet(rows(["rain"])))
        pdf.save(first)
        pdf.add(Sheet(rows(["überall"]), number=2))
        pdf.save(second)
    assert (pdfium_text(first.getvalue()), pdfium_text(first.getvalue(), 2)) == ("rain", "")
    assert (pdfium_text(second.getvalue()), pdfium_text(second.getvalue(), 2)) == ("rain", "überall")


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(blank())
    pdf = SearchablePdf(file)
    with pytest.raises(InvalidArgumentError, match="no page 2 in"):
        pdf.add(Sheet(rows(["x"]), number=2))
    with pytest.raises(InvalidArgumentError, match="nobody knows where"):
        pdf.add(Sheet(Page(0, 0, ())))
    with pytest.raises(InvalidArgumentError, match="nowhere on the page"):
        pdf.add(Sheet(Page(10, 10, (line_of("x", math.nan, 0),))))
    pdf.add(Sheet(rows(["x"])))
    with pytest.raises(InvalidArgumentError, match=r"page 1 of .* was added before"):
        pdf.add(Sheet(rows(["x"])))
    pdf.close()
    pdf.close()
    with pytest.raises(ResourcesFreedError):
        pdf.add(Sheet(rows(["x"])))
    with pytest.raises(InvalidArgumentError, match="own_text"):
        SearchablePdf(file, own_text="maybe")  # type: ignore[arg-type]
    with pytest.raises(ImageNotFoundError):
        SearchablePdf(tmp_path / "none.pdf")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ImageError):
        SearchablePdf(tmp_path / "text.png")
    (tmp_path / "bad.pdf").write_text("%PDF-1.7 and nothing else")
    with pytest.raises(DocumentError):
        SearchablePdf(tmp_path / "bad.pdf")
    with pytest.raises((ImageError, StorageError)):
        SearchablePdf(tmp_path)


@pytest.mark.parametrize("module", ["pikepdf", "img2pdf", "PIL", "pypdfium2"])
def test_packages_that_are_missing_are_named(module: str, tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(blank())
    code = f"""
import sys
sys.modules[{module!r}] = None
from ferrocr import RuntimeUnavailableError
from ferrocr.formats.pdf import SearchablePdf
try:
    SearchablePdf(sys.argv[1])
except RuntimeUnavailableError as error:
    print(error)
"""
    done = run_python(code, str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"{module}(, which)? is not installed", done.stdout)
    assert 'run: pip install "ferrocr[pdf]"' in done.stdout


def test_the_font_is_a_font() -> None:
    tools = pytest.importorskip("fontTools.ttLib", reason="fontTools is not installed")
    font = tools.TTFont(io.BytesIO(font_file()), checkChecksums=2, lazy=False)
    assert [font["hmtx"][name][0] for name in font.getGlyphOrder()] == [0, 500, 1000]
    assert font["name"].getDebugName(6) == "FerrocrGlyphless"
    assert font_file() == font_file()


# --- with an engine -----------------------------------------------------------------------------------------------


def test_a_scan_becomes_searchable(engine: OcrEngine, tmp_path: Path) -> None:
    file, out = tmp_path / "scan.pdf", tmp_path / "out.pdf"
    pictures = [draw_text(["Iron tastes of rain", "Order 4711 paid"]), draw_text(["sideways"]).rotate(90, expand=True)]
    file.write_bytes(scanned(pictures))
    assert make_searchable(engine, file, out) == ()
    content = out.read_bytes()
    check(content)
    assert pdfium_text(content) == "Iron tastes of rain\nOrder 4711 paid"
    assert pdfium_text(content, 2) == "sideways"
    for number in (1, 2):
        assert render(content, number) == render(file.read_bytes(), number)
    # What was found is under the letters.
    drawn = dict(found_boxes(content, (900, 192)))
    assert drawn["Iron"][0] == pytest.approx(32, abs=8)
    assert drawn["Iron"][1] < 24 < 40 < drawn["Iron"][3]


def test_a_document_need_not_be_a_file(reader: OcrEngine, engine: OcrEngine, tmp_path: Path) -> None:
    document = numbered(2)
    source: Any
    for source in (document, io.BytesIO(document)):
        out = io.BytesIO()
        assert make_searchable(reader, source, out, text_layer="auto") == ()
        assert out.getvalue().startswith(b"%PDF-")
    picture = draw_text(["Order 4711 paid"], width=400)
    picture.save(tmp_path / "scan.png")
    for source in (picture, io.BytesIO((tmp_path / "scan.png").read_bytes())):
        out = io.BytesIO()
        assert make_searchable(engine, source, out) == ()
        assert reader.recognize_document(out, text_layer="only").text == "Order 4711 paid"


def test_a_result_makes_its_pdf_and_its_pictures(reader: OcrEngine, tmp_path: Path) -> None:
    (tmp_path / "two.pdf").write_bytes(numbered(2))
    document = reader.recognize_document(tmp_path / "two.pdf", text_layer="only", dpi=50)
    assert document.to("pdf").startswith(b"%PDF-")
    for page in document.pages:
        picture = Image.open(io.BytesIO(page.to("png")))
        assert picture.size == (page.page.width, page.page.height)
    assert document.to_pandas()["page"].tolist() == sorted(document.to_pandas()["page"].tolist())


def test_pages_that_have_their_text_are_neither_read_nor_doubled(engine: OcrEngine, tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(make_pdf([PdfSheet(words("Iron tastes of rain"))]))
    for text_layer, times in (("auto", 1), ("ignore", 2)):
        out = io.BytesIO()
        make_searchable(engine, file, out, text_layer=text_layer)  # type: ignore[arg-type]
        assert pdfium_text(out.getvalue()).count("Iron") == times


def test_pages_that_cannot_be_read_are_copied_or_end_it(models_dir: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "a.tif", tmp_path / "out.pdf"
    large, small = draw_text(["too large"], width=1200), draw_text(["good page"], width=300)
    large.save(file, save_all=True, append_images=[small])
    with OcrEngine(model_dir=models_dir, download=False, max_side=1000) as strict:
        (error,) = make_searchable(strict, file, out, on_error="return")
        assert (error.page, pdfium_text(out.read_bytes(), 1), pdfium_text(out.read_bytes(), 2)) == (1, "", "good page")
        out.unlink()
        with pytest.raises(type(error)):
            make_searchable(strict, file, out)
    assert not out.exists()


def test_a_picture_becomes_searchable(engine: OcrEngine, picture_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    make_searchable(engine, str(picture_file), str(out), pages="1")
    assert pdfium_text(out.read_bytes()) == "Iron tastes of rain\nOrder 4711 paid"
    with pytest.raises(InvalidArgumentError, match="text_layer is"):
        make_searchable(engine, picture_file, out, text_layer="only")  # type: ignore[arg-type]
