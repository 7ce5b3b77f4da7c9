"""PAGE XML of 2019-07-15: well-formed, in the order that its schema wants, with all words and where they are."""

import re
from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest
from hypothesis import given

import ferrocr
from ferrocr import Line, Page
from ferrocr.formats import PageXmlWriter, Sheet, chunks
from ferrocr.formats.page_xml import NAMESPACE
from format_pages import BLANK, HOSTILE, PLAIN, UP, in_xml, line_of, sheets, with_characters, words_in

NS = f"{{{NAMESPACE}}}"


def parsed(sheet: Sheet) -> ElementTree.Element:
    """The root of a file with this page."""
    return ElementTree.fromstring("".join(chunks("page", [sheet])).encode())


def points(root: ElementTree.Element, name: str) -> list[str | None]:
    """The outlines of all elements of a name."""
    return [found.get("points") for found in root.findall(f".//{NS}{name}/{NS}Coords")]


def texts(root: ElementTree.Element, name: str) -> list[str]:
    """The texts of all elements of a name."""
    return [found.findtext(f"{NS}TextEquiv/{NS}Unicode") or "" for found in root.iter(NS + name)]


def scores(root: ElementTree.Element, name: str) -> list[str | None]:
    """The scores of all elements of a name."""
    return [found.get("conf") for found in root.findall(f".//{NS}{name}/{NS}TextEquiv")]


def test_the_head_says_who_made_it_and_when() -> None:
    moment = datetime(2026, 3, 12, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    making = PageXmlWriter(created=moment)
    root = ElementTree.fromstring(making.begin() + making.add(Sheet(PLAIN)) + making.end())
    found = {child.tag.removeprefix(NS): child.text for child in root[0]}
    when = "2026-03-11T23:30:00Z"
    assert found == {"Creator": f"ferrocr {ferrocr.__version__}", "Created": when, "LastChange": when}


def test_words_have_the_characters_that_they_are_made_of() -> None:
    root = parsed(Sheet(with_characters(PLAIN)))
    assert "".join(texts(root, "Glyph")) == "".join(words_in(PLAIN))
    assert points(root, "Glyph")[1] == "30,10 40,10 40,30 30,30"
    assert scores(root, "Glyph")[0] == "0.975"


def test_the_time_is_now_by_default() -> None:
    when = parsed(Sheet(BLANK)).findtext(f".//{NS}Created") or ""
    assert abs(datetime.now(UTC) - datetime.fromisoformat(when)) < timedelta(minutes=1)


def test_a_page_has_outlines_and_scores() -> None:
    root = parsed(Sheet(PLAIN, "scans/a.png", dpi=300.0))
    page = root.find(f"{NS}Page")
    assert page is not None
    assert page.attrib == {
        "imageFilename": "scans/a.png",
        "imageWidth": "320",
        "imageHeight": "120",
        "imageXResolution": "300",
        "imageYResolution": "300",
        "imageResolutionUnit": "PPI",
    }
    assert points(root, "TextRegion") == ["20,10 130,10 130,60 20,60", "200,80 240,80 240,100 200,100"]
    assert points(root, "TextLine")[1] == "20,40 90,40 90,60 20,60"
    assert points(root, "Word")[0] == "20,10 60,10 60,30 20,30"
    assert texts(root, "Word") == ["Iron", "tastes", "of", "rain", "4711"]
    assert texts(root, "TextLine") == ["Iron tastes", "of rain", "4711"]
    assert texts(root, "TextRegion") == ["Iron tastes\nof rain", "4711"]
    assert scores(root, "Word") == ["0.975", "0.975", "0.5", "0.5", "1"]
    assert scores(root, "TextLine") == ["0.975", "0.5", "1"]
    assert scores(root, "TextRegion") == [None, None]


def test_children_stand_in_the_order_of_the_schema() -> None:
    root = parsed(Sheet(PLAIN))
    region = root.find(f".//{NS}TextRegion")
    line = root.find(f".//{NS}TextLine")
    assert region is not None
    assert line is not None
    assert [child.tag.removeprefix(NS) for child in region] == ["Coords", "TextLine", "TextLine", "TextEquiv"]
    assert [child.tag.removeprefix(NS) for child in line] == ["Coords", "Word", "Word", "TextEquiv"]
    assert [child.tag.removeprefix(NS) for child in root[1]] == ["ReadingOrder", "TextRegion", "TextRegion"]


def test_the_reading_order_names_every_region() -> None:
    root = parsed(Sheet(PLAIN))
    order = [(found.get("index"), found.get("regionRef")) for found in root.iter(f"{NS}RegionRefIndexed")]
    assert order == [("0", "region_1"), ("1", "region_2")]
    assert [found.get("id") for found in root.iter(f"{NS}TextRegion")] == ["region_1", "region_2"]
    assert not list(parsed(Sheet(BLANK)).iter(f"{NS}ReadingOrder")), "an empty order is against the schema"


def test_a_turned_line_has_its_corners_in_reading_direction_and_its_region_the_turn() -> None:
    root = parsed(Sheet(UP))
    assert points(root, "TextLine") == ["40,300 40,100 60,100 60,300"]
    assert [found.get("orientation") for found in root.iter(f"{NS}TextRegion")] == ["90"]
    assert [found.get("orientation") for found in parsed(Sheet(PLAIN)).iter(f"{NS}TextRegion")] == [None, None]


def test_a_name_is_never_missing() -> None:
    page = parsed(Sheet(BLANK)).find(f"{NS}Page")
    assert page is not None
    assert page.get("imageFilename") == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_back(text: str) -> None:
    root = parsed(Sheet(Page(50, 50, (Line(text, 0.9, line_of("x", 0, 0).quad, ()),)), text))
    assert texts(root, "TextLine") == [in_xml(text)]
    page = root.find(f"{NS}Page")
    assert page is not None
    assert page.get("imageFilename") == in_xml(text)


@given(sheets)
def test_any_page_comes_back_with_its_text(sheet: Sheet) -> None:
    root, page = parsed(sheet), sheet.page
    assert texts(root, "TextLine") == [in_xml(line.text) for line in page.lines]
    assert texts(root, "Word") == [in_xml(word.text) for line in page.lines for word in line.words]
    ids = [found.get("id") for found in root.iter() if found.get("id")]
    assert len(set(ids)) == len(ids)
    for outline in root.iter(f"{NS}Coords"):
        corners = outline.get("points") or ""
        assert re.fullmatch(r"(\d+,\d+ ){3}\d+,\d+", corners)
        for x, y in (corner.split(",") for corner in corners.split()):
            assert int(x) <= page.width
            assert int(y) <= page.height
    for name in ("Word", "TextLine"):
        assert all(0 <= float(score or "none") <= 1 for score in scores(root, name))
