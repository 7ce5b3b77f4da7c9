"""The rules that hold the core together: arrows point down only, no circles, and each foreign library has one place."""

import re
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"

# A module may use those in rows above its own. Where a new one belongs is a decision: write it down here.
LAYERS = (
    {"text"},
    {"error"},
    {"buffer", "language"},
    {"rules"},
    {"event", "files", "forks", "geometry", "memory", "options", "process", "stop", "threads", "timings"},
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


Module = tuple[str, ...]

TEST = re.compile(r"#\[cfg\([^\n]*\btest\b[^\n]*\)\]\s*")
USE = re.compile(r"\buse ([^;]+);")
PATH = re.compile(r"(?<![\w:])[a-z_]\w*(?:::\w+)+")


def product_code_of(path: Path) -> str:
    """A source file without its comments, tests, and what only tests use; visibility is cut short."""
    code = re.sub(TEST.pattern + r"(?:#\[[^\n]*\]\s*)*mod tests \{.*", "", code_of(path), flags=re.DOTALL)
    code = re.sub(TEST.pattern + r"(?:#\[[^\n]*\]\s*)*(?:pub(?:\([^)]*\))? )?(?:mod|use) [^;{]+;", "", code)
    return re.sub(r"\bpub\([^)]*\)", "pub", code)


def paths_of(tree: str) -> list[list[str]]:
    """The paths of a `use` tree: `a::{b, c::d}` has two."""
    head, brace, rest = tree.strip().partition("{")
    if not brace:
        parts = re.sub(r"\s+as\s+\w+", "", head).split("::")
        return [[part.strip() for part in parts if part.strip() != "self"]]
    # Commas within inner braces part nothing.
    branches, depth = [""], 0
    for letter in rest.rpartition("}")[0]:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            branches.append("")
        else:
            branches[-1] += letter
    return [path for branch in branches if branch.strip() for path in paths_of(head + branch.strip())]


class Crate:
    """The modules of a crate, each with its code, and the modules that it uses."""

    def __init__(self, modules: dict[Module, str]) -> None:
        self.modules = modules
        trees = {module: USE.findall(code) for module, code in modules.items()}
        self.uses = {module: [path for tree in found for path in paths_of(tree)] for module, found in trees.items()}
        self.names = {module: {path[-1]: path for path in paths} for module, paths in self.uses.items()}

    def home_of(
        self, here: Module, path: list[str], seen: frozenset[tuple[Module, str]] = frozenset()
    ) -> Module | None:
        """The module that defines what `path` means in the module `here`; none for what is no part of the crate."""
        module: Module = ()
        match path[0]:
            case "crate":
                rest = path[1:]
            case "super":
                ups = sum(1 for part in path if part == "super")
                module, rest = here[: len(here) - ups], path[ups:]
            case first if (*here, first) in self.modules:
                module, rest = here, path
            case first if len(path) > 1 and first in self.names[here] and (here, first) not in seen:
                return self.home_of(here, self.names[here][first] + path[1:], seen | {(here, first)})
            case _:
                return None
        while rest and (*module, rest[0]) in self.modules:
            module, rest = (*module, rest[0]), rest[1:]
        # A name that a module only passes on belongs to the one that defines it.
        if rest and rest[0] in self.names.get(module, {}) and (module, rest[0]) not in seen:
            passed_on = self.names[module][rest[0]] + rest[1:]
            return self.home_of(module, passed_on, seen | {(module, rest[0])}) or module
        return module

    def used_by(self, module: Module) -> set[Module]:
        """The modules that `module` names, itself and the crate's root left out."""
        inline = [found.split("::") for found in PATH.findall(USE.sub("", self.modules[module]))]
        homes = {self.home_of(module, path) for path in self.uses[module] + inline}
        return {home for home in homes if home} - {module}


def circle_among(graph: dict[Module, set[Module]]) -> list[Module]:
    """One circle of a graph, or nothing."""
    left = dict(graph)
    # A module that uses nothing that is left is in no circle.
    while done := [module for module, used in left.items() if not used & left.keys()]:
        for module in done:
            del left[module]
    if not left:
        return []
    way = [min(left)]
    while (following := min(left[way[-1]] & left.keys())) not in way:
        way.append(following)
    return way[way.index(following) :]


def is_of_tests(path: Path) -> bool:
    """Tell files that are compiled for tests alone: those that a module declares so, and all below them."""
    parts = path.relative_to(SRC).with_suffix("").parts
    parents = [SRC.joinpath(*parts[:count]).with_suffix(".rs") for count in range(1, len(parts))]
    declared = {*zip(parents, parts[1:], strict=True)} if parents else set()
    found = (
        parent.is_file()
        and re.search(rf"{TEST.pattern}(?:#[^\n]*\s*)*(?:pub(?:\([^)]*\))? )?mod {name}\b", code_of(parent))
        for parent, name in declared
    )
    return any(found)


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


def test_no_modules_use_each_other_in_a_circle() -> None:
    # Of all modules, not only those at the top. There is no exception for a child that names its parent's items: what
    # both need is in a module of its own. What a parent passes on of its children counts as theirs.
    paths = [path for path in MODULES if not is_of_tests(path)]
    crate = Crate({path.relative_to(SRC).with_suffix("").parts: product_code_of(path) for path in paths})
    circle = circle_among({module: crate.used_by(module) for module in crate.modules})
    assert not circle, " uses ".join("::".join(module) for module in [*circle, circle[0]])


@pytest.mark.parametrize(
    ("modules", "circle"),
    [
        ({"a": "use crate::b::B;", "b": ""}, []),
        ({"a": "use crate::b::B;", "b": "use crate::{a::A, c::C};", "c": ""}, ["a", "b"]),
        ({"a": "use super::b;", "b": "fn f() { crate::a::g() }"}, ["a", "b"]),
        ({"a": "pub use b::B; mod b;", "a::b": "use super::A;"}, ["a", "a::b"]),
        ({"a": "pub use b::B; mod b; mod c;", "a::b": "", "a::c": "use super::B;"}, []),
        ({"a": "pub use b::B; mod b; mod c;", "a::b": "use super::c::C;", "a::c": "use super::B;"}, ["a::b", "a::c"]),
        ({"a": "use crate::b; fn f() { b::c::g() }", "b": "", "b::c": "use crate::a::A;"}, ["a", "b::c"]),
        ({"a": "use std::fs; fn f() { fs::read() }", "fs": "use crate::a::A;"}, []),
    ],
)
def test_circles_are_found(modules: dict[str, str], circle: list[str]) -> None:
    crate = Crate({tuple(name.split("::")): code for name, code in modules.items()})
    found = circle_among({module: crate.used_by(module) for module in crate.modules})
    assert sorted("::".join(module) for module in found) == circle


@pytest.mark.parametrize(
    ("tree", "paths"),
    [
        ("crate::a::B", ["crate::a::B"]),
        ("super::{a, b::{self, C as D}, e::F}", ["super::a", "super::b", "super::b::C", "super::e::F"]),
    ],
)
def test_trees_of_uses_are_taken_apart(tree: str, paths: list[str]) -> None:
    assert ["::".join(path) for path in paths_of(tree)] == paths
