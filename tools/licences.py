"""Collect the licences of all crates that are linked into the wheel, as THIRD-PARTY-LICENSES has them.

Run it when Cargo.lock has changed::

    python3 tools/licences.py          # writes the file
    python3 tools/licences.py --check  # says what is out of date, as `make test` does

It needs cargo, and the standard library of Python alone.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
FILE = ROOT / "THIRD-PARTY-LICENSES"

TARGETS = (
    "aarch64-apple-darwin",
    "aarch64-pc-windows-msvc",
    "aarch64-unknown-linux-gnu",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-gnu",
)
"""The platforms that have wheels; the file is one for all of them."""

BORROWED = {"pulp-wasm-simd-flag": "pulp"}
"""Crates that bring no text, each with the crate of the same repository, authors and licence whose text it is."""

NAMES = re.compile(r"(licen[cs]e|copying|notice|copyright|unlicense)", re.IGNORECASE)
"""Beginnings of the names of files that are a licence, or have to go with one."""

OTHERS = re.compile(r"apache|zlib|unlicense|0bsd|boost|cc0", re.IGNORECASE)
"""Parts of the names of files that are left out where MIT may be chosen, and has a file of its own."""

HEADER = """\
Licences of what is linked into the compiled module of ferrocr, of all platforms that have wheels.

Where a crate leaves the choice, MIT is chosen. ferrocr's own licence is in LICENSE; models and ONNX Runtime are no part
of the package, and NOTICE says where they come from. The source of each crate is in the registry of Rust's packages, by
its name and version. This file is made by tools/licences.py.

The standard library of Rust is linked too. It may be used under Apache-2.0, whose text is in LICENSE, or MIT.
Copyright the Rust Project Developers.
"""
RULE = "-" * 120


class Crate(NamedTuple):
    """A crate that is linked."""

    name: str
    version: str
    licence: str
    folder: Path


class NoTextError(Exception):
    """A crate without a text that could be shown."""


def metadata(target: str) -> dict[str, Any]:
    """Return what cargo knows of the packages that a wheel for this platform is made of."""
    options = ("--locked", "--format-version=1", "--features=python", f"--filter-platform={target}")
    command = [os.environ.get("CARGO", "cargo"), "metadata", *options]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def linked(found: dict[str, Any]) -> Iterator[Crate]:
    """Give the crates that code comes from: no macros, build scripts or tests, and not ferrocr."""
    packages = {package["id"]: package for package in found["packages"]}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    root = found["resolve"]["root"]
    waiting, seen = [root], {root}
    while waiting:
        package = packages[waiting.pop()]
        if any("proc-macro" in target["kind"] for target in package["targets"]):
            continue
        if package["id"] != root:
            folder = Path(package["manifest_path"]).parent
            yield Crate(package["name"], package["version"], package["license"] or "", folder)
        for used in nodes[package["id"]]["deps"]:
            if used["pkg"] not in seen and any(kind["kind"] is None for kind in used["dep_kinds"]):
                seen.add(used["pkg"])
                waiting.append(used["pkg"])


def texts(crate: Crate) -> list[str]:
    """Return the texts of a crate's licence, without those that need not be chosen."""
    files = sorted(path for path in crate.folder.iterdir() if path.is_file() and NAMES.match(path.name))
    may_choose = re.search(r"\bMIT\b", crate.licence) and " AND " not in crate.licence
    if may_choose and any("mit" in file.name.lower() for file in files):
        files = [file for file in files if not OTHERS.search(file.name)]
    found = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    return [text for text in map(tidy, found) if text]


def tidy(text: str) -> str:
    """Return a text without what an editor may have left, so that equal ones are told to be."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def collected(crates: Iterable[Crate]) -> str:
    """Return the whole file; crates with the same text share it.

    Raises:
        NoTextError: A crate brings no text.
    """
    known = {(crate.name, crate.version): crate for crate in crates}
    by_name = {crate.name: crate for crate in known.values()}
    shared: defaultdict[str, list[str]] = defaultdict(list)
    for _, crate in sorted(known.items()):
        found = texts(by_name.get(BORROWED.get(crate.name, ""), crate))
        if not found:
            message = f"{crate.name} {crate.version} ({crate.licence}) has no file with a licence"
            raise NoTextError(message)
        for text in found:
            shared[text].append(f"{crate.name} {crate.version} ({crate.licence})")
    parts = ["\n".join([RULE, *names, RULE, "", text, ""]) for text, names in shared.items()]
    return "\n".join([HEADER, *parts])


def main(arguments: list[str]) -> int:
    """Write the file, or compare it; 1 where it is out of date, or a crate has no text."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, and fail where the file is out of date")
    check = parser.parse_args(arguments).check
    try:
        wanted = collected(crate for target in TARGETS for crate in linked(metadata(target)))
    except NoTextError as error:
        print(f"error: {error}\nhint: give it a row in BORROWED of tools/licences.py", file=sys.stderr)
        return 1
    if not check:
        FILE.write_text(wanted, encoding="utf-8", newline="\n")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != wanted:
        print(f"error: {FILE.name} is out of date\nhint: run: python3 tools/licences.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
