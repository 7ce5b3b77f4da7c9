"""Writes results: everything to one file or stdout, or a file for each input, or each of its pages, to a folder."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Any

from .._whole_file import UNFINISHED, hold, whole_file
from ..documents._kinds import SUFFIXES
from ..documents._opening import page_count
from ..exceptions import ImageError, InvalidArgumentError, OcrError, StorageError
from ..formats import Failure, Sheet
from ._formats import Entry, NothingToWriteError, Output, Results, with_a_page
from ._output import open_output, whole_text
from ._resume import FOLDER, Record, Records, Stamp, fingerprint
from ._sources import Source
from ._streams import of_stdout

_ABANDONED = 60
"""Seconds after which an unfinished file that nobody holds is of a process that was killed."""

_OF_ONE_FILE = (errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.EINVAL)
"""Errors about the name of one output, which let the others be written."""


def is_folder(output: str | None) -> bool:
    """Return True if `output` names a folder: one that is there, or a name that ends with a slash."""
    if output in (None, "", "-"):
        return False
    return str(output).endswith(("/", os.sep)) or Path(str(output)).is_dir()


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Says of an error that it is about writing `name`."""
    try:
        yield
    except (OcrError, BrokenPipeError):
        raise
    except OSError as error:
        if name == "stdout":
            raise of_stdout(error) from error
        message = f"cannot write {name}: {error.strerror or error}"
        raise _of_errno(StorageError(message, "give another place: -o OUT"), error.errno) from error


def _of_errno(error: StorageError, number: int | None) -> StorageError:
    error.errno = number
    return error


def write_all(name: str | None, output: Output, results: Results) -> None:
    """Write everything to one file, or to stdout."""
    with writing("stdout" if name in (None, "-") else str(name)), open_output(name) as out:
        output.write(out, results)


