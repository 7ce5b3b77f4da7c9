"""The rule that holds the core together: arrows point down only, and each foreign library has one place."""

import re
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"

# A module may use those in rows above its own. Where a new one belongs is a decision: write it down here.
LAYERS = (
    {"error"},
    {"language"},
    {"buffer", "event", "files", "geometry", "memory", "options", "process", "stop", "threads"},
    {"onnx"},
    {"runtime"},
    {"image", "models"},
    {"detect", "orient", "recognize"},
    {"page"},
    {"pipeline"},
    {"engine"},
    {"python"},
)
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}


def module_of(path: Path) -> str:
    """The top-level module that a source file belongs to."""
    return path.relative_to(SRC).parts[0].removesuffix(".rs")


def code_of(path: Path) -> str:
    """A source file without its comments."""
    return re.sub(r"//.*", "", path.read_text(encoding="utf-8"))


def used_by(code: str) -> set[str]:
    """Top-level modules of the crate that `code` names; a re-exported type does not count."""
    assert "crate::{" not in code, "one `use` a module, so that each arrow is seen"
    return set(re.findall(r"\bcrate::([a-z]\w*)", code))


SOURCES = sorted(SRC.rglob("*.rs"))
MODULES = [path for path in SOURCES if path != SRC / "lib.rs"]


def ids(path: Path) -> str:
    """A short name for a test of one file."""
    return path.relative_to(SRC).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_arrows_point_down(path: Path) -> None:
    module, used = module_of(path), used_by(code_of(path))
    unknown = ({module} | used) - RANK.keys()
    assert not unknown, f"give {', '.join(sorted(unknown))} a row in LAYERS"
    upward = {name for name in used - {module} if RANK[name] >= RANK[module]}
    assert not upward, f"{module} may not use {', '.join(sorted(upward))}"


@pytest.mark.parametrize("path", SOURCES, ids=ids)
def test_foreign_libraries_have_one_place(path: Path) -> None:
    code = code_of(path)
    if path != SRC / "runtime" / "session.rs":
        assert not re.search(r"\bort::|\buse ort\b|\bextern crate ort\b", code)
    if module_of(path) != "python":
        assert not re.search(r"\bpyo3\b", code)


@pytest.mark.parametrize(
    ("code", "used"),
    [
        ("use crate::error::Result;", {"error"}),
        ("use crate::error::{Error, Result};\nuse crate::image::Picture;", {"error", "image"}),
        ("let x = crate::memory::resident_bytes();", {"memory"}),
        ("pub struct Engine(crate::Engine);", set()),
        ("pub(crate) fn f() {}", set()),
    ],
)
def test_uses_are_found(code: str, used: set[str]) -> None:
    assert used_by(code) == used
