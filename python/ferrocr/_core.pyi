import builtins
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import final

import numpy as np
import numpy.typing as npt

from ._engine._options import Provider

_Point = tuple[float, float]
_Quad = tuple[_Point, _Point, _Point, _Point]
_Char = tuple[str, float, _Quad]
_Word = tuple[str, float, _Quad, list[_Char]]
_Line = tuple[str, float, _Quad, list[_Word]]
# least score of lines, whether words come with characters
_ReadOptions = tuple[float, bool]
# first line, the line after its last, outline
_RawBlock = tuple[int, int, _Quad]
# why it could not be read, outline
_RawUnread = tuple[str, _Quad]
_RawPage = tuple[int, int, list[_Line], list[_RawBlock], list[_RawUnread]]
# name, path, state, bytes, modified, sha256, role, version, in_use, pids, kept, detail, action, removal,
# the action for the command line
_RawEntry = tuple[
    str,
    str,
    str,
    int | None,
    float | None,
    str | None,
    str | None,
    str | None,
    bool,
    list[int],
    bool,
    str,
    str,
    str | None,
    str,
]
# name, path, bytes, decision, pids, reason, whether it is an unfinished download
_RawPlanned = tuple[str, str, int, str, list[int], str, bool]
# files, removal
_RawRemoval = tuple[list[_RawPlanned], str | None]
# removal, name, path, bytes, removed
_RawTrashed = tuple[str, str, str, int, float]
# name, bytes, sha256, is_new
_RawArchived = tuple[str, int, str, bool, str | None]
# entry, name in the catalog, inputs, outputs, opsets, producer, characters
_RawInspection = tuple[
    _RawEntry, str | None, list[tuple[str, str]], list[tuple[str, str]], dict[str, int], str, int | None
]
# links, indexes, trusted hosts, certificates, proxy
_RawPackages = tuple[Sequence[str], Sequence[str], Sequence[str], str | PathLike[str] | None, str | None]
# True once it is over, calls in flight, sessions, threads, files, resident bytes before and after, seconds waited.
_Release = tuple[bool, int, int, int | None, int, int | None, int | None, float]

__version__: str

def load_runtime(library: str | PathLike[str]) -> None: ...
def runtime_path() -> str | None: ...

# name, name for people, package, extra, MB that may stay after a release
def providers() -> list[tuple[str, str, str, str, int]]: ...
def built_in_providers() -> list[Provider]: ...
def automatic_providers() -> list[Provider]: ...
def resident_bytes() -> int | None: ...
def path_text(path: str | PathLike[str]) -> str: ...
def cache_folder() -> str | None: ...
def regions_of_map(map: npt.NDArray[np.float32], width: int) -> list[tuple[float, _Quad]]: ...
def catalog() -> list[tuple[str, str, str, list[str], int | None, str, str, list[str], str | None]]: ...
def model_sets() -> list[tuple[str, dict[str, str]]]: ...
def roles() -> list[tuple[str, bool]]: ...

@final
class Store:
    def __new__(cls, directory: str | PathLike[str] | None) -> Store: ...
    @property
    def directory(self) -> str: ...
    def list(self) -> list[str]: ...
    def existing(self, name: str) -> str: ...
    def pull(
        self,
        names: Sequence[str],
        *,
        mirror: str | None,
        packages: _RawPackages,
        offline: bool,
        file: str | PathLike[str] | None,
        progress: Callable[[str, str, int, int | None], None] | None,
    ) -> builtins.list[str]: ...
    def verify(self, name: str, sha256: str | None) -> str: ...
    def examine(self, name: str) -> tuple[str, str | None, str]: ...
    def audit(
        self, *, needed: Sequence[str], rehash: bool, memory: str | PathLike[str] | None
    ) -> builtins.list[_RawEntry]: ...
    def inspect(self, name: str) -> _RawInspection: ...
    def remove(
        self, names: Sequence[str], *, keep: Sequence[str], needed: Sequence[str], dry_run: bool, strict: bool
    ) -> _RawRemoval: ...
    def prune(
        self,
        *,
        prefix: str | None,
        states: Sequence[str],
        older_than: float | None,
        keep: Sequence[str],
        needed: Sequence[str],
        dry_run: bool,
        strict: bool,
        memory: str | PathLike[str] | None,
    ) -> _RawRemoval: ...
    def restore(self, names: Sequence[str], *, removal: str | None, dry_run: bool) -> builtins.list[_RawTrashed]: ...
    def purge(self, *, older_than: float | None, dry_run: bool) -> builtins.list[_RawTrashed]: ...
    def kept(self) -> builtins.list[str]: ...
    def change_keep(self, add: Sequence[str], remove: Sequence[str]) -> builtins.list[str]: ...
    def in_use(self) -> dict[str, builtins.list[int]]: ...
    def lease(self, names: Sequence[str]) -> Lease: ...
    def protect(self, files: Mapping[str, str | PathLike[str]], *, look_around: Callable[[], None]) -> Protection: ...
    def export(
        self, archive: str, names: Sequence[str], *, progress: Callable[[str, int, int], None] | None
    ) -> builtins.list[_RawArchived]: ...
    def import_archive(
        self,
        archive: str,
        *,
        replace: bool,
        dry_run: bool,
        progress: Callable[[str, int, int], None] | None,
    ) -> builtins.list[_RawArchived]: ...

