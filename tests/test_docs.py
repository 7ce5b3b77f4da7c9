"""What documents tell users to write: the code has the right types, commands are understood, and links lead on."""

import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from urllib.parse import unquote

import pytest

from ferrocr.cli import _parser

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*sorted(ROOT.glob("[A-Z]*.md")), *sorted((ROOT / "docs").glob("*.md"))]

# What the text around an example has introduced.
PRELUDE = """\
from collections.abc import Iterable
from pathlib import Path
import ferrocr
from ferrocr import OcrEngine, Page
ocr: OcrEngine
page: Page
pages: Iterable[Page]
paths: list[str]
text: str
file: Iterable[str]
data: object
async def example() -> None:
"""


def blocks(document: Path, language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [str(block) for block in found]


def test_examples_have_the_right_types(tmp_path: Path) -> None:
    files = []
    for document in DOCUMENTS:
        for number, block in enumerate(blocks(document, "python"), 1):
            file = tmp_path / f"{document.stem.replace('-', '_')}_{number}.py"
            file.write_text(PRELUDE + textwrap.indent(block, "    "), encoding="utf-8")
            files.append(str(file))
    assert len(files) > 10
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout


def commands() -> list[str]:
    """Commands in the running text and in indented blocks; ``a | b`` stands for two of them."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        found += re.findall(r"`(ferrocr [^`]+)`", text)
        for line in re.findall(r"^(?: {4}|\$ )(ferrocr [a-z][^#\n]*)", text, re.MULTILINE):
            command, *others = line.split(" | ")
            found += [command, *(f"{command.rpartition(' ')[0]} {other}" for other in others)]
    return sorted({" ".join(command.split()) for command in found})


@pytest.mark.parametrize("command", commands())
def test_commands_are_understood(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = shlex.split(command)[1:]
    try:
        _parser().parse_args(arguments)
    except SystemExit as ended:
        if ended.code == 0:  # the help
            return
        # The text may speak of an option without its value, or without a file.
        assert re.search(r"arguments are required|expected one argument", capsys.readouterr().err), command


def anchors(document: Path) -> set[str]:
    """What a heading is called in links to it."""
    headings = re.findall(r"^#+ (.*)", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_on(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = document.parent / path if path else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target
