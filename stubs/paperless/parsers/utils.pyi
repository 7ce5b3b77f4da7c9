"""Helpers for parsers."""

import logging
from pathlib import Path

from paperless.parsers import MetadataEntry

def extract_pdf_metadata(path: Path, log: logging.Logger | None = None) -> list[MetadataEntry]: ...
def get_page_count_for_pdf(document_path: Path, log: logging.Logger | None = None) -> int | None: ...
def post_process_text(text: str | None) -> str | None: ...
