"""Pictures for terminals: what a terminal can show, and the bytes that show it. Nothing here touches a terminal."""

import base64
import io
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import PIL.Image

    Encoder: TypeAlias = Callable[[PIL.Image.Image], str]

_KITTY_CHUNK = 4096
"""Letters of base64 that kitty's protocol lets a command have."""

_MOST_COLOURS = 256
"""Registers that every sixel terminal has."""

_ESC, _ST = "\x1b", "\x1b\\"


def protocol_of(environment: Mapping[str, str], attributes: str = "") -> str | None:
    """Return the terminal's best way to show pictures: ``kitty``, ``iterm``, ``sixel``, ``blocks``, or None for none.

    Args:
        environment: The variables of the environment.
        attributes: The terminal's answer to a query of its attributes (DA1), if there was one.
    """
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if term in ("", "dumb"):
        return None
    # A multiplexer says who it is, and the variables of the terminal around it are still there.
    if "TMUX" not in environment and not term.startswith(("screen", "tmux")):
        if "KITTY_WINDOW_ID" in environment or term == "xterm-kitty" or program == "ghostty" or term == "xterm-ghostty":
            return "kitty"
        if program in ("iTerm.app", "WezTerm", "mintty") or environment.get("LC_TERMINAL") == "iTerm2":
            return "iterm"
    if has_sixel(attributes):
        return "sixel"
    return "blocks" if _has_true_colour(environment) else None


def has_sixel(attributes: str) -> bool:
    """Return True if an answer to DA1, such as ``ESC [ ? 62 ; 4 c``, has the attribute 4."""
    start, end = attributes.rfind("[?"), attributes.rfind("c")
    return 0 <= start < end and "4" in attributes[start + 2 : end].split(";")[1:]


def _has_true_colour(environment: Mapping[str, str]) -> bool:
    names_it = environment.get("COLORTERM", "") in ("truecolor", "24bit")
    return names_it or "WT_SESSION" in environment or environment.get("TERM", "").endswith("-direct")


def kitty(picture: "PIL.Image.Image") -> str:
    """Return the picture in kitty's graphics protocol: PNG in base64, in chunks."""
    data = base64.standard_b64encode(_png(picture)).decode()
    chunks = [data[at : at + _KITTY_CHUNK] for at in range(0, len(data), _KITTY_CHUNK)]
    out = []
    for number, chunk in enumerate(chunks, 1):
        # q=2: the terminal answers nothing that would come in as typed.
        first = "a=T,f=100,q=2," if number == 1 else ""
        out.append(f"{_ESC}_G{first}m={int(number < len(chunks))};{chunk}{_ST}")
    return "".join(out) + "\n"


def iterm(picture: "PIL.Image.Image") -> str:
    """Return the picture as iTerm2's inline image."""
    data = _png(picture)
    return f"{_ESC}]1337;File=inline=1;size={len(data)}:{base64.standard_b64encode(data).decode()}\x07\n"


def sixel(picture: "PIL.Image.Image") -> str:
    """Return the picture as sixels, in at most 256 colours."""
    picture = picture.convert("RGB").quantize(_MOST_COLOURS)
    width, height = picture.size
    palette = picture.getpalette() or []
    out = [f'{_ESC}P0;1q"1;1;{width};{height}']
    for number in sorted(set(picture.tobytes())):
        red, green, blue = (round(value * 100 / 255) for value in palette[3 * number : 3 * number + 3])
        out.append(f"#{number};2;{red};{green};{blue}")
    pixels = picture.tobytes()
    for top in range(0, height, 6):
        rows = [pixels[row * width : (row + 1) * width] for row in range(top, min(top + 6, height))]
        out.append("$".join(_band(rows)) + "-")
    return "".join(out) + _ST + "\n"


def _band(rows: list[bytes]) -> Iterator[str]:
    """Give six rows of pixels, once for each of their colours."""
    for colour in sorted(set(b"".join(rows))):
        masks = [
            sum(1 << bit for bit, value in enumerate(column) if value == colour) for column in zip(*rows, strict=True)
        ]
        yield f"#{colour}" + "".join(_run(mask, len(list(same))) for mask, same in groupby(masks))


def _run(mask: int, length: int) -> str:
    letter = chr(63 + mask)
    return f"!{length}{letter}" if length > 3 else letter * length


def blocks(picture: "PIL.Image.Image") -> str:
    """Return the picture in upper half blocks of 24-bit colours: a letter shows one pixel above another one."""
    picture = picture.convert("RGB")
    width, height = picture.size
    pixels = picture.tobytes()

    def colour(x: int, y: int) -> str:
        at = 3 * (y * width + x)
        return "{};{};{}".format(*pixels[at : at + 3])

    lines = []
    for y in range(0, height, 2):
        # An odd last row has the terminal's own background below it.
        cells = (
            f"{_ESC}[38;2;{colour(x, y)};" + (f"48;2;{colour(x, y + 1)}m▀" if y + 1 < height else "49m▀")
            for x in range(width)
        )
        lines.append("".join(cells) + f"{_ESC}[0m\n")
    return "".join(lines)


def _png(picture: "PIL.Image.Image") -> bytes:
    out = io.BytesIO()
    picture.save(out, "png")
    return out.getvalue()


ENCODERS: "Mapping[str, Encoder]" = MappingProxyType({"kitty": kitty, "iterm": iterm, "sixel": sixel, "blocks": blocks})
"""Functions that show a picture, by protocol."""
