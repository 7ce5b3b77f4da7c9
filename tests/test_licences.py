"""Licences of what is linked are in the package, whole, and of the crates that Cargo.lock has."""

import importlib.util
import random
import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType

import pytest

import ferrocr

ROOT = Path(__file__).parent.parent


def load() -> ModuleType:
    """The tool that makes the file, as a module."""
    spec = importlib.util.spec_from_file_location("licences", ROOT / "tools" / "licences.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = load()

FILES = {
    "one": {"LICENSE-MIT": "Copyright one", "LICENSE-APACHE": "Apache", "NOTICE": "made of one", "lib.rs": "code"},
    "two": {"COPYING": "Copyright two"},
    "three": {"license.md": "Copyright two  \n\n"},
    "four": {"LICENSE-MIT": "Copyright four", "LICENSE-OTHER": "four's own"},
    "none": {"README.md": "none"},
}
LICENCES = {"two": "BSD-3-Clause", "four": "MIT AND BSD-3-Clause"}


def crates(folder: Path, *names: str) -> list[tuple[str, str, str, Path]]:
    """Crates with these files, in any order."""
    found = []
    for name in names:
        (folder / name).mkdir(exist_ok=True)
        for file, text in FILES[name].items():
            (folder / name / file).write_text(text)
        found.append(TOOL.Crate(name, "1.0", LICENCES.get(name, "MIT OR Apache-2.0"), folder / name))
    random.shuffle(found)
    return found


def test_each_crate_has_its_texts_and_equal_ones_are_there_once(tmp_path: Path) -> None:
    text = TOOL.collected(crates(tmp_path, "one", "two", "three", "four"))
    parts = [part.strip() for part in text.split(TOOL.RULE)[1:]]
    assert list(zip(parts[::2], parts[1::2], strict=True)) == [
        ("four 1.0 (MIT AND BSD-3-Clause)", "Copyright four"),
        ("four 1.0 (MIT AND BSD-3-Clause)", "four's own"),
        ("one 1.0 (MIT OR Apache-2.0)", "Copyright one"),
        ("one 1.0 (MIT OR Apache-2.0)", "made of one"),
        ("three 1.0 (MIT OR Apache-2.0)\ntwo 1.0 (BSD-3-Clause)", "Copyright two"),
    ]
    assert text == TOOL.collected(crates(tmp_path, "one", "two", "three", "four"))


def test_a_crate_without_a_text_is_an_error_unless_another_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TOOL.NoTextError, match=r"^none 1\.0 \(MIT OR Apache-2\.0\) has no file"):
        TOOL.collected(crates(tmp_path, "none", "two"))
    monkeypatch.setitem(TOOL.BORROWED, "none", "two")
    assert "none 1.0 (MIT OR Apache-2.0)\ntwo 1.0" in TOOL.collected(crates(tmp_path, "none", "two"))
    with pytest.raises(TOOL.NoTextError, match="none"):
        TOOL.collected(crates(tmp_path, "none"))


def test_macros_and_what_builds_or_tests_is_not_linked(tmp_path: Path) -> None:
    def package(name: str, kind: str = "lib") -> dict[str, object]:
        manifest = str(tmp_path / name / "Cargo.toml")
        target = {"kind": [kind]}
        return {
            "id": name, "name": name, "version": "1", "license": "MIT", "targets": [target], "manifest_path": manifest
        }  # fmt: skip

    def uses(name: str, kind: str | None = None) -> dict[str, object]:
        return {"pkg": name, "dep_kinds": [{"kind": kind}]}

    nodes = {
        "root": [uses("a"), uses("macro"), uses("tests", "dev"), uses("builds", "build")],
        "a": [uses("b")], "b": [uses("a")], "macro": [uses("syn")], "syn": [], "tests": [], "builds": [],
    }  # fmt: skip
    found = {
        "packages": [package(name, "proc-macro" if name == "macro" else "lib") for name in nodes],
        "resolve": {"root": "root", "nodes": [{"id": name, "deps": deps} for name, deps in nodes.items()]},
    }
    assert sorted(crate.name for crate in TOOL.linked(found)) == ["a", "b"]


def test_the_file_is_of_the_crates_that_are_locked() -> None:
    """That it has all of them is for cargo to say, in `make test`."""
    text = TOOL.FILE.read_text(encoding="utf-8")
    assert text.startswith(TOOL.HEADER)
    named = {
        (name, version)
        for heading in text.split(TOOL.RULE)[1::2]
        for name, version in re.findall(r"^(\S+) (\S+) \(.+\)$", heading, re.MULTILINE)
    }
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    locked = {(package["name"], package["version"]) for package in lock["package"]}
    assert named <= locked, "run: python3 tools/licences.py"
    direct = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["dependencies"]
    assert set(direct) <= {name for name, _ in named}


def test_it_is_for_all_platforms_that_have_wheels() -> None:
    workflow = (ROOT / ".github" / "workflows" / "wheels.yml").read_text(encoding="utf-8")
    assert set(TOOL.TARGETS) == set(re.findall(r"\{ target: ([\w-]+),", workflow))


def test_a_wheel_has_the_licences() -> None:
    if Path(ferrocr.__file__).is_relative_to(ROOT / "python"):
        pytest.skip("the package is used where its sources lie")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    files = {str(file).replace("\\", "/"): file for file in distribution("ferrocr").files or ()}
    for name in project["license-files"]:
        (found,) = (file for path, file in files.items() if path.endswith(f".dist-info/licenses/{name}"))
        assert found.read_text() == (ROOT / name).read_text(encoding="utf-8")
