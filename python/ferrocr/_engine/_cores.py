"""Engines that do the work: the core's, in this process, or one that has its models elsewhere."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypedDict

from .. import _core

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt


class Settings(TypedDict):
    """Options of the core's engine, but for those that each kind of engine takes in its own way."""

    store: _core.Store
    models: "Mapping[str, tuple[str | os.PathLike[str], bool]]"
    providers: "Sequence[str]"
    preset: str
    threads: int | None
    max_pixels: int
    max_side: int
    max_bytes: int
    max_regions: int
    max_strip_width: int
    low_memory: bool
    languages: "Sequence[str] | None"
    device_id: int | None


class Reading(Protocol):
    """A picture that is being read in the background."""

    def over(self) -> bool:
        """Return True once there is nothing left to wait for."""

    def wait(self, timeout: float | None) -> "_core._RawPage":
        """Wait for the page; after `timeout` seconds it is ended early."""

    def cancel(self) -> None:
        """End it early, without waiting for that."""

    def end(self) -> None:
        """End it early, and wait until nothing of it runs any more."""


class Elsewhere(Protocol):
    """An engine with the methods of the core's, whose models are in other processes."""

    @property
    def provider(self) -> str | None:
        """The provider of the last load."""

    @property
    def inherited(self) -> bool:
        """True in a forked child, if what it has is its parent's."""

    @property
    def ahead(self) -> int:
        """Pictures that are best begun before the one in front of them is done."""

    @property
    def loaded(self) -> bool:
        """True while models are in memory."""

    @property
    def calls(self) -> int:
        """The calls in flight."""

    @property
    def closed(self) -> bool:
        """True once a release has begun."""

    @property
    def processes(self) -> int:
        """The processes that were given back."""

    @property
    def pids(self) -> list[int]:
        """The processes that it has."""

    def stats(self) -> "_core._RawStats":
        """Return what it has done and does."""

    def check_open(self) -> None:
        """Refuse what comes after a release."""

    def check_size(self, width: int, height: int) -> None:
        """Refuse a picture's size."""

    def load(self, *, timeout: float | None, stop: _core.Stop | None) -> None:
        """Load the models."""

    def recognize_file(
        self,
        path: str | os.PathLike[str],
        options: "_core._ReadOptions",
        timeout: float | None,
        stop: _core.Stop | None,
    ) -> "_core._RawPage":
        """Read a file."""

    def recognize_encoded(
        self, data: bytes, options: "_core._ReadOptions", timeout: float | None, stop: _core.Stop | None
    ) -> "_core._RawPage":
        """Read an encoded picture."""

    def recognize_pixels(
        self,
        data: "npt.NDArray[np.uint8] | bytearray",
        size: tuple[int, int],
        channels: int,
        options: "_core._ReadOptions",
        timeout: float | None,
        stop: _core.Stop | None,
    ) -> "_core._RawPage":
        """Read pixels."""

    def begin_file(self, path: str | os.PathLike[str], options: "_core._ReadOptions") -> Reading:
        """Begin to read a file."""

    def begin_encoded(self, data: bytes, options: "_core._ReadOptions") -> Reading:
        """Begin to read an encoded picture."""

    def begin_pixels(
        self,
        data: "npt.NDArray[np.uint8] | bytearray",
        size: tuple[int, int],
        channels: int,
        options: "_core._ReadOptions",
    ) -> Reading:
        """Begin to read pixels."""

    def begin_page(self, content: Path | bytes, index: int, options: "_core._ReadOptions") -> Reading:
        """Begin to read a page of a TIFF file."""

    def free(self, *, cancel: bool, timeout: float | None, trim: bool) -> "_core._Release":
        """Give everything back."""

    def unload(self) -> "_core._Release":
        """Give everything back, and stay open."""


Core: TypeAlias = _core.Engine | Elsewhere
