"""The model directory: what lies in it, and how it is filled."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from . import _core
from .exceptions import InvalidArgumentError, ModelNotFoundError

ProgressCallback = Callable[[str, str, int, int | None], None]
"""Called with a file's name, its source, the bytes done and the bytes in all (None where that is not known)."""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model that ferrocr knows.

    Attributes:
        name: Its file name in the model directory.
        role: ``"detector"``, ``"recognizer"`` or ``"orienter"``.
        family: The PP-OCR version it belongs to, such as ``"PP-OCRv6"``.
        languages: Codes of the languages it reads; empty where that does not matter.
        bytes: Its size where that is known before the download.
        sha256: The hash that its content must have, in hexadecimal.
        licence: SPDX identifier of the weights' licence.
        sources: Where it can be had, in the order in which they are tried.
    """

    name: str
    role: str
    family: str
    languages: tuple[str, ...]
    bytes: int | None
    sha256: str
    licence: str
    sources: tuple[str, ...]


def catalog() -> list[CatalogEntry]:
    """Every model that ferrocr knows and can download."""
    return [
        CatalogEntry(name, role, family, tuple(languages), size, sha256, licence, tuple(sources))
        for name, role, family, languages, size, sha256, licence, sources in _core.catalog()
    ]


def model_sets() -> dict[str, tuple[str, str, str]]:
    """Names of the model sets, each with the file names of its detector, recogniser and orienter."""
    return {name: (detector, recognizer, orienter) for name, detector, recognizer, orienter in _core.model_sets()}


class ModelStore:
    """A flat directory of model files. What lies on the disk is the truth; there is no index to go stale.

    Args:
        directory: By default ``FERROCR_MODEL_DIR`` or ``ferrocr/models`` in the user's data directory. It need not
            exist yet.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        self._core = _core.Store(directory)

    def list_local(self) -> list[str]:
        """Names of the model files (``.onnx``, ``.ort``, ``.bin``), sorted; empty for a directory that is not there.

        Raises:
            StorageError: The directory is there and cannot be read.
        """
        return self._core.list()

    def get_local_path(self, name: str | None = None) -> str:
        """Absolute path of the directory, or of a file in it.

        Raises:
            InvalidArgumentError: The name is no plain file name.
            ModelNotFoundError: There is no such file.
        """
        return self._core.directory if name is None else self._core.existing(name)

    def pull(
        self, names: Iterable[str], *, mirror: str | None = None, progress: ProgressCallback | None = None
    ) -> list[str]:
        """Download models of the catalog that are not there yet, verified before they appear.

        Args:
            names: File names of the catalog, or names of model sets.
            mirror: Base address that is asked for ``<mirror>/<file name>`` before the catalog's own sources: ``https``,
                ``file:`` for a directory, ``http`` only for this machine. By default ``FERROCR_MIRROR``.
            progress: Called during the download; an exception that it raises ends it.

        Returns:
            The files' absolute paths, in the order of the names.

        Raises:
            InvalidArgumentError: A name is neither a file of the catalog nor a set.
            ModelNotFoundError: A file is missing and ``FERROCR_OFFLINE`` forbids the download.
            DownloadError: No source could deliver it.
        """
        wanted = list(dict.fromkeys(name for given in names for name in _files_of(given)))
        return self._fetch(wanted, mirror=mirror, progress=progress)

    def resolve(
        self,
        choices: Iterable[str | os.PathLike[str]],
        *,
        download: bool,
        progress: ProgressCallback | None = None,
    ) -> list[Path]:
        """Paths of models given as catalog names, file names in the directory, or paths; missing ones are downloaded.

        Raises:
            ModelNotFoundError: A file is missing, and is not in the catalog or may not be downloaded.
            DownloadError: No source could deliver it.
        """
        paths = [self._path_of(choice) for choice in choices]
        missing = [path for path in paths if not path.is_file()]
        known = {entry[0] for entry in _core.catalog()}
        directory = Path(self._core.directory)
        for path in missing:
            if path.parent != directory:
                message = f"there is no model file {path}"
                raise ModelNotFoundError(message)
            if path.name not in known:
                self._core.existing(path.name)  # raises the error that names file and directory
        if missing:
            self._fetch([path.name for path in missing], offline=not download, progress=progress)
        return paths

    def _fetch(
        self,
        names: list[str],
        *,
        mirror: str | None = None,
        offline: bool = False,
        progress: ProgressCallback | None = None,
    ) -> list[str]:
        mirror = mirror or os.environ.get("FERROCR_MIRROR") or None
        return self._core.pull(
            names, mirror=mirror, file=None, python=_interpreter(), offline=offline, progress=progress
        )

    def _path_of(self, choice: str | os.PathLike[str]) -> Path:
        path = Path(choice)
        if isinstance(choice, str) and path.name == choice:
            return Path(self._core.directory) / choice
        return path.absolute()


def _files_of(name: str) -> tuple[str, ...]:
    sets = model_sets()
    if name in sets:
        return sets[name]
    if any(entry[0] == name for entry in _core.catalog()):
        return (name,)
    message = f"{name!r} is neither a model of the catalog nor a model set"
    raise InvalidArgumentError(message, "`ferrocr models list --available` shows both")


def _interpreter() -> str | None:
    """The interpreter whose pip can fetch wheels. In a frozen program ``sys.executable`` is the program itself."""
    return None if getattr(sys, "frozen", False) else sys.executable or None
