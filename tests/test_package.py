"""The installed package has all that the sources have, and no stranger's tool has to look for these."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

import ferrocr

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "python" / "ferrocr"
INSTALLED = Path(ferrocr.__file__).parent

BUILT = {".pyc", ".so", ".pyd"}
"""Files that are made of the sources."""


def files_of(folder: Path) -> Iterator[str]:
    """Those that are not made, by their paths below the folder; without pages of the documentation."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in BUILT and path.parent != folder / "docs":
            yield path.relative_to(folder).as_posix()


def test_the_package_says_that_it_has_types() -> None:
    assert (INSTALLED / "py.typed").read_bytes() == b""


def test_the_installed_package_is_that_of_the_sources() -> None:
    """An old one would be tested, or one that lacks a module or a data file."""
    names = set(files_of(SOURCES))
    assert {"py.typed", "_core.pyi", "formats/result-1.schema.json", "cli/__init__.py"} <= names
    assert set(files_of(INSTALLED)) == names
    differing = [name for name in names if (INSTALLED / name).read_bytes() != (SOURCES / name).read_bytes()]
    assert not differing, "build it anew"


def test_a_wheel_has_listed_all_files() -> None:
    listed = {Path(str(file)).as_posix() for file in distribution("ferrocr").files or ()}
    if SOURCES == INSTALLED:
        pytest.skip("the package is used where its sources lie")
    assert {f"ferrocr/{name}" for name in files_of(SOURCES)} <= listed
    assert any(name.startswith("ferrocr/_core.") and Path(name).suffix in BUILT for name in listed)


def test_a_wheel_has_the_pages_of_the_documentation() -> None:
    if SOURCES == INSTALLED:
        pytest.skip("the package is used where its sources lie")
    written = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
    assert {path.name: path.read_text(encoding="utf-8") for path in (INSTALLED / "docs").iterdir()} == written


def test_a_container_is_built_of_all_that_the_build_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    taken = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    named = [*project["project"]["license-files"], project["project"]["readme"], "build.rs"]
    named += [row["path"] for row in project["tool"]["maturin"]["include"]]
    assert {f"!{name}" for name in named} <= set(taken)
