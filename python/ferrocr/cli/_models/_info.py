"""``ferrocr models info``: what one file is."""

import argparse
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..._text import path_text, printable
from ...models.audit import ModelInfo
from ...models.store import ModelStore
from .._command import add_command
from .._errors import EXIT_OK
from .._output import print_json
from ._common import add_common, for_shell, size_of, time_of

if TYPE_CHECKING:
    from .._command import Commands


def add(commands: "Commands") -> None:
    """Describe the command."""
    info = add_command(commands, "info", _info, "say what a model file is", "ferrocr models info my_model.onnx --json")
    info.add_argument("name", metavar="NAME", help="a model's file name")
    add_common(info)


def _info(arguments: argparse.Namespace) -> int:
    info = ModelStore(arguments.dir).info(arguments.name)
    info = dataclasses.replace(info, entry=for_shell(info.entry))
    if arguments.json:
        print_json(info.to_dict())
        return EXIT_OK
    for label, value in _lines(info):
        if value:
            print(f"{label + ':':<12}{printable(value)}")
    return EXIT_OK


def _lines(info: ModelInfo) -> Iterator[tuple[str, str]]:
    """Give labels and values; what is empty is not known."""
    entry = info.entry
    yield "name", entry.name
    yield "path", path_text(entry.path)
    yield "state", f"{entry.state}: {entry.detail}" if entry.detail else entry.state
    yield "to do", entry.action
    yield "size", f"{size_of(entry.bytes)} ({entry.bytes} bytes)" if entry.bytes is not None else ""
    yield "changed", time_of(entry.modified) if entry.modified is not None else ""
    yield "sha256", entry.sha256 or ""
    yield "role", entry.role or ""
    yield "version", entry.version or ""
    yield "catalog", info.catalog_name or ""
    yield "in use", usage(entry.in_use, entry.pids)
    yield "kept", "yes" if entry.kept else ""
    yield "producer", info.producer
    yield "opsets", ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in info.opsets)
    yield from (("input", f"{name} {shape}") for name, shape in info.inputs)
    yield from (("output", f"{name} {shape}") for name, shape in info.outputs)
    yield "characters", "" if info.characters is None else str(info.characters)


def usage(in_use: bool, pids: tuple[int, ...]) -> str:  # noqa: FBT001
    """Return in words which processes use it; empty where none does."""
    if not in_use:
        return ""
    return f"by {', '.join(map(str, pids))}" if pids else "yes"
