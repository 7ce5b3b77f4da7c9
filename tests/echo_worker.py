"""A worker of tests: it imports this, and neither pytest nor ferrocr."""

import os
import sys
import time

from ferrocr._workers import _process as _worker_process

_worker_process.IDLE = 0.2


class Handler:
    """Does as it is told, badly too."""

    is_idle = False

    def handle(self, header: dict[str, object], data: bytearray) -> tuple[dict[str, object], bytes | bytearray]:
        """Answer."""
        match header["do"]:
            case "sleep":
                time.sleep(1000)
            case "fail":
                raise ValueError
            case "crash":
                os.abort()
            case "leave":
                os._exit(3)
            case "wait":
                self.is_idle = True
            case "print":
                print("on standard output", flush=True)
                os.write(1, b"and again")
                sys.stderr.write("and there")
            case "lie":
                os.write(4, b"\0\0\0\3" + b"\0" * 8 + b"[1]")
            case "about":
                names = sorted(name for name in sys.modules if name.partition(".")[0] in ("ferrocr", "numpy"))
                return {"argv": sys.argv, "cwd": os.getcwd(), "modules": names, "path": sys.path}, b""  # noqa: PTH109
        return header, data


handler = Handler()
