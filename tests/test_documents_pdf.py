"""PDF files: what is rendered, what a text layer gives, and what is refused."""

import io
import math
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import draw_text
from ferrocr import (
    Document,
    DocumentError,
    DocumentPage,
    EncryptedDocumentError,
    ImageError,
    InvalidArgumentError,
    ModelNotFoundError,
    OcrEngine,
    OcrError,
    OcrTimeoutError,
)
from ferrocr.documents._pages import Limits, resolution
from ferrocr.documents._pdf import _open_files, placed
from ferrocr.documents._text_layer import Glyph, TextLayer
from ferrocr.results import Line, Quad
from pdf_files import Sheet, form_field, make_pdf, numbered, scanned, words

pytestmark = pytest.mark.usefixtures("no_pdf_stays_open")

HELLO = words("Iron tastes of rain")


def extent(quad: Quad) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    across, down = [x for x, _ in quad], [y for _, y in quad]
    return min(across), min(down), max(across), max(down)


def overlap(one: Quad, other: Quad) -> float:
    """Intersection over union of the boxes around both."""
    a, b = extent(one), extent(other)
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / (both - width * height)


def only_line(page: DocumentPage) -> Line:
    """Its line, of which there is one."""
    (line,) = page.page.lines
    return line


# --- what is rendered ---------------------------------------------------------------------------------------------


def test_pages_are_read_in_the_order_in_which_they_are_wanted(two: OcrEngine, tmp_path: Path) -> None:
    file = tmp_path / "pages.pdf"
    file.write_bytes(numbered(5))
    for source, name in ((file, str(file)), (str(file), str(file)), (file.read_bytes(), None)):
        document = two.recognize_document(source, pages="4-,2")
        assert isinstance(document, Document)
        assert [(page.number, page.text) for page in document.pages] == [
            (4, "sheet 4"),
            (5, "sheet 5"),
            (2, "sheet 2"),
        ]
        assert (document.page_count, document.errors, document.source) == (5, (), name)
        assert document.text == "sheet 4\n\nsheet 5\n\nsheet 2"
        for ahead in (0, 1, 7):
            assert tuple(two.recognize_pages(source, pages=[4, 5, 2], ahead=ahead)) == document.pages
    with pytest.raises(InvalidArgumentError, match=r"no page 6 in .*pages\.pdf, which has 5"):
        two.recognize_pages(file, pages="6")


def test_a_page_says_what_it_is(two: OcrEngine) -> None:
    (page,) = two.recognize_document(make_pdf([Sheet(HELLO)]), dpi=150).pages
    assert (page.origin, page.dpi, page.size, page.source) == ("ocr", 150, (300, 100), None)
    assert (page.page.width, page.page.height) == (625, 208)
    left, top, right, bottom = extent(page.in_points(only_line(page).quad))
    # The baseline is 50 points above the lower edge of 100, and letters of Helvetica are 0.72 of the size high.
    assert left == pytest.approx(20, abs=3)
    assert right == pytest.approx(180, abs=6)
    assert top == pytest.approx(50 - 0.72 * 20, abs=5)
    assert bottom == pytest.approx(50, abs=6)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("more", ["", "/CropBox[10 20 290 90]", "/MediaBox[-50 -30 250 70]"])
def test_turned_and_cropped_pages_come_as_a_viewer_shows_them(two: OcrEngine, turn: int, more: str) -> None:
    place = (30, 30, 20) if not more.startswith("/M") else (-20, 0, 20)
    # Drawn so that it is upright when the page is turned.
    matrix = {0: "1 0 0 1", 90: "0 1 -1 0", 180: "-1 0 0 -1", 270: "0 -1 1 0"}[turn]
    start = {0: (0, 0), 90: (60, 5), 180: (200, 30), 270: (10, 50)}[turn]
    text = "rain" if turn % 180 else "Iron tastes of rain"
    content = words(text, place[0] + start[0], place[1] + start[1], place[2], matrix)
    pdf = make_pdf([Sheet(content, more=f"{more}/Rotate {turn}")])
    (seen,) = two.recognize_document(pdf, dpi=200).pages
    (taken,) = two.recognize_document(pdf, dpi=200, text_layer="auto").pages
    assert (seen.origin, taken.origin) == ("ocr", "text layer")
    assert (seen.size, seen.dpi) == (taken.size, taken.dpi)
    assert (seen.page.width, seen.page.height) == (taken.page.width, taken.page.height)
    assert (seen.text, taken.text) == (text, text)
    read, brought = only_line(seen).quad, only_line(taken).quad
    assert overlap(read, brought) > 0.5, (read, brought)
    # The text is read from left to right, and both say so.
    for quad in (read, brought):
        assert quad[1][0] - quad[0][0] > abs(quad[1][1] - quad[0][1])


