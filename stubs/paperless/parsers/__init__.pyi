"""The interface of parsers."""

from typing import TypedDict

class MetadataEntry(TypedDict):
    namespace: str
    prefix: str
    key: str
    value: str

class ParserContext:
    mailrule_id: int | None
