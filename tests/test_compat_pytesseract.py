"""pytesseract's functions: the shapes of their results, their options, and their errors."""

import inspect
import math
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

import ferrocr
from conftest import draw_text
from ferrocr import Block, Char, Line, OcrEngine, Page, Word, exceptions
from ferrocr.compat import pytesseract
from ferrocr.compat.pytesseract import Output, TesseractError, TesseractNotFoundError
from ferrocr.compat.pytesseract._config import DIGITS, Config, parsed
from ferrocr.compat.pytesseract._rows import shaped, text_of
from ferrocr.results import Quad
from searchable import pdfium, pdfium_text

HEAD = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"


def box(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def line(text: str, left: float, top: float, *, height: float = 10, wide: float = 10) -> Line:
    """A line whose characters are as wide as high."""
    words, x = [], left
    for part in text.split(" "):
        characters = tuple(
            Char(one, 0.9, box(x + place * wide, top, x + (place + 1) * wide, top + height))
            for place, one in enumerate(part)
        )
        words.append(Word(part, 0.9, box(x, top, x + len(part) * wide, top + height), characters))
        x += (len(part) + 1) * wide
    return Line(text, 0.9, box(left, top, x - wide, top + height), tuple(words))


def page(*blocks: list[Line]) -> Page:
    lines = tuple(one for block in blocks for one in block)
    made = tuple(Block(block[0].quad, tuple(block)) for block in blocks)
    return Page(400, 200, lines, made)


def turned(quad: Quad) -> Quad:
    """The quad on a page of 400x200 that was turned clockwise by a quarter."""
    a, b, c, d = ((200 - y, x) for x, y in quad)
    return a, b, c, d


RECEIPT = page(
    [line("ACME", 10, 10)], [line("milk", 10, 40), line("1.20", 300, 41)], [line("tea", 10, 55), line("2", 300, 55)]
)


class Fake:
    """Stands in for the engine; "reads" `page`."""

    page: Page = RECEIPT
    asked: dict[str, Any]
    error: BaseException | None = None

    def __init__(self, **options: object) -> None:
        type(self).asked = options

    def __enter__(self) -> "Fake":
        return self

    def __exit__(self, *exc_info: object) -> None: ...

    def free_resources(self) -> str:
        return "report"

    def recognize(self, image: object, **options: object) -> Page:
        type(self).asked = {**self.asked, **options, "image": image}
        if self.error is not None:
            raise self.error
        return self.page

    def recognize_pages(self, document: object, **options: object) -> Iterator[ferrocr.DocumentPage]:
        yield ferrocr.DocumentPage(1, self.recognize(document, **options), source=str(document))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Fake]]:
    """A fake in the place of the engine."""
    kind = type("Fake", (Fake,), {})
    pytesseract.free_resources()
    monkeypatch.setattr(ferrocr, "OcrEngine", kind)
    yield kind
    pytesseract.free_resources()


@pytest.fixture(scope="module")
def real(models_dir: Path) -> Iterator[Path]:
    """The real models, given back behind the last test here."""
    yield models_dir
    pytesseract.free_resources()


PICTURE = Image.new("L", (400, 200), 255)


def test_cells_beside_each_other_are_one_line(fake: type[Fake]) -> None:
    assert pytesseract.image_to_string(PICTURE) == "ACME\n\nmilk 1.20\ntea 2\n"


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (3, "a b\nc\n\nd\n"),
        (6, "a b d\nc\n"),
        (7, "a b d c\n"),
        (11, "a b\n\nc\n\nd\n"),
    ],
)
def test_modes_say_what_is_a_line(mode: int, text: str) -> None:
    two_columns = page([line("a b", 10, 10), line("c", 10, 30)], [line("d", 200, 11)])
    assert text_of(shaped(two_columns, mode)) == text


@pytest.mark.parametrize("mode", [3, 4, 6, 7, 11])
def test_no_word_is_lost_or_doubled_and_an_empty_page_is_empty(mode: int) -> None:
    words = sorted(word.text for one in shaped(RECEIPT, mode).lines for word in one.words)
    assert words == sorted(word.text for one in RECEIPT.lines for word in one.words)
    assert text_of(shaped(Page(4, 3, ()), mode)) == ""


