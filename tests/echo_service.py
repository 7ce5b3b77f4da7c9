"""An isolated engine's process without models: pictures say what is to be done, and pages say what they were."""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ferrocr._isolated._raw_pages import packed_page

if TYPE_CHECKING:
    from ferrocr._core import _RawUnread, _Word

Header = dict[str, object]
NO_WORDS: "list[_Word]" = []
NONE_UNREAD: "list[_RawUnread]" = []
QUAD = ((0.0, 0.0), (9.0, 0.0), (9.0, 4.0), (0.0, 4.0))


class Echo:
    """Answers as the real one does."""

    def run(self, receive: Callable[[], tuple[Header, bytearray]], send: Callable[[Header, bytes], None]) -> None:
        """Answer, each request in a thread of its own."""
        self._send = send
        self._replies: dict[object, queue.SimpleQueue[Header]] = {}
        self._threads: list[threading.Thread] = []
        while True:
            header, data = receive()
            number = header["id"]
            if header["do"] in ("cancel", "reply"):
                if number in self._replies:
                    self._replies[number].put(header)
                continue
            self._replies[number] = queue.SimpleQueue()
            work = {"load": self._load, "read": self._read, "free": self._free}[str(header["do"])]
            others = list(self._threads)
            thread = threading.Thread(target=work, args=(header, bytes(data), others), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _load(self, header: Header, _data: bytes, _others: list[threading.Thread]) -> None:
        number = header["id"]
        self._send({"id": number, "what": "question", "question": "loaded", "values": ["cpu", 0.25]}, b"")
        self._replies[number].get()
        self._send({"id": number, "what": "loaded", "provider": "cpu"}, b"")

    def _read(self, header: Header, data: bytes, _others: list[threading.Thread]) -> None:
        number, (order, _, argument) = header["id"], data.decode().partition(" ")
        if order == "crash-unseen":
            os.kill(os.getpid(), signal.Signals[argument])
            time.sleep(1000)
        self._send({"id": number, "what": "begun"}, b"")
        match order:
            case "crash":
                os.kill(os.getpid(), signal.Signals[argument])
                time.sleep(1000)
            case "hang":
                time.sleep(1000)
            case "wait":
                self._replies[number].get()
                self._fail(number, "OcrCancelledError", "the call was cancelled")
            case "broken":
                self._fail(number, "ImageError", "it is broken")
            case _:
                timings = (0.5, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625)
                page = (9, 4, [(data.decode(), 1.0, QUAD, NO_WORDS)], [(0, 1, QUAD)], NONE_UNREAD, timings)
                self._send({"id": number, "what": "page"}, packed_page(page))

    def _fail(self, number: object, error: str, text: str) -> None:
        self._send({"id": number, "what": "error", "error": error, "text": text, "hint": None, "shell_hint": None}, b"")

    def _free(self, header: Header, _data: bytes, others: list[threading.Thread]) -> None:
        for other in others:
            other.join()
        report = [True, 0, 3, 2, 1, None, None, 0.0]
        self._send({"id": header["id"], "what": "freed", "report": report}, b"")


handler = Echo()
