"""ALTO and PAGE XML against the schemas that their keepers publish.

These are not part of the project. Put them into a folder and name it in FERROCR_SCHEMAS: ``alto-4-4.xsd`` and
``xlink.xsd`` of the Library of Congress, ``pagecontent.xsd`` of 2019-07-15 of the PRImA lab. ``pip install xmlschema``
brings what reads them.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from ferrocr import Page
from ferrocr.formats import Sheet, chunks
from format_pages import BLANK, PLAIN, UP, sheets, with_characters

PARTS = {"alto": ("alto-4-4.xsd", "xlink.xsd"), "page": ("pagecontent.xsd",)}


@pytest.fixture(scope="module", params=PARTS)
def schema(request: pytest.FixtureRequest) -> tuple[str, Any]:
    """A format and its schema."""
    xmlschema = pytest.importorskip("xmlschema", reason="the package xmlschema is not installed")
    name: str = request.param
    folder = os.environ.get("FERROCR_SCHEMAS")
    if folder is None:
        pytest.skip("FERROCR_SCHEMAS names no folder with the published schemas")
    missing = [part for part in PARTS[name] if not (Path(folder) / part).is_file()]
    if missing:
        pytest.skip(f"no {', '.join(missing)} in {folder}")
    links = {"http://www.w3.org/1999/xlink": str(Path(folder) / "xlink.xsd")} if name == "alto" else None
    return name, xmlschema.XMLSchema(str(Path(folder) / PARTS[name][0]), locations=links, allow="local")


@pytest.mark.parametrize("page", [PLAIN, UP, BLANK, with_characters(PLAIN), with_characters(UP)])
def test_pages_fit_the_schema(schema: tuple[str, Any], page: Page) -> None:
    name, published = schema
    published.validate("".join(chunks(name, [Sheet(page, "a.png", 2, 300.0)])))


def test_several_pages_fit_the_schema_of_alto(schema: tuple[str, Any]) -> None:
    name, published = schema
    if name == "alto":
        published.validate("".join(chunks(name, [Sheet(PLAIN), Sheet(UP), Sheet(BLANK)])))


# Reading the schema takes seconds, and is done once.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(sheet=sheets)
def test_any_page_fits_the_schema(schema: tuple[str, Any], sheet: Sheet) -> None:
    name, published = schema
    published.validate("".join(chunks(name, [sheet])))
