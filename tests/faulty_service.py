"""An isolated engine's process that fails once, as FERROCR_TEST_FAULT says: before which answer, in which way."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from ferrocr._isolated._service import Service

MOMENT, WAY, ONCE = os.environ["FERROCR_TEST_FAULT"].split(":", 2)

ANSWERS = 4
"""The descriptor of the pipe for answers."""


class Faulty(Service):
    """Fails when it is about to give a certain answer."""

    def run(self, receive: Callable[[], object], send: Callable[[dict[str, object], bytes], None]) -> None:
        """Answer, until it fails."""

        def send_or_fail(header: dict[str, object], data: bytes) -> None:
            if header["what"] == MOMENT and not Path(ONCE).exists():
                Path(ONCE).touch()
                fail(send)
            send(header, data)

        super().run(receive, send_or_fail)  # type: ignore[arg-type]


def fail(send: Callable[[dict[str, object], bytes], None]) -> None:
    """Do it."""
    match WAY:
        case "exit":
            os._exit(3)
        case "half":
            os.write(ANSWERS, b"\0\0\1\0")
            os._exit(3)
        case "garbage":
            os.write(ANSWERS, b"\0\0\0\3" + b"\0" * 8 + b"[1]")
            time.sleep(1000)
        case "other":
            send({"id": 1_000_000, "what": "page"}, b"")
        case "wrong":
            send({"id": 2, "what": "loaded", "provider": "cpu"}, b"")
        case "no page":
            send({"id": 2, "what": "page"}, b"\1" * 40)
        case name:
            os.kill(os.getpid(), signal.Signals[name])
            time.sleep(1000)


handler = Faulty()
