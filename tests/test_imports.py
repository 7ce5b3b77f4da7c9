"""The rule that holds Python's half together: no module leads back to itself, and arrows between packages point down.

An import counts wherever it stands: at the top, in a function, and for type checkers alone. What is imported by a name
in a text does not: a worker's handler, which runs in another process.
"""

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import ferrocr

FOLDER = Path(__file__).parent.parent / "python"

# A part may use those in rows above its own. Where a new one belongs is a decision: write it down here.
LAYERS = (
    {"_core", "exceptions"},
    {"_image_types"},
    {"_writable"},
    {"_arguments", "_files", "_languages", "_log", "_memory", "_packages", "_text", "_whole_file", "stats"},
    {"results"},
    {"models"},
    {"store", "audit", "removal", "lease", "progress", "_engine"},
    {"_workers"},
    {"documents", "_isolated"},
    {"_lifecycle"},
    {"engine", "formats"},
    {"_sharing", "searchable_pdf"},
    {"_rendering"},
    {"", "formats.pdf"},
    {"batch", "serve"},
    {"cli", "compat", "integrations"},
    {"__main__", "ocrmypdf_plugin"},
)
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}

PUBLIC_NAMES = ("store", "audit", "removal", "lease", "progress", "ocrmypdf_plugin", "formats.pdf")
"""Modules that only give what lies elsewhere, because users import it from there."""

PLACES = {
    "django": ("integrations.paperless",),
    "daft": ("batch",),
    "pyarrow": ("batch", "integrations.ray", "integrations.spark"),
    "docling": ("integrations.docling",),
    "docling_core": ("integrations.docling",),
    "haystack": ("integrations.haystack",),
    "langchain_core": ("integrations.langchain",),
    "llama_index": ("integrations.llama_index",),
    "markitdown": ("integrations.markitdown",),
    "ocrmypdf": ("integrations.ocrmypdf",),
    "paperless": ("integrations.paperless",),
    "pymupdf": ("integrations.pymupdf4llm",),
    "pymupdf4llm": ("integrations.pymupdf4llm",),
    "pikepdf": ("searchable_pdf", "integrations.ocrmypdf", "integrations.paperless"),
    "img2pdf": ("searchable_pdf",),
    "pypdfium2_raw": ("documents._pdfium", "documents._pdfium_text"),
    "starlette": ("serve",),
    "uvicorn": ("serve",),
    "python_multipart": ("serve",),
    "numpy": (
        "_image_types",
        "_engine._pixels",
        "_engine._inputs",
        "_engine._forms",
        "_engine._cores",
        "_isolated._client",
        "cli._release_check",
        "compat.rapidocr",
        "integrations.pymupdf4llm",
    ),
}
"""The modules, or packages, that may name a foreign library."""


def modules() -> Iterator[tuple[str, Path]]:
    """Each module by the name that it is imported by."""
    for path in sorted(FOLDER.rglob("*.py")):
        parts = path.relative_to(FOLDER).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())
KNOWN = MODULES.keys() | {"ferrocr._core"}


def imported(name: str, code: str, *, is_package: bool) -> Iterator[str]:
    """Give the modules that a module imports, by absolute names."""
    package = name if is_package else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in KNOWN else base


def uses(name: str) -> set[str]:
    """Give the modules that a module of ours imports."""
    path = MODULES[name]
    code = path.read_text(encoding="utf-8")
    return set(imported(name, code, is_package=path.name == "__init__.py")) - {name}


USES = {name: uses(name) for name in MODULES}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the names on a way that leads back to its start; empty where there is none."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph.get(name, ())):
            if found := walk(other, [*way, name]):
                return found
        done.add(name)
        return []

    return next(filter(None, (walk(name, []) for name in sorted(graph))), [])


def part_of(name: str) -> str:
    """Return the row's entry that a module belongs to."""
    inner = name.removeprefix("ferrocr").removeprefix(".")
    return inner if inner in PUBLIC_NAMES else inner.partition(".")[0]


def test_no_module_leads_back_to_itself() -> None:
    assert " -> ".join(circle(USES)) == ""


@pytest.mark.parametrize("name", MODULES)
def test_arrows_point_down(name: str) -> None:
    used = {part_of(other) for other in USES[name] if other in KNOWN}
    unknown = (used | {part_of(name)}) - RANK.keys()
    assert not unknown, f"give {', '.join(sorted(unknown))} a row in LAYERS"
    upward = {part for part in used - {part_of(name)} if RANK[part] >= RANK[part_of(name)]}
    assert not upward, f"{name} may not use {', '.join(sorted(upward))}"


@pytest.mark.parametrize("library", PLACES)
def test_foreign_libraries_have_one_place(library: str) -> None:
    named = {name.removeprefix("ferrocr.") for name, used in USES.items() if library in {u.split(".")[0] for u in used}}
    assert named
    assert not {name for name in named if not name.startswith(PLACES[library])}


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_a_module_of_public_names_has_nothing_else(name: str) -> None:
    tree = ast.parse(MODULES[f"ferrocr.{name}"].read_text(encoding="utf-8"))
    assert [type(node) for node in tree.body] == [ast.Expr, ast.ImportFrom, ast.Assign]


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("audit", "AuditEntry AuditReport ModelInfo ModelState"),
        ("documents", "Document DocumentPage"),
        ("engine", "OcrEngine"),
        ("exceptions", "OcrError ModelNotFoundError"),
        ("lease", "Lease"),
        ("removal", "ArchivedFile PlannedFile Removal TrashedFile"),
        ("results", "Block Char Line Page ReleaseReport Word"),
        ("store", "CatalogEntry ModelStore catalog model_sets"),
    ],
)
def test_what_is_pickled_and_imported_by_its_first_name_is_found(module: str, names: str) -> None:
    for name in names.split():
        assert pickle.loads(f"cferrocr.{module}\n{name}\n.".encode()) is getattr(ferrocr, name)


@pytest.mark.parametrize(
    ("code", "used"),
    [
        ("from . import b", {"ferrocr.models"}),
        ("from . import store", {"ferrocr.models.store"}),
        ("from .store import ModelStore", {"ferrocr.models.store"}),
        ("from .. import _core", {"ferrocr._core"}),
        ("def f():\n    from ..formats.draw import draw", {"ferrocr.formats.draw"}),
        ("if TYPE_CHECKING:\n    import numpy.typing as npt", {"numpy.typing"}),
    ],
)
def test_imports_are_found(code: str, used: set[str]) -> None:
    assert set(imported("ferrocr.models.lease", code, is_package=False)) == used


def test_circles_are_found() -> None:
    assert circle({"a": {"b"}, "b": {"c", "d"}, "d": {"b"}}) == ["b", "d", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []
