"""PDFium, in a worker: what :mod:`ferrocr._pdf` asks for. Only this and :mod:`ferrocr._pdfium_text` import the library.

Its binding is used as it is: handles are opened and closed here, in order and by one thread, since PDFium bears one.
Nothing is guarded against what a file can do to it: the worker has bounded memory, and may be ended at any moment.
"""

import ctypes
import math
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import cast

import pypdfium2_raw as pdfium

from .._workers._wire import Data, Header
from ..exceptions import DocumentError, EncryptedDocumentError, OcrError, StorageError
from . import _pdfium_text
from ._hints import PASSWORD, PASSWORD_OPTION, SMALLER, SMALLER_OPTION

_KEPT = 8 * 2**20
"""Bytes of a file after which it is opened anew: PDFium keeps what it has read until then. Without this, 1,000 scans of
85 kB each took 88 MB more at the last page than at the first. Opening that file takes a millisecond."""

_MOST_RESIDENT = 128 * 2**20
"""Bytes of memory beyond which a worker takes no other document. One that has read a page of text has 30 MB."""


class _Document:
    """A PDF file that is open."""

    def __init__(self, source: Path | Data, name: str, password: str | None, kept: int) -> None:
        self._source, self._name = source, name
        self._key = None if password is None else password.encode() + b"\0"
        self._document = pdfium.FPDF_DOCUMENT()
        self._form, self._form_info = pdfium.FPDF_FORMHANDLE(), pdfium.FPDF_FORMFILLINFO(version=2)
        self._page, self._number = pdfium.FPDF_PAGE(), 0
        self.identity = self._identify()
        self.count = self._load()
        self._loads, self._most_loads = 0, max(1, kept * self.count // max(1, self.identity[0]))

    def close(self) -> None:
        """Give its handles and its memory back."""
        self._close_page()
        if self._form:
            pdfium.FPDFDOC_ExitFormFillEnvironment(self._form)
            self._form = pdfium.FPDF_FORMHANDLE()
        if self._document:
            pdfium.FPDF_CloseDocument(self._document)
            self._document = pdfium.FPDF_DOCUMENT()

    def page(self, number: int) -> pdfium.FPDF_PAGE:
        """Return a page's handle, which is kept until another one is asked for: loading takes its content apart."""
        if self._number != number:
            self._close_page()
            if self._loads >= self._most_loads or not self._document:
                self._open_anew()
            self._loads += 1
            page = pdfium.FPDF_LoadPage(self._document, number - 1)
            if not page:
                message = "it is damaged"
                raise DocumentError(message, "see whether a viewer shows it; tools such as qpdf repair some damage")
            self._page, self._number = page, number
            if self._form:
                pdfium.FORM_OnAfterLoadPage(page, self._form)
        return self._page

    def size(self, number: int) -> tuple[float, float]:
        """Return width and height of a page in points, as a viewer shows it."""
        page = self.page(number)
        width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
        if not (0 < width < math.inf and 0 < height < math.inf):
            message = f"it is {width:g} points wide and {height:g} points high"
            raise DocumentError(message, "a page needs a width and a height: repair the file")
        return width, height

    def render(self, number: int, width: int, height: int) -> bytearray:
        """Return the page's picture: RGB, 8 bits a channel, rows from top to bottom."""
        page = self.page(number)
        # White, on which everything is drawn.
        pixels = bytearray(b"\xff") * (width * height * 3)
        buffer = (ctypes.c_ubyte * len(pixels)).from_buffer(pixels)
        bitmap = pdfium.FPDFBitmap_CreateEx(width, height, pdfium.FPDFBitmap_BGR, buffer, width * 3)
        if not bitmap:
            message = f"PDFium makes no picture of {width}x{height} pixels"
            raise DocumentError(message, SMALLER, shell_hint=SMALLER_OPTION)
        try:
            flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
            pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, flags)
            if self._form:
                pdfium.FPDF_FFLDraw(self._form, bitmap, page, 0, 0, width, height, 0, flags)
        finally:
            pdfium.FPDFBitmap_Destroy(bitmap)
        return pixels

    def _identify(self) -> tuple[int, ...]:
        """Return its length, and what else tells whether it is still the same file."""
        if not isinstance(self._source, Path):
            return (len(self._source),)
        try:
            found = self._source.stat()
        except OSError as error:
            message = f"cannot read {self._name}: {error}"
            raise StorageError(message) from error
        return found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino

    def _load(self) -> int:
        """Open it, and return how many pages it has."""
        if isinstance(self._source, Path):
            self._document = pdfium.FPDF_LoadDocument(_encoded(self._source), self._key)
        else:
            data = (ctypes.c_ubyte * len(self._source)).from_buffer(self._source)
            self._document = pdfium.FPDF_LoadMemDocument64(data, len(self._source), self._key)
        if not self._document:
            raise self._refusal(pdfium.FPDF_GetLastError())
        # Fields are drawn from here, so that what was filled in can be read. Before the first page, or not at all.
        if pdfium.FPDF_GetFormType(self._document) != pdfium.FORMTYPE_NONE:
            self._form = pdfium.FPDFDOC_InitFormFillEnvironment(self._document, self._form_info)
        count = pdfium.FPDF_GetPageCount(self._document)
        if count < 1:
            message = f"{self._name} has no pages"
            raise DocumentError(message, "repair the file, or save it anew with the program that made it")
        return count

    def _open_anew(self) -> None:
        self.close()
        if self._identify() != self.identity or self._load() != self.count:
            self.close()
            message = "the file was changed since it was opened"
            raise DocumentError(message, "leave it as it is until all pages are read")
        self._loads = 0

    def _refusal(self, code: int) -> DocumentError:
        if code == pdfium.FPDF_ERR_SECURITY:
            message = f"{self._name} is encrypted in a way that PDFium does not know"
            return EncryptedDocumentError(message, "save it without protection with the program that made it")
        if code == pdfium.FPDF_ERR_PASSWORD and self._key is None:
            message = f"{self._name} is encrypted, and no password was given"
            return EncryptedDocumentError(message, PASSWORD, shell_hint=PASSWORD_OPTION)
        if code == pdfium.FPDF_ERR_PASSWORD:
            message = f"{self._name} is encrypted, and the password that was given does not open it"
            return EncryptedDocumentError(message, "pass the password that a viewer asks for; capital letters count")
        message = f"{self._name} is a PDF that is damaged"
        return DocumentError(message, "see whether a viewer opens it; tools such as qpdf repair some damage")

    def _close_page(self) -> None:
        if self._page:
            if self._form:
                pdfium.FORM_OnBeforeClosePage(self._page, self._form)
            pdfium.FPDF_ClosePage(self._page)
        self._page, self._number = pdfium.FPDF_PAGE(), 0


