"""The command that prints pages of the documentation, and the names of pages in docstrings and help."""

import re
from pathlib import Path

import pytest

from fake_engine import Captured
from ferrocr.cli import _docs, main
from ferrocr.cli._errors import EXIT_CANNOT_RUN, EXIT_OK, EXIT_USAGE

ROOT = Path(__file__).parent.parent
PAGES = {path.stem: path for path in (ROOT / "docs").glob("*.md")}


def test_all_pages_are_listed_with_their_titles(capsys: Captured) -> None:
    assert main(["docs"]) == EXIT_OK
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert rows.keys() == PAGES.keys()
    assert (rows["rules"], rows["errors"]) == ("Rules for the text of a line", "Errors")


@pytest.mark.parametrize("name", ["rules", "rules.md", "docs/rules.md"])
def test_a_page_is_printed_as_it_is(name: str, capsys: Captured) -> None:
    assert main(["docs", name]) == EXIT_OK
    assert capsys.readouterr().out == PAGES["rules"].read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "hint"), [("rule", "is it rules?"), ("x\x1b[1m", "`ferrocr docs` lists all pages")])
def test_an_unknown_page_is_an_error(name: str, hint: str, capsys: Captured) -> None:
    assert main(["docs", name]) == EXIT_USAGE
    told = capsys.readouterr().err
    assert told.endswith(f"hint: {hint}\n")
    assert "\x1b" not in told


def test_the_pages_of_the_sources_go_before_older_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "python" / "ferrocr"
    for place in (tmp_path / "docs", package / "docs"):
        place.mkdir(parents=True)
        (place / "index.md").touch()
    monkeypatch.setattr(_docs, "_PACKAGE", package)
    assert _docs.folder() == package / "docs"
    (tmp_path / "pyproject.toml").touch()
    assert _docs.folder() == tmp_path / "docs"


def test_a_package_without_pages_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(_docs, "_PACKAGE", tmp_path / "lib" / "ferrocr")
    assert main(["docs"]) == EXIT_CANNOT_RUN
    assert "not beside the package" in capsys.readouterr().err


def test_pages_that_the_package_names_are_there() -> None:
    """In docstrings, comments and help: where the package is installed, they lie in its folder docs."""
    for path in (ROOT / "python").rglob("*.py*"):
        if path.suffix in (".py", ".pyi"):
            text = path.read_text(encoding="utf-8")
            named = set(re.findall(r"docs/([\w-]+)\.md|ferrocr docs ([\w-]+)", text))
            assert {page or shown for page, shown in named} <= PAGES.keys(), path
            assert not re.search(r"README|CONTRIBUTING", text), path
