"""PDF files: what PDFium says of them, from a worker.

One call into PDFium may take for ever, all memory, or the process with it, and nothing that is asked before tells. So
it runs in a process that can be ended: :mod:`._pdfium`.
"""

import importlib.util
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

from .._engine import _exit
from .._engine._call import Budget
from .._workers._lender import Workers
from .._workers._start import Answer, WorkerLostError, WorkerProblemError
from .._workers._wire import Data, Header
from .._workers._worker import Worker
from ..exceptions import (
    DocumentError,
    ForkedError,
    OcrCancelledError,
    OcrError,
    OcrTimeoutError,
    ResourcesFreedError,
    RuntimeUnavailableError,
    StorageError,
)
from ..results import Point
from ._hints import SMALLER, SMALLER_OPTION
from ._pdf_answers import MOST_BYTES, checked, error_of, finite, layer_of
from ._text_layer import TextLayer

LONGEST = 60.0
"""Seconds that a page may take where no timeout says otherwise. Eleven pages of real files took up to 3 s at 36
million pixels, and 4 to 26 s at 150 million, the default bound, on a machine that had a sixth of its time for it."""

_LEAST_TO_OPEN = 1.0
"""Seconds that opening a file may take, however short the timeout of its pages is."""

_LONGEST_CLOSE = 1.0
"""Seconds that closing a file may take before its worker is ended instead."""

_BASE_MEMORY = 2**30
"""Bytes that PDFium may take for any document."""

_MEMORY_OF_A_PIXEL = 16
"""Bytes that it may take besides for each pixel that a page may have: 3 of the page's picture, 4 of a group that is
drawn apart, and the rest for a picture in the file that is decoded as a whole."""

_KEPT: int | None = None
"""Bytes after which a file is opened anew; None for what :mod:`._pdfium` finds right."""

_PURPOSE = "reading PDF files"

_HINT = 'run: pip install "ferrocr[pdf]"'

_open_files: "set[PdfFile]" = set()


