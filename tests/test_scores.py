"""Doubtful words: what is blurred has some, clear print has none, and JSON keeps them."""

from typing import Any

import pytest
from PIL import ImageFilter

from conftest import draw_text
from ferrocr import InvalidArgumentError, Line, OcrEngine, Page, Word
from ferrocr.formats import Sheet, json

LINES = ["The quick brown fox jumps", "over thirteen lazy dogs"]

QUAD = ((0.0, 0.0), (9.0, 0.0), (9.0, 5.0), (0.0, 5.0))


def test_blurred_print_has_doubtful_words_and_clear_print_none(engine: OcrEngine) -> None:
    clear = draw_text(LINES, size=30)
    assert not any(line.doubtful for line in engine.recognize(clear).lines)
    blurred = engine.recognize(clear.filter(ImageFilter.GaussianBlur(4)), min_score=0.0)
    doubtful = [word for line in blurred.lines for word in line.words if word.doubtful]
    assert doubtful
    assert all(word.score < 1 for word in doubtful)


def test_a_line_is_doubtful_where_a_word_is() -> None:
    sure, doubtful = Word("a", 1.0, QUAD), Word("b", 0.5, QUAD, doubtful=True)
    assert not sure.doubtful
    assert [Line("", 1.0, QUAD, words).doubtful for words in ((), (sure,), (sure, doubtful))] == [False, False, True]


def test_json_says_which_words_are_doubtful() -> None:
    words = (Word("a", 1.0, QUAD), Word("b", 0.5, QUAD, doubtful=True))
    sheet = Sheet(Page(20, 10, (Line("a b", 0.75, QUAD, words),)), "a.png")
    plain: dict[str, Any] = json.to_dict(sheet)
    assert [word.get("doubtful") for word in plain["lines"][0]["words"]] == [None, True]
    assert json.from_dict(plain) == sheet
    assert "doubtful" in json.schema()["$defs"]["word"]["properties"]
    plain["lines"][0]["words"][0]["doubtful"] = "yes"
    with pytest.raises(InvalidArgumentError, match=r"words\[0\]\.doubtful is no true or false: 'yes'"):
        json.from_dict(plain)
