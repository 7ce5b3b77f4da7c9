"""The model directory: what lies in it, in which state, how it is filled and how it is emptied."""

import os
import time
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from .. import _core
from .._arguments import AnyPath, name_of, names_of, path_of, text_of
from .._log import logging_downloads
from ..exceptions import InvalidArgumentError
from . import _raw
from ._arguments import Age, checked_hash, seconds_of, states_of
from ._catalog import CatalogEntry, catalog, files_of, model_sets
from .audit import AuditReport, ModelInfo
from .lease import Lease
from .removal import ArchivedFile, Removal, TrashedFile

__all__ = [
    "ArchiveCallback",
    "CatalogEntry",
    "ModelStore",
    "ProgressCallback",
    "catalog",
    "model_sets",
]

ProgressCallback = Callable[[str, str, int, int | None], None]
"""Called with a file's name, its source, the bytes done and the bytes in all (None where that is not known).

The source is the host that it comes from, ``"file"`` or ``"another process"``. The bytes in all are known from the
first byte on, unless a server does not say them. What comes in a wheel has the name of its package."""

ArchiveCallback = Callable[[str, int, int], None]
"""Called with the name of the file at work, the bytes of all files that are done, and the bytes of all files."""


class ModelStore:
    """A flat directory of model files. What lies on the disk is the truth; there is no index to go stale.

    A model file is a regular file, or a link to one inside of the directory, with suffix ``.onnx``, ``.ort`` or
    ``.bin`` in any case. Not listed are hidden files, sub-folders, links that leave the directory, and names that are
    no UTF-8; :meth:`audit` reports them as ``FOREIGN``. Bookkeeping and trash lie in the hidden folder ``.ferrocr``.

    Files may be added, renamed and deleted by hand at any time, and other processes may do the same: an engine that has
    its models loaded goes on reading. Every method may be called from any thread. Where several names are taken, one
    ``str`` is one name. Sizes are in bytes, times in seconds since 1970.

    Args:
        directory: By default ``FERROCR_MODEL_DIR`` or ``ferrocr/models`` in the user's data directory. It need not
            exist yet.

    Raises:
        InvalidArgumentError: The directory is no path.

    Every method that looks at the disk raises StorageError where the directory, or a file that it needs, is there and
    cannot be read or written; and every method InvalidArgumentError for a name that is no text. Paths that it gives can
    be opened, whatever bytes are in them: those that are no UTF-8 are there as :func:`os.fsdecode` puts them.
    """

    def __init__(self, directory: AnyPath | None = None) -> None:
        self._core = _core.Store(None if directory is None else path_of(directory))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._core.directory!r}>"

    # --- looking ----------------------------------------------------------------------------------------------------

    def list_local(self) -> list[str]:
        """Return names of the model files (``.onnx``, ``.ort``, ``.bin``), sorted; empty where there is no directory.

        Raises:
            StorageError: The directory is there and cannot be read.
        """
        return self._core.list()

    def get_local_path(self, name: str | None = None) -> str:
        """Return the absolute path of the directory, or of a file in it.

        Raises:
            InvalidArgumentError: The name is no plain file name.
            ModelNotFoundError: There is no such file.
        """
        return self._core.directory if name is None else self._core.existing(name_of(name))

    def audit(
        self, *, models: str | Iterable[str] | None = None, rehash: bool = False, remember: bool = True
    ) -> AuditReport:
        """Report what is in the directory and in which state, without changing any of it.

        Args:
            models: Models that have to be there, besides those on the keep-list: a model set, a file of the catalog or
                of the directory, or several of them. What of it is not there is ``MISSING``.
            rehash: Read every model anew, also those whose hash is remembered.
            remember: Keep hashes in a file of the user's cache directory, so that the next audit reads only what has
                changed since, by size, times and inode. It is the one file that an audit writes.

        Raises:
            InvalidArgumentError: `models` has a name that is unknown.
        """
        import platform  # as the module beside it, of no use to anybody who only reads pictures

        from ._hash_memory import forget_directories, hash_memory

        memory = hash_memory(self._core.directory) if remember else None
        entries = self._core.audit(needed=self._needed(models), rehash=rehash, memory=memory)
        if memory is not None:
            forget_directories(memory)
        facts = (self._core.directory, tuple(map(_raw.audit_entry, entries)))
        return AuditReport(*facts, host=platform.node(), time=time.time())

    def info(self, name: str) -> ModelInfo:
        """Report what the file says about itself: inputs, outputs, operator sets, characters.

        Of a file that is no readable model all of that is empty, and the state in its `entry` says why.

        Raises:
            InvalidArgumentError: The name is no plain file name.
            ModelNotFoundError: There is no such file, or it has no model's suffix.
        """
        return _raw.model_info(self._core.inspect(name_of(name)))

    def verify(self, name: str, *, sha256: str | None = None) -> str:
        """Read the file and compare its hash with the one given, or else the catalog's.

        The catalog knows the list of characters too that goes with a model: it is compared as well.

        Returns:
            The hash, in hexadecimal.

        Raises:
            InvalidArgumentError: No hash is given and the catalog does not know the name; or the hash, or the name, is
                none.
            ModelNotFoundError: There is no such file.
            ModelCorruptError: The content is another, or the list of characters is not the one that goes with it.
        """
        return self._core.verify(name_of(name), checked_hash(sha256))

    def in_use(self) -> dict[str, tuple[int, ...]]:
        """Return the files that loaded engines use, each with the ids of their processes.

        An id counts on the machine of that process. Empty where nobody could note it: in a directory that cannot be
        written, or on a file system without locks.

        Raises:
            StorageError: The notes of it cannot be read: any file may be in use then.
        """
        return {name: tuple(pids) for name, pids in self._core.in_use().items()}

    def lease(self, names: str | Iterable[str]) -> Lease:
        """Protect models from removal for as long as this process uses them otherwise than through an OcrEngine.

        An engine does this by itself. What has a lease, and the list of characters beside it, no process removes
        through ferrocr; by hand it can still be renamed and deleted. A lease ends with its process, however that ends.

        Args:
            names: File names in the directory; they need not be there.

        Raises:
            InvalidArgumentError: A name is no plain file name.
            StorageError: Another process has held the directory's lock for about a second. No removal needs so long.
        """
        return Lease(self._core.lease(names_of(names)))

    # --- filling ----------------------------------------------------------------------------------------------------

    def pull(
        self,
        names: str | Iterable[str],
        *,
        mirror: str | None = None,
        file: AnyPath | None = None,
        progress: ProgressCallback | None = None,
    ) -> list[str]:
        """Download models of the catalog that are not there yet, verified before they appear.

        The list of characters that goes with a model comes with it, and is verified likewise. What has one of these
        names and other content goes to the trash.

        A download that was ended goes on where it stopped. One that another process makes is waited for, and its
        progress is told with the source ``"another process"``.

        Args:
            names: File names of the catalog, or names of model sets.
            mirror: Base address that is asked for ``<mirror>/<file name>`` before the catalog's own sources: ``https``,
                ``file:`` for a directory, ``http`` only for this machine. By default ``FERROCR_MIRROR``.
            file: A file on this machine that has the content of the one model named, with its list of characters beside
                it, if it needs one. Nothing else is tried then, and ``FERROCR_OFFLINE`` does not forbid it.
            progress: Called during the download; an exception that it raises ends it.

        Returns:
            The files' absolute paths, in the order of the names.

        Raises:
            InvalidArgumentError: A name is neither a file of the catalog nor a set; or `file` is given and not exactly
                one file is named.
            ModelNotFoundError: A file is missing and ``FERROCR_OFFLINE`` forbids the download.
            ModelCorruptError: `file` has other content.
            DownloadError: No source could deliver it.
        """
        wanted = files_of(names_of(names), is_there=self._has)
        local = None if file is None else path_of(file)
        return self._core.pull(wanted, file=local, sources=sources(mirror), progress=logging_downloads(progress))

    def resolve(
        self,
        choices: Iterable[str | os.PathLike[str]],
        *,
        download: bool,
        progress: ProgressCallback | None = None,
    ) -> list[Path]:
        """Return paths of models given as catalog names, file names in the directory, or paths; download missing ones.

        A model of the catalog without the list of characters that goes with it counts as missing.

        Raises:
            ModelNotFoundError: A file is missing, and is not in the catalog or may not be downloaded.
            DownloadError: No source could deliver it.
        """
        chosen = [(path_of(choice), isinstance(choice, str)) for choice in choices]
        from_where = partial(sources, offline=not download)
        tell = logging_downloads(progress)
        return [Path(path) for path in self._core.resolve(chosen, sources=from_where, progress=tell)]

    # --- emptying ---------------------------------------------------------------------------------------------------

    def remove(
        self,
        names: str | Iterable[str],
        *,
        keep: str | Iterable[str] = (),
        models: str | Iterable[str] | None = None,
        dry_run: bool = False,
        strict: bool = False,
    ) -> Removal:
        """Move files of the directory to the trash, all or none. :meth:`restore` brings them back.

        Args:
            names: File names, of models or not.
            keep: Names, and patterns with ``*`` and ``?``, of files to refuse, besides the keep-list's.
            models: Sets or files whose models must stay: see :meth:`audit`.
            dry_run: Only say what would become of each file; being used or kept is no error then.
            strict: In a dry run too, raise what the removal itself would raise.

        Raises:
            InvalidArgumentError: A name is no plain file name, an entry of `keep` or of the keep-list matches nothing,
                or `models` has an unknown name.
            ModelNotFoundError: There is no such file.
            ModelInUseError: A process uses one; its message has the process ids.
            ModelKeptError: One is kept, or needed by `models`.
        """
        raw = self._core.remove(
            names_of(names), keep=names_of(keep), needed=self._needed(models), dry_run=dry_run, strict=strict
        )
        return _raw.removal(raw, dry_run=dry_run)

    def prune(
        self,
        prefix: str | None = None,
        *,
        states: str | Iterable[str] = (),
        older_than: Age | None = None,
        keep: str | Iterable[str] = (),
        models: str | Iterable[str] | None = None,
        dry_run: bool = False,
        strict: bool = False,
    ) -> Removal:
        """Move model files that match all that is given to the trash.

        With nothing given, those that somebody has put aside: their names begin with ``old_``. A model that a newer one
        can replace goes only where the state ``OLD`` is given. What is kept or needed is spared. Unfinished downloads,
        where the state ``PARTIAL`` is given, are deleted for good, except those that a process is working on.

        Args:
            prefix: The beginning of the name.
            states: One or more :class:`ModelState`, as :meth:`audit` gives them.
            older_than: The least time since the file was changed: a timedelta or seconds.
            keep: Names, and patterns with ``*`` and ``?``, of files to spare, besides the keep-list's.
            models: Sets or files whose models must stay: see :meth:`audit`.
            dry_run: Only say what would become of each file; being used is no error then.
            strict: In a dry run too, raise what the removal itself would raise.

        Raises:
            InvalidArgumentError: An argument is out of its range, an entry of `keep` or of the keep-list matches
                nothing, or `models` has an unknown name.
            ModelInUseError: A process uses one that would go; nothing was moved then.
        """
        from ._hash_memory import hash_memory

        if prefix == "":
            message = "the prefix is empty: every model begins with it"
            raise InvalidArgumentError(message, "leave it out to prune by state or age")
        raw = self._core.prune(
            prefix=None if prefix is None else text_of(prefix, "a prefix"),
            states=states_of(states),
            older_than=seconds_of(older_than),
            keep=names_of(keep),
            needed=self._needed(models),
            dry_run=dry_run,
            strict=strict,
            memory=hash_memory(self._core.directory),
        )
        return _raw.removal(raw, dry_run=dry_run)

    def restore(
        self, names: str | Iterable[str] = (), *, removal: str | None = None, dry_run: bool = False
    ) -> list[TrashedFile]:
        """Move files from the trash back to where they were, all or none; with nothing given, the latest removal.

        Latest is what was removed last, whatever the clock said then.

        Args:
            names: Names that the files had; of each the latest in the trash is taken.
            removal: Take only what this removal moved.
            dry_run: Only say which files.

        Raises:
            InvalidArgumentError: A file of that name is in the directory, or `removal` is empty.
            ModelNotFoundError: The trash has no such file or removal, or is empty.
        """
        if removal is not None and not text_of(removal, "a removal's id"):
            message = "the removal's id is empty"
            raise InvalidArgumentError(message, "leave it out for the latest removal")
        return _raw.trashed(self._core.restore(names_of(names), removal=removal, dry_run=dry_run))

    def purge(self, *, older_than: Age | None = None, dry_run: bool = False) -> list[TrashedFile]:
        """Delete for good what is in the trash; with `older_than`, what was removed at least that long ago.

        Raises:
            InvalidArgumentError: `older_than` is negative, or no time.
        """
        return _raw.trashed(self._core.purge(older_than=seconds_of(older_than), dry_run=dry_run))

    # --- keeping ----------------------------------------------------------------------------------------------------

    def kept(self) -> list[str]:
        """Return the keep-list: sorted names, and patterns with ``*`` and ``?``, of files that must stay."""
        return self._core.kept()

    def keep(self, entries: str | Iterable[str], *, remove: str | Iterable[str] = ()) -> list[str]:
        """Put names or patterns on the keep-list, and take those in `remove` off it: all of it or nothing.

        Returns:
            The whole list.

        Raises:
            InvalidArgumentError: An entry matches no model in the directory, or one to take off is not on the list.
        """
        return self._core.change_keep(names_of(entries), names_of(remove))

    def unkeep(self, entries: str | Iterable[str]) -> list[str]:
        """Take entries off the keep-list.

        Returns:
            The whole list.

        Raises:
            InvalidArgumentError: An entry is not on it.
        """
        return self.keep((), remove=entries)

    # --- archives ---------------------------------------------------------------------------------------------------

    def export(
        self,
        archive: AnyPath,
        names: str | Iterable[str] = (),
        *,
        progress: ArchiveCallback | None = None,
    ) -> list[ArchivedFile]:
        """Write models into a zip archive, each with its hash and the list of characters beside it.

        Where none is named, those that are damaged or cannot be read are left out: :meth:`import_archive` would refuse
        the archive. They are in the list that is returned, with the reason, and a ``RuntimeWarning`` names them. The
        archive appears when it is complete, in the place of a file that was there. The same models give the same
        bytes.

        Args:
            archive: The file to write; not in the model directory.
            names: File names of models; all there are when none is given.
            progress: Called on the way; an exception that it raises ends it.

        Raises:
            InvalidArgumentError: A name is no model's, or the archive cannot be at that place.
            ModelNotFoundError: A model is not there, or none at all.
            ModelCorruptError: A model that is named is damaged, or all are. No archive is written then.
            StorageError: A model that is named, or the only one, cannot be read.
        """
        files = _raw.archived(self._core.export(path_of(archive), names_of(names), progress=progress))
        if left_out := [f"{file.name} ({file.left_out})" for file in files if file.left_out is not None]:
            message = f"left out of {os.fspath(path_of(archive))}: {', '.join(left_out)}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
        return files

    def backup(self, archive: AnyPath, *, progress: ArchiveCallback | None = None) -> list[ArchivedFile]:
        """Write all models into an archive, as :meth:`export` does without names."""
        return self.export(archive, progress=progress)

    def import_archive(
        self,
        archive: AnyPath,
        *,
        replace: bool = False,
        dry_run: bool = False,
        progress: ArchiveCallback | None = None,
    ) -> list[ArchivedFile]:
        """Take the models of an archive into the directory; all are verified before the first appears.

        Args:
            archive: A file that :meth:`export` wrote.
            replace: Let models take the place of files with other content, which go to the trash.
            dry_run: Only read and verify the archive, and say what is new.
            progress: Called on the way; an exception that it raises ends it.

        Raises:
            InvalidArgumentError: Files of these names with other content are there and `replace` is not given.
            ModelCorruptError: It is damaged, no archive of models, or has other content under a name of the catalog.
        """
        raw = self._core.import_archive(path_of(archive), replace=replace, dry_run=dry_run, progress=progress)
        return _raw.archived(raw)

    def _has(self, name: str) -> bool:
        return os.path.lexists(os.path.join(self._core.directory, name))  # noqa: PTH118  # a name may be anything

    def _needed(self, models: str | Iterable[str] | None) -> list[str]:
        wanted = names_of(models)
        return files_of(wanted, self.list_local()) if wanted else []


def sources(mirror: str | None = None, *, offline: bool = False) -> "_core._Sources":
    """Return the places that models are fetched from, as the core has them."""
    # Its imports are of no use to anybody who has the models.
    from ._package_index import packages

    mirror = mirror or os.environ.get("FERROCR_MIRROR") or None
    return None if mirror is None else text_of(mirror, "a mirror's address"), packages(), offline
