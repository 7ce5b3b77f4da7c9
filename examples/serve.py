# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "ferrocr[cpu,pdf,serve]",
#     "fastapi>=0.120",
# ]
# ///
"""Put the service of ``ferrocr serve`` into an application of your own.

Start it, and ask it from elsewhere::

    python serve.py [PORT]
    curl --data-binary @scan.pdf "http://127.0.0.1:8000/ocr/v1/read?pages=1-3"
    curl --data-binary @receipt.png http://127.0.0.1:8000/longest-line

All below /ocr is the service, with its limits, its queue and its page to look at; the other address is your own, and
uses the same engine. Where you need no more than the service, run ``ferrocr serve`` instead.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ferrocr import ImageError, OcrEngine, RuntimeUnavailableError
from ferrocr.serve import Settings, make_app

try:
    from fastapi import FastAPI, HTTPException, Request
except ModuleNotFoundError:
    sys.exit('error: the service needs FastAPI: pip install fastapi "ferrocr[serve]"')

MOST_BYTES = 5 * 2**20


def make_engine() -> OcrEngine:
    """Return the engine; it is made when the application starts, and freed when it ends."""
    return OcrEngine(isolated=True, max_pixels=50_000_000)


def make(settings: Settings | None = None) -> FastAPI:
    """Return the application."""
    service = make_app(make_engine, settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(lifespan=lifespan)
    app.mount("/ocr", service)

    @app.post("/longest-line")
    async def longest_line(request: Request) -> dict[str, Any]:
        """Return the longest line of a picture, which is the body of the request."""
        engine = service.service.engine
        assert engine is not None
        data = bytearray()
        async for piece in request.stream():
            data += piece
            if len(data) > MOST_BYTES:
                raise HTTPException(413, f"the body has more than {MOST_BYTES} bytes")
        try:
            # A client that leaves cancels this, and with it the reading.
            page = await engine.arecognize(bytes(data), timeout=30)
        except ImageError as error:
            raise HTTPException(422, str(error)) from error
        return {"line": max((line.text for line in page.lines), key=len, default="")}

    return app


if __name__ == "__main__":
    try:
        app = make()
    except RuntimeUnavailableError as error:
        sys.exit(f"error: {error}")
    import uvicorn

    uvicorn.run(app, port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
