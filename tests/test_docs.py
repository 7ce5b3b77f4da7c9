"""Documents: code has the right types and runs, commands work, links lead on, as for a user on the first day."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import ferrocr
from conftest import draw_text
from ferrocr import OcrEngine
from ferrocr._engine._options import PRESETS, PROVIDERS
from ferrocr.cli import _parser, _show, main
from ferrocr.cli._formats import FORMATS
from ferrocr.documents._request import USES_OF_TEXT_LAYER
from pdf_files import numbered

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*sorted(ROOT.glob("[A-Z]*.md")), *sorted((ROOT / "docs").glob("*.md"))]

HOSTS = ("markitdown", "pymupdf4llm", "langchain_core", "llama_index", "haystack")
"""Programs that examples use. Where one is not installed, its examples are left out."""

NEEDS_PILLOW = (".draw(", '.to("pdf"', '.to("png"', "formats.pdf", *HOSTS)
"""Code beside which the document says that Pillow has to be installed, or what brings it."""

CHANGES_MODELS = ("prune", "purge", "restore")
"""Commands that ask before they do something, or find nothing to undo on the first day."""


def blocks(document: Path, language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [str(block) for block in found]


WITH_CODE = [document for document in DOCUMENTS if blocks(document, "python")]


def usable(document: Path) -> list[str]:
    """The examples whose programs are installed, and all that stand below one of its."""
    found, missing = [], False
    for block in blocks(document, "python"):
        named_here = [host for host in HOSTS if re.search(rf"^(?:from|import) {host}\b", block, re.MULTILINE)]
        if named_here:
            missing = any(find_spec(host) is None for host in named_here)
        if not missing:
            found.append(block)
    return found


def named(document: Path) -> str:
    return document.name


@pytest.fixture
def first_day(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with the files that documents name, and a model directory that is still empty."""
    monkeypatch.setenv("FERROCR_MODEL_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())
    monkeypatch.delenv("FERROCR_OFFLINE")
    monkeypatch.chdir(tmp_path)
    picture = draw_text(["Order 4711 paid"], width=300)
    files = ("receipt.jpg", "invoice.png", "page1.png", "page2.png", "b.png", "scans/may/a.png", "post/c.png")
    for name in (*files, "in/2026/d.tif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(tmp_path / name)
    picture.save("book.tif", save_all=True, append_images=[picture])
    for name, pages in (("scan.pdf", 7), ("archive.pdf", 2), ("book.pdf", 3)):
        (tmp_path / name).write_bytes(numbered(pages))
    return tmp_path


def test_examples_have_the_right_types(tmp_path: Path) -> None:
    """As a stranger's program, whose author has the installed package and no sources. Names come from blocks above."""
    files = []
    for document in WITH_CODE:
        file = tmp_path / f"{document.stem.replace('-', '_')}.py"
        file.write_text("\n".join(blocks(document, "python")), encoding="utf-8")
        files.append(file.name)
    assert len(files) >= 5
    options = ["--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache' / 'documents'}"]
    command = [sys.executable, "-m", "mypy", *options, *files]
    # Types of large programs are not what this is about: ours of them do.
    known = tmp_path / "stubs"
    for host in HOSTS:
        shutil.copytree(ROOT / "stubs" / host, known / host)
    shutil.copytree(ROOT / "stubs" / "pymupdf", known / "pymupdf")
    environment = {**os.environ, "MYPYPATH": str(known)}
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout


class Lent:
    """An engine that is loaded for all tests, in the place of one that a command makes and frees."""

    engine: OcrEngine

    def __init__(self, *_arguments: object, **_options: object) -> None: ...

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self.engine, name)

    def free_resources(self, **_options: object) -> None: ...

    def __enter__(self) -> OcrEngine:
        return self.engine

    def __exit__(self, *exc_info: object) -> None: ...

    async def __aenter__(self) -> OcrEngine:
        return self.engine

    async def __aexit__(self, *exc_info: object) -> None: ...


@pytest.mark.usefixtures("first_day", "no_pdf_stays_open")
@pytest.mark.parametrize("document", WITH_CODE, ids=named)
def test_examples_run(document: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if document.name != "README.md":  # where it is all about loading and releasing
        lent = type("Lent", (Lent,), {"engine": request.getfixturevalue("engine")})
        monkeypatch.setattr(ferrocr, "OcrEngine", lent)
    if not usable(document):
        pytest.skip("none of the programs is installed")
    names: dict[str, Any] = {}
    for block in usable(document):
        with monkeypatch.context() as patch:
            if not any(word in block for word in NEEDS_PILLOW):
                patch.setitem(sys.modules, "PIL", None)
            exec(compile(block, document.name, "exec"), names)
    assert names


def commands() -> list[str]:
    """Commands in the running text and in indented blocks; ``a | b`` stands for two of them."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        found += re.findall(r"`(ferrocr [^`]+)`", text)
        for line in re.findall(r"^(?: {4}|\$ )(?:curl [^|\n]*\| )?(ferrocr [a-z][^#\n]*)", text, re.MULTILINE):
            command, *others = line.split(" | ")
            found += [command, *(f"{command.rpartition(' ')[0]} {other}" for other in others)]
    return sorted({" ".join(command.split()) for command in found})


@pytest.mark.parametrize("command", commands())
def test_commands_work(
    command: str,
    first_day: Path,
    engine: OcrEngine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = shlex.split(command)[1:]
    try:
        _parser().parse_args(arguments)
    except SystemExit as end:
        # The text may speak of an option without its value, or without a file.
        told = capsys.readouterr().err
        assert end.code == 0 or re.search(r"arguments are required|expected one argument", told), command
        return
    if {"--release-check", "--benchmark", "serve"} & set(arguments):
        return  # these take their time, and have tests of their own
    if arguments[1:2] and arguments[1] in CHANGES_MODELS:
        arguments.append("--dry-run")
    monkeypatch.setattr(ferrocr, "OcrEngine", type("Lent", (Lent,), {"engine": engine}))
    monkeypatch.setattr(_show, "open_with_viewer", lambda path: path.exists())
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO((first_day / "invoice.png").read_bytes())))
    code = main(arguments)
    told = capsys.readouterr().err
    if arguments[1:2] == ["restore"]:
        assert (code, "is empty" in told) == (3, True)
    elif arguments[0] == "doctor":
        assert code == 1  # there are no models yet
    else:
        assert (code, "error" in told) == (0, False), told


def test_what_is_installed_and_made_is_there() -> None:
    """Extras of the package, and targets of make."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for extras in re.findall(r"(?:ferrocr|[\"'`]\.)\[([a-z0-9,]+)\]", text):
            assert set(extras.split(",")) <= set(project["optional-dependencies"]), (document.name, extras)
        for target in re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE):
            assert target in targets, (document.name, target)


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        (str(OcrEngine.__doc__), [f'``"{name}"``' for name in (*PROVIDERS, *PRESETS)]),
        (str(OcrEngine.recognize_document.__doc__), [f'``"{name}"``' for name in USES_OF_TEXT_LAYER]),
        ((ROOT / "docs" / "documents.md").read_text(encoding="utf-8"), [f'- `"{use}"`' for use in USES_OF_TEXT_LAYER]),
        (
            (ROOT / "docs" / "formats.md").read_text(encoding="utf-8"),
            [f" | {row.suffix} | " for row in FORMATS.values()],
        ),
    ],
    ids=["engine", "call", "documents.md", "formats.md"],
)
def test_all_choices_are_named(text: str, choices: list[str]) -> None:
    assert not [choice for choice in choices if choice not in text]


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