def test_rows_of_a_turned_page_are_rows() -> None:
    lines = tuple(
        Line(one.text, one.score, turned(one.quad), tuple(Word(w.text, w.score, turned(w.quad)) for w in one.words))
        for one in RECEIPT.lines
    )
    result = shaped(Page(200, 400, lines), 6)
    assert text_of(result) == "ACME\nmilk 1.20\ntea 2\n"
    corners = np.asarray(result.lines[1].quad).round(6).tolist()
    assert corners == [[160, 10], [160, 340], [149, 340], [149, 10]]


@pytest.mark.parametrize("degrees", [-4, 3])
def test_rows_of_an_askew_page_are_rows(degrees: float) -> None:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def askew(quad: Quad) -> Quad:
        a, b, c, d = ((x * cos - y * sin + 20, x * sin + y * cos + 30) for x, y in quad)
        return a, b, c, d

    lines = [Line(one.text, one.score, askew(one.quad), ()) for one in RECEIPT.lines]
    blocks = tuple(Block(block[0].quad, tuple(block)) for block in (lines[:1], lines[1:3], lines[3:]))
    tilted = Page(450, 260, tuple(lines), blocks)
    # The cells of a row are 290 pixels apart, so one stands 15 to 20 pixels, two heights, below the other.
    assert text_of(shaped(tilted, 3)) == "ACME\n\nmilk 1.20\ntea 2\n"
    assert text_of(shaped(tilted, 6)) == "ACME\nmilk 1.20\ntea 2\n"


def test_spaces_are_kept_where_that_is_asked_for(fake: type[Fake]) -> None:
    text = pytesseract.image_to_string(PICTURE, config="-c preserve_interword_spaces=1")
    assert text.split("\n")[2:4] == ["milk" + " " * 25 + "1.20", "tea" + " " * 26 + "2"]


def test_data_have_the_columns_of_tesseract(fake: type[Fake]) -> None:
    text = pytesseract.image_to_data(PICTURE)
    rows = [row.split("\t") for row in text.splitlines()]
    assert text.startswith(HEAD + "1\t1\t0\t0\t0\t0\t0\t0\t400\t200\t-1\t\n")
    assert ["5", "1", "2", "1", "1", "2", "300", "41", "40", "10", "90.000000", "1.20"] in rows
    table = pytesseract.image_to_data(PICTURE, output_type=Output.DICT)
    assert list(table) == HEAD.split()
    assert [word for word in table["text"] if word] == ["ACME", "milk", "1.20", "tea", "2"]
    assert {type(value) for name in table if name != "text" for value in table[name]} == {int}
    assert pytesseract.image_to_data(PICTURE, output_type=Output.BYTES) == text.encode()


def test_data_as_a_table_of_pandas(fake: type[Fake]) -> None:
    table = pytesseract.image_to_data(PICTURE, output_type=Output.DATAFRAME)
    assert list(table.columns) == HEAD.split()
    assert table[table.level == 5].conf.round(3).unique().tolist() == [90.0]
    few = pytesseract.image_to_data(PICTURE, output_type=Output.DATAFRAME, pandas_config={"nrows": 3})
    assert len(few) == 3


