"""Read pictures and documents over HTTP.

Needs fastapi and uvicorn::

    python examples/serve.py [PORT]
    curl --data-binary @scan.pdf "http://127.0.0.1:8000/read?pages=1-3"

The answer is JSON as ``ferrocr read --format json`` writes it. One engine serves all requests; it is made when the
server starts, and gives everything back when the server stops.
"""

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

from ferrocr import (
    DownloadError,
    ImageError,
    InvalidArgumentError,
    ModelNotFoundError,
    OcrEngine,
    OcrError,
    OcrTimeoutError,
    ResourcesFreedError,
    RuntimeUnavailableError,
)
from ferrocr.formats import Failure, Sheet, json

try:
    import anyio.to_thread
    from fastapi import FastAPI, HTTPException, Request
except ModuleNotFoundError:
    sys.exit("error: the service needs FastAPI and uvicorn: pip install fastapi uvicorn")

MOST_BYTES = 20 * 2**20
MOST_PIXELS = 50_000_000
MOST_PAGES = 50
SECONDS = 60.0
AT_ONCE = 4  # requests that are read; others wait

# The first row that fits counts.
STATUSES: tuple[tuple[type[OcrError], int], ...] = (
    (InvalidArgumentError, 400),
    (ImageError, 422),  # damaged, encrypted, too large, or no picture at all
    (OcrTimeoutError, 504),
    (ResourcesFreedError, 503),
    (RuntimeUnavailableError, 501),  # a PDF, and pypdfium2 is not installed
    (ModelNotFoundError, 503),
    (DownloadError, 503),
    (OcrError, 500),
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the engine while the server runs; the end waits for what is being read."""
    with OcrEngine(max_pixels=MOST_PIXELS, max_bytes=MOST_BYTES) as ocr:
        await anyio.to_thread.run_sync(ocr.load)
        app.state.ocr, app.state.limiter = ocr, anyio.CapacityLimiter(AT_ONCE)
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/read")
async def read(request: Request, pages: str | None = None) -> dict[str, Any]:
    """Return the text of the picture or document that is the body of the request."""
    data, ocr = await _body(request), request.app.state.ocr
    try:
        entries = await anyio.to_thread.run_sync(_entries, ocr, data, pages, limiter=request.app.state.limiter)
    except OcrError as error:
        status = next(status for kind, status in STATUSES if isinstance(error, kind))
        raise HTTPException(status, str(error)) from error
    return {"schema_version": json.SCHEMA_VERSION, "pages": [json.to_dict(entry) for entry in entries]}


async def _body(request: Request) -> bytes:
    """Return the body, of which no more is taken than is allowed."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BYTES:
            raise HTTPException(413, f"the body has more than {MOST_BYTES} bytes")
    if not data:
        raise HTTPException(400, "the body is empty: send the bytes of a picture, a PDF or a TIFF")
    return bytes(data)


def _entries(ocr: OcrEngine, data: bytes, pages: str | None) -> list[Sheet | Failure]:
    """Read in a thread of its own, page by page, until the time is over."""
    ends = time.monotonic() + SECONDS
    entries: list[Sheet | Failure] = []
    with closing(ocr.recognize_pages(data, pages=pages, timeout=SECONDS)) as results:
        for result in results:
            if isinstance(result, OcrTimeoutError) or time.monotonic() > ends:
                message = f"it took more than {SECONDS:g} seconds"
                raise OcrTimeoutError(message, "ask for fewer pages")
            if len(entries) == MOST_PAGES:
                message = f"there are more than {MOST_PAGES} pages"
                raise InvalidArgumentError(message, "ask for some of them: ?pages=1-10")
            if isinstance(result, OcrError):
                entries.append(Failure(str(result), number=result.page or 1))
            else:
                entries.append(Sheet.of(result))
    if len(entries) == 1 and isinstance(entries[0], Failure):
        raise ImageError(entries[0].error)
    return entries


if __name__ == "__main__":
    try:
        import uvicorn
    except ModuleNotFoundError:
        sys.exit("error: the service needs uvicorn: pip install uvicorn")
    uvicorn.run(app, port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
