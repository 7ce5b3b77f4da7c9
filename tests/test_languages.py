"""The recogniser's head apart from its model, and engines that are told the languages of their pictures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import DETECTOR, RECOGNIZER, draw_text
from ferrocr import InvalidArgumentError, ModelNotFoundError, OcrEngine, Page, catalog

LINES = ["The quick brown fox jumps", "over 13 lazy dogs, 24/7.", "Total: $1,234.56 (incl. VAT)"]


@pytest.fixture(scope="module")
def whole_model(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default recogniser with a second, empty part of its graph.

    The runtime puts the parts of a message together, but heads are only taken off graphs that are in one part.
    """
    path = tmp_path_factory.mktemp("whole") / RECOGNIZER
    path.write_bytes((models_dir / RECOGNIZER).read_bytes() + b"\x3a\x00")
    return path


def engine_of(models_dir: Path, recognizer: Path | None, languages: list[str] | None) -> OcrEngine:
    """An engine that reads on one thread, so that its sums are the same each time."""
    return OcrEngine(
        recognizer=recognizer, model_dir=models_dir, provider="cpu", threads=1, languages=languages, download=False
    )


@pytest.fixture(scope="module", params=[None, ["en"], ["de", "en"], ["zh"]], ids=str)
def both(request: pytest.FixtureRequest, models_dir: Path, whole_model: Path) -> Iterator[tuple[OcrEngine, OcrEngine]]:
    """The same engine with a whole and with a cut recogniser."""
    with engine_of(models_dir, whole_model, request.param) as whole, engine_of(models_dir, None, request.param) as cut:
        yield whole, cut


def scores(page: Page) -> list[float]:
    """Of all lines and words."""
    return [score for line in page.lines for score in (line.score, *(word.score for word in line.words))]


@pytest.mark.parametrize("size", [14, 30, 70])
def test_a_cut_recogniser_reads_what_the_whole_one_reads(both: tuple[OcrEngine, OcrEngine], size: int) -> None:
    picture = draw_text(LINES, size=size, width=size * 20)
    whole, cut = (engine.recognize(picture) for engine in both)
    assert cut.text == whole.text
    assert scores(cut) == pytest.approx(scores(whole), abs=1e-4)
    assert [line.quad for line in cut.lines] == [line.quad for line in whole.lines]


def test_english_reads_english(models_dir: Path) -> None:
    with engine_of(models_dir, None, ["en"]) as ocr:
        assert ocr.recognize(draw_text(LINES)).text == "\n".join(LINES)


def test_letters_of_other_scripts_do_not_come_out(models_dir: Path) -> None:
    with engine_of(models_dir, None, ["zh-Hani"]) as ocr:
        text = ocr.recognize(draw_text(LINES), min_score=0.0).text
    assert "24/7" in text
    assert not any(character.isascii() and character.isalpha() for character in text)


def test_chinese_keeps_latin_letters(models_dir: Path) -> None:
    with engine_of(models_dir, None, ["chi_sim"]) as ocr:
        assert ocr.recognize(draw_text(LINES)).text == "\n".join(LINES)


def test_languages_choose_the_recogniser(models_dir: Path) -> None:
    for languages, name in (
        (["en", "deu"], RECOGNIZER),
        (["ru"], "eslav_PP-OCRv5_rec_mobile.onnx"),
        (["bul", "en"], "cyrillic_PP-OCRv5_rec_mobile.onnx"),
    ):
        assert name in repr(OcrEngine(languages=languages, model_dir=models_dir, download=False))
    with engine_of(models_dir, None, ["ru"]) as ocr, pytest.raises(ModelNotFoundError, match="eslav_PP-OCRv5"):
        ocr.load()
    with pytest.raises(InvalidArgumentError, match="no recogniser reads all of ru, th"):
        OcrEngine(languages=["ru", "th"])
    assert "own.onnx" in repr(OcrEngine(languages=["ru"], recognizer="own.onnx"))


def test_the_catalog_has_languages_by_their_usual_codes() -> None:
    reads = {entry.name: entry.languages for entry in catalog()}
    assert reads["ka_PP-OCRv4_rec_mobile.onnx"] == ("en", "kn")
    assert {"zh", "en", "de", "ja"} <= set(reads[RECOGNIZER])
    assert reads[DETECTOR] == ()


@pytest.mark.parametrize(
    ("languages", "says"),
    [(["xx"], '"xx"'), (["en", "EN"], 'did you mean "en"'), ([], "no language"), ("en", "is a list")],
)
def test_what_is_no_list_of_codes_is_refused_at_once(languages: list[str], says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        OcrEngine(languages=languages)


def test_a_language_that_the_recogniser_does_not_know_is_refused_at_load(models_dir: Path) -> None:
    with engine_of(models_dir, models_dir / RECOGNIZER, ["ru"]) as ocr, pytest.raises(InvalidArgumentError) as caught:
        ocr.load()
    for part in ("Russian", RECOGNIZER, "Cyrillic", "ferrocr.catalog()"):
        assert part in str(caught.value)


def test_a_language_of_which_the_recogniser_lacks_letters_is_refused_at_load(models_dir: Path) -> None:
    with engine_of(models_dir, models_dir / RECOGNIZER, ["vi"]) as ocr, pytest.raises(InvalidArgumentError) as caught:
        ocr.load()
    for part in ("Vietnamese", RECOGNIZER, "of 134", "\u1ea3 \u1ea1", "ferrocr.catalog()"):
        assert part in str(caught.value)