class PdfFile:
    """A PDF file that is open in a worker.

    One thread at a time may use it, and any may close or cancel it.

    Args:
        source: Its path or its content.
        name: Its name in messages.
        password: The password that opens it, if it is encrypted.
        workers: The lender of its worker; by default it has one of its own.
        max_pixels: The most pixels that a page will be rendered to.
        timeout: Seconds that opening it may take, if that is a second or more; None for the usual bound.
        begun: Called with it before anything can take long.

    Raises:
        EncryptedDocumentError: The password is missing or does not open it.
        DocumentError: It is damaged or has no pages, or PDFium does not get to an end with it.
        StorageError: It cannot be read.
        OcrTimeoutError: The timeout is over.
        RuntimeUnavailableError: pypdfium2 is not installed, or no worker can be started.
    """

    def __init__(
        self,
        source: Path | bytes,
        name: str,
        password: str | None,
        *,
        workers: Workers | None = None,
        max_pixels: int = 150_000_000,
        timeout: float | None = None,
        begun: "Callable[[PdfFile], object] | None" = None,
    ) -> None:
        self._source = source if isinstance(source, bytes) else _reachable(source, name)
        self._name, self._password = name, password
        self._workers, self._has_own = (Workers(), True) if workers is None else (workers, False)
        self._memory = _BASE_MEMORY + _MEMORY_OF_A_PIXEL * max_pixels
        self._to_open = None if timeout is None else max(_LEAST_TO_OPEN, timeout)
        self._asking, self._owner = threading.Lock(), os.getpid()
        self._worker: Worker | None = None
        self._is_closed = self._is_cancelled = False
        self._identity: object = None
        _open_files.add(self)
        try:
            if begun is not None:
                begun(self)
            with self._asking:
                self.count = self._open()
        except BaseException:
            self.close()
            raise

    def size(self, number: int, budget: Budget | None = None) -> tuple[float, float]:
        """Return width and height of a page in points, as a viewer shows it.

        Raises:
            DocumentError: The page is damaged.
        """
        header = self._ask({"do": "size", "number": number}, budget).header
        with checked():
            width, height = finite(header["size"], 2)
        return width, height

    def render(self, number: int, width: int, height: int, budget: Budget | None = None) -> bytearray:
        """Return the page's picture: RGB, 8 bits a channel, rows from top to bottom.

        Raises:
            DocumentError: The page is damaged, or there is no memory for so large a picture.
        """
        length = width * height * 3
        header: Header = {"do": "render", "number": number, "width": width, "height": height}
        try:
            pixels = self._ask(header, budget, length).data
        except MemoryError:
            message = f"there is no memory for a picture of {width}x{height} pixels"
            raise DocumentError(message, SMALLER, shell_hint=SMALLER_OPTION) from None
        with checked():
            if len(pixels) != length:
                raise ValueError
        return pixels

    def text_layer(self, number: int, budget: Budget | None = None) -> TextLayer:
        """Return the text that the file brings with a page.

        Raises:
            DocumentError: The page is damaged.
        """
        answer = self._ask({"do": "text", "number": number}, budget, MOST_BYTES)
        with checked():
            return layer_of(answer)

    def to_pixels(self, number: int, width: int, height: int, budget: Budget | None = None) -> Callable[[Point], Point]:
        """Return where a point of a page lies in its picture.

        Raises:
            DocumentError: The page is damaged.
        """
        header = self._ask({"do": "box", "number": number}, budget).header
        with checked():
            left, bottom, right, top = finite(header["box"], 4)
            return placed((left, bottom, right, top), int(cast("int", header["turns"])), (width, height))

    def close(self) -> None:
        """Give its handles and its memory back. May be called again."""
        self._is_closed = True
        _open_files.discard(self)
        worker, self._worker = self._worker, None
        # Nobody waits for PDFium here: whoever asks it is told of the end.
        is_free = self._asking.acquire(blocking=False)
        try:
            if worker is not None:
                self._give_back(worker, is_free=is_free)
        finally:
            if is_free:
                self._asking.release()
            if self._has_own:
                self._workers.close()

    def cancel(self) -> None:
        """End what is going on and refuse what comes, without waiting for that."""
        self._is_cancelled = True
        worker = self._worker
        if worker is not None:
            worker.kill()

    def _give_back(self, worker: Worker, *, is_free: bool) -> None:
        is_reusable = False
        try:
            if is_free and not self._has_own and worker.is_usable:
                answer = worker.ask({"do": "close"}, seconds=_LONGEST_CLOSE)
                is_reusable = answer.header.get("reusable") is True
        except (WorkerLostError, WorkerProblemError, RuntimeUnavailableError):
            pass
        finally:
            if is_reusable:
                self._workers.take_back(worker)
            else:
                self._workers.give_up(worker)

    def _ask(self, header: Header, budget: Budget | None, most: int = 0) -> Answer:
        budget = Budget(None) if budget is None else budget
        if self._owner != os.getpid():
            message = "the document belongs to the parent of this forked process"
            raise ForkedError(message, "open it again in the child")
        with self._asking:
            self._check_open()
            if self._worker is None or not self._worker.is_usable:  # a page before was its end
                self._open_anew()
            try:
                return self._answer(header, budget, most)
            except WorkerLostError as lost:
                raise self._loss(lost, "it", budget) from None

    def _open(self) -> int:
        """Open it in a worker, and return how many pages it has."""
        budget = Budget(self._to_open)
        try:
            header = self._opened(budget)
        except WorkerLostError as lost:
            # One that had waited so long that it was just about to end.
            if lost.is_late or lost.status != 0:
                raise self._loss(lost, self._name, budget) from None
            try:
                header = self._opened(budget)
            except WorkerLostError as once_more:
                raise self._loss(once_more, self._name, budget) from None
        with checked():
            count, identity = int(cast("int", header["count"])), header["identity"]
        if self._identity not in (None, identity):
            message = "the file was changed since it was opened"
            raise DocumentError(message, "leave it as it is until all pages are read")
        self._identity = identity
        return count

    def _open_anew(self) -> None:
        """Open it in another worker; it has to be the same file still."""
        try:
            self._open()
        except BaseException:
            self._drop()  # what it has open may be something else
            raise

    def _drop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            self._workers.give_up(worker)

    def _opened(self, budget: Budget) -> Header:
        self._drop()
        self._check_open()
        self._worker = self._workers.lend(_start)
        is_path = isinstance(self._source, str)
        header: Header = {
            "do": "open",
            "path": self._source if is_path else None,
            "name": self._name,
            "password": self._password,
            "memory": self._memory,
            "kept": _KEPT,
        }
        return self._answer(header, budget, data=b"" if is_path else cast("bytes", self._source)).header

    def _answer(self, header: Header, budget: Budget, most: int = 0, *, data: Data = b"") -> Answer:
        worker = self._worker
        self._check_open()  # after the worker is known, so that whoever closes or cancels it knows of it too
        if worker is None:
            raise WorkerLostError(is_late=False, status=None)
        left = budget.left(LONGEST)
        if left <= 0:
            raise self._late(budget, "it")
        try:
            worker.wait_until_ready()
            started = time.monotonic()
            try:
                answer = worker.ask(header, data, seconds=left, most=most)
            finally:
                budget.spent += time.monotonic() - started
        except WorkerProblemError as error:
            message = f"PDF files are read with pypdfium2, which cannot be imported: {error}"
            raise RuntimeUnavailableError(message, _HINT) from None
        if "error" in answer.header:
            raise error_of(answer.header)
        return answer

    def _check_open(self) -> None:
        if self._is_cancelled:
            message = "the call was cancelled"
            raise OcrCancelledError(message)
        try:
            self._workers.check_open()
        except (ResourcesFreedError, OcrCancelledError):
            _exit.pause()
            raise
        if self._is_closed:
            message = "the document was closed"
            raise ResourcesFreedError(message)

    def _loss(self, lost: WorkerLostError, what: str, budget: Budget) -> OcrError:
        """Return what is raised where there is no answer."""
        self._check_open()
        _exit.check()
        if lost.is_late:
            return self._late(budget, what)
        message = f"PDFium broke down over {what}: its process ended {lost}"
        return DocumentError(message, "it is damaged, or takes too much memory; tools such as qpdf repair some damage")

    def _late(self, budget: Budget, what: str) -> OcrError:
        if budget.timeout is not None:
            message = f"PDFium did not get to the end of {what} within the timeout of {budget.timeout:g} s"
            return OcrTimeoutError(message, "give a longer timeout")
        message = f"PDFium did not get to the end of {what} within {LONGEST:g} s"
        return DocumentError(message, "where such pages are expected, give a longer timeout")