@given(
    st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.floats(1, 900), st.floats(1, 900)),
    st.integers(0, 3),
    st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
)
def test_corners_of_a_page_are_those_of_its_picture(
    box: tuple[float, float, float, float], turns: int, size: tuple[int, int]
) -> None:
    left, bottom, width, height = box
    right, top = left + width, bottom + height
    to_pixels = placed((left, bottom, right, top), turns, size)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    clockwise = [(0, 0), (size[0], 0), size, (0, size[1])]
    for index, corner in enumerate(corners):
        # A turn to the right brings the top left corner to the top right.
        assert to_pixels(corner) == pytest.approx(clockwise[(index + turns) % 4], abs=1e-6 * max(size))


@pytest.mark.parametrize("how", ["field", "forms that are not filled in"])
def test_what_is_filled_into_a_form_is_seen(two: OcrEngine, how: str) -> None:
    value = "Ada Lovelace" if how == "field" else ""
    field = form_field(value)
    pdf = make_pdf([Sheet("", more="/Annots[6 0 R]")], objects=field, root="/AcroForm<</Fields[6 0 R]>>")
    for text_layer in ("ignore", "auto"):
        (page,) = two.recognize_document(pdf, text_layer=text_layer).pages
        assert (page.origin, page.text) == ("ocr", value)


@given(
    st.tuples(st.floats(1e-3, 1e30), st.floats(1e-3, 1e30)),
    st.floats(1, 10_000),
    st.integers(100, 10**9),
    st.integers(10, 10**6),
)
def test_a_picture_is_as_large_as_wanted_or_as_allowed(
    size: tuple[float, float], dpi: float, pixels: int, side: int
) -> None:
    used, width, height = resolution(size, dpi, Limits(pixels, side, 1, lambda *_: None))
    assert 0 < used <= dpi * (1 + 1e-9)
    assert 1 <= max(width, height) <= side + 1
    # A line of one pixel cannot be made thinner, and what is then too large is refused.
    assert width * height <= pixels * 1.01 or min(width, height) == 1 or used == dpi
    if max(size) * dpi / 72 <= side - 1 and (size[0] * dpi / 72 + 1) * (size[1] * dpi / 72 + 1) <= pixels:
        assert used == pytest.approx(dpi)
        assert width == max(1, round(size[0] * dpi / 72))


def test_a_page_that_would_be_too_large_is_rendered_smaller(models_dir: Path) -> None:
    # 200 inches each way, with letters 5 inches high.
    poster = make_pdf([Sheet(words("Iron tastes of rain", 2000, 7000, 1200), (14_400, 14_400))])
    with OcrEngine(model_dir=models_dir, download=False, threads=2, max_pixels=4_000_000) as engine:
        (page,) = engine.recognize_document(poster, dpi=600).pages
        assert page.text == "Iron tastes of rain"
        assert (page.page.width, page.page.height) == (2000, 2000)
        assert page.dpi == pytest.approx(10)
    with OcrEngine(model_dir=models_dir, download=False, threads=2, max_side=1000) as engine:
        (page,) = engine.recognize_document(make_pdf([Sheet(HELLO)]), dpi=600).pages
        assert (page.page.width, page.text) == (1000, "Iron tastes of rain")
        assert page.dpi == pytest.approx(240)


@pytest.mark.parametrize("size", [(1, 1), (0.5, 400), (3, 3)])
def test_tiny_pages_are_pages(two: OcrEngine, size: tuple[float, float]) -> None:
    (page,) = two.recognize_document(make_pdf([Sheet("", size)])).pages
    assert (page.text, page.size) == ("", size)
    assert min(page.page.width, page.page.height) >= 1


# --- text layers --------------------------------------------------------------------------------------------------


