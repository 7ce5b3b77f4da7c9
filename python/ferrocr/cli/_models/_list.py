"""``ferrocr models list`` and ``path``."""

import argparse
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._text import path_text
from ...models.store import ModelStore, catalog, model_sets
from .._command import add_command
from .._errors import EXIT_OK
from .._output import print_json, print_path, print_table
from ._common import add_common, again, known_models, local_paths, print_rows, size_of

if TYPE_CHECKING:
    from .._command import Commands


_MOST_CODES = 12
"""Languages of a recogniser that are named one by one in a table."""


def add(commands: "Commands") -> None:
    """Describe the commands."""
    listing = add_command(commands, "list", _list, "list the models", "ferrocr models list --available")
    listing.add_argument("--available", action="store_true", help="list the catalog instead of the directory")

    example = "ferrocr models path PP-OCRv6_det_small.onnx"
    path = add_command(commands, "path", _path, "print the path of the directory or of a model", example)
    path.add_argument("name", nargs="?", metavar="NAME", help="a model's file name")
    for command in (listing, path):
        add_common(command)


def _list(arguments: argparse.Namespace) -> int:
    store = ModelStore(arguments.dir)
    if arguments.available:
        return _print_catalog(store, as_json=arguments.json)
    files = list(_files(store))
    if arguments.json:
        print_json(files)
    elif sys.stdout.isatty():
        _print_table(files)
    else:
        for file in files:
            print(path_text(file["name"]))
    if not files and not arguments.json:
        print(f"no models in {path_text(store.get_local_path())}", file=sys.stderr)
        print(f"hint: run: {again(arguments, 'pull')}", file=sys.stderr)
    return EXIT_OK


def _files(store: ModelStore) -> Iterator[dict[str, Any]]:
    for name, path in local_paths(store).items():
        try:
            yield {"name": name, "path": path, "bytes": Path(path).stat().st_size}
        except FileNotFoundError:
            continue  # removed since it was listed


def _print_table(files: list[dict[str, Any]]) -> None:
    known, sets = known_models(), model_sets()
    rows = []
    for file in files:
        entry = known.get(file["name"])
        members = [name for name, names in sets.items() if file["name"] in names]
        about = [entry.role, entry.family] if entry else ["-", "-"]
        rows.append([file["name"], *about, size_of(file["bytes"]), ",".join(members) or "-"])
    print_rows(("NAME", "ROLE", "FAMILY", "SIZE", "SETS"), rows)


def _print_catalog(store: ModelStore, *, as_json: bool) -> int:
    local, sets = set(store.list_local()), model_sets()
    rows = [
        {
            **dataclasses.asdict(entry),
            "sets": [name for name, files in sets.items() if entry.name in files],
            "local": entry.name in local,
        }
        for entry in catalog()
    ]
    if as_json:
        print_json(rows)
    else:
        print_table([_catalog_row(row) for row in rows])
    return EXIT_OK


def _catalog_row(row: dict[str, Any]) -> list[str]:
    here = "local" if row["local"] else "-"
    sets = ",".join(row["sets"]) or "-"
    return [row["name"], row["role"], row["family"], size_of(row["bytes"]), here, sets, _languages(row["languages"])]


def _languages(codes: Sequence[str]) -> str:
    """Return the codes of a recogniser's languages, or only their number where they are too many for a line."""
    return (",".join(codes) or "-") if len(codes) <= _MOST_CODES else f"{len(codes)} languages"


def _path(arguments: argparse.Namespace) -> int:
    path = ModelStore(arguments.dir).get_local_path(arguments.name)
    if arguments.json:
        print_json({"name": arguments.name, "path": path})
    else:
        print_path(path)
    return EXIT_OK
