"""The files in the user's cache that remember the hashes of models."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

_FORGOTTEN_AFTER = 90 * 86_400
"""Seconds after which a memory of hashes goes that nothing was added to: one of a deleted directory has up to 3 MB, and
without one of a directory that is there, an audit takes as long as the first one did."""


def hash_memory(directory: str) -> Path | None:
    """Return the file in the user's cache that remembers the hashes of the models in `directory`.

    It is outside of that directory, because an audit writes nothing there. None for a user without a home.
    """
    from hashlib import sha256

    cache = _cache_directory()
    digest = sha256(directory.encode("utf-8", "surrogatepass")).hexdigest()
    return None if cache is None else cache / "ferrocr" / "hashes" / f"{digest[:16]}.txt"


def forget_directories(memory: Path) -> None:
    """Delete the hash memories beside `memory` that nothing was added to for a long time.

    Most are of directories that are gone. Where one is still there, its models are read once more.
    """
    with suppress(OSError):
        for other in list(memory.parent.iterdir()):
            with suppress(OSError):  # what somebody else has put there, or deletes too
                if other != memory and time.time() - other.lstat().st_mtime > _FORGOTTEN_AFTER:
                    other.unlink()


def _cache_directory() -> Path | None:
    # A relative path would mean another place in every working directory; the specification says to ignore it.
    if (named := Path(os.environ.get("XDG_CACHE_HOME", ""))).is_absolute():
        return named
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else None
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if not home.is_absolute():
        return None
    return home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"