def test_a_text_layer_gives_words_with_their_places(models_dir: Path) -> None:
    content = words("First line", 20, 70, 12) + words("second-line", 20, 56, 12) + words("Total 4,711", 200, 70, 12)
    pdf = make_pdf([Sheet(content + words("alone", 20, 10, 12))])
    with OcrEngine(model_dir=models_dir, download=False) as engine:
        (page,) = engine.recognize_document(pdf, dpi=144, text_layer="auto").pages
        assert not engine.loaded, "nothing had to be read"
    assert [line.text for line in page.page.lines] == ["First line", "second-line", "Total 4,711", "alone"]
    assert [[word.text for word in line.words] for line in page.page.lines][2] == ["Total", "4,711"]
    assert [line for block in page.page.blocks for line in block.lines] == list(page.page.lines)
    assert [len(block.lines) for block in page.page.blocks] == [2, 1, 1]
    assert {line.score for line in page.page.lines} == {1.0}
    for line, (left, baseline) in zip(page.page.lines, [(20, 70), (20, 56), (200, 70), (20, 10)], strict=True):
        box = extent(line.quad)
        assert box[0] == pytest.approx(2 * left, abs=3)
        # Boxes have the font's height: what hangs below the baseline is in them.
        assert box[1] < 2 * (100 - baseline - 8) < 2 * (100 - baseline) < box[3] < 2 * (100 - baseline + 8)
        for word in line.words:
            inner = extent(word.quad)
            assert box[0] - 0.01 <= inner[0] < inner[2] <= box[2] + 0.01


def test_a_text_layer_gives_characters_where_they_are_asked_for(reader: OcrEngine) -> None:
    pdf = make_pdf([Sheet(words("First line", 20, 70, 12))])
    (plain,) = reader.recognize_document(pdf, dpi=144, text_layer="auto").pages
    (asked,) = reader.recognize_document(pdf, dpi=144, text_layer="auto", characters=True).pages
    for bare, word in zip(only_line(plain).words, only_line(asked).words, strict=True):
        assert (bare.characters, bare.quad) == ((), word.quad)
        assert "".join(one.text for one in word.characters) == word.text
        assert (word.characters[0].quad[0], word.characters[-1].quad[2]) == (word.quad[0], word.quad[2])
        starts = [one.quad[0][0] for one in word.characters]
        assert starts == sorted(starts)


def test_both_halves_of_a_character_are_one() -> None:
    halves = (Glyph("\ud83d", (0, 0, 5, 10), 0.0), Glyph("\ude00", (5, 0, 10, 10), 0.0))
    layer = TextLayer((Glyph("a", (-8, 0, -1, 10), 0.0), *halves), 0.0, has_notes=False)
    page = layer.page(100, 100, lambda point: point, characters=True)
    (word,) = page.lines[0].words
    assert (word.text, [one.text for one in word.characters]) == ("a\U0001f600", ["a", "\U0001f600"])
    assert word.characters[1].quad[0][0] == pytest.approx(0)
    assert word.characters[1].quad[1][0] == pytest.approx(10)


@pytest.mark.parametrize("degrees", [0, 3, 30, 45, 60, 90, 135, 180, 225, 270, 330])
def test_turned_text_has_turned_quads(reader: OcrEngine, degrees: int) -> None:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    content = words("two words", 150, 150, 20, f"{cos:.6f} {sin:.6f} {-sin:.6f} {cos:.6f}")
    (page,) = reader.recognize_document(make_pdf([Sheet(content, (300, 300))]), text_layer="only").pages
    line = only_line(page)
    assert [word.text for word in line.words] == ["two", "words"]
    quad = page.in_points(line.quad)
    assert math.degrees(math.atan2(quad[0][1] - quad[1][1], quad[1][0] - quad[0][0])) % 360 == pytest.approx(
        degrees, abs=0.01
    )
    wide, high = math.dist(quad[0], quad[1]), math.dist(quad[1], quad[2])
    # Near 45 degrees boxes cannot be told exactly, and are larger.
    slack = 12 if degrees % 90 == 45 else 1
    assert wide == pytest.approx(90, abs=slack + 3)
    assert high == pytest.approx(20, abs=slack + 5)


