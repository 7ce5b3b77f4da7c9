"""``ferrocr serve``: the service that reads over HTTP."""

import argparse
import os
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ferrocr

from ..exceptions import InvalidArgumentError, StorageError
from ..serve import Settings, check_packages
from ._command import add_command, counted, positive
from ._errors import EXIT_OK
from ._read_arguments import describe_engine

if TYPE_CHECKING:
    from ._command import Commands

KEY_VARIABLE = "FERROCR_API_KEY"

_MIB = 2**20

_NOTES = f"""\
  Then look at http://127.0.0.1:8000/ in a browser, or run:
  curl --data-binary @scan.pdf "http://127.0.0.1:8000/v1/read?format=text"

  Keys come from --api-key-file or ${KEY_VARIABLE}, never from the command line, which others can see.
  `ferrocr docs serve` says more."""


def add(commands: "Commands") -> None:
    """Describe the command."""
    command = add_command(
        commands, "serve", run, "read pictures and documents over HTTP", "ferrocr serve", notes=_NOTES
    )
    _describe_address(command.add_argument_group("address"))
    _describe_limits(command.add_argument_group("limits"))
    group = command.add_argument_group("engine")
    workers = "processes that hold the models, each of which may crash alone; 0: hold them in the server; default: 1"
    group.add_argument("--workers", type=counted, default=1, metavar="N", help=workers)
    memory = "most memory of each of these processes, where Linux bounds it"
    group.add_argument("--max-memory", type=positive, metavar="MB", help=memory)
    pixels = "most pixels of a picture, default: %(default)s"
    group.add_argument("--max-pixels", type=positive, default=50_000_000, metavar="N", help=pixels)
    idle = "give the models back after so long without a request; default: keep them"
    group.add_argument("--idle-unload", type=float, metavar="SECONDS", help=idle)
    describe_engine(group)


def run(arguments: argparse.Namespace) -> int:
    """Serve until the process is told to end."""
    check_packages()
    from ..serve import make_app
    from ..serve._server import run as serve

    settings = _settings(arguments)
    make_engine = partial(ferrocr.OcrEngine, arguments.models, **_engine_options(arguments))
    # Options that make no sense are errors before anything listens.
    make_engine().free_resources()
    serve(make_app(make_engine, settings), arguments.log_level)
    return EXIT_OK


def _describe_address(group: "argparse._ArgumentGroup") -> None:
    usual = Settings()
    where = "the address to listen at; 0.0.0.0 lets other machines in; default: %(default)s"
    group.add_argument("--host", default=usual.host, metavar="ADDRESS", help=where)
    group.add_argument("--port", type=counted, default=usual.port, metavar="N", help="default: %(default)s")
    keys = f"clients have to send one of the keys in this file, a line each; default: ${KEY_VARIABLE}, or no key"
    group.add_argument("--api-key-file", metavar="FILE", help=keys)
    origins = "pages in browsers from there may send requests too, such as https://a.example; may be given again"
    group.add_argument("--allow-origin", action="append", default=[], metavar="ORIGIN", help=origins)
    levels = ("debug", "info", "warning", "error")
    group.add_argument("--log-level", choices=levels, default="info", help="default: %(default)s")


def _describe_limits(group: "argparse._ArgumentGroup") -> None:
    usual = Settings()
    at_once = "requests that are read at the same time; default: one more than workers"
    group.add_argument("--at-once", type=positive, metavar="N", help=at_once)
    queue = "requests that may wait, others are refused with 503; default: %(default)s"
    group.add_argument("--queue", type=counted, default=usual.queue, metavar="N", help=queue)
    uploads = "bodies that may be on their way at once; default: %(default)s"
    group.add_argument("--uploads", type=positive, default=usual.uploads, metavar="N", help=uploads)
    body = "most of a body; default: %(default)s"
    group.add_argument("--max-body", type=positive, default=usual.max_body // _MIB, metavar="MB", help=body)
    pages = "most pages of a request; default: %(default)s"
    group.add_argument("--max-pages", type=positive, default=usual.max_pages, metavar="N", help=pages)
    for name, what in (
        ("seconds", "that a request may wait and be read"),
        ("page_seconds", "that one page of it may take"),
        ("body_seconds", "that a body may take to arrive"),
        ("stall_seconds", "that a body may bring nothing"),
        ("drain_seconds", "that requests have when the service is to end"),
    ):
        option = "--" + name.replace("_", "-")
        text = f"seconds {what}; default: %(default)g"
        group.add_argument(option, type=float, default=getattr(usual, name), metavar="SECONDS", help=text)


def _settings(arguments: argparse.Namespace) -> Settings:
    taken: dict[str, Any] = {
        field.name: getattr(arguments, field.name) for field in fields(Settings) if hasattr(arguments, field.name)
    }
    taken["max_body"] = arguments.max_body * _MIB
    taken["at_once"] = arguments.at_once or max(2, arguments.workers + 1)
    taken["origins"] = tuple(arguments.allow_origin)
    taken["keys"] = _keys(arguments.api_key_file)
    return Settings(**taken)


def _engine_options(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("detector", "recognizer", "orienter", "model_dir", "provider", "preset", "device_id", "threads")
    options = {name: getattr(arguments, name) for name in (*names, "languages", "max_pixels", "idle_unload")}
    options["download"] = not arguments.no_download
    if arguments.workers:
        options |= {"isolated": True, "workers": arguments.workers}
    if arguments.max_memory is not None:
        options["max_memory"] = arguments.max_memory * _MIB
    return options


def _keys(file: str | None) -> tuple[str, ...]:
    """Return the keys, of which no message may show any."""
    if file is None:
        key = os.environ.get(KEY_VARIABLE)
        if key is not None and not key.strip():
            message = f"${KEY_VARIABLE} is empty, which would let everybody in"
            raise InvalidArgumentError(message, "give it a key, or unset it")
        return () if key is None else (key.strip(),)
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read the keys in {file}: {getattr(error, 'strerror', None) or 'it is no text'}"
        raise StorageError(message) from error
    keys = tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    if not keys:
        message = f"there is no key in {file}"
        raise InvalidArgumentError(message, "write one a line")
    return keys
