"""Receives bodies of requests: files as they are, or forms, within their time and their length."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from ._bodies import Upload, checked_name, too_large
from ._multipart import Form
from ._problems import GoneError, Problem, refuse
from ._settings import Settings

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_ENVELOPE = 2**18
"""Bytes that fields of a form, and what stands between them, may take besides the file."""


class Taking(Protocol):
    """The part of a service that takes a body."""

    async def put(self, data: bytes) -> None:
        """Take a piece."""

    async def end(self) -> None:
        """Hear that there is no more."""


async def receive_upload(headers: Mapping[str, str], receive: Receive, folder: Path, settings: Settings) -> Upload:
    """Receive the body of a request: a file as it is, or a form with a file and options.

    Raises:
        Problem: It is too long or too slow, empty, or no form.
        GoneError: The client has left.
    """
    kind = headers.get("content-type", "")
    upload = Upload(folder, settings)
    taking: Taking = upload
    upload.name = checked_name(unquote(headers.get("x-filename", "")))
    most = settings.max_body
    if kind.partition(";")[0].strip().lower() == "multipart/form-data":
        taking, most = Form(kind, upload), most + _ENVELOPE
    check_length(headers, most, settings)
    try:
        received = 0
        async for piece in _pieces(receive, settings):
            received += len(piece)
            if received > most:
                raise too_large(settings)
            await taking.put(piece)
        await taking.end()
        if upload.size == 0:
            refuse("there is no file, or an empty one", "send the bytes of a picture, a PDF or a TIFF")
    except BaseException:
        upload.close()
        raise
    return upload


def check_length(headers: Mapping[str, str], most: int, settings: Settings) -> None:
    """Refuse a body that says itself that it is too long.

    Raises:
        Problem: It does.
    """
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > most:
        raise too_large(settings)


async def _pieces(receive: Receive, settings: Settings) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + settings.body_seconds
    while True:
        try:
            async with asyncio.timeout_at(min(ends, loop.time() + settings.stall_seconds)):
                message = await receive()
        except TimeoutError:
            raise Problem(408, "SlowBodyError", "the body takes too long to arrive", "send it faster") from None
        if message["type"] == "http.disconnect":
            raise GoneError
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


async def discard(receive: Receive, seconds: float, most: int) -> None:
    """Take what a client still sends, for a while: one that is cut off may not see its answer."""
    taken = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while taken < most:
                message = await receive()
                taken += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
