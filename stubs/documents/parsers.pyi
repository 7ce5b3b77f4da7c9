"""Errors of parsers, and thumbnails."""

from pathlib import Path

class ParseError(Exception): ...

def make_thumbnail_from_pdf(in_path: Path, temp_dir: Path, logging_group: object = None) -> Path: ...
