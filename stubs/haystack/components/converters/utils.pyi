"""Helpers of Haystack's converters."""

from typing import Any

def normalize_metadata(
    meta: dict[str, Any] | list[dict[str, Any]] | None, sources_count: int
) -> list[dict[str, Any]]: ...
