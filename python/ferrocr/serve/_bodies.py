"""Uploads, of which little is in memory: they go to the disk, and are refused beyond a limit."""

import asyncio
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from ._problems import Problem
from ._settings import Settings

_LONGEST_NAME = 255


class Upload:
    """A picture or document that a client has sent.

    Args:
        folder: The folder for what is not held in memory.
        settings: Limits.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.name: str | None = None
        self.fields: dict[str, str] = {}
        self.size = 0
        self._folder, self._settings = folder, settings
        self._held = bytearray()
        self._file: BinaryIO | None = None
        self._path: str | None = None

    async def put(self, data: bytes) -> None:
        """Add a piece.

        Raises:
            Problem: It is too long by now.
        """
        self.size += len(data)
        if self.size > self._settings.max_body:
            raise too_large(self._settings)
        self._held += data
        if len(self._held) > self._settings.in_memory:
            await self._to_disk()

    async def end(self) -> None:
        """Say that it is there."""
        if self._file is not None:
            await self._to_disk()
            self._file.close()

    @property
    def path(self) -> str | None:
        """Its file; None where it is in memory."""
        return self._path

    @property
    def content(self) -> str | bytes:
        """The value that the engine takes."""
        return bytes(self._held) if self._path is None else self._path

    async def on_disk(self) -> Path:
        """Return its file, which is there from now on."""
        if self._path is None:
            await self._to_disk()
            await self.end()
        assert self._path is not None
        return Path(self._path)

    def close(self) -> None:
        """Delete it."""
        self._held = bytearray()
        if self._file is not None:
            self._file.close()
        if self._path is not None:
            with suppress(OSError):
                Path(self._path).unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_of_error: object) -> None:
        self.close()

    async def _to_disk(self) -> None:
        data, self._held = self._held, bytearray()
        work = asyncio.ensure_future(asyncio.to_thread(self._write, data))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            with suppress(Exception):  # who deletes the file does not do so while it is written
                await work
            raise

    def _write(self, data: bytearray) -> None:
        try:
            if self._file is None:
                handle, self._path = tempfile.mkstemp(dir=self._folder)
                self._file = os.fdopen(handle, "wb")
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise Problem(507, "StorageError", f"the body cannot be kept: {error.strerror}") from error


def too_large(settings: Settings) -> Problem:
    """Return the answer for a body that is too long."""
    message = f"the body has more than {settings.max_body} bytes"
    return Problem(413, "BodyTooLargeError", message, "send fewer pages, or a smaller picture")


def checked_name(name: str | None) -> str | None:
    """Return a file's name without its folders; None where there is none."""
    last = (name or "").replace("\\", "/").rpartition("/")[2].strip()
    shown = "".join(letter for letter in last if letter.isprintable())[:_LONGEST_NAME]
    return shown or None