def test_a_scan_is_read_and_its_own_text_is_taken_where_it_has_some(two: OcrEngine) -> None:
    lines = [f"line {number} of a scanned page" for number in range(8)]
    picture = draw_text(lines)
    bare = scanned([picture])
    (page,) = two.recognize_document(bare, text_layer="auto").pages
    assert (page.origin, page.text.split("\n")) == ("ocr", lines)
    (page,) = two.recognize_document(bare, text_layer="only").pages
    assert (page.origin, page.text) == ("text layer", "")
    for text, origin in (("Scanned by a machine", "ocr"), ("what was read before " * 6, "text layer")):
        with pikepdf.open(io.BytesIO(bare)) as pdf:
            font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1)
            font.BaseFont = pikepdf.Name.Helvetica
            pdf.pages[0].obj.Resources.Font = pikepdf.Dictionary(F1=font)
            pdf.pages[0].contents_add(pikepdf.Stream(pdf, words(text, 20, 20, 5, mode=3).encode()))
            out = io.BytesIO()
            pdf.save(out)
        (page,) = two.recognize_document(out.getvalue(), text_layer="auto").pages
        assert page.origin == origin
        assert (page.text == text.strip()) == (origin == "text layer")


def glyphs(text: str) -> tuple[Glyph, ...]:
    """Letters in a row; a question mark is one that the file does not explain."""
    return tuple(
        Glyph("" if letter == "?" else letter, None if letter == " " else (10.0 * x, 0, 10.0 * x + 8, 10), 0.0)
        for x, letter in enumerate(text)
    )


@pytest.mark.parametrize(
    ("layer", "is_usable"),
    [
        (TextLayer(glyphs("text"), 0.0, has_notes=False), True),
        (TextLayer((), 0.0, has_notes=False), False),
        (TextLayer(glyphs("   "), 0.0, has_notes=False), False),
        (TextLayer(glyphs("text"), 0.0, has_notes=True), False),
        (TextLayer(glyphs("text"), 0.49, has_notes=False), True),
        (TextLayer(glyphs("text"), 1.0, has_notes=False), False),
        (TextLayer(glyphs("text" * 25), 1.0, has_notes=False), True),
        (TextLayer(glyphs("?" + "x" * 19), 0.0, has_notes=False), True),
        (TextLayer(glyphs("??" + "x" * 19), 0.0, has_notes=False), False),
        (TextLayer(glyphs("????"), 0.0, has_notes=False), False),
    ],
)
def test_a_text_layer_is_taken_where_it_is_likely_to_be_all_the_text(layer: TextLayer, *, is_usable: bool) -> None:
    assert layer.is_usable == is_usable


@given(
    st.lists(
        st.builds(
            Glyph,
            st.sampled_from(["a", " ", "\r", "\n", "", "\ud83d", "\ude00", "\u4e2d"]),
            st.none() | st.tuples(*[st.floats(-1e4, 1e4)] * 4),
            st.floats(-4, 7),
        ),
        max_size=40,
    )
)
def test_any_glyphs_make_a_page(found: list[Glyph]) -> None:
    page = TextLayer(tuple(found), 0.0, has_notes=False).page(10, 10, lambda point: point)
    page.text.encode()
    assert [line for block in page.blocks for line in block.lines] == list(page.lines)
    for line in page.lines:
        assert line.text == " ".join(word.text for word in line.words)
        assert all(math.isfinite(value) for point in line.quad for value in point)


def test_halves_of_characters_are_put_together() -> None:
    found = [Glyph(half, (x, 0, x + 1, 1), 0.0) for x, half in enumerate("\ud83d\ude00")]
    page = TextLayer(tuple(found), 0.0, has_notes=False).page(10, 10, lambda point: point)
    assert page.text == "\U0001f600"


# --- what is refused ----------------------------------------------------------------------------------------------


def encrypted(**options: object) -> bytes:
    """One page that says hello, encrypted."""
    with pikepdf.open(io.BytesIO(make_pdf([Sheet(HELLO)]))) as pdf:
        out = io.BytesIO()
        pdf.save(out, encryption=pikepdf.Encryption(**options))  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("strength", [2, 3, 4, 6])
