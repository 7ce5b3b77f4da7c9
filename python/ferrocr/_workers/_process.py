"""The other side of :mod:`._worker`: what runs in a worker.

A worker imports modules of ferrocr without the package's own imports, so that it starts fast and small.
"""

import os
import queue
import sys
import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Protocol, cast

from ._wire import LENGTHS, Data, Header, header_of, packed

IDLE = 30.0
"""Seconds without a request after which a worker that has nothing open ends by itself. Starting one takes a quarter of
a second of processor time at most, so whoever asks less often than this notices nothing."""


class Service(Protocol):
    """The work of a worker that answers many requests at the same time: its module has one as ``handler``."""

    def run(self, receive: "Callable[[], tuple[Header, Data]]", send: "Callable[[Header, Data], None]") -> None:
        """Answer requests in whatever order, from any thread, until it is to end."""


class Handler(Protocol):
    """The work of a worker: the module that it is started with has one as ``handler``."""

    is_idle: bool
    """True while nothing is open in it."""

    def handle(self, header: Header, data: Data) -> tuple[Header, Data]:
        """Answer a request; what it raises ends the worker."""


def serve(module: str) -> None:
    """Answer requests from standard input on standard output, until the input is at its end."""
    requests, answers = _taken(0), _taken(1)
    waiting: queue.SimpleQueue[tuple[Header, Data]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests, waiting.put), daemon=True).start()
    try:
        handler = import_module(module).handler
    except ImportError as error:
        _send(answers, {"problem": str(error)})
        return
    _send(answers, {})
    if hasattr(handler, "run"):
        cast("Service", handler).run(waiting.get, partial(_send_alone, threading.Lock(), answers))
    else:
        _answer_in_turn(cast("Handler", handler), waiting, answers)


def _answer_in_turn(handler: Handler, waiting: "queue.SimpleQueue[tuple[Header, Data]]", answers: int) -> None:
    while True:
        try:
            header, data = waiting.get(timeout=IDLE)
        except queue.Empty:
            if handler.is_idle:
                return
            continue
        _send(answers, *handler.handle(header, data))
        del data


def _taken(descriptor: int) -> int:
    """Take a standard stream away from everybody else, so that what a library prints goes nowhere."""
    own = os.dup(descriptor)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, descriptor)
    os.close(nothing)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(own, os.O_BINARY)
    return own


def _receive(source: int, put: Callable[[tuple[Header, Data]], object]) -> None:
    """Take in requests in a thread of their own: so the end of the parent ends this, whatever it is working on."""
    try:
        while True:
            header_length, length = LENGTHS.unpack(_exactly(source, LENGTHS.size))
            header = header_of(_exactly(source, header_length))
            put((header, _exactly(source, length)))
    finally:
        os._exit(0)


def _exactly(source: int, length: int) -> bytearray:
    data = bytearray(length)
    left = memoryview(data)
    while left:
        if not (count := os.readv(source, [left]) if hasattr(os, "readv") else _read_into(source, left)):
            raise EOFError
        left = left[count:]
    return data


def _read_into(source: int, space: memoryview) -> int:
    data = os.read(source, min(len(space), 2**20))
    space[: len(data)] = data
    return len(data)


def _send_alone(lock: threading.Lock, answers: int, header: Header, data: Data) -> None:
    with lock:
        _send(answers, header, data)


def _send(answers: int, header: Header, data: Data = b"") -> None:
    for part in (packed(header, data), data):
        left = memoryview(part).cast("B")
        while left:
            left = left[os.write(answers, left) :]
