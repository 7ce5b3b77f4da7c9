# What ferrocr uses of it: the package brings no types.
from collections.abc import Callable
from enum import Enum

class Engine(Enum):
    internal = 1

def convert(
    *images: bytes,
    layout_fun: Callable[[int, int, object], tuple[float, float, float, float]],
    first_frame_only: bool,
    nodate: bool,
    engine: Engine,
) -> bytes | None: ...
