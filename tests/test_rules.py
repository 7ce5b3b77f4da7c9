"""Rules for the text of a line: characters, a pattern, words; in every call and on the command line."""

import asyncio
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conftest import RECOGNIZER, draw_text
from fake_engine import Captured, FakeEngine
from ferrocr import InvalidArgumentError, OcrEngine, Page
from ferrocr._core import Rules
from ferrocr.cli import main

LINES = ["Order 4711 paid", "12o34", "AB-1234", "green red"]


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return draw_text(LINES, size=30, width=400)


@pytest.fixture
def file(picture: Image.Image, tmp_path: Path) -> Path:
    picture.save(tmp_path / "page.png")
    return tmp_path / "page.png"


def texts(page: Page) -> list[str]:
    return [line.text for line in page.lines]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"allow": "0123456789"}, ["12034", "1234"]),
        ({"pattern": r"[A-Z]{2}-\d{4}"}, ["AB-1234"]),
        ({"pattern": r"\d{5}", "min_score": 0.7}, ["12034"]),
        ({"words": ["red", "green"]}, ["green red"]),
        ({"words": ["Order", "paid", "4711", "4710"]}, ["Order 4711 paid"]),
        ({"allow": "Order 4711 paid", "pattern": r"\w+ \d+ \w+", "min_score": 0.9}, ["Order 4711 paid"]),
        ({}, LINES),
    ],
    ids=str,
)
def test_lines_that_follow_are_read(
    engine: OcrEngine, picture: Image.Image, rules: dict[str, Any], expected: list[str]
) -> None:
    # Where two are found, one has a character that had to be replaced.
    assert sorted(texts(engine.recognize(picture, **rules))) == sorted(expected)


def test_a_line_that_follows_is_read_as_without_rules(engine: OcrEngine, picture: Image.Image) -> None:
    plain = engine.recognize(picture, characters=True)
    [code] = engine.recognize(picture, pattern=r"[A-Z]{2}-\d{4}", characters=True, min_score=0.9).lines
    assert code in plain.lines
    letters = "".join(sorted(set("".join(LINES))))
    assert engine.recognize(picture, allow=letters, characters=True) == plain


def test_scores_say_how_well_the_picture_supports_the_text(engine: OcrEngine, picture: Image.Image) -> None:
    plain = {line.text: line for line in engine.recognize(picture).lines}
    for rules in ({"allow": "0123456789"}, {"pattern": r"\d+"}, {"words": ["4", "5"]}):
        read = engine.recognize(picture, min_score=0.0, **rules).lines
        assert len(read) > 1
        # Of letters alone next to nothing is a digit.
        [green] = [line for line in read if abs(line.quad[0][1] - plain["green red"].quad[0][1]) < 5]
        assert green.score < 0.1, rules
    [replaced] = [line for line in engine.recognize(picture, allow="0123456789").lines if line.text == "12034"]
    [word] = replaced.words
    assert 0.4 < word.score < 0.95
    assert replaced.score == pytest.approx(word.score, abs=1e-6)


def test_replaced_characters_stand_where_they_were_seen(engine: OcrEngine, picture: Image.Image) -> None:
    [plain] = [line for line in engine.recognize(picture, characters=True).lines if line.text == "12o34"]
    for rules in ({"allow": "0123456789"}, {"pattern": r"\d{5}"}, {"words": ["12034"]}):
        found = engine.recognize(picture, characters=True, min_score=0.7, **rules).lines
        [line] = [line for line in found if line.text == "12034"]
        assert line.quad == plain.quad
        for seen, put in zip(plain.words[0].characters, line.words[0].characters, strict=True):
            assert seen.quad == put.quad


def test_every_call_takes_them(engine: OcrEngine, file: Path) -> None:
    rules: dict[str, Any] = {"pattern": r"[A-Z]{2}-\d{4}", "min_score": 0.9}
    expected = engine.recognize(file, **rules)
    assert texts(expected) == ["AB-1234"]
    assert asyncio.run(engine.arecognize(file, **rules)) == expected
    for ahead in (0, 2):
        assert list(engine.recognize_many([file, file], ahead=ahead, **rules)) == [expected, expected]
    for document in (engine.recognize_document(file, **rules), asyncio.run(engine.arecognize_document(file, **rules))):
        assert [texts(page.page) for page in document.pages] == [["AB-1234"]]
    assert [texts(page.page) for page in engine.recognize_pages(file, on_error="raise", **rules)] == [["AB-1234"]]


def test_rules_do_not_stick_and_threads_have_their_own(engine: OcrEngine, picture: Image.Image) -> None:
    kinds: list[dict[str, Any]] = [
        {},
        {"allow": "0123456789"},
        {"pattern": r"\d{4}"},
        {"words": ["red", "green", "blue"]},
        {"allow": "ABCD-0123456789", "pattern": r"\w\w-\d{4}"},
    ]
    expected = [engine.recognize(picture, **rules) for rules in kinds]
    with ThreadPoolExecutor(len(kinds)) as threads:
        read = [threads.submit(engine.recognize, picture, **rules) for rules in kinds * 6]
        assert [one.result() for one in read] == expected * 6