def test_pandas_that_is_not_there_is_said(fake: type[Fake], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(pytesseract.PandasNotSupported, match="pip install pandas"):
        pytesseract.image_to_data(PICTURE, output_type=Output.DATAFRAME)


def test_boxes_are_counted_from_below(fake: type[Fake]) -> None:
    assert pytesseract.image_to_boxes(PICTURE).splitlines()[:2] == ["A 10 180 20 190 0", "C 20 180 30 190 0"]
    assert fake.asked["characters"] is True
    table = pytesseract.image_to_boxes(PICTURE, output_type=Output.DICT)
    assert "".join(table["char"]) == "ACMEmilk1.20tea2"
    assert (table["bottom"][0], table["page"][0]) == (180, 0)


def test_nothing_read_has_the_shapes_of_tesseract(fake: type[Fake]) -> None:
    fake.page = Page(300, 200, ())
    assert pytesseract.image_to_string(PICTURE) == ""
    assert pytesseract.image_to_data(PICTURE) == HEAD + "1\t1\t0\t0\t0\t0\t0\t0\t300\t200\t-1\t\n"
    assert (pytesseract.image_to_boxes(PICTURE), pytesseract.image_to_boxes(PICTURE, output_type="dict")) == ("", {})
    with pytest.raises(TesseractError, match="Too few characters"):
        pytesseract.image_to_osd(PICTURE)


@pytest.mark.parametrize(("quarters", "orientation", "rotate"), [(0, 0, 0), (1, 90, 270), (2, 180, 180), (3, 270, 90)])
def test_the_turn_is_told_as_tesseract_tells_it(fake: type[Fake], quarters: int, orientation: int, rotate: int) -> None:
    quad = box(10, 10, 200, 20)
    for _ in range(quarters):
        quad = turned(quad)
    fake.page = Page(400, 400, (Line("Lighthouse Paper Mill", 1.0, quad, ()),))
    told = pytesseract.image_to_osd(PICTURE, output_type=Output.DICT)
    assert told == {
        "page_num": 0,
        "orientation": orientation,
        "rotate": rotate,
        "orientation_conf": 20.0,
        "script": "Latin",
        "script_conf": 10.0,
    }
    assert fake.asked["languages"] is None
    assert pytesseract.image_to_osd(PICTURE).splitlines()[2] == f"Rotate: {rotate}"


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("今日は良い天気", "Japanese"),
        ("中文文本 ABC", "Han"),
        ("Привет A", "Cyrillic"),
        ("한국어", "Korean"),
        ("47", "NULL"),
    ],
)
def test_scripts_have_tesseracts_names(fake: type[Fake], text: str, script: str) -> None:
    fake.page = page([line(text, 10, 10)])
    assert pytesseract.image_to_osd(PICTURE, output_type=Output.DICT)["script"] == script


def test_several_files_are_made_of_one_reading(fake: type[Fake]) -> None:
    fake.page = page([line("one", 10, 10)])
    text, hocr, alto = pytesseract.run_and_get_multiple_output(PICTURE, ["txt", "hocr", "xml"])
    assert text == "one\n"
    assert b"ocrx_word" in hocr
    assert "<alto" in alto
    assert pytesseract.image_to_alto_xml(PICTURE) == alto.encode()
    assert pytesseract.image_to_pdf_or_hocr(PICTURE, extension="hocr") == hocr
    assert pytesseract.run_and_get_output(PICTURE, "txt", return_bytes=True) == b"one\n"


@pytest.mark.parametrize(
    ("config", "lang", "expected"),
    [
        ("", None, Config()),
        ("--psm 6 --oem 1", "deu", Config(mode=6, languages=("de",))),
        ("--psm=11 -l eng+fra", "deu", Config(mode=11, languages=("en", "fr"))),
        ("--dpi 200 -c page_separator=''", "mul", Config(languages=None, dpi=200, separator="")),
        ("-c user_defined_dpi=70 -c hocr_char_boxes=1", "osd", Config(languages=None, dpi=70, has_characters=True)),
        ("digits", "eng", Config(allowed=DIGITS)),
        ("-ctessedit_char_whitelist=ABC quiet", "en", Config(allowed="ABC")),
        ("-c tessedit_char_blacklist=", "eng", Config()),
        ('--tessdata-dir "/a b" -c tessedit_create_hocr=1', "osd+eng", Config()),
    ],
)
def test_configurations_are_followed(config: str, lang: str | None, expected: Config) -> None:
    assert parsed(config, lang) == expected


@pytest.mark.parametrize(
    ("config", "lang", "told"),
    [
        ("--psm 2", None, "--psm 2 is not among"),
        ("--psm 14", None, "--psm 14 is not among"),
        ("--psm", None, "--psm has no value"),
        ("--psm 'x", None, "no command line"),
        ("--zoom 3", None, "unknown command line argument 'zoom'"),
        ("--dpi 0", None, "dpi is a number"),
        ("-c nothing", None, "has no value"),
        ("-c tessedit_char_blacklist=abc", None, "does not follow -c tessedit_char_blacklist"),
        ("--user-words words.txt", None, "does not follow --user-words"),
        ("bazaar", None, "no configuration 'bazaar'"),
        ("", "xxx+eng", "does not know the language xxx"),
        ("-l klingon", "eng", "does not know the language klingon"),
    ],
)
def test_what_cannot_be_followed_is_refused(config: str, lang: str | None, told: str) -> None:
    with pytest.raises(TesseractError, match=told) as caught:
        parsed(config, lang)
    assert caught.value.status == 1
    assert caught.value.message == caught.value.args[1]


