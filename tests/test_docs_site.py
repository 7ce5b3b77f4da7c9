"""The documentation's pages that are made of the program have all of it, and links of its sources lead on."""

import argparse
import builtins
import re
import sys
from pathlib import Path

import pytest

import ferrocr
from ferrocr.cli import _parser
from ferrocr.cli._environment import KNOWN, OTHERS

ROOT = Path(__file__).parent.parent

sys.path.insert(0, str(ROOT / "tools"))

import build_docs  # noqa: E402
import docs_pages  # noqa: E402

ERRORS = [name for name in ferrocr.__all__ if docs_pages.is_error(name)]


def in_index() -> set[str]:
    """The pages that the site's index leads to."""
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return {line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")}


def test_the_index_leads_to_every_page() -> None:
    written = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    made = {"api", "commands", "gallery"}
    moved = {Path(page).stem for page in build_docs.PAGES.values()} - {"index"}
    assert in_index() == written | made | moved


@pytest.mark.parametrize(
    ("target", "page", "link"),
    [
        ("scores.md", "docs/rules.md", "scores.md"),
        ("scores.md#doubtful-words", "docs/rules.md", "scores.md#doubtful-words"),
        ("docs/scores.md", "CONTRIBUTING.md", "scores.md"),
        ("../ARCHITECTURE.md", "docs/rules.md", "architecture.md"),
        ("SECURITY.md", "CHANGELOG.md", "security.md"),
        ("../examples/read_receipt.py", "docs/serve.md", "examples.md#read_receiptpy"),
        ("../deploy", "docs/serve.md", "deploy.md"),
        ("#here", "docs/serve.md", "#here"),
        ("https://example.org/a.md", "docs/serve.md", "https://example.org/a.md"),
    ],
)
def test_links_lead_to_pages_of_the_site(target: str, page: str, link: str) -> None:
    assert build_docs.moved(target, Path(page)) == link


@pytest.mark.parametrize("target", ["../Makefile", "../examples/gone.py", "../src/error.rs"])
def test_a_link_that_leads_off_the_site_is_an_error(target: str) -> None:
    with pytest.raises(build_docs.LinkError, match=re.escape(target)):
        build_docs.moved(target, Path("docs/serve.md"))


def test_code_keeps_what_looks_like_a_link() -> None:
    text = "[a](../deploy) `x](../deploy)`\n\n```text\n[a](../deploy)\n```\n[`b`](../deploy)\n"
    moved = "[a](deploy.md) `x](../deploy)`\n\n```text\n[a](../deploy)\n```\n[`b`](deploy.md)\n"
    assert build_docs.with_moved_links(text, Path("docs/serve.md")) == moved


def test_what_would_be_fetched_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="https://example.org">no</a><script src="//example.org/x.js"></script>')
    (tmp_path / "b.css").write_text('@font-face { src: url("https://example.org/font"); } a { background: url(x.png) }')
    assert [found.partition(":")[0] for found in build_docs.foreign(tmp_path)] == ["a.html", "b.css"]


@pytest.mark.parametrize("name", ERRORS)
def test_each_error_has_causes_and_a_remedy(name: str) -> None:
    """And the classes of Python's that catch it."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{name}` \|(.*)\|$", text, re.MULTILINE)
    also, causes, remedy = (cell.strip() for cell in row.split(" |"))
    assert causes
    assert remedy
    bases = {base.__name__ for base in getattr(ferrocr, name).__bases__} - {"OcrError", "Exception"}
    named = set(re.findall(r"`(\w+)`", also))
    assert {base for base in named if hasattr(builtins, base)} == {base for base in bases if hasattr(builtins, base)}
    assert all(
        issubclass(getattr(ferrocr, name), getattr(builtins, base, None) or getattr(ferrocr, base)) for base in named
    )


def test_the_reference_has_every_public_name() -> None:
    text = docs_pages.api()
    described = re.findall(r"^\.\. auto(?:class|function):: ferrocr\.(\w+)$", text, re.MULTILINE)
    assert sorted(described) == sorted(set(ferrocr.__all__) - {"__version__"})


def test_the_commands_have_every_option() -> None:
    text = docs_pages.commands()

    def look(parser: argparse.ArgumentParser) -> None:
        assert re.search(rf"^#+ {parser.prog}$", text, re.MULTILINE)
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for below in action.choices.values():
                    look(below)
            elif action.help != argparse.SUPPRESS:
                assert all(f"`{option}" in text for option in action.option_strings)

    look(_parser())
    assert "%(" not in text


def test_every_variable_is_in_the_table() -> None:
    text = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    assert text == docs_pages.environment(), "run: python tools/docs_pages.py"
    assert {*re.findall(r"^\| `(\w+)` \| .+ \|$", text, re.MULTILINE)} == {*KNOWN, *OTHERS}