def check_installed() -> None:
    """Refuse to go on without pypdfium2.

    Raises:
        RuntimeUnavailableError: It is not installed.
    """
    _folder()


def _folder() -> str:
    """Return the folder that pypdfium2's binding lies in."""
    for name in ("pypdfium2", "pypdfium2_raw"):
        spec = None
        with suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            message = "PDF files are read with pypdfium2, which is not installed"
            raise RuntimeUnavailableError(message, _HINT)
        folder = Path(spec.submodule_search_locations[0]).absolute().parent
    return str(folder)


def _start() -> Worker:
    return Worker("ferrocr.documents._pdfium", [_folder()], _PURPOSE)


def _reachable(path: Path, name: str) -> str | bytes:
    """Return the path for another process, or the content of what only this one has open, such as ``/dev/stdin``."""
    try:
        found = Path(os.path.realpath(path))
        with suppress(FileNotFoundError):
            if found.samefile(path):
                return str(found)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        message = f"cannot read {name}: {error}"
        raise StorageError(message) from error


def placed(box: tuple[float, float, float, float], turns: int, size: tuple[int, int]) -> Callable[[Point], Point]:
    """Return a map from points of a page, y up, to pixels of its picture, y down.

    Args:
        box: Left, bottom, right and top of what is shown of the page.
        turns: Quarters of a turn to the right that a viewer shows it with.
        size: Width and height of the picture.
    """
    left, bottom, right, top = box
    across, up = right - left, top - bottom
    wide, high = size if turns % 2 == 0 else (size[1], size[0])

    def to_pixels(point: Point) -> Point:
        # As if the page was not turned, and then turned as pixels are.
        x, y = (point[0] - left) / across * wide, (top - point[1]) / up * high
        return ((x, y), (high - y, x), (wide - x, high - y), (y, wide - x))[turns % 4]

    return to_pixels
