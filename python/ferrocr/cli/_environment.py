"""The surroundings that ferrocr works in: environment variables, and whether the model directory can be written."""

import dataclasses
import difflib
import os
import re
import shutil
from pathlib import Path

PREFIX = "FERROCR_"

KNOWN = (
    "FERROCR_API_KEY",
    "FERROCR_MIRROR",
    "FERROCR_MODEL_DIR",
    "FERROCR_OFFLINE",
    "FERROCR_ONNXRUNTIME",
    "FERROCR_PACKAGE_INDEX",
    "FERROCR_PASSWORD",
)
"""Every variable of ferrocr's own."""

OTHERS = (
    *("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "all_proxy", "https_proxy", "http_proxy", "no_proxy"),
    *("SSL_CERT_DIR", "SSL_CERT_FILE", "ORT_DISABLE_TELEMETRY"),
)
"""Variables of others that change what a download or a load does."""

_SECRET = ("PASSWORD", "KEY", "SECRET", "TOKEN")
"""Parts of names, misspelled ones too, whose values nobody is shown."""

_USER = re.compile(r"//[^/@\s]*@|^[^/@\s:]+:[^/@\s]*@")
"""A user and password in an address; a proxy may have no scheme before them."""


def variables() -> dict[str, str]:
    """Return the variables that are set and count for ferrocr, without their passwords."""
    names = [name for name in os.environ if name.startswith(PREFIX)]
    return {name: masked(name, os.environ[name]) for name in [*sorted(names), *OTHERS] if name in os.environ}


def masked(name: str, value: str) -> str:
    """Return the value of a variable as it can be shown."""
    if any(word in name for word in _SECRET):
        return "***"
    return _USER.sub(lambda found: "//***@" if found[0].startswith("//") else "***@", value)


def misspelled() -> dict[str, str | None]:
    """Return the variables with the prefix that ferrocr does not read, each with the one that may be meant."""
    unknown = [name for name in os.environ if name.startswith(PREFIX) and name not in KNOWN]
    return {name: next(iter(difflib.get_close_matches(name, KNOWN, 1)), None) for name in sorted(unknown)}


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """The place for models on the disk.

    Attributes:
        fault: The reason why nothing can be written there; None where something can.
        free_bytes: The free space of its disk; None where the system does not tell.
    """

    fault: str | None
    free_bytes: int | None


def place_of(directory: str) -> Place:
    """Look at a directory, which need not exist, without writing to it."""
    path = next((path for path in (Path(directory), *Path(directory).parents) if path.exists()), Path(directory))
    try:
        free = shutil.disk_usage(path).free
    except OSError:
        free = None
    return Place(_fault(path), free)


def _fault(path: Path) -> str | None:
    if not path.is_dir():
        return f"{path} is no directory" if path.exists() else f"there is no {path}"
    if os.access(path, os.W_OK | os.X_OK):
        return None
    # Windows has no such call.
    if hasattr(os, "statvfs") and os.statvfs(path).f_flag & os.ST_RDONLY:
        return f"the file system of {path} is read-only"
    return f"this user may not write to {path}"