@final
class Lease:
    @property
    def held(self) -> bool: ...
    def release(self) -> None: ...

@final
class Protection:
    @property
    def fault(self) -> str | None: ...
    def release(self) -> None: ...

@final
class Stop:
    def __new__(cls) -> Stop: ...
    def cancel(self) -> None: ...

@final
class Reading:
    def over(self) -> bool: ...
    def wait(self, timeout: float | None) -> _RawPage: ...
    def cancel(self) -> None: ...
    def end(self) -> None: ...

@final
class Frames:
    @staticmethod
    def of_file(path: str | PathLike[str]) -> Frames: ...
    @staticmethod
    def of_bytes(data: bytes) -> Frames: ...
    @property
    def count(self) -> int: ...
    def dpi(self, index: int) -> float | None: ...
    def close(self) -> None: ...

@final
class Engine:
    def __new__(
        cls,
        *,
        preset: str,
        threads: int | None,
        max_pixels: int,
        max_side: int,
        max_bytes: int,
        max_regions: int,
        max_strip_width: int,
        low_memory: bool,
        idle_unload: float | None,
        languages: Sequence[str] | None,
    ) -> Engine: ...
    def load(
        self,
        files: Mapping[str, str | PathLike[str]],
        *,
        provider: str,
        protection: Protection,
        timeout: float | None,
        stop: Stop,
    ) -> None: ...
    @property
    def inherited(self) -> bool: ...
    @property
    def threads(self) -> int: ...
    @property
    def ahead(self) -> int: ...
    @property
    def loaded(self) -> bool: ...
    @property
    def calls(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    def check_open(self) -> None: ...
    def check_size(self, width: int, height: int) -> None: ...
    def recognize_file(
        self, path: str | PathLike[str], options: _ReadOptions, timeout: float | None, stop: Stop | None
    ) -> _RawPage: ...
    def recognize_encoded(
        self, data: bytes, options: _ReadOptions, timeout: float | None, stop: Stop | None
    ) -> _RawPage: ...
    def recognize_pixels(
        self,
        data: npt.NDArray[np.uint8] | bytearray,
        size: tuple[int, int],
        channels: int,
        options: _ReadOptions,
        timeout: float | None,
        stop: Stop | None,
    ) -> _RawPage: ...
    def begin_file(self, path: str | PathLike[str], options: _ReadOptions) -> Reading: ...
    def begin_encoded(self, data: bytes, options: _ReadOptions) -> Reading: ...
    def begin_pixels(
        self, data: npt.NDArray[np.uint8] | bytearray, size: tuple[int, int], channels: int, options: _ReadOptions
    ) -> Reading: ...
    def begin_frame(self, frames: Frames, index: int, options: _ReadOptions) -> Reading: ...
    def recognize_line(self, data: npt.NDArray[np.uint8], size: tuple[int, int], channels: int) -> _Line: ...
    def free(self, *, cancel: bool, timeout: float | None, trim: bool) -> _Release: ...
    def unload(self) -> _Release: ...
