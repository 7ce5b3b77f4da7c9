"""Locates ONNX Runtime's shared library without importing the package that brings it.

The Rust core opens the library itself. Importing ``onnxruntime`` would only cost time and memory, so the wheel is
looked at as a directory: its ``capi`` folder holds the library, and the library's name holds its version.
"""

import ctypes
import os
import re
import sysconfig
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from .. import _core
from .._packages import package_folders
from ..exceptions import RuntimeUnavailableError

ENV_LIBRARY = "FERROCR_ONNXRUNTIME"
"""Environment variable: the library's file, or a directory that holds it. It wins over installed packages."""

MINIMUM_VERSION = (1, 23)
"""Oldest ONNX Runtime that is accepted: those before it crash the process at its exit."""

# Distribution on the package index -> extra of ferrocr that installs it. All of them install the package `onnxruntime`.
_EXTRA_OF = {package: extra for _, _, package, extra, _ in _core.providers()}
_PATTERNS = ("libonnxruntime.so*", "libonnxruntime*.dylib", "onnxruntime.dll")
_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class Runtime:
    """ONNX Runtime's shared library on this machine.

    Attributes:
        path: The library's file, absolute.
        version: Its version as far as names and package metadata tell, such as ``"1.32.0"``; None where they do not.
        distribution: The installed distribution that brought it; None where the environment variable named it.
    """

    path: Path
    version: str | None
    distribution: str | None


def disable_telemetry() -> None:
    """Turn ONNX Runtime's telemetry off, unless the user has set ``ORT_DISABLE_TELEMETRY`` to something else.

    Wheels from 1.29 on write a device id and a database into the user's cache directory and start a thread as soon as
    their environment is created. Only the environment variable, set before that moment, stops it: the call in the
    library's interface comes too late. So this runs before the first session is made.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def find_runtime() -> Runtime:
    """Locate ONNX Runtime's shared library.

    Returns:
        The library named by ``FERROCR_ONNXRUNTIME`` if that is set, else the one of the installed distribution.

    Raises:
        RuntimeUnavailableError: No library, more than one distribution, or a version older than ``MINIMUM_VERSION``.
    """
    named = os.environ.get(ENV_LIBRARY)
    runtime = _from_environment(Path(named)) if named else _from_distribution()
    _refuse_old(runtime)
    return runtime


def library_version(path: Path) -> str:
    """Open the library at `path` and ask it for its version; the library stays loaded until the process ends.

    Raises:
        RuntimeUnavailableError: The file cannot be opened as a library, or is not ONNX Runtime.
    """

    class ApiBase(ctypes.Structure):
        _fields_ = (
            ("get_api", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)),
            ("get_version_string", ctypes.CFUNCTYPE(ctypes.c_char_p)),
        )

    try:
        api_base = ctypes.CDLL(str(path)).OrtGetApiBase
    except OSError as error:
        message = f"cannot open ONNX Runtime's library {path}: {error}"
        raise RuntimeUnavailableError(message) from error
    except AttributeError as error:
        message = f"{path} is a library, but not ONNX Runtime's"
        raise RuntimeUnavailableError(message) from error
    api_base.argtypes, api_base.restype = (), ctypes.POINTER(ApiBase)
    version: bytes = api_base().contents.get_version_string()
    return version.decode()


def _from_environment(place: Path) -> Runtime:
    place = place.expanduser().absolute()
    library = _newest_library(place) if place.is_dir() else place
    if library is None or not library.is_file():
        what = "holds no ONNX Runtime library" if place.is_dir() else "does not exist"
        message = f"{ENV_LIBRARY} is set to {place}, which {what}"
        hint = "set it to the library's file or to the directory that holds it, or unset it for the installed package"
        raise RuntimeUnavailableError(message, hint)
    return Runtime(library, _version_of(library), None)


def _from_distribution() -> Runtime:
    installed = _installed()
    if len(installed) > 1:
        raise _several(list(installed))
    libraries = [library for folder in package_folders("onnxruntime") if (library := _newest_library(folder / "capi"))]
    name = next(iter(installed), None)
    if not libraries:
        raise _no_library(name) if name else _not_installed()
    library = max(libraries, key=_rank)
    return Runtime(library, _version_of(library) or (installed[name] if name else None), name)


def _installed() -> dict[str, str]:
    """Name and version of each distribution of ONNX Runtime that is installed."""
    found = {}
    for name in _EXTRA_OF:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _newest_library(folder: Path) -> Path | None:
    # `libonnxruntime_providers_*` are plug-ins of the library; the patterns reach them only on macOS.
    found = (path for pattern in _PATTERNS for path in folder.glob(pattern) if "_providers_" not in path.name)
    return max(found, key=_rank, default=None)


def _rank(library: Path) -> tuple[tuple[int, ...], str]:
    return _numbers(_version_of(library) or ""), library.name


def _version_of(library: Path) -> str | None:
    """Return the version in the file's name, or in the name that a link such as `libonnxruntime.so.1` leads to."""
    match = _VERSION.search(library.name) or _VERSION.search(library.resolve().name)
    return match[0] if match else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _refuse_old(runtime: Runtime) -> None:
    if runtime.version is None or _numbers(runtime.version)[:2] >= MINIMUM_VERSION:
        return
    minimum = ".".join(map(str, MINIMUM_VERSION))
    package = runtime.distribution or "onnxruntime"
    message = f"ONNX Runtime {runtime.version} at {runtime.path} is too old: below {minimum} it crashes at exit"
    raise RuntimeUnavailableError(message, f'run: pip install --upgrade "{package}>={minimum}"')


def _several(names: list[str]) -> RuntimeUnavailableError:
    keep = _EXTRA_OF[names[-1]]
    return RuntimeUnavailableError(
        f"{' and '.join(names)} are installed together, and they overwrite each other's files",
        f'run: pip uninstall -y {" ".join(names)} && pip install "ferrocr[{keep}]"',
    )


def _not_installed() -> RuntimeUnavailableError:
    if _is_musl():
        return RuntimeUnavailableError(
            "ONNX Runtime is not installed, and there are no wheels of it for musl systems such as Alpine",
            f"use a system with glibc, or set {ENV_LIBRARY} to a libonnxruntime.so that was built for this one",
        )
    (_, _, _, usual, _), *providers = _core.providers()
    others = ", ".join(f'"ferrocr[{extra}]" for {title}' for _, title, _, extra, _ in providers if extra != usual)
    return RuntimeUnavailableError(
        "ONNX Runtime is not installed", f'run: pip install "ferrocr[{usual}]"  (or {others})'
    )


def _no_library(name: str) -> RuntimeUnavailableError:
    return RuntimeUnavailableError(
        f"{name} is installed, but the onnxruntime package that Python finds has no shared library in its capi folder",
        f"run: pip install --force-reinstall {name}  (where a system package keeps the library elsewhere, "
        f"set {ENV_LIBRARY} to it)",
    )


def _is_musl() -> bool:
    return "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE"))
