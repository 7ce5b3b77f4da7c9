"""OCRmyPDF with ferrocr as its engine: the real program in processes of its own."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from conftest import draw_text
from ferrocr import Line, OcrEngine, Page, Word
from ferrocr._languages import KNOWN, languages_of
from ferrocr.formats._layout import direction_of
from pdf_files import Sheet as PdfSheet
from pdf_files import make_pdf, words
from searchable import check, found_boxes, line_of, pdfium, pdfium_text

if find_spec("ocrmypdf") is None:
    pytest.skip("OCRmyPDF is not installed", allow_module_level=True)

from ferrocr.integrations.ocrmypdf._pages import element_of, skew_of, text_of_page
from ferrocr.ocrmypdf_plugin import FerrocrEngine

TEXT = [
    "Iron tastes of rain today",
    "Order 4711 was paid in full",
    "Lighthouse Paper Mill Ltd",
    "Deliver before the ninth",
    "of November to the harbour",
]
DPI = 150


@pytest.fixture(scope="session")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder without programs."""
    return tmp_path_factory.mktemp("no programs")


@pytest.fixture
def ocrmypdf(models_dir: Path, nothing: Path, tmp_path: Path) -> "Program":
    """OCRmyPDF where neither Tesseract nor Ghostscript nor any other program is found."""
    return Program(models_dir, nothing, tmp_path)


