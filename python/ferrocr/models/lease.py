"""The protection of models that a process uses."""

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from .. import _core


class Lease:
    """A lease of :meth:`ferrocr.ModelStore.lease`. Use it in a ``with`` statement, or call :meth:`release`."""

    def __init__(self, core: "_core.Lease") -> None:
        self._core = core

    @property
    def held(self) -> bool:
        """True while it protects anything.

        False after the release, and from the start in a directory that cannot be written and on a file system without
        locks: the models can be used there, and another process can remove them.
        """
        return self._core.held

    def release(self) -> None:
        """End the protection. May be called again."""
        self._core.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, {'held' if self.held else 'not held'}>"
