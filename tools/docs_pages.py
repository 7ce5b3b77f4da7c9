"""The pages of the documentation that are made of the program itself.

Each function returns Markdown for Sphinx, so that no list is written down twice. As a script it writes the one that is
kept in docs/: environment.md.
"""

import argparse
import ast
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import ferrocr
from ferrocr.cli import _parser
from ferrocr.cli._environment import KNOWN, OTHERS

SECTIONS = {
    "Engine": ("OcrEngine",),
    "Results": ("Page", "Block", "Line", "Word", "Char", "ReleaseReport"),
    "Documents": ("Document", "DocumentPage"),
    "Models": ("ModelStore", "Lease", "catalog", "model_sets", "CatalogEntry"),
    "Looking at models": ("ModelInfo", "ModelState", "AuditReport", "AuditEntry"),
    "Removing models": ("Removal", "PlannedFile", "TrashedFile", "ArchivedFile"),
}
"""Names of `ferrocr` in the order in which they are of use; all others come after them."""

MODULES = ("formats", "formats.json", "formats.pdf", "serve", "progress", "compat.pytesseract", "compat.rapidocr")
"""Modules that have names of their own."""

ROWS = {
    "Examples": ("examples", ("*.py", "*.ipynb")),
    "Running the service": ("deploy", ("*",)),
}
"""Pages that show the files of a folder."""

LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".service": "ini", ".toml": "toml"}


def api() -> str:
    """Return the reference of all public names."""
    listed = [name for names in SECTIONS.values() for name in names]
    errors = [name for name in ferrocr.__all__ if is_error(name)]
    others = [name for name in ferrocr.__all__ if name not in (*listed, *errors, "__version__")]
    parts = [
        "# Python interface\n",
        "All that stands here is public, and nothing else is; the [policy](changelog.md#policy)",
    ]
    parts.append("says what that means. The [errors](errors.md) have causes and remedies on a page of their own.\n")
    for title, names in {**SECTIONS, "Others": tuple(others), "Errors": tuple(errors)}.items():
        if names:
            parts += [f"## {title}\n", *(directive(f"ferrocr.{name}") for name in names)]
    for module in MODULES:
        parts += [f"## ferrocr.{module}\n", f"```{{eval-rst}}\n.. automodule:: ferrocr.{module}\n   :members:\n```\n"]
    return "\n".join(parts)


def is_error(name: str) -> bool:
    """Return True for the name of an exception."""
    value = getattr(ferrocr, name)
    return isinstance(value, type) and issubclass(value, Exception)


def directive(name: str) -> str:
    """Return what has Sphinx describe a class or a function, with the methods that a class has from others of ours."""
    value = getattr(ferrocr, name.rpartition(".")[2])
    if not inspect.isclass(value):
        return f"```{{eval-rst}}\n.. autofunction:: {name}\n```\n"
    options = ["   :show-inheritance:"] if is_error(value.__name__) else ["   :members:"]
    if value.__name__ == "OcrEngine":
        options.append("   :inherited-members:")
    return "\n".join(["```{eval-rst}", f".. autoclass:: {name}", *options, "```\n"])


def commands() -> str:
    """Return the reference of the command line."""
    parser = _parser()
    parts = [
        "# All commands and options\n",
        "Made of the same descriptions as `--help`. [The command line](command-line.md) tells how they go together.\n",
        *command_parts(parser, 2),
    ]
    return "\n".join(parts)


def command_parts(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    """Give the sections of a command, and of those below it."""
    yield f"{'#' * level} {parser.prog}\n"
    yield f"{(parser.description or '').strip()}\n"
    below: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            below = action.choices
        elif action.help != argparse.SUPPRESS:
            yield f"- {option(action)}: {described(action, parser)}"
    yield ""
    if parser.epilog:
        yield f"```text\n{parser.epilog.strip()}\n```\n"
    for one in below.values():
        yield from command_parts(one, level + 1)


def option(action: argparse.Action) -> str:
    """Return an option, or an argument without a name, as it is typed."""
    name = action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper())
    value = name if isinstance(name, str) else " ".join(name)
    if not action.option_strings:
        return f"`{value}`"
    return ", ".join(f"`{text}`" if action.nargs == 0 else f"`{text} {value}`" for text in action.option_strings)


def described(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """Return the help of an option, as plain text."""
    values = {name: value for name, value in vars(action).items() if value is not argparse.SUPPRESS}
    text = (action.help or "") % {**values, "prog": parser.prog}
    return re.sub(r"([*_<>\[\]])", r"\\\1", text)


def environment() -> str:
    """Return the table of environment variables, which docs/environment.md is, since other pages lead there."""
    parts = ["# Environment variables\n", "`ferrocr doctor` shows those that are set, and names misspelt ones.\n"]
    for title, rows in {"ferrocr's own": KNOWN, "Of others, which ferrocr follows": OTHERS}.items():
        parts += [f"## {title}\n", "| variable | meaning |", "| --- | --- |"]
        parts += [*(f"| `{name}` | {meaning} |" for name, meaning in rows.items()), ""]
    return "\n".join(parts)


def files(title: str, root: Path) -> str:
    """Return a page that shows the files of a folder."""
    folder, patterns = ROWS[title]
    parts = [f"# {title}\n", f"The files of the folder `{folder}`, each to be copied alone.\n"]
    for path in sorted(path for pattern in patterns for path in (root / folder).glob(pattern) if path.is_file()):
        text = path.read_text(encoding="utf-8")
        parts.append(f"## {path.name}\n")
        if path.suffix == ".ipynb":
            parts += cells(text)
            continue
        if path.suffix == ".py":
            parts.append(f"{(ast.get_docstring(ast.parse(text)) or '').partition(chr(10))[0]}\n")
        parts.append(fenced(text, LANGUAGES.get(path.suffix, "text")))
    return "\n".join(parts)


def cells(notebook: str) -> Iterator[str]:
    """Give the cells of a notebook, without its title."""
    for cell in json.loads(notebook)["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            yield fenced(text, "python")
        else:
            yield re.sub(r"^# .*\n*", "", text) + "\n"


def fenced(text: str, language: str) -> str:
    """Return a block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"


if __name__ == "__main__":
    Path(__file__).parent.parent.joinpath("docs", "environment.md").write_text(environment(), encoding="utf-8")
