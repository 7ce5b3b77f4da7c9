"""``--show``: the annotated picture in the terminal, or as a file that the system's viewer opens."""

import os
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .._text import path_text, printable
from ._graphics import ENCODERS, protocol_of
from ._streams import is_terminal

if TYPE_CHECKING:
    import PIL.Image

_ANSWER_SECONDS = 0.3
"""Seconds that a terminal may take to say what it can. One at the other end of a network needs a tenth of a second."""

_CELL = (10, 20)
"""Pixels of a letter where the terminal does not tell. Only decides how large a picture is shown."""


class Viewer:
    """Shows pictures one after the other; what the terminal can is found out once, before models load."""

    def __init__(self) -> None:
        is_terminal = sys.stdout.isatty()
        self._protocol = protocol_of(os.environ, _attributes()) if is_terminal else None
        self._folder: Path | None = None

    def show(self, picture: "PIL.Image.Image", name: str) -> None:
        """Show one picture; `name` is that of the file it was read from."""
        if self._protocol is None:
            self._open(picture, name)
            return
        small = picture.copy()
        small.thumbnail(_room(self._protocol))
        sys.stdout.write(ENCODERS[self._protocol](small))
        sys.stdout.flush()

    def _open(self, picture: "PIL.Image.Image", name: str) -> None:
        """Write it to a file of its own, which stays: the viewer may take its time."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="ferrocr-"))
        number = sum(1 for _ in self._folder.iterdir()) + 1
        path = self._folder / f"{number}.png"
        picture.save(path)
        print(f"{printable(name)}: see {path_text(str(path))}", file=sys.stderr)
        open_with_viewer(path)


def open_with_viewer(path: Path) -> bool:
    """Open a file with the system's program for it, without waiting for that; False where there is none."""
    if sys.platform == "win32":
        os.startfile(path)
        return True
    command = "open" if sys.platform == "darwin" else "xdg-open"
    has_screen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not has_screen or shutil.which(command) is None:
        return False
    quiet = subprocess.DEVNULL
    subprocess.Popen([command, str(path)], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    return True


def _room(protocol: str) -> tuple[int, int]:
    """Return the largest size that fits, in what the protocol counts in: all of the width, a line less in height."""
    columns, lines = shutil.get_terminal_size()
    if protocol == "blocks":
        return columns, 2 * max(lines - 1, 1)
    wide, high = _cell()
    return columns * wide, max(lines - 1, 1) * high


def _cell() -> tuple[int, int]:
    """Return width and height of a letter in pixels."""
    try:
        import fcntl
        import struct
        import termios

        answer = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
        lines, columns, width, height = struct.unpack("HHHH", answer)
        if min(lines, columns, width, height) > 0:
            return max(width // columns, 1), max(height // lines, 1)
    except (ImportError, OSError):
        pass
    return _CELL


def _attributes() -> str:
    """Return the terminal's answer when it is asked what it can; empty where there is none."""
    if not is_terminal(sys.stdin):
        return ""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        return ""
    entrance = sys.stdin.fileno()
    try:
        before = termios.tcgetattr(entrance)
    except termios.error:
        return ""
    try:
        tty.setcbreak(entrance)
        os.write(sys.stdout.fileno(), b"\x1b[c")
        return _answer(entrance)
    finally:
        termios.tcsetattr(entrance, termios.TCSADRAIN, before)


def _answer(entrance: int) -> str:
    answer = b""
    while not answer.endswith(b"c") and len(answer) < 100:
        if not select.select([entrance], [], [], _ANSWER_SECONDS)[0]:
            break
        piece = os.read(entrance, 100)
        if not piece:
            break
        answer += piece
    return answer.decode("ascii", "replace")
