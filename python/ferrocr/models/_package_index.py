"""Package indexes: the settings of ``pip`` that say where Python wheels are to be had, read without running it.

``pip`` itself is not asked. It is run by an interpreter that takes code from its working directory, its environment and
its settings, and it may not be there; the core fetches the few files that it needs by itself and knows their hashes.
"""

import os
import re
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from configparser import Error as ConfigError
from configparser import RawConfigParser
from contextlib import suppress
from pathlib import Path

from .._packages import package_folders

VARIABLE = "FERROCR_PACKAGE_INDEX"
"""Environment variable with the addresses of package indexes; it goes before what ``pip`` was told."""

RawPackages = tuple[list[str], list[str], list[str], str | None, str | None]
"""Links, indexes, trusted hosts, certificates and proxy, as the core takes them."""

_INDEX_MODULE = "pip/_internal/models/index.py"
"""The file in which ``pip`` has the address of the index that it asks when nobody named one. That is no public
interface: if it ever moves, the error says that no index is known, and :data:`VARIABLE` helps."""

_DEFAULT = re.compile(r"""^PyPI\s*=\s*PackageIndex\(\s*["'](https://[^"']+)["']""", re.MULTILINE)

_SECTIONS = ("global", "download")
"""Sections of ``pip``'s files that hold for a download; a later one counts more."""


def packages() -> RawPackages:
    """Return where wheels are looked for: the variable, else the settings of ``pip``, else its default."""
    settings = _settings()
    named = os.environ.get(VARIABLE, "").split()
    if not named and not _is_true(settings.get("no-index", "")):
        named = [settings.get("index-url") or _default_index(), *settings.get("extra-index-url", "").split()]
    found = settings.get("find-links", "").split()
    links = [link if "://" in link else str(_expanded(link).absolute()) for link in found]
    certificates = settings.get("cert")
    proxy = settings.get("proxy") or None
    hosts = settings.get("trusted-host", "").split()
    links, named, hosts = (list(filter(_is_text, texts)) for texts in (links, named, hosts))
    return (
        links,
        named,
        hosts,
        str(_expanded(certificates)) if certificates else None,
        proxy if proxy and _is_text(proxy) else None,
    )


def _expanded(path: str) -> Path:
    """Return a path with the user's home directory in the place of ``~``."""
    with suppress(RuntimeError):  # there is none
        return Path(path).expanduser()
    return Path(path)


def _is_text(text: str) -> bool:
    """Tell an address from an empty one, and from one with bytes that are no UTF-8, which no index has."""
    with suppress(UnicodeEncodeError):
        return bool(text.encode())
    return False


def _is_true(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on", "y", "t"}


def _settings() -> dict[str, str]:
    """Return the settings of ``pip`` by the names of its options: its files, then its environment variables."""
    settings: dict[str, str] = {}
    for path in _files():
        settings.update(_read(path))
    prefix = "PIP_"
    for name, value in os.environ.items():
        # An empty variable counts for nothing to pip.
        if name.startswith(prefix) and value and name != "PIP_CONFIG_FILE":
            settings[name.removeprefix(prefix).lower().replace("_", "-")] = value
    return settings


def _read(path: Path) -> dict[str, str]:
    """Return the settings in a file; none where it is not there, cannot be read or is no such file."""
    parser = RawConfigParser()
    try:
        with path.open(encoding="utf-8-sig") as file:
            parser.read_file(file)
    except (OSError, ValueError, ConfigError):
        return {}
    settings: dict[str, str] = {}
    for section in filter(parser.has_section, _SECTIONS):
        settings.update({name.replace("_", "-"): value for name, value in parser.items(section) if value})
    return settings


def _files() -> Iterator[Path]:
    """Give the places of ``pip``'s settings; a later one counts more."""
    named = os.environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    home = _expanded("~")
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    if sys.platform == "win32":
        yield Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData"), "pip", name)
        yield Path(home, "pip", name)
        yield Path(os.environ.get("APPDATA", home), "pip", name)
    else:
        shared = [os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg", "/Library/Application Support"]
        yield from (Path(folder, "pip", name) for folder in shared[0].split(os.pathsep) if folder)
        if sys.platform == "darwin":
            yield Path(shared[1], "pip", name)
        yield Path("/etc", name)
        yield Path(home, ".pip", name)
        yield Path(os.environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "pip", name)
        if sys.platform == "darwin":
            yield Path(home, "Library", "Application Support", "pip", name)
    yield Path(sys.prefix, name)
    if named:
        yield Path(named)


def _default_index() -> str:
    """Return the address of the index that ``pip`` asks by itself; empty where there is no ``pip`` to read it from.

    It is read out of the source of the installed ``pip``, or of the one that comes with Python for new environments.
    Nothing of it is imported or run.
    """
    for text in _pip_sources():
        if found := _DEFAULT.search(text):
            return f"{found[1].rstrip('/')}/simple"
    return ""


def _pip_sources() -> Iterator[str]:
    for folder in package_folders("pip"):
        with suppress(OSError, ValueError):
            yield Path(folder.parent, _INDEX_MODULE).read_text(encoding="utf-8")
    # The folders in which distributions, and Python itself, keep the wheels of new environments.
    named = sysconfig.get_config_var("WHEEL_PKG_DIR")
    folders = [Path(named)] if named else []
    folders += [folder / "_bundled" for folder in package_folders("ensurepip")]
    for folder in folders:
        for wheel in sorted(folder.glob("pip-*.whl"), reverse=True):
            with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile), zipfile.ZipFile(wheel) as archive:
                yield archive.read(_INDEX_MODULE).decode()
