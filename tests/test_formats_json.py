"""JSON and JSON Lines: what is written fits the schema and comes back, and what does not fit is refused."""

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferrocr import InvalidArgumentError, Page
from ferrocr.formats import Failure, Sheet, chunks
from ferrocr.formats import json as form
from format_pages import BLANK, HOSTILE, PLAIN, UP, sheets, with_characters

entries = st.lists(sheets | st.builds(Failure, st.sampled_from(HOSTILE), st.none() | st.just("a.png")), max_size=3)


def closed(schema: Any) -> Any:  # noqa: ANN401
    """The same schema without room for what it does not describe."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    stricter = {key: closed(value) for key, value in schema.items()}
    if "properties" in schema and len(schema["properties"]) > 1:
        stricter["additionalProperties"] = False
    return stricter


def validator() -> jsonschema.Draft202012Validator:
    """Checks a file, which may have nothing that the schema does not describe."""
    schema = form.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(closed(schema))


def line_validator() -> jsonschema.Draft202012Validator:
    """Checks a line of JSON Lines."""
    schema = form.schema()
    return jsonschema.Draft202012Validator({"$defs": schema["$defs"], "$ref": "#/$defs/line"})


def rounded(entry: Sheet | Failure) -> Any:  # noqa: ANN401
    """What is kept of an entry."""
    return json.loads(json.dumps(form.to_dict(entry)))


@settings(max_examples=50)
@given(entries)
def test_any_pages_come_back_from_a_file_that_fits_the_schema(written: list[Sheet | Failure]) -> None:
    text = "".join(chunks("json", written))
    validator().validate(json.loads(text))
    for read in (form.read(text), form.read(text.encode())):
        assert [rounded(entry) for entry in read] == [rounded(entry) for entry in written]
        assert "".join(chunks("json", read)) == text, "what was rounded stays as it is"


@settings(max_examples=50)
@given(entries)
def test_any_pages_come_back_from_lines_that_fit_the_schema(written: list[Sheet | Failure]) -> None:
    text = "".join(chunks("jsonl", written))
    lines = text.split("\n")
    assert lines.pop() == ""
    for line in lines:
        line_validator().validate(json.loads(line))
    assert [rounded(entry) for entry in form.read_lines(lines)] == [rounded(entry) for entry in written]
    assert list(form.read_lines(text.encode().splitlines(keepends=True))) == list(form.read_lines(lines))


@pytest.mark.parametrize("page", [PLAIN, UP, BLANK])
def test_a_page_with_round_numbers_comes_back_equal(page: Page) -> None:
    sheet = Sheet(page, "scan.tif", 7, 300.0)
    assert form.read("".join(chunks("json", [sheet]))) == (sheet,)
    assert form.from_dict(form.to_dict(sheet)) == sheet


def test_a_file_looks_like_this() -> None:
    lines = "".join(chunks("json", [Sheet(BLANK, "a.png"), Failure("is no picture", "b.png")])).splitlines()
    assert lines[0].startswith('{"schema_version": "1.0", "generator": "ferrocr ')
    assert lines[0].endswith('", "pages": [')
    assert lines[1:] == [
        ' {"source": "a.png", "number": 1, "dpi": null, "width": 50, "height": 60, "text": "", "lines": [],'
        ' "blocks": []},',
        ' {"source": "b.png", "number": 1, "error": "is no picture"}',
        "]}",
    ]
    assert "".join(chunks("json", [])).endswith('"pages": []}\n')


def test_characters_are_there_where_they_were_asked_for() -> None:
    page = with_characters(PLAIN)
    (sheet,) = form.read("".join(chunks("json", [Sheet(page)])))
    assert isinstance(sheet, Sheet)
    assert sheet.page == page
    words = [word for line in form.to_dict(Sheet(PLAIN))["lines"] for word in line["words"]]
    assert not any("characters" in word for word in words)
    damaged = form.to_dict(Sheet(page))
    damaged["lines"][0]["words"][1]["characters"][2]["score"] = 2
    with pytest.raises(InvalidArgumentError, match=r"lines\[0\].words\[1\].characters\[2\].score is no number"):
        form.from_dict(damaged)


def test_blocks_name_their_lines() -> None:
    plain = form.to_dict(Sheet(PLAIN))
    assert [block["lines"] for block in plain["blocks"]] == [[0, 1], [2]]
    assert plain["text"] == "Iron tastes\nof rain\n4711"
    assert form.to_dict(Sheet(UP))["blocks"] == []


def test_numbers_are_short() -> None:
    word = UP.lines[0].words[0]
    line = type(UP.lines[0])("x", 0.98765432, ((1.04, 2.06), *word.quad[1:]), ())
    plain = form.to_dict(Sheet(Page(9, 9, (line,))))["lines"][0]
    assert (plain["score"], plain["quad"][0]) == (0.9877, [1.0, 2.1])


def test_a_number_that_is_none_is_refused() -> None:
    line = type(UP.lines[0])("x", float("nan"), UP.lines[0].quad, ())
    with pytest.raises(InvalidArgumentError, match="number that is none"):
        Page(9, 9, (line,)).to("json")


def test_what_is_new_in_a_later_minor_version_is_ignored() -> None:
    plain = json.loads(PLAIN.to("json"))
    plain["schema_version"] = "1.12"
    plain["colour"] = plain["pages"][0]["colour"] = plain["pages"][0]["lines"][0]["colour"] = "red"
    assert form.read(json.dumps(plain)) == (Sheet(PLAIN),)
    jsonschema.Draft202012Validator(form.schema()).validate(plain)


def test_words_and_blocks_may_be_missing() -> None:
    plain = form.to_dict(Sheet(PLAIN))
    del plain["blocks"], plain["number"], plain["dpi"], plain["source"], plain["text"]
    for line in plain["lines"]:
        del line["words"]
    sheet = form.from_dict(plain)
    assert isinstance(sheet, Sheet)
    assert sheet.page.text == PLAIN.text
    assert sheet.page.blocks == ()


WRONG: list[tuple[list[str | int], Any, str]] = [
    (["schema_version"], "2.0", "the file has the schema version '2.0'"),
    (["schema_version"], None, "the file has the schema version None"),
    (["pages"], {}, "pages is no list"),
    (["pages", 0], 3, r"pages\[0\] is no object: 3"),
    (["pages", 0, "width"], 0, r"pages\[0\].width is no whole number from 1 on: 0"),
    (["pages", 0, "width"], True, r"pages\[0\].width is no whole number"),
    (["pages", 0, "height"], None, r"pages\[0\].height is no whole number from 1 on: missing"),
    (["pages", 0, "number"], 1.5, r"pages\[0\].number is no whole"),
    (["pages", 0, "source"], 4, r"pages\[0\].source is no text"),
    (["pages", 0, "dpi"], "300", r"pages\[0\].dpi is no number"),
    (["pages", 0, "lines"], None, r"pages\[0\].lines is no list: missing"),
    (["pages", 0, "lines", 1, "text"], 5, r"pages\[0\].lines\[1\].text is no text: 5"),
    (["pages", 0, "lines", 1, "score"], "x", r"pages\[0\].lines\[1\].score is no number from 0 to 1: 'x'"),
    (["pages", 0, "lines", 1, "score"], float("nan"), r"lines\[1\].score is no number from 0 to 1: nan"),
    (["pages", 0, "lines", 1, "score"], 1.01, r"lines\[1\].score is no number from 0 to 1: 1.01"),
    (["pages", 0, "lines", 1, "quad", 2, 0], 10**400, r"lines\[1\].quad is no number: 1000"),
    (["pages", 0, "lines", 1, "quad"], [[0, 0]], r"lines\[1\].quad is no list of four corners \[x, y\]"),
    (["pages", 0, "lines", 1, "quad", 2], [0, 0, 0], r"lines\[1\].quad is no list of four corners"),
    (["pages", 0, "lines", 1, "quad", 2, 0], False, r"lines\[1\].quad is no number: False"),
    (["pages", 0, "lines", 0, "words", 1], "x", r"lines\[0\].words\[1\] is no object"),
    (["pages", 0, "blocks", 0, "lines"], [0, 3], r"blocks\[0\].lines names the line 3, and there are 3"),
    (["pages", 0, "blocks", 0, "lines"], [0, -1], r"blocks\[0\].lines names the line -1"),
    (["pages", 0, "blocks", 0, "lines"], [0], "blocks of a page do not hold its lines"),
    (["pages", 0, "error"], 7, r"pages\[0\].error is no text"),
]


@pytest.mark.parametrize(("path", "value", "message"), WRONG)
def test_what_does_not_fit_is_refused_with_its_place(path: list[str | int], value: object, message: str) -> None:
    plain: Any = copy.deepcopy(json.loads(PLAIN.to("json")))
    inner = plain
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(InvalidArgumentError, match=message):
        form.read(json.dumps(plain))


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, b"\xff\xfe\x00", '{"pages": ' + "9" * 5000 + "}", "[]", "null"]
)
def test_what_is_no_such_file_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidArgumentError, match="the file is no "):
        form.read(text)


def test_a_line_that_is_no_json_is_named() -> None:
    lines = form.read_lines([PLAIN.to("jsonl"), "\n", "{"])
    assert next(lines) == Sheet(PLAIN)
    with pytest.raises(InvalidArgumentError, match="line 3 is no JSON"):
        next(lines)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["text", "quad", "lines"]), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["schema_version", "width", "height", "lines", "blocks", "number", "source", "dpi", "error"]),
        json_values | st.just("1.0"),
    )
)
def test_the_reader_takes_nothing_that_the_writer_cannot_write(data: dict[str, Any]) -> None:
    try:
        entry = form.from_dict(data)
    except InvalidArgumentError:
        return
    "".join(chunks("json", [entry]))
