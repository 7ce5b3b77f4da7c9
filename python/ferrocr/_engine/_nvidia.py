"""Opens the libraries of NVIDIA that ONNX Runtime's CUDA provider needs, where Python packages bring them.

``pip install onnxruntime-gpu[cuda,cudnn]`` puts them into folders of site-packages where the system's loader does not
look, and the provider's library does not say where they are. A library that is open already is not looked for any
more, so they are opened before the provider is. ONNX Runtime's own Python package does the same in ``preload_dlls``.
"""

import ctypes
import mmap
import re
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from .._packages import package_folders

_PROVIDER = "libonnxruntime_providers_cuda.so"

_NAMES = re.compile(r"lib(?:cu[a-z]|nv)\w*\.so\.\d+")
_LOAD, _DYNAMIC = 1, 2
"""Kinds of an ELF file's segments."""

_NEEDED, _STRINGS = 1, 5
"""Kinds of entries in its dynamic section."""

_DRIVER = "libcuda.so.1"

_FIRST = ("cudart", "nvJitLink", "nvrtc", "cublasLt", "cublas", "cufft", "curand", "cudnn_graph", "cudnn_ops")
"""Libraries that others need, which come first."""


def open_libraries(runtime: Path, folders: Sequence[Path] | None = None) -> list[str]:
    """Open what the CUDA provider beside ONNX Runtime's library `runtime` needs.

    Packages have it in `folders`; by default those of this interpreter's packages.

    Nothing is raised where that fails: the provider fails then, or finds its libraries elsewhere.

    Returns:
        The faults, in words: each library that is missing or could not be opened.
    """
    provider = runtime.parent / _PROVIDER
    if sys.platform != "linux" or not provider.is_file():
        return []
    needed = _needed(provider)
    # By name, as the system finds it.
    faults = [] if _is_open(_DRIVER) else [f"{_DRIVER} is missing, which comes with NVIDIA's driver"]
    refused = {}
    for library in sorted(_brought(needed, folders), key=_place):
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            refused[library.name] = str(error)
    missing = [name for name in sorted(needed) if name != _DRIVER and not _is_open(name)]
    faults += [f"{name} cannot be opened ({refused[name]})" for name in missing if name in refused]
    unfound = [name for name in missing if name not in refused]
    if unfound:
        faults.append(f'{", ".join(unfound)} not found, which pip install "ferrocr[gpu]" brings')
    return faults


def _needed(library: Path) -> set[str]:
    """Return the names of those of NVIDIA's libraries that a library needs, with their versions."""
    try:
        with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return {name for name in _needed_by(content) if _NAMES.fullmatch(name)}
    except (OSError, OverflowError, ValueError, struct.error):
        # Whoever opens it is told what is the matter with it.
        return set()


def _needed_by(content: mmap.mmap) -> Iterator[str]:
    """Give the names of libraries in a 64-bit ELF file's dynamic section."""
    if content[:6] != b"\x7fELF\x02\x01":
        return
    (start,), (size, count) = struct.unpack_from("<Q", content, 0x20), struct.unpack_from("<HH", content, 0x36)
    segments = [struct.unpack_from("<IIQQQQ", content, start + at * size) for at in range(count)]
    loaded = [(address, offset, length) for kind, _, offset, address, _, length in segments if kind == _LOAD]
    for kind, _, offset, _, _, length in segments:
        if kind != _DYNAMIC:
            continue
        entries = [struct.unpack_from("<QQ", content, at) for at in range(offset, offset + length, 16)]
        names = dict(entries).get(_STRINGS, 0)
        names += next((offset - address for address, offset, length in loaded if 0 <= names - address < length), 0)
        for tag, value in entries:
            if tag == _NEEDED:
                yield content[names + value : content.find(b"\0", names + value)].decode("ascii", "replace")


def _brought(needed: set[str], folders: Sequence[Path] | None = None) -> list[Path]:
    """Return the libraries in packages that are needed, also by each other, and those that they open by themselves."""
    versions = dict(re.findall(r"lib(cudart|cudnn)\.so\.(\d+)", " ".join(needed)))
    folders = package_folders("nvidia") if folders is None else folders
    helpers = {"nvJitLink": versions.get("cudart"), "nvrtc": versions.get("cudart")}
    there = [library for folder in folders for library in folder.glob("*/lib/lib*.so.*")]

    def is_helper(library: Path) -> bool:
        stem, version = library.name.removeprefix("lib").split(".so.", 1)
        return version == (versions.get("cudnn") if stem.startswith("cudnn_") else helpers.get(stem))

    wanted, brought = set(needed), []
    while found := [library for library in there if library.name in wanted or is_helper(library)]:
        brought += found
        there = [library for library in there if library not in found]
        wanted.update(*map(_needed, found))
    return brought


def _place(library: Path) -> tuple[int, str]:
    stem = library.name.removeprefix("lib").split(".so.", 1)[0]
    return (_FIRST.index(stem) if stem in _FIRST else len(_FIRST), library.name)


def _is_open(name: str) -> bool:
    """Return True if the library is open, or the system finds and opens it by its name."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
