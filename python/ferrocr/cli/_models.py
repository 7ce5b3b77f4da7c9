"""``ferrocr models``: list, find and fetch models."""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._defaults import DEFAULT_SET
from ..progress import DownloadProgress, megabytes
from ..store import ModelStore, catalog, model_sets
from ._command import add_command, add_dir
from ._errors import EXIT_OK
from ._output import print_json, print_table

if TYPE_CHECKING:
    from ._command import Commands


def add(commands: "Commands") -> None:
    """Describe the command and those below it."""
    models = commands.add_parser("models", help="list, find and fetch models", description="Look after the models.")
    actions = models.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = add_command(actions, "list", _list, "list the models", "ferrocr models list --available")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.add_argument("--available", action="store_true", help="list the catalog instead of the directory")

    example = "ferrocr models path PP-OCRv6_det_small.onnx"
    path = add_command(actions, "path", _path, "print the path of the directory or of a model", example)
    path.add_argument("name", nargs="?", metavar="NAME", help="a model's file name")

    example = f"ferrocr models pull --set {DEFAULT_SET}"
    pull = add_command(actions, "pull", _pull, "fetch models and print their paths", example)
    pull.add_argument("names", nargs="*", metavar="NAME", help="a file name of the catalog, or a set")
    pull.add_argument("--set", metavar="SET", help=f"a set of models; {DEFAULT_SET} when nothing is named")
    pull.add_argument("--mirror", metavar="URL", help="address that holds the files under their names, tried first")
    for action in (listing, path, pull):
        add_dir(action)


def _list(arguments: argparse.Namespace) -> int:
    store = ModelStore(arguments.dir)
    if arguments.available:
        return _print_catalog(store, as_json=arguments.json)
    names = store.list_local()
    if arguments.json:
        print_json([_file_object(store, name) for name in names])
        return EXIT_OK
    for name in names:
        print(name)
    if not names:
        print(f"no models in {store.get_local_path()}\nhint: run: ferrocr models pull", file=sys.stderr)
    return EXIT_OK


def _file_object(store: ModelStore, name: str) -> dict[str, Any]:
    path = Path(store.get_local_path(name))
    return {"name": name, "path": str(path), "bytes": path.stat().st_size}


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
    size = "?" if row["bytes"] is None else megabytes(row["bytes"])
    here = "local" if row["local"] else "-"
    return [row["name"], row["role"], row["family"], size, here, ",".join(row["sets"]) or "-"]


def _path(arguments: argparse.Namespace) -> int:
    print(ModelStore(arguments.dir).get_local_path(arguments.name))
    return EXIT_OK


def _pull(arguments: argparse.Namespace) -> int:
    names = [*arguments.names, *([arguments.set] if arguments.set else [])] or [DEFAULT_SET]
    with DownloadProgress() as progress:
        paths = ModelStore(arguments.dir).pull(names, mirror=arguments.mirror, progress=progress)
    for path in paths:
        print(path)
    return EXIT_OK