def test_a_whole_model_reads_as_one_without_its_head(
    engine: OcrEngine, models_dir: Path, tmp_path: Path, picture: Image.Image
) -> None:
    whole = tmp_path / RECOGNIZER
    # A second part of the graph, which keeps the head on.
    whole.write_bytes((models_dir / RECOGNIZER).read_bytes() + b"\x3a\x00")
    with OcrEngine(recognizer=whole, model_dir=models_dir, provider="cpu", download=False) as ocr:
        for rules in ({"allow": "0123456789"}, {"pattern": r"\d{4}"}, {"words": ["red", "green"]}):
            one, other = (reader.recognize(picture, min_score=0.0, **rules) for reader in (ocr, engine))
            assert texts(one) == texts(other)
            scores = [[line.score for line in page.lines] for page in (one, other)]
            assert scores[0] == pytest.approx(scores[1], abs=1e-3)


def test_languages_come_first(models_dir: Path, picture: Image.Image) -> None:
    with OcrEngine(model_dir=models_dir, languages=["en"], download=False) as ocr:
        assert sorted(texts(ocr.recognize(picture, allow="0123456789"))) == ["12034", "1234"]
        assert texts(ocr.recognize(picture, pattern=r"[A-Z]{2}-\d{4}")) == ["AB-1234"]
        with pytest.raises(InvalidArgumentError, match=r"'中' \(U\+4E2D\)") as caught:
            ocr.recognize(picture, allow="0中")
        assert "languages" in str(caught.value)


def test_what_the_recogniser_cannot_write_is_named(engine: OcrEngine, picture: Image.Image) -> None:
    for rules in ({"allow": "0123ก"}, {"pattern": r"\d+ ก"}, {"words": ["snow", "ก"]}):
        with pytest.raises(InvalidArgumentError, match=rf"ก.*{RECOGNIZER}"):
            engine.recognize(picture, **rules)
        with pytest.raises(InvalidArgumentError, match="ก"):
            list(engine.recognize_many([picture], **rules))
    assert texts(engine.recognize(picture)) == LINES


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"allow": ""}, "`allow` names no character"),
        ({"allow": 5}, "allow is a str"),
        ({"allow": "\udc80"}, "no UTF-8"),
        ({"pattern": "[a"}, "unclosed character class"),
        ({"pattern": r"\bred\b"}, "look around"),
        ({"pattern": "(a{1000}){1000}"}, "too large"),
        ({"pattern": 5}, "a pattern is a str"),
        ({"words": []}, "names no word"),
        ({"words": ["red", " "]}, "without any character"),
        ({"words": "red"}, r"words is a list of words, not the text 'red'"),
        ({"words": 5}, "words is a list"),
        ({"words": [5]}, "a word is a str"),
        ({"words": ["red"], "pattern": "red"}, "both given"),
    ],
    ids=str,
)
def test_what_is_no_rule_is_refused_before_anything_is_read(rules: dict[str, Any], message: str) -> None:
    ocr = OcrEngine(download=False)
    calls: list[Callable[..., object]] = [ocr.recognize, ocr.recognize_document, ocr.recognize_pages]
    for call in calls:
        with pytest.raises(InvalidArgumentError, match=message):
            call("nowhere.png", **rules)
    assert not ocr.loaded
    ocr.free_resources()


def test_rules_go_to_other_processes() -> None:
    rules = Rules.of("0123456789-", r"\d+-\d+", None)
    assert isinstance(pickle.loads(pickle.dumps(rules)), Rules)
    assert Rules.of(None, None, None) is None


def test_the_command_line_takes_them(
    engine: OcrEngine, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    class Lent:
        def __init__(self, *_arguments: object, **_options: object) -> None: ...

        def __enter__(self) -> OcrEngine:
            return engine

        def __exit__(self, *exc_info: object) -> None: ...

    monkeypatch.setattr("ferrocr.OcrEngine", Lent)
    listed = tmp_path / "words.txt"
    listed.write_text("\ufeffred\r\n\n green \n", encoding="utf-8")
    for options, expected in (
        (["--allow", "0123456789"], "12034\n1234\n"),
        (["--pattern", r"[A-Z]{2}-\d{4}"], "AB-1234\n"),
        (["--words", str(listed)], "green red\n"),
    ):
        assert main(["read", str(file), *options]) == 0
        assert capsys.readouterr().out == expected


def test_the_command_line_refuses_what_is_no_rule(fake_engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    assert main(["read", "a.png", "--pattern", "[a"]) == 2
    assert "unclosed" in capsys.readouterr().err
    (files / "latin.txt").write_bytes(b"gr\xfcn\n")
    for name, reason in (("nowhere.txt", "No such file"), ("latin.txt", "no text in UTF-8"), (".", "directory")):
        with pytest.raises(SystemExit) as end:
            main(["read", "a.png", "--words", name])
        assert end.value.code == 2
        assert reason in capsys.readouterr().err
    assert not fake_engine.was_read


@pytest.mark.usefixtures("fake_engine")
def test_other_rules_are_another_output(files: Path, capsys: Captured) -> None:
    def run(*options: str) -> str:
        assert main(["read", "a.png", "-o", "out/", "--resume", *options]) == 0
        return capsys.readouterr().err

    (files / "words.txt").write_text("alpha\n", encoding="utf-8")
    run("--allow", "alph")
    assert "1 done before" in run("--allow", "alph")
    assert "0 done before" in run("--allow", "alphb")
    run("--words", "words.txt")
    assert "1 done before" in run("--words", "words.txt")
    (files / "words.txt").write_text("alpha\nbeta\n", encoding="utf-8")
    assert "0 done before" in run("--words", "words.txt")
