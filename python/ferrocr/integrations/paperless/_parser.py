"""The parser, as paperless-ngx wants one."""

import datetime
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import ferrocr

from ..._core import __version__
from ..._sharing import SharedEngines
from ...exceptions import EncryptedDocumentError, InvalidArgumentError, OcrError
from .._hosts import importing
from ._hidden_text import without_hidden_text
from ._reading import message_of, read_document
from ._settings import VARIABLE, names_engine, settings_of

with importing("paperless-ngx", "paperless", plugin=True):
    from django.conf import settings as django_settings
    from documents.parsers import ParseError, make_thumbnail_from_pdf
    from documents.utils import maybe_override_pixel_limit
    from paperless.config import OcrConfig
    from paperless.parsers import MetadataEntry, ParserContext
    from paperless.parsers.utils import extract_pdf_metadata, get_page_count_for_pdf, post_process_text

_PDF = "application/pdf"

_MIME_TYPES = {
    _PDF: ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/webp": ".webp",
}

_SCORE = 15
"""Above Tesseract's 10, and below the 20 of a service that somebody has configured."""

log = logging.getLogger("paperless.parsing.ferrocr")


class FerrocrDocumentParser:
    """Reads scans, and makes archive files of them that can be searched.

    Engines belong to the process, one for each set of options, and go with it. Their models go after a minute without a
    document.
    """

    name = "ferrocr"
    version = __version__
    author = "the ferrocr authors"
    url = "docs/integrations.md of ferrocr"

    @classmethod
    def supported_mime_types(cls) -> dict[str, str]:
        """Return the kinds of files that are read, with their suffixes. HEIC stays with paperless-ngx's own parser."""
        return _MIME_TYPES

    @classmethod
    def score(cls, mime_type: str, filename: str, path: Path | None = None) -> int | None:
        """Return a score above that of Tesseract's parser; None for what is not read, or left to OCRmyPDF."""
        is_ours = mime_type in _MIME_TYPES and not names_engine(django_settings.OCR_USER_ARGS)
        return _SCORE if is_ours else None

    @property
    def can_produce_archive(self) -> bool:
        """True: the file's pages with the text under them."""
        return True

    @property
    def requires_pdf_rendition(self) -> bool:
        """False: browsers show all of these kinds, or the archive."""
        return False

    def __init__(self, logging_group: object = None) -> None:
        """Make a folder for what comes out; nothing is loaded yet."""
        self._logging_group = logging_group
        django_settings.SCRATCH_DIR.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="paperless-", dir=django_settings.SCRATCH_DIR))
        self._text = ""
        self._archive: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def configure(self, context: ParserContext) -> None:
        """Take nothing of it: it tells of mail rules alone."""

    def parse(self, document_path: Path, mime_type: str, *, produce_archive: bool = True) -> None:
        """Read a document.

        Raises:
            ParseError: It cannot be read, or the settings cannot be met.
        """
        source, archive = Path(document_path), self._folder / "archive.pdf"
        with _parse_errors():
            settings = settings_of(OcrConfig(), int(django_settings.THREADS_PER_WORKER))
            engine = _engines.engine(settings.engine)
            count = None
            if mime_type == _PDF:
                if settings.mode in ("redo", "force"):
                    source = without_hidden_text(source, self._folder / "source.pdf")
                count = get_page_count_for_pdf(source, log=log) or 0
            maybe_override_pixel_limit()
            try:
                text, is_made = read_document(
                    engine, source, settings, archive if produce_archive else None, pages=count
                )
            except EncryptedDocumentError as error:
                # As with paperless-ngx's own parser: the document is kept, and its password can be removed there.
                log.warning("the document is stored without text: %s", message_of(error))
                return
        self._text = post_process_text(text) or ""
        self._archive = archive if is_made else None

    def get_text(self) -> str:
        """Return the text; empty where there is none."""
        return self._text

    def get_date(self) -> datetime.datetime | None:
        """Return None: paperless-ngx looks for dates in the text itself, as its settings say."""
        return None

    def get_archive_path(self) -> Path | None:
        """Return the archive; None where none was wanted, or none can be made."""
        return self._archive

    def get_thumbnail(self, document_path: Path, mime_type: str) -> Path:
        """Return a picture of the first page."""
        return make_thumbnail_from_pdf(self._archive or Path(document_path), self._folder, self._logging_group)

    def get_page_count(self, document_path: Path, mime_type: str) -> int | None:
        """Return the number of pages; of pictures only where there is an archive."""
        file = Path(document_path) if mime_type == _PDF else self._archive
        return None if file is None else get_page_count_for_pdf(file, log=log)

    def extract_metadata(self, document_path: Path, mime_type: str) -> list[MetadataEntry]:
        """Return the metadata of a PDF; none of pictures."""
        return extract_pdf_metadata(Path(document_path), log=log) if mime_type == _PDF else []


def _made(keywords: str) -> "ferrocr.OcrEngine":
    try:
        return ferrocr.OcrEngine(**json.loads(keywords))
    except TypeError as error:
        message = f"{VARIABLE}: {error}"
        raise InvalidArgumentError(message) from error


_engines = SharedEngines(_made)


@contextmanager
def _parse_errors() -> Iterator[None]:
    try:
        yield
    except OcrError as error:
        message, hint = error.for_shell()
        raise ParseError(f"ferrocr: {message}; {hint}" if hint else f"ferrocr: {message}") from error