def test_variables_of_tesseracts_steps_are_ignored_with_a_warning(fake: type[Fake]) -> None:
    with pytest.warns(UserWarning, match="ignores Tesseract's variable textord_heavy_nr") as caught:
        pytesseract.image_to_string(PICTURE, config="-c textord_heavy_nr=1")
    assert caught[0].filename == __file__


def test_characters_that_may_come_out_are_handed_on(fake: type[Fake], monkeypatch: pytest.MonkeyPatch) -> None:
    def recognize(self: object, image: object, *, characters: bool, timeout: float | None, allow: str) -> Page:
        return page([line(allow, 10, 10)])

    monkeypatch.setattr(fake, "recognize", recognize)
    assert pytesseract.image_to_string(PICTURE, config="digits") == f"{DIGITS} \n"


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (exceptions.OcrTimeoutError("late"), RuntimeError, "^Tesseract process timeout$"),
        (exceptions.ModelNotFoundError("no model", "pull it"), TesseractNotFoundError, "no model\npull it"),
        (exceptions.RuntimeUnavailableError("no runtime"), EnvironmentError, "no runtime"),
        (exceptions.ImageError("no picture"), TesseractError, "no picture"),
    ],
)
def test_errors_are_those_that_programs_expect(
    fake: type[Fake], error: Exception, kind: type[Exception], told: str
) -> None:
    fake.error = error
    with pytest.raises(kind, match=told) as caught:
        pytesseract.image_to_string(PICTURE, timeout=2)
    assert caught.value.__cause__ is error
    assert fake.asked["timeout"] == 2


