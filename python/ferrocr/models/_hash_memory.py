"""The files in the user's cache that remember the hashes of models."""

import time
from contextlib import suppress
from pathlib import Path

from .. import _core

_FORGOTTEN_AFTER = 90 * 86_400
"""Seconds after which a memory of hashes goes that nothing was added to: one of a deleted directory has up to 3 MB, and
without one of a directory that is there, an audit takes as long as the first one did."""


def hash_memory(directory: str) -> Path | None:
    """Return the file in the user's cache that remembers the hashes of the models in `directory`.

    It is outside of that directory, because an audit writes nothing there. None for a user without a home.
    """
    from hashlib import sha256

    cache = _core.cache_folder()
    digest = sha256(directory.encode("utf-8", "surrogatepass")).hexdigest()
    return None if cache is None else Path(cache) / "ferrocr" / "hashes" / f"{digest[:16]}.txt"


def forget_directories(memory: Path) -> None:
    """Delete the hash memories beside `memory` that nothing was added to for a long time.

    Most are of directories that are gone. Where one is still there, its models are read once more.
    """
    with suppress(OSError):
        for other in list(memory.parent.iterdir()):
            with suppress(OSError):  # what somebody else has put there, or deletes too
                if other != memory and time.time() - other.lstat().st_mtime > _FORGOTTEN_AFTER:
                    other.unlink()
