"""Messages between a process and its workers: a header, which is an object of JSON, and bytes.

Both sides import this, and a worker has little more than the standard library.
"""

import json
import struct
from typing import TypeAlias

Header: TypeAlias = dict[str, object]
"""The words of a message. Numbers come over exactly, infinities and halves of characters too."""

LENGTHS = struct.Struct(">IQ")
"""The lengths of a header and of the bytes after it."""

MOST_HEADER = 2**16
"""Bytes of a header. The longest has a path or a password, or the text of an error."""

Data: TypeAlias = bytes | bytearray | memoryview


def packed(header: Header, data: Data = b"") -> bytes:
    """Return all of a message but its bytes, which follow it."""
    text = json.dumps(header).encode()
    return LENGTHS.pack(len(text), memoryview(data).nbytes) + text


def header_of(text: Data) -> Header:
    """Read a header.

    Raises:
        ValueError: It is none.
    """
    try:
        found: object = json.loads(bytes(text))
    except RecursionError:
        found = None
    if not isinstance(found, dict):
        message = "a header is an object"
        raise ValueError(message)
    return found
