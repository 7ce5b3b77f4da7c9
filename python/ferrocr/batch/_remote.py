"""Sources in object stores, read with Daft's own readers."""

import re
import threading
from collections import OrderedDict
from typing import Any

from ..exceptions import ImageError, ImageNotFoundError, StorageError
from ._rows import Unit

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")

_KEPT = 256 * 2**20
"""Bytes of documents that are kept, so that one with many pages comes over once and not with every few of them."""

_LARGEST = 512 * 2**20
"""Bytes that one object may have, as :class:`ferrocr.OcrEngine` has it."""


def without_scheme(name: str) -> str:
    """Return the path of a file whose name is an address, as programs such as Spark have it; any other as it is."""
    return name.removeprefix("file:").replace("///", "/", 1) if name.startswith("file:/") else name


class Remote:
    """Fetches objects by their addresses."""

    def __init__(self, io_config: Any = None) -> None:  # noqa: ANN401  # daft.io.IOConfig
        """Take Daft's options for object stores."""
        self._io_config = io_config
        self._documents: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    @staticmethod
    def has(content: str | bytes) -> bool:
        """Return True for an address, False for a path and for bytes."""
        return isinstance(content, str) and _ADDRESS.match(content) is not None

    def fetch(self, unit: Unit, *, keep: bool) -> bytes:
        """Return an object's bytes, and keep them for a while where they are asked for again.

        Raises:
            ImageNotFoundError: There is none.
            ImageError: It is too large.
            StorageError: It cannot be read.
        """
        address = str(unit.content)
        with self._lock:
            if address in self._documents:
                self._documents.move_to_end(address)
                return self._documents[address]
        data = self._read(address, unit.size)
        if keep:
            self._keep(address, data)
        return data

    def _read(self, address: str, size: int | None) -> bytes:
        import daft

        if size is not None and size > _LARGEST:
            message = f"{address} has {size} bytes, and at most {_LARGEST} are read"
            raise ImageError(message)
        try:
            # With its size known it comes by one request, else by two more that ask for the size.
            position = None if size is None else 0
            with daft.File(address, io_config=self._io_config, position=position, size=size).open() as file:
                data: bytes = file.read()
        except FileNotFoundError as error:
            message = f"there is no {address}"
            raise ImageNotFoundError(message) from error
        except Exception as error:  # Daft has no class for all of them
            message = f"cannot read {address}: {error}"
            raise StorageError(message) from error
        return data

    def _keep(self, address: str, data: bytes) -> None:
        with self._lock:
            self._documents[address] = data
            while sum(map(len, self._documents.values())) > _KEPT:
                self._documents.popitem(last=False)
