"""``ferrocr models pull``: fetch models."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...models._catalog import DEFAULT_SET
from ...models.progress import DownloadProgress
from ...models.store import ModelStore
from .._command import add_command
from .._errors import EXIT_INTERRUPTED, EXIT_OK
from .._output import print_json, print_path
from ._common import add_common, again

if TYPE_CHECKING:
    from .._command import Commands


def add(commands: "Commands") -> None:
    """Describe the command."""
    example = f"ferrocr models pull --set {DEFAULT_SET}"
    pull = add_command(commands, "pull", _pull, "fetch models and print their paths", example)
    pull.add_argument("names", nargs="*", metavar="NAME", help="a file name of the catalog, or a set")
    pull.add_argument("--set", metavar="SET", help=f"a set of models; {DEFAULT_SET} when nothing is named")
    pull.add_argument("--mirror", metavar="URL", help="address that holds the files under their names, tried first")
    pull.add_argument("--from", dest="file", metavar="FILE", help="take the one model named from this file")
    add_common(pull)


def _pull(arguments: argparse.Namespace) -> int:
    names = [*arguments.names, *([arguments.set] if arguments.set else [])] or [DEFAULT_SET]
    store = ModelStore(arguments.dir)
    try:
        with DownloadProgress() as progress:
            paths = store.pull(names, mirror=arguments.mirror, file=arguments.file, progress=progress)
    except KeyboardInterrupt:
        print(f"interrupted: the next `{again(arguments, 'pull')}` goes on from here", file=sys.stderr)
        return EXIT_INTERRUPTED
    if arguments.json:
        print_json([{"name": Path(path).name, "path": path} for path in paths])
    else:
        for path in paths:
            print_path(path)
    return EXIT_OK
