"""``ferrocr models verify``: read models and compare their hashes."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ..._text import path_text
from ...exceptions import InvalidArgumentError, ModelCorruptError, ModelNotFoundError, StorageError
from ...models.store import ModelStore
from .._command import add_command
from .._errors import EXIT_OK, EXIT_PROBLEMS, report, split_hint
from .._output import print_json
from ._common import add_common, known_models, local_paths

if TYPE_CHECKING:
    from .._command import Commands

_NOTES = """\
Each line on stdout is OK: path, or what an audit would say: CORRUPT: path, FOREIGN: path for what is no model,
UNREADABLE: path, or UNVERIFIED: path for a model of which no hash is known. The exit code is 1 for all but OK; where
none is named, UNVERIFIED is fine too."""


def add(commands: "Commands") -> None:
    """Describe the command."""
    example = "ferrocr models verify PP-OCRv6_det_small.onnx"
    verify = add_command(commands, "verify", _verify, "read models and compare their hashes", example, notes=_NOTES)
    verify.add_argument("names", nargs="*", metavar="NAME", help="a model's file name; all when none is named")
    verify.add_argument("--sha256", metavar="HEX", help="the hash of the one model named, instead of the catalog's")
    add_common(verify)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a comparison: ``OK``, ``CORRUPT``, ``FOREIGN``, ``UNREADABLE`` or ``UNVERIFIED``, and why."""

    name: str
    path: str
    state: str
    sha256: str | None
    detail: str | None


def _verify(arguments: argparse.Namespace) -> int:
    if arguments.sha256 is not None and len(arguments.names) != 1:
        message = f"--sha256 is the hash of one model, and {len(arguments.names)} are named"
        raise InvalidArgumentError(message, "name the model that has this hash")
    accepted = ("OK",) if arguments.names else ("OK", "UNVERIFIED")
    verdicts = []
    for verdict in _verdicts(arguments):
        verdicts.append(verdict)
        if not arguments.json:
            print(f"{verdict.state}: {path_text(verdict.path)}", flush=True)
    if arguments.json:
        print_json([asdict(verdict) for verdict in verdicts])
    return EXIT_OK if all(verdict.state in accepted for verdict in verdicts) else EXIT_PROBLEMS


def _verdicts(arguments: argparse.Namespace) -> Iterator[Verdict]:
    """Give one after the other, since reading them takes its time."""
    store, known = ModelStore(arguments.dir), known_models()
    if arguments.names:
        paths = {name: store.get_local_path(name) for name in arguments.names}
    else:
        paths = local_paths(store)
        if not paths:
            print(f"no models in {path_text(store.get_local_path())}", file=sys.stderr)
    for name, path in paths.items():
        try:
            if arguments.sha256 is None and name not in known:
                yield _examined(store, name, path, arguments.dir)
            else:
                yield Verdict(name, path, "OK", store.verify(name, sha256=arguments.sha256), None)
        except (ModelCorruptError, StorageError) as error:
            report(error, directory=arguments.dir)
            state = "CORRUPT" if isinstance(error, ModelCorruptError) else "UNREADABLE"
            yield Verdict(name, path, state, None, split_hint(error)[0])
        except ModelNotFoundError:
            if arguments.names:
                raise  # else somebody removed it since it was listed


def _examined(store: ModelStore, name: str, path: str, directory: str | None) -> Verdict:
    """Ask the audit about a model that the catalog does not know by its name."""
    state, sha256, detail = store._core.examine(name)
    if state not in ("CURRENT", "UNVERIFIED"):
        kind = StorageError if state == "UNREADABLE" else ModelCorruptError
        report(kind(f"{path_text(path)}: {detail}"), directory=directory)
    return Verdict(name, path, "OK" if state == "CURRENT" else state, sha256, None if state == "CURRENT" else detail)
