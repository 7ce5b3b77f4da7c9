"""``ferrocr docs``: the pages of the documentation, as they come with the package."""

import argparse
import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from .._text import printable
from ..exceptions import InvalidArgumentError, StorageError
from ._command import add_command
from ._errors import EXIT_OK

if TYPE_CHECKING:
    from ._command import Commands

_PACKAGE = Path(__file__).parent.parent

NOTES = "Docstrings and --help call a page by its file: docs/rules.md is what `ferrocr docs rules` prints."


def add(commands: "Commands") -> None:
    """Describe the command."""
    docs = add_command(commands, "docs", run, "print a page of the documentation", "ferrocr docs rules", notes=NOTES)
    docs.add_argument("page", nargs="?", metavar="PAGE", help="such as errors; without it the list of all pages")


def run(arguments: argparse.Namespace) -> int:
    """Print a page, or the list of them."""
    pages = {path.stem: path for path in sorted(folder().glob("*.md"))}
    if arguments.page is None:
        width = max(map(len, pages))
        for name, path in pages.items():
            print(f"{name:<{width}}  {title(path)}")
        return EXIT_OK
    name = arguments.page.removeprefix("docs/").removesuffix(".md")
    if name not in pages:
        message = f"there is no page {printable(repr(arguments.page))}"
        meant = difflib.get_close_matches(name, pages, 1)
        raise InvalidArgumentError(message, f"is it {meant[0]}?" if meant else "`ferrocr docs` lists all pages")
    print(pages[name].read_text(encoding="utf-8"), end="")
    return EXIT_OK


def folder() -> Path:
    """Return the folder of the pages: the one of the sources that the package is used from, or its own.

    Raises:
        StorageError: There is neither.
    """
    sources = _PACKAGE.parent.parent
    if (sources / "pyproject.toml").is_file() and (sources / "docs" / "index.md").is_file():
        return sources / "docs"
    if (_PACKAGE / "docs" / "index.md").is_file():
        return _PACKAGE / "docs"
    message = "the documentation is not beside the package"
    raise StorageError(message, "install a wheel of ferrocr, or read the folder docs/ of its sources")


def title(path: Path) -> str:
    """Return the heading of a page."""
    with path.open(encoding="utf-8") as file:
        return next((line.removeprefix("# ").strip() for line in file if line.startswith("# ")), "")
