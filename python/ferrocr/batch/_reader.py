"""Reads units with the processes of this machine, and makes rows of all that comes of them."""

import os
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from .._engine._ahead import OF_ONE_PICTURE
from .._engine._call import Call
from ..documents import DocumentPage
from ..documents._kinds import kind_of
from ..documents._opening import pdf_file
from ..documents._page_numbers import Wanted
from ..exceptions import (
    EngineCrashedError,
    InvalidArgumentError,
    OcrError,
    OutOfMemoryError,
    RuntimeUnavailableError,
)
from ..models.store import ProgressCallback
from ._remote import Remote
from ._rows import Row, Unit, error_row, page_row
from ._settings import IDLE, Settings

_OF_ONE_SOURCE = (*OF_ONE_PICTURE, InvalidArgumentError)
"""Errors that are about one source: it has no such page, for example."""

_OF_ITS_PROCESS = (EngineCrashedError, OutOfMemoryError)
"""Errors that a neighbour in the same process may have brought about."""

_MORE_THAN_WORKERS = 2
"""Units in work beyond those that workers have: they are decoded when a worker is free."""

_AHEAD = 1
"""Pages of a document that are begun ahead. Other units are read at the same time, so more only take memory."""


_BLANK = struct.pack("<2sIIIIiiHHIIiiII", b"BM", 3126, 0, 54, 40, 32, 32, 1, 24, 0, 3072, 0, 0, 0, 0) + b"\xff" * 3072
"""A picture without text, 32 pixels wide and high."""


