"""The logger `ferrocr`: what an engine does that takes long, costs something or is not as it was asked for.

It is silent unless the program sets logging up. No text that was read is ever logged.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger
    from typing import Protocol

    _Progress = Callable[[str, str, int, int | None], None]

    class _Steps(Protocol):
        """Takes the steps of downloads, each with why a try at a source ended and True if there is another one."""

        def __call__(
            self, name: str, source: str, done: int, total: int | None, trouble: "tuple[str, bool] | None" = None, /
        ) -> None: ...


@cache
def logger() -> "Logger":
    """Return the logger.

    An engine asks for it when it is made: an import that Ctrl-C ends half-way, or a lock of `logging` that it falls
    into, would hang whoever logs next.
    """
    import logging  # of no use to who makes no engine

    ours = logging.getLogger("ferrocr")
    # Else Python prints warnings of a program that has set nothing up.
    ours.addHandler(logging.NullHandler())
    # Under a lock the first time.
    ours.isEnabledFor(logging.INFO)
    return ours


def logging_downloads(progress: "_Progress | None") -> "_Steps":
    """Return a callback that logs where a model is fetched from, before its first byte, and then calls `progress`.

    It logs each try that is made again, and each source that is left.
    """
    begun: set[tuple[str, str]] = set()

    def arrived(
        name: str, source: str, done: int, total: int | None, trouble: "tuple[str, bool] | None" = None, /
    ) -> None:
        if trouble is not None:
            why, is_tried_again = " ".join(trouble[0].split()), trouble[1]
            if not is_tried_again:
                logger().warning("%s does not deliver %s: %s", source, name, why)
                return
            logger().info("trying %s from %s again: %s", name, source, why)
        elif (name, source) not in begun:
            begun.add((name, source))
            size = "size unknown" if total is None else f"{total} bytes"
            logger().info("fetching %s from %s, %s", name, source, size)
        if progress is not None:
            progress(name, source, done, total)

    return arrived