class OutputFolder:
    """A folder with a file for each input.

    Args:
        path: The folder, which is made where it is missing.
        output: The files.
        options: Everything else that decides about their content.

    Raises:
        StorageError: Nothing can be written there.
    """

    def __init__(self, path: Path, output: Output, options: dict[str, Any]) -> None:
        self._path, self._output = path, output
        self._options = fingerprint({"format": output.format.name, **options})
        self._work = path / FOLDER
        self._read: dict[Source, Stamp | None] = {}
        self._planned: dict[PurePath, Source] = {}
        self._inputs: dict[str, Source] = {}
        with writing(str(path)):
            self._work.mkdir(parents=True, exist_ok=True)
            self._sweep()
            # Before models are loaded for nothing.
            with whole_file(self._work / "probe"):
                pass
            (self._work / "probe").unlink(missing_ok=True)
            self._records = Records(self._work)
        self.written = 0

    def place_of(self, source: Source, page: int | None = None) -> PurePath:
        """Return the place of its output below the folder: its name with the suffix, unless it ends with that already.

        Before the suffix stands the number of the page, if the output has one of several.
        """
        name, suffix = source.place.name, self._output.format.suffix
        if page is not None:
            return source.place.with_name(f"{name}.{page}{suffix}")
        return source.place.with_name(name if name.endswith(suffix) else name + suffix)

    def plan(self, sources: list[Source]) -> list[Source]:
        """Return those that are to be read, each once.

        Raises:
            InvalidArgumentError: An output would take the place of another one or of an input, or would be an input of
                the next time.
        """
        self._inputs = {_real(source.name): source for source in sources if _is_file(source)}
        for source in filter(_is_wanted, sources):
            place = self.place_of(source)
            other = self._planned.setdefault(place, source)
            if other is not source and _real(other.name) != _real(source.name):
                message = f"{other.label} and {source.label} would both be written to {self._path / place}"
                raise InvalidArgumentError(message, "name the folder that both are in, or write them to two folders")
            self._check_input_stays(source, place)
        return [
            source for source in sources if not _is_wanted(source) or self._planned[self.place_of(source)] is source
        ]

    def _check_input_stays(self, source: Source, place: PurePath) -> None:
        other = self._inputs.get(_real(str(self._path / place)))
        if other is not None:
            message = f"{source.label} would be written over {other.label}"
            raise InvalidArgumentError(message, "write to another folder: -o DIR/")

    def check_roots(self, names: list[str]) -> None:
        """Refuse to write what counts as an input into a folder that is read: it would be read the next time.

        Raises:
            InvalidArgumentError: That would be so.
        """
        row = self._output.format
        if row.suffix not in SUFFIXES:
            return
        here = self._path.resolve()
        for name in names:
            if Path(name).is_dir() and here == Path(name).resolve():
                message = f"{name} is read, and a file of the format {row.name} in it would be read the next time"
                raise InvalidArgumentError(message, "write to another folder, which may lie in it: -o DIR/")

    def is_done(self, source: Source) -> bool:
        """Return True if its outputs are there, whole, and what reading it again would give."""
        if not _is_file(source):
            return False
        record = self._records.find(self.place_of(source).as_posix())
        if record is None or (record.source, record.options) != (source.name, self._options):
            return False
        return record.fits(self._path)

    def begin(self, source: Source) -> None:
        """Note how an input is, just before it is read."""
        self._read[source] = None
        if _is_file(source):
            with suppress(OSError):
                self._read[source] = Stamp.of(Path(source.name))

    def write(self, source: Source, results: Results) -> OcrError | None:
        """Write what is made of one input. Returns why not, where that concerns no other one and is not known yet.

        Raises:
            StorageError: It cannot be written, and others could not either.
        """
        try:
            begun = with_a_page(results)  # a document is begun with its first page
            with writing(str(self._path / self.place_of(source))):
                self._write(source, begun, self._read.pop(source, None))
        except NothingToWriteError:
            pass
        except (ImageError, InvalidArgumentError) as error:
            return error
        except StorageError as error:
            if error.errno not in _OF_ONE_FILE:
                raise
            return error
        return None

    def _write(self, source: Source, results: Results, read: Stamp | None) -> None:
        place, entries = self.place_of(source), _Seen(results)
        if self._output.format.covers == "page" and page_count(source.content, self._output.settings.password) > 1:
            written = self._write_pages(source, entries)
        else:
            written = {place.as_posix(): self._write_file(place, entries)}
        # An input that failed in part is tried again the next time.
        if read is not None and not entries.failed:
            self._records.add(place.as_posix(), Record(source.name, self._options, read, written))

    def _write_pages(self, source: Source, results: Results) -> dict[str, Stamp]:
        """Write a file for each page, since the format has room for no more."""
        written = {}
        for result in results:
            if isinstance(result[1], Sheet):
                place = self.place_of(source, result[1].number)
                self._check_is_free(source, place)
                written[place.as_posix()] = self._write_file(place, iter([result]))
        return written

    def _check_is_free(self, source: Source, place: PurePath) -> None:
        """Refuse a page's place that is not its own. It is not known before how many pages there are."""
        self._check_input_stays(source, place)
        other = self._planned.get(place, source)
        if other is not source:
            message = f"a page of {source.label} and {other.label} would both be written to {self._path / place}"
            raise InvalidArgumentError(message, "write them to two folders")

    def _write_file(self, place: PurePath, results: Results) -> Stamp:
        target = self._path / place
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_text(target, self._work) as out:
            self._output.write(out, results)
        self.written += 1
        return Stamp.of(target, is_ours=True)

    def _sweep(self) -> None:
        """Remove what killed processes have left."""
        for path in self._work.glob(f".*{UNFINISHED}"):
            with suppress(OSError):
                if path.stat().st_mtime < time.time() - _ABANDONED:
                    with path.open("rb") as file:
                        is_abandoned = hold(file)
                    if is_abandoned:
                        path.unlink()


class _Seen:
    """Results, with a note of whether one of them has failed."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self.failed = False

    def __iter__(self) -> "_Seen":
        return self

    def __next__(self) -> tuple[Source, Entry]:
        result = next(self._results)
        self.failed = self.failed or isinstance(result[1], Failure)
        return result


def _is_file(source: Source) -> bool:
    return _is_wanted(source) and source.data is None


def _is_wanted(source: Source) -> bool:
    return source.problem is None


def _real(name: str) -> str:
    return os.path.realpath(name)
