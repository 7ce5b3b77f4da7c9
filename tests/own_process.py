"""Interpreters of their own for tests of what a process holds and how it ends, and how much of it is tried."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SCALE = int(os.environ.get("FERROCR_TEST_SCALE", "1"))
"""How much more than usual is tried of what can always be tried more: 1 for `make test`, more by hand."""

USUAL_SECONDS = 300
"""What no child may need, also on a busy machine: it hangs, and shows where before it is ended."""

# A forked child would wait for its parent's guard for ever when it ends.
GUARD = """
import faulthandler, os
def _guard(): faulthandler.dump_traceback_later({seconds}, exit=True)
_guard()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=faulthandler.cancel_dump_traceback_later, after_in_parent=_guard)
"""


def scaled(count: int) -> int:
    """A count that may be raised from outside."""
    return count * SCALE


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for what is about to happen; it may take the machine a while."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.005)


def run_child(
    code: str, *arguments: object, models: Path, seconds: float = USUAL_SECONDS, strict: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter of its own. When it hangs, all its threads say where; `strict` makes warnings errors.

    Its output goes to files: a process that it has left behind would keep a pipe open.
    """
    guard = GUARD.format(seconds=seconds)
    # An engine that another test loaded has set the variable in this process.
    inherited = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    warnings = ("-W", "error") if strict else ()
    command = [sys.executable, *warnings, "-c", guard + code, *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        # The guard does not reach a process that hangs in its own end.
        ended = subprocess.run(
            command,
            stdout=out,
            stderr=err,
            timeout=seconds + 30,
            check=False,
            env={**inherited, "FERROCR_MODEL_DIR": str(models)},
        )
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, ended.returncode, out.read(), err.read())


def check_child(code: str, *arguments: object, models: Path, seconds: float = USUAL_SECONDS) -> str:
    """What the code printed. It has to end well, and say nothing on stderr."""
    ended = run_child(code, *arguments, models=models, seconds=seconds)
    assert (ended.returncode, ended.stderr) == (0, ""), f"status {ended.returncode}\n{ended.stderr}\n{ended.stdout}"
    return ended.stdout