class PageReader:
    """Reads units of work, from any number of threads.

    The models are in processes of their own, as many as the settings say for this machine. What such a process takes
    with it when it ends is read once more, alone in another one; what fails there too is an error's row.
    """

    def __init__(self, settings: Settings, downloads: ProgressCallback | None = None) -> None:
        """Prepare to read; nothing is loaded yet. `downloads` is called when models are fetched."""
        self.settings = settings.on_this_machine()
        self.workers = self.settings.workers or 1
        self._reading: dict[str, Any] = {**settings.reading, "timeout": settings.timeout}
        self._pages = self._reading.pop("pages", None)
        shares = {**self.settings.shares(), "idle_unload": IDLE}
        self._engine = self.settings.make_engine(self.workers, **shares, progress=downloads)
        self._alone = self.settings.make_engine(1, **shares)
        self._one_at_a_time = threading.Lock()
        self._readers = threading.Semaphore(self.workers + _MORE_THAN_WORKERS)
        self.threads = ThreadPoolExecutor(threads_of(self.workers), "ferrocr-batch")
        self.failure: OcrError | None = None
        self._remote = Remote(settings.io_config)

    def load(self) -> None:
        """Load the models now, and see whether they take the options: what is wrong with these is no page's fault.

        Raises:
            OcrError: As :meth:`ferrocr.OcrEngine.load` and :meth:`ferrocr.OcrEngine.recognize`.
        """
        self._engine.load()
        rules: dict[str, Any] = {name: self._reading.get(name) for name in ("allow", "pattern", "words")}
        if any(rule is not None for rule in rules.values()):
            with suppress(*OF_ONE_PICTURE):  # a crash here is as one later: the next call has another process
                self._engine.recognize(_BLANK, **rules)

    def close(self, *, cancel: bool = False) -> None:
        """Give everything back; `cancel` ends what is being read."""
        self._alone.free_resources(cancel=cancel)
        self._engine.free_resources(cancel=cancel)
        self.threads.shutdown(cancel_futures=True)

    def numbers(self, unit: Unit) -> list[int] | None:
        """Return the numbers of a document's pages that are wanted; None where it cannot be opened."""
        try:
            return self._numbers(self._content(unit, keep=True), unit)
        except (*_OF_ONE_SOURCE, RuntimeUnavailableError):
            return None  # told when it is read

    def rows(self, unit: Unit) -> list[Row]:
        """Return a row for each page of a unit, in order, or one for all of it where it cannot be opened.

        Raises:
            OcrError: Not this unit is at fault: models are missing, for example.
        """
        started = time.monotonic()
        try:
            content = self._content(unit, keep=unit.pages is not None)
            with self._readers:
                if unit.pages is None and self._is_picture(content):
                    return [self._picture(content, unit, started)]
                return list(self._document(content, unit, started))
        except _OF_ONE_SOURCE as error:
            seconds = time.monotonic() - started
            # Each page of a span has a row, as it is with the others of its document.
            return [error_row(error, unit, page, unit.source_pages, seconds) for page in unit.pages or (None,)]
        except OcrError as error:
            self.failure = self.failure or error
            raise

    def _content(self, unit: Unit, *, keep: bool) -> str | bytes:
        return self._remote.fetch(unit, keep=keep) if Remote.has(unit.content) else unit.content

    def _is_picture(self, content: str | bytes) -> bool:
        if self._pages is not None or self._reading.get("text_layer") == "only":
            return False
        return kind_of(Path(content) if isinstance(content, str) else content) is None

    def _numbers(self, content: str | bytes, unit: Unit) -> list[int]:
        count, pages = self._engine._begin_pages(content, Call(), **self._reading)
        pages.close()
        return list(Wanted(self._pages).among(count, unit.source))

    def _picture(self, content: str | bytes, unit: Unit, started: float) -> Row:
        options = {name: value for name, value in self._reading.items() if name in _OF_PICTURES}
        try:
            try:
                page = self._engine.recognize(content, **options)
            except _OF_ITS_PROCESS:
                with self._one_at_a_time:
                    page = self._alone.recognize(content, **options)
        except OF_ONE_PICTURE as error:
            return error_row(error, unit, 1, 1, time.monotonic() - started)
        return page_row(DocumentPage(1, page), unit, 1, time.monotonic() - started)

    def _document(self, content: str | bytes, unit: Unit, started: float) -> Iterator[Row]:
        if problem := _lacks_pdfium(content):
            yield error_row(problem, unit, None, None, time.monotonic() - started)
            return
        numbers = self._numbers(content, unit) if unit.pages is None else list(unit.pages)
        wanted = len(numbers) if unit.source_pages is None else unit.source_pages
        pages = self._engine.recognize_pages(content, pages=numbers, ahead=_AHEAD, **self._reading)
        with closing(pages):
            for number, result in zip(numbers, pages, strict=True):
                if isinstance(result, _OF_ITS_PROCESS):
                    result = self._once_more(content, number)
                seconds, started = time.monotonic() - started, time.monotonic()
                if isinstance(result, OcrError):
                    yield error_row(result, unit, number, wanted, seconds)
                else:
                    yield page_row(result, unit, wanted, seconds)

    def _once_more(self, content: str | bytes, number: int) -> DocumentPage | OcrError:
        try:
            with self._one_at_a_time:
                document = self._alone.recognize_document(content, pages=[number], **self._reading)
        except OF_ONE_PICTURE as error:
            return error
        return document.pages[0]


_OF_PICTURES = ("min_score", "timeout", "allow", "pattern", "words")


def _lacks_pdfium(content: str | bytes) -> RuntimeUnavailableError | None:
    """Return why this PDF cannot be read, where it is one and pypdfium2 is not installed; all else needs none."""
    try:
        if kind_of(Path(content) if isinstance(content, str) else content) == "pdf":
            pdf_file()
    except RuntimeUnavailableError as error:
        return error
    return None


def threads_of(workers: int) -> int:
    """Return the number of units that may be begun at a time: as many as are read are on their way from a store."""
    return 2 * (workers + _MORE_THAN_WORKERS)


_readers: dict[tuple[int, str], PageReader] = {}
_lock = threading.Lock()


def shared_reader(settings: Settings, key: str, downloads: ProgressCallback | None = None) -> PageReader:
    """Return the reader of this process for a batch: all of its threads share one set of models."""
    with _lock:
        place = os.getpid(), key
        if place not in _readers:
            _readers[place] = PageReader(settings, downloads)
        return _readers[place]


def close_reader(key: str, *, cancel: bool = False) -> None:
    """Give back what this process has for a batch."""
    with _lock:
        reader = _readers.pop((os.getpid(), key), None)
    if reader is not None:
        reader.close(cancel=cancel)


def failure_of(key: str) -> OcrError | None:
    """Return what ended a batch in this process; None where nothing of ours did."""
    reader = _readers.get((os.getpid(), key))
    return None if reader is None else reader.failure