class _Handler:
    """Answers what is asked of PDFium. It has one file open at most."""

    def __init__(self) -> None:
        self._document: _Document | None = None

    @property
    def is_idle(self) -> bool:
        """True while no file is open."""
        return self._document is None

    def handle(self, header: Header, data: Data) -> tuple[Header, Data]:
        """Answer a request; what a file cannot give is an answer too."""
        try:
            if header["do"] == "open":
                return self._open(header, data), b""
            if header["do"] == "close":
                return self._close(), b""
            return self._page(header)
        except OcrError as error:
            text = str(error.args[0]).partition("\n")[0]
            hints = {"hint": error.hint, "shell_hint": error.shell_hint}
            return {"error": type(error).__name__, "message": text, **hints}, b""
        except MemoryError:
            hints = {"hint": SMALLER, "shell_hint": SMALLER_OPTION}
            return {"error": "DocumentError", "message": "there is no memory for it", **hints}, b""

    def _open(self, header: Header, data: Data) -> Header:
        self._close()
        path, password = cast("str | None", header["path"]), cast("str | None", header["password"])
        _bound_memory(cast("int", header["memory"]) + len(data))
        source = data if path is None else Path(path)
        kept = cast("int | None", header["kept"])
        self._document = _Document(source, str(header["name"]), password, _KEPT if kept is None else kept)
        return {"count": self._document.count, "identity": self._document.identity}

    def _close(self) -> Header:
        if self._document is not None:
            self._document.close()
            self._document = None
        return {"reusable": _resident() <= _MOST_RESIDENT}

    def _page(self, header: Header) -> tuple[Header, Data]:
        if self._document is None:
            message = "no file is open"
            raise OcrError(message)
        number = cast("int", header["number"])
        if header["do"] == "render":
            return {}, self._document.render(number, cast("int", header["width"]), cast("int", header["height"]))
        if header["do"] == "text":
            return _pdfium_text.text_of(self._document.page(number))
        if header["do"] == "box":
            return _pdfium_text.place_of(self._document.page(number)), b""
        return {"size": self._document.size(number)}, b""


def _encoded(path: Path) -> bytes:
    # PDFium takes UTF-8 on Windows, and the bytes of the name elsewhere.
    return (str(path).encode("utf-8", "surrogatepass") if os.name == "nt" else os.fsencode(path)) + b"\0"


def _bound_memory(size: int) -> None:
    """Let the process take so much beyond what it has now; a system may have no such bound."""
    if sys.platform != "win32":
        import resource

        used = _pages(0) or 2**28
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        bound = used + size if hard == resource.RLIM_INFINITY else min(used + size, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (bound, hard))


def _resident() -> int:
    """Return the memory of this process in bytes, or 0 where the system does not tell."""
    return _pages(1)


def _pages(which: int) -> int:
    """Return the size of its address space (0), or what of it is in memory (1)."""
    if sys.platform == "win32":
        return 0
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[which]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _begin() -> None:
    """Set the library up, as pypdfium2 does, and see to it that a crash leaves no file."""
    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    pdfium.FPDF_InitLibraryWithConfig(pdfium.FPDF_LIBRARY_CONFIG(version=2))


_begin()
handler = _Handler()