class Program:
    """A way to run OCRmyPDF."""

    def __init__(self, models: Path, path: Path | str, folder: Path) -> None:
        self._folder = folder
        python = os.pathsep.join(entry for entry in sys.path if entry)
        self._environment = {
            **os.environ,
            "PATH": str(path),
            "PYTHONPATH": python,
            "PYTHONWARNINGS": "always::ResourceWarning",
            "FERROCR_MODEL_DIR": str(models),
            "FERROCR_OFFLINE": "1",
        }

    def __call__(self, source: bytes, *arguments: str, code: int = 0, engine: str | None = "ferrocr") -> "Result":
        """Run it."""
        file, out = self._folder / "in.pdf", self._folder / "out.pdf"
        file.write_bytes(source)
        out.unlink(missing_ok=True)
        # Where the package was installed, OCRmyPDF has found the plugin by itself.
        is_known = any(point.value == "ferrocr.ocrmypdf_plugin" for point in entry_points(group="ocrmypdf"))
        plugin = [] if is_known else ["--plugin", "ferrocr.ocrmypdf_plugin"]
        chosen = [] if engine is None else ["--ocr-engine", engine]
        sidecar = self._folder / "out.txt"
        command = [
            sys.executable,
            "-m",
            "ocrmypdf",
            *plugin,
            *chosen,
            "--output-type",
            "pdf",
            "--sidecar",
            str(sidecar),
        ]
        done = subprocess.run(
            [*command, "--output-type", "pdf", "--sidecar", str(sidecar), *arguments, str(file), str(out)],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == code, done.stderr
        assert "ResourceWarning" not in done.stderr
        if code:
            assert not out.exists()
            return Result(b"", "", done.stderr)
        return Result(out.read_bytes(), sidecar.read_text(encoding="utf-8"), done.stderr)


class Result:
    """What came out."""

    def __init__(self, content: bytes, sidecar: str, messages: str) -> None:
        self.content, self.sidecar, self.messages = content, sidecar, messages

    def lines(self, number: int = 1) -> list[str]:
        """What a page says, without empty lines."""
        return [line.strip() for line in pdfium_text(self.content, number).split("\n") if line.strip()]


def scan(pictures: Sequence[Image.Image]) -> bytes:
    """A PDF of pictures, without loss."""
    out = io.BytesIO()
    pictures[0].save(out, "PDF", resolution=DPI, save_all=True, append_images=list(pictures[1:]))
    return out.getvalue()


def askew(picture: Image.Image, clockwise: float) -> Image.Image:
    """The picture turned by some degrees."""
    return picture.rotate(-clockwise, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)


def sheet(lines: Sequence[str] = TEXT) -> Image.Image:
    """A page of text, with paper around it."""
    paper = Image.new("L", (900, 1200), 255)
    paper.paste(draw_text(list(lines), width=700), (100, 150))
    return paper


def check_places(content: bytes, word: str, number: int = 1) -> None:
    """Hold that a word lies where its ink is."""
    with pdfium().PdfDocument(content) as document:
        picture = document[number - 1].render(scale=2).to_pil().convert("L")
    left, top, right, bottom = dict(found_boxes(content, picture.size, number))[word]
    ink = picture.crop((round(left) - 4, round(top) - 4, round(right) + 4, round(bottom) + 4))
    box = ink.point(lambda value: 255 * (value < 128)).getbbox()
    assert box is not None
    # The letters fill the box from one side to the other.
    assert box[0] < 12
    assert box[2] > ink.width - 12


# --- the program --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [[], ["--pdf-renderer", "sandwich"], ["--no-use-threads"]])
def test_scans_become_searchable_without_any_other_program(ocrmypdf: Program, more: list[str]) -> None:
    pages = [sheet(), sheet(["The second page", "has other words"]), sheet(["And the third"])]
    result = ocrmypdf(scan(pages), "--jobs", "2", *more)
    check(result.content)
    assert result.lines() == TEXT
    assert result.lines(2) == ["The second page", "has other words"]
    assert result.lines(3) == ["And the third"]
    assert [page.split() for page in result.sidecar.split("\f")[:2]] == [
        " ".join(TEXT).split(),
        ["The", "second", "page", "has", "other", "words"],
    ]
    for word in ("tastes", "4711", "Mill"):
        check_places(result.content, word)


def test_it_is_chosen_by_itself_where_there_is_no_tesseract(ocrmypdf: Program) -> None:
    assert ocrmypdf(scan([sheet()]), engine=None).lines() == TEXT
    assert "tesseract" in ocrmypdf(scan([sheet()]), engine="tesseract", code=3).messages


def test_tesseract_stays_the_choice_where_it_is(models_dir: Path, tmp_path: Path) -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("Tesseract is not installed")
    program = Program(models_dir, os.environ["PATH"], tmp_path)
    result = program(scan([sheet()]), "-l", "eng", engine=None)
    with pdfium().PdfDocument(result.content) as document:
        assert "Tesseract" in document.get_metadata_value("Creator")
    with pdfium().PdfDocument(program(scan([sheet()])).content) as document:
        assert "ferrocr" in document.get_metadata_value("Creator")


def test_pages_are_turned_upright(ocrmypdf: Program, engine: OcrEngine) -> None:
    turned = [sheet().rotate(-angle, expand=True) for angle in (0, 90, 180, 270)]
    result = ocrmypdf(scan(turned), "--rotate-pages")
    for number in range(1, 5):
        assert result.lines(number) == TEXT
        check_places(result.content, "Order", number)
        with pdfium().PdfDocument(result.content) as document:
            page = engine.recognize(document[number - 1].render(scale=2).to_pil())
        assert direction_of(page.lines)[0] == 0


def test_pages_are_set_straight(ocrmypdf: Program, engine: OcrEngine) -> None:
    result = ocrmypdf(scan([askew(sheet(), 3), askew(sheet(), -2), askew(sheet().rotate(180), 2)]), "--deskew", "-r")
    for number in range(1, 4):
        assert result.lines(number) == TEXT
        check_places(result.content, "Order", number)
        with pdfium().PdfDocument(result.content) as document:
            page = engine.recognize(document[number - 1].render(scale=2).to_pil())
        assert abs(skew_of(page.lines)) < 0.3
        assert direction_of(page.lines)[0] == 0


@pytest.mark.parametrize("angle", [2, -3])
@pytest.mark.parametrize("renderer", ["fpdf2", "sandwich"])
def test_text_lies_on_lines_that_stay_askew(ocrmypdf: Program, angle: float, renderer: str) -> None:
    result = ocrmypdf(scan([askew(sheet(), angle)]), "--pdf-renderer", renderer)
    assert result.lines() == TEXT
    with pdfium().PdfDocument(result.content) as document:
        picture = document[0].render(scale=2).to_pil().convert("L")
    for word, (left, top, right, bottom) in found_boxes(result.content, picture.size):
        inside = picture.crop((round(left), round(top), round(right), round(bottom)))
        ink = inside.point(lambda value: 255 * (value < 128)).getbbox()
        assert ink is not None, word
        assert (ink[2] - ink[0]) > 0.7 * inside.width, word


def test_languages_are_those_of_tesseract(ocrmypdf: Program) -> None:
    picture = sheet(["Fahrt von Bonn nach Berlin"])
    assert ocrmypdf(scan([picture]), "-l", "deu+eng").lines() == ["Fahrt von Bonn nach Berlin"]
    messages = ocrmypdf(scan([picture]), "-l", "eng+klingon", code=1).messages
    assert "does not know the language klingon" in messages
    assert "chi_sim" in messages
    # No model knows Hebrew, and that for Greek is not here: both are told before any page is worked on.
    for language, code, says in (("heb", 1, "cannot read Hebrew"), ("ell", 3, "el_PP-OCRv5_rec_mobile.onnx")):
        messages = ocrmypdf(scan([picture]), "-l", language, code=code).messages
        assert says in messages
        assert "Starting processing" not in messages


def test_pages_with_text_are_left_alone_or_read_again(ocrmypdf: Program) -> None:
    both = make_pdf([PdfSheet(words("written text"))])
    assert "already" in ocrmypdf(both, code=6).messages.lower()
    assert ocrmypdf(both, "--skip-text").lines() == ["written text"]
    assert ocrmypdf(both, "--force-ocr").lines() == ["written text"]
    first = ocrmypdf(scan([sheet()])).content
    assert ocrmypdf(first, "--redo-ocr").lines() == TEXT


def test_clean_works(models_dir: Path, tmp_path: Path) -> None:
    if shutil.which("unpaper") is None:
        pytest.skip("unpaper is not installed")
    program = Program(models_dir, os.environ["PATH"], tmp_path)
    assert program(scan([sheet()]), "--clean").lines() == TEXT


def test_a_page_that_takes_too_long_stays_without_text(ocrmypdf: Program) -> None:
    result = ocrmypdf(scan([sheet()]), "--ferrocr-timeout", "0.000001")
    assert result.lines() == []
    assert "took too long" in result.messages


def test_missing_models_are_told_before_work_begins(ocrmypdf: Program, tmp_path: Path) -> None:
    result = ocrmypdf(scan([sheet()]), "--ferrocr-model-dir", str(tmp_path / "none"), code=3)
    assert result.messages.count("ferrocr models pull") == 1
    assert "no-such-set" in ocrmypdf(scan([sheet()]), "--ferrocr-models", "no-such-set", code=1).messages
    assert ocrmypdf(scan([sheet()]), "--ferrocr-preset", "fast").lines() == TEXT


def test_a_blank_page_is_no_problem(ocrmypdf: Program) -> None:
    assert ocrmypdf(scan([Image.new("L", (600, 800), 255)]), "-r", "--deskew").lines() == []


# --- what it is made of -------------------------------------------------------------------------------------------


def test_every_language_is_one_that_engines_know() -> None:
    for code in sorted(set(KNOWN.values())):
        OcrEngine(languages=[code])
    assert languages_of(["eng", "deu"]) == ("en", "de")
    assert languages_of(["chi_sim", "eng", "zho"]) == ("zh", "en")
    assert languages_of(["eng", "mul"]) is None


@dataclass
class OptionsOfOne:
    """What OCRmyPDF's options would be."""

    languages: list[str] = field(default_factory=lambda: ["eng"])
    jobs: int | None = 1
    use_threads: bool = True
    extra_attrs: dict[str, object] = field(default_factory=dict)
    ferrocr_model_dir: str | None = None


def test_hocr_is_there_too(models_dir: Path, tmp_path: Path) -> None:
    picture, hocr, text = tmp_path / "a.png", tmp_path / "a.hocr", tmp_path / "a.txt"
    sheet().save(picture, dpi=(DPI, DPI))
    FerrocrEngine.generate_hocr(picture, hocr, text, OptionsOfOne(ferrocr_model_dir=str(models_dir)))
    assert "ocrx_word" in hocr.read_text(encoding="utf-8")
    assert text.read_text(encoding="utf-8").split() == " ".join(TEXT).split()


def turned_lines(angle: float, texts: Sequence[str]) -> list[Line]:
    """Lines that run at an angle, clockwise on the screen."""
    from math import radians

    return [line_of(text, 300, 300, 20, radians(angle)) for text in texts]


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
@pytest.mark.parametrize("skew", [-9, -2.5, 0, 4])
def test_lines_tell_how_a_page_is_turned(angle: int, skew: float) -> None:
    lines = turned_lines(angle + skew, TEXT)
    found, certainty = direction_of(lines)
    assert found == angle
    assert certainty == pytest.approx(20)
    assert skew_of(lines) == pytest.approx(skew, abs=0.01)


def test_nothing_is_certain_of_a_page_with_little_or_contrary_text() -> None:
    assert direction_of([]) == (0, 0.0)
    assert skew_of([]) == 0.0
    assert direction_of(turned_lines(180, ["no"]))[1] < 3
    assert direction_of([*turned_lines(180, TEXT[:3]), *turned_lines(0, TEXT[3:])])[1] < 8
    # A heading that is set aslant says nothing of the page.
    assert skew_of([*turned_lines(0, TEXT), *turned_lines(30, ["a very long heading aslant"])]) == 0


def test_a_page_becomes_a_tree() -> None:
    line = line_of("a\0b rain", 10, 10)
    page = Page(
        600, 400, (line, Line("alone", 0.5, line.quad, ()), Line("", 2.0, line.quad, (Word("", 2.0, line.quad),)))
    )
    tree = element_of(page, 200, 3)
    assert (tree.dpi, tree.page_number) == (200, 3)
    ((first, second, third),) = [paragraph.children for paragraph in tree.children]
    assert [(word.text, word.confidence) for word in first.children] == [("a�b", 1.0), ("rain", 1.0)]
    assert [word.text for word in second.children] == ["alone"]
    assert third.children == []
    assert text_of_page(page) == "a�b rain\nalone\n\n"