def test_encrypted_files_open_with_their_passwords_alone(two: OcrEngine, tmp_path: Path, strength: int) -> None:
    options = {} if strength == 6 else {"aes": strength == 4, "metadata": strength == 4}
    content = encrypted(owner="lord", user="Müller" if strength > 4 else "user", R=strength, **options)
    file = tmp_path / "secret.pdf"
    file.write_bytes(content)
    for source in (content, file):
        with pytest.raises(EncryptedDocumentError, match="no password was given") as caught:
            two.recognize_document(source)
        assert isinstance(caught.value, PermissionError | ImageError)
        for wrong in ("", "User", "x" * 200):
            with pytest.raises(EncryptedDocumentError, match="does not open it") as caught:
                two.recognize_document(source, password=wrong)
            assert "User" not in str(caught.value)
        for right in ("Müller" if strength > 4 else "user", "lord"):
            assert two.recognize_document(source, password=right).text == "Iron tastes of rain"
    with pytest.raises(EncryptedDocumentError, match=r"secret\.pdf"):
        two.recognize_pages(file)
    # One that everybody may open, and that has a password for changing it.
    assert two.recognize_document(encrypted(owner="lord", user="")).text == "Iron tastes of rain"
    assert two.recognize_document(make_pdf([Sheet(HELLO)]), password="not asked for").text == "Iron tastes of rain"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7", "is damaged"),
        (b"%PDF-1.7\n" + b"rubbish " * 1000, "is damaged"),
        (make_pdf([]), "no pages|is damaged"),
        (numbered(3)[:300], "is damaged|no pages"),
        (
            make_pdf([Sheet()]).replace(b"/Type/Catalog", b"/Type/Nothing").replace(b"/Pages 2 0 R", b""),
            "damaged|no pages",
        ),
    ],
)
def test_broken_files_are_refused_by_name(two: OcrEngine, tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "broken.pdf"
    file.write_bytes(content)
    for _ in range(2):
        for method in (two.recognize_document, two.recognize_pages):
            with pytest.raises(DocumentError, match=says) as caught:
                method(file)
            assert not isinstance(caught.value, EncryptedDocumentError)
            assert "broken.pdf" in str(caught.value)
            assert caught.value.hint
            with pytest.raises(DocumentError, match="the document"):
                method(content)


def test_a_page_that_is_broken_is_an_error_in_its_place(two: OcrEngine, tmp_path: Path) -> None:
    file = tmp_path / "holes.pdf"
    # The second page's number leads to something else.
    file.write_bytes(numbered(3).replace(b"/Kids[4 0 R 5 0 R 6 0 R]", b"/Kids[4 0 R 3 0 R 6 0 R]"))
    for ahead in (0, 2):
        first, second, third = two.recognize_pages(file, ahead=ahead)
        assert isinstance(first, DocumentPage)
        assert isinstance(third, DocumentPage)
        assert (first.text, third.text) == ("sheet 1", "sheet 3")
        assert isinstance(second, DocumentError)
        assert (second.page, str(second).split("\n")[0]) == (2, f"page 2 of {file}: it is damaged")
    pages = two.recognize_pages(file, on_error="raise")
    assert next(pages).text == "sheet 1"
    with pytest.raises(DocumentError, match="page 2"):
        next(pages)
    assert not _open_files
    with pytest.raises(DocumentError, match="page 2"):
        two.recognize_document(file)
    document = two.recognize_document(file, on_error="return")
    assert [page.number for page in document.pages] == [1, 3]
    assert [error.page for error in document.errors] == [2]


@given(data=st.data())
def test_any_damage_ends_in_pages_or_errors(reader: OcrEngine, data: st.DataObject) -> None:
    content = bytearray(make_pdf([Sheet(HELLO), Sheet(words("more"))]))
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        for page in reader.recognize_pages(bytes(content), text_layer="only", dpi=20):
            assert str(page)
    except OcrError as error:
        assert str(error)


def test_a_timeout_is_an_error_of_each_page(two: OcrEngine) -> None:
    errors = list(two.recognize_pages(numbered(3), timeout=0))
    assert [type(error) for error in errors] == [OcrTimeoutError] * 3
    assert [error.page for error in errors if isinstance(error, OcrError)] == [1, 2, 3]
    assert two.recognize_document(numbered(1), timeout=60).text == "sheet 1"


def test_models_that_are_missing_end_it_all(tmp_path: Path) -> None:
    with OcrEngine(model_dir=tmp_path, download=False) as engine:
        with pytest.raises(ModelNotFoundError):
            engine.recognize_pages(numbered(2))
        pages = engine.recognize_pages(scanned([Image.new("L", (80, 80), 255)]), text_layer="auto")
        with pytest.raises(ModelNotFoundError):
            next(pages)
        assert engine.recognize_document(numbered(2), text_layer="auto").text == "sheet 1\n\nsheet 2"