def test_a_timeout_of_zero_is_none(fake: type[Fake]) -> None:
    pytesseract.image_to_string(PICTURE, nice=5, timeout=0)
    assert fake.asked["timeout"] is None


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda: pytesseract.image_to_string(cast("Any", 3)), TypeError),
        (lambda: pytesseract.image_to_string(PICTURE, output_type="xml"), ValueError),
        (lambda: pytesseract.image_to_pdf_or_hocr(PICTURE, extension="txt"), ValueError),
        (lambda: pytesseract.run_and_get_output(PICTURE, "docx"), ValueError),
        (lambda: pytesseract.image_to_string(PICTURE, config="--psm 0"), TesseractError),
    ],
)
def test_wrong_arguments_are_refused(fake: type[Fake], call: Callable[[], object], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        call()


def test_an_exif_turn_is_left_alone_as_tesseract_does(fake: type[Fake], tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    PICTURE.save(path, exif=exif)
    for image in (path, Image.open(path)):
        pytesseract.image_to_string(image)
        assert ferrocr._engine._inputs.normalise(fake.asked["image"], lambda *_: None)[1:3] == (400, 200)


def test_options_of_the_engine_hold_for_those_made_later(fake: type[Fake]) -> None:
    pytesseract.image_to_string(PICTURE)
    assert fake.asked["idle_unload"] == 60
    try:
        pytesseract.configure(preset="fast", idle_unload=None)
        pytesseract.image_to_string(PICTURE, lang="deu")
        assert (fake.asked["preset"], fake.asked["idle_unload"], fake.asked["languages"]) == ("fast", None, ("de",))
        with pytest.raises(TypeError, match="languages come with each call"):
            pytesseract.configure(languages=["de"])
    finally:
        pytesseract.configure()


def test_wrong_options_of_the_engine_are_refused_at_once() -> None:
    with pytest.raises(exceptions.InvalidArgumentError):
        pytesseract.configure(preset="slow")
    with pytest.raises(TypeError):
        pytesseract.configure(presets="fast")


def test_languages_are_those_that_a_recogniser_reads() -> None:
    languages = pytesseract.get_languages()
    assert {"eng", "deu", "chi_sim", "rus", "osd"} <= set(languages)
    assert not {"amh", "en"} & set(languages)
    assert pytesseract.get_languages(config="--tessdata-dir /nowhere", cached=True) == languages == sorted(languages)


def test_the_version_is_one_that_programs_take() -> None:
    version = pytesseract.get_tesseract_version()
    assert version.major == 5
    assert str(version) == f"5.3.0+ferrocr.{ferrocr.__version__}"


def test_the_module_is_found_where_programs_set_the_command() -> None:
    assert pytesseract.pytesseract.image_to_string is pytesseract.image_to_string
    assert pytesseract.pytesseract.tesseract_cmd == "tesseract"


@pytest.mark.skipif(find_spec("pytesseract") is None, reason="pytesseract is not installed")
def test_names_and_arguments_are_those_of_pytesseract() -> None:
    import pytesseract as host

    names = [name for name, value in vars(host).items() if callable(value)]
    assert len(names) >= 14
    assert {name for name in names if not hasattr(pytesseract, name)} == set()
    for name in names:
        theirs, ours = getattr(host, name), getattr(pytesseract, name)
        if inspect.isfunction(theirs) and name not in {"get_languages", "get_tesseract_version"}:
            expected = [(one.name, one.default) for one in inspect.signature(theirs).parameters.values()]
            assert [(one.name, one.default) for one in inspect.signature(ours).parameters.values()] == expected, name
    assert {name: value for name, value in vars(host.Output).items() if name.isupper()} == {
        name: value for name, value in vars(Output).items() if name.isupper()
    }


@pytest.mark.skipif(find_spec("pytesseract") is None, reason="pytesseract is not installed")
def test_tables_are_taken_apart_as_pytesseract_does(fake: type[Fake]) -> None:
    from pytesseract.pytesseract import file_to_dict, osd_to_dict

    data = pytesseract.image_to_data(PICTURE)
    assert pytesseract.image_to_data(PICTURE, output_type="dict") == file_to_dict(data, "\t", -1)
    boxes = "char left bottom right top page\n" + pytesseract.image_to_boxes(PICTURE)
    assert pytesseract.image_to_boxes(PICTURE, output_type="dict") == file_to_dict(boxes, " ", 0)
    assert pytesseract.image_to_osd(PICTURE, output_type="dict") == osd_to_dict(pytesseract.image_to_osd(PICTURE))


def test_forms_of_a_picture_are_read_alike(real: Path, picture_file: Path) -> None:
    image = Image.open(picture_file)
    forms: list[Any] = [str(picture_file), picture_file, picture_file.read_bytes(), image, np.asarray(image)]
    assert {pytesseract.image_to_string(form) for form in forms} == {"Iron tastes of rain\nOrder 4711 paid\n"}
    upside_down = image.rotate(180)
    assert pytesseract.image_to_osd(upside_down, output_type="dict")["rotate"] == 180


def test_crops_and_pages(real: Path, picture_file: Path, tmp_path: Path) -> None:
    image = Image.open(picture_file)
    assert pytesseract.image_to_string(image.crop((28, 80, 120, 124)), config="--psm 8") == "Order\n"
    path = tmp_path / "two.tif"
    image.save(path, save_all=True, append_images=[draw_text(["Second page"])])
    assert pytesseract.image_to_string(path).split("\f")[1] == "Second page\n"
    assert pytesseract.image_to_data(path, output_type="dict")["page_num"][-1] == 2


def test_a_pdf_has_the_text_and_the_size(real: Path, picture_file: Path) -> None:
    image = Image.open(picture_file)
    for form in (picture_file, image, picture_file.read_bytes()):
        made = pytesseract.image_to_pdf_or_hocr(form, config="--dpi 150")
        assert "Order 4711 paid" in pdfium_text(made)
        with pdfium().PdfDocument(made) as pdf:
            assert pdf[0].get_size() == pytest.approx((432, 92.16), abs=0.5)


def test_missing_files_are_errors_of_tesseract(real: Path) -> None:
    with pytest.raises(TesseractError, match=r"nowhere\.png"):
        pytesseract.image_to_string("nowhere.png")


def test_threads_share_an_engine_that_another_one_gives_back(real: Path, picture_file: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        texts = [pool.submit(pytesseract.image_to_string, picture_file) for _ in range(8)]
        pool.submit(pytesseract.free_resources).result()
        assert {text.result() for text in texts} == {"Iron tastes of rain\nOrder 4711 paid\n"}


def test_warnings_of_lost_text_go_through(fake: type[Fake], monkeypatch: pytest.MonkeyPatch) -> None:
    def recognize(self: object, image: object, **_options: object) -> Page:
        warnings.warn("2 lines were not read", RuntimeWarning, stacklevel=1)
        return RECEIPT

    monkeypatch.setattr(fake, "recognize", recognize)
    with pytest.warns(RuntimeWarning, match="not read"):
        pytesseract.image_to_string(PICTURE)


def test_the_engine_is_the_one_that_users_know() -> None:
    assert isinstance(pytesseract._engines.engines.engine(("en",)), OcrEngine)
    pytesseract.free_resources()
