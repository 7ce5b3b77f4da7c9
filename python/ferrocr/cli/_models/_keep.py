"""``ferrocr models keep``: the list of what is not to be removed."""

import argparse
import sys
from typing import TYPE_CHECKING

from ..._text import path_text, printable
from ...models.store import ModelStore
from .._command import add_command
from .._errors import EXIT_OK
from .._output import print_json
from ._common import add_common

if TYPE_CHECKING:
    from .._command import Commands


def add(commands: "Commands") -> None:
    """Describe the command."""
    what = "show or change the list of models that are not to be removed"
    keep = add_command(commands, "keep", _keep, what, "ferrocr models keep my_model.onnx 'arabic_*'")
    keep.add_argument("entries", nargs="*", metavar="ENTRY", help="a name to add, or a pattern with * and ?")
    keep.add_argument("--set", metavar="SET", help="add the models of a set")
    keep.add_argument(
        "--remove", action="append", default=[], metavar="ENTRY", help="take it off the list; may be given again"
    )
    add_common(keep)


def _keep(arguments: argparse.Namespace) -> int:
    store = ModelStore(arguments.dir)
    added = [*arguments.entries, *(_members(arguments.set) if arguments.set else ())]
    entries = store.keep(added, remove=arguments.remove) if added or arguments.remove else store.kept()
    if arguments.json:
        print_json(entries)
        return EXIT_OK
    for entry in entries:
        print(printable(entry))
    if not entries:
        print(f"the keep-list of {path_text(store.get_local_path())} is empty", file=sys.stderr)
    return EXIT_OK


def _members(name: str) -> tuple[str, ...]:
    from ...exceptions import InvalidArgumentError
    from ...models.store import model_sets

    sets = model_sets()
    if name in sets:
        return sets[name]
    message = f"there is no model set {name!r}; the sets are {', '.join(sorted(sets))}"
    raise InvalidArgumentError(message)
