"""Installed packages, as folders."""

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path


def package_folders(package: str) -> list[Path]:
    """Return the folders of an installed package, without importing it; none where there is no such package."""
    # ValueError is for a module of that name without a spec, put into sys.modules by someone.
    with suppress(ImportError, ValueError):
        if spec := find_spec(package):
            return [Path(folder).absolute() for folder in spec.submodule_search_locations or ()]
    return []
