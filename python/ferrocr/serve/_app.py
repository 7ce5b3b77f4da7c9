"""The application: what lies at which address, and what lives as long as the service does."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from .. import __version__, _core
from ..exceptions import OcrError
from ._answers import ReadAnswer, ShapedAnswer, liteparse, open_webui
from ._guard import Guard, Scope, Send
from ._log import LOGGER
from ._metrics import MEDIA_TYPE, Gauges, Labels, of_engine
from ._openapi import description
from ._pictures import PictureAnswer
from ._receiving import Receive
from ._service import Service
from ._settings import Settings

if TYPE_CHECKING:
    from ..engine import OcrEngine

_STATIC = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "docs.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class App:
    """The application of a service, as ASGI wants it.

    Args:
        make_engine: Makes the engine.
        settings: Limits.

    Attributes:
        service: All that its answers share.
        on_failure: Called when the models cannot be loaded; until then, and without it, the service says that it is not
            ready.
    """

    def __init__(self, make_engine: "Callable[[], OcrEngine]", settings: Settings) -> None:
        self.settings = settings
        self.service = Service(settings)
        self.on_failure: Callable[[OcrError], object] | None = None
        self._make_engine = make_engine
        routes = self._routes()
        router = Router(routes, lifespan=self._lifespan)
        self._router = router
        paths = frozenset(route.path for route in routes)
        self._guard = Guard(router, settings, self.service.metrics, paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or the beginning and the end of the service."""
        await (self._guard if scope["type"] == "http" else self._router)(scope, receive, send)

    def _routes(self) -> list[Route]:
        service = self.service
        return [
            Route("/v1/read", ReadAnswer(service), methods=["POST"]),
            Route("/v1/picture", PictureAnswer(service), methods=["POST"]),
            Route("/ocr", ShapedAnswer(service, liteparse), methods=["POST"]),
            Route("/process", ShapedAnswer(service, open_webui), methods=["PUT", "POST"]),
            Route("/health/live", _live),
            Route("/health/ready", self._ready),
            Route("/metrics", self._metrics),
            Route("/openapi.json", self._openapi),
            Route("/", _Static("index.html", "text/html; charset=utf-8")),
            Route("/docs", _Static("docs.html", "text/html; charset=utf-8")),
            *(Route(f"/static/{name}", _Static(name, kind)) for name, kind in _STATIC.items()),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the engine, its threads and the folder of uploads while the service runs.

        A server does this by itself; an application that mounts this one does it in its own lifespan.
        """
        service = self.service
        service.folder = Path(tempfile.mkdtemp(prefix="ferrocr-serve-"))
        service.executor = ThreadPoolExecutor(self.settings.at_once, "ferrocr-serve")
        engine = service.engine = self._make_engine()
        loading = asyncio.create_task(self._load(engine))
        try:
            yield
        finally:
            service.state = "draining"
            LOGGER.info("ending")
            await asyncio.to_thread(engine.free_resources, cancel=True, timeout=self.settings.drain_seconds)
            await asyncio.wait([loading])
            service.executor.shutdown(wait=False, cancel_futures=True)
            shutil.rmtree(service.folder, ignore_errors=True)

    def _lifespan(self, _router: object) -> AbstractAsyncContextManager[None]:
        return self.running()

    async def _load(self, engine: "OcrEngine") -> None:
        try:
            await asyncio.to_thread(engine.load)
        except OcrError as error:
            if self.service.state == "loading":
                self.service.state = "failed"
                LOGGER.error("the models cannot be loaded: %s", error)
                if self.on_failure is not None:
                    self.on_failure(error)
            return
        if self.service.state == "loading":
            self.service.state = "ready"
            LOGGER.info("ready", extra={"fields": {"provider": engine.provider}})

    async def _ready(self, _request: Request) -> Response:
        state = self.service.state
        return JSONResponse({"status": state}, 200 if state == "ready" else 503)

    async def _metrics(self, _request: Request) -> Response:
        service, settings = self.service, self.settings
        values = {
            "receiving": service.receiving,
            "queue_length": service.gate.waiting,
            "queue_limit": settings.queue,
            "in_flight": service.gate.inside,
            "in_flight_limit": settings.at_once,
            "engine_loaded": int(service.engine is not None and service.engine.loaded),
        }
        gauges: Gauges = {name: {(): value} for name, value in values.items()}
        memory: dict[Labels, float] = {(("process", "service"),): _core.resident_bytes() or 0}
        if (elsewhere := service.engine_bytes()) is not None:
            memory[(("process", "engine"),)] = elsewhere
        gauges["resident_bytes"] = memory
        if service.engine is not None:
            gauges |= of_engine(service.engine.stats())
        gauges["info"] = {(("version", __version__),): 1}
        return Response(service.metrics.text(gauges), media_type=MEDIA_TYPE)

    async def _openapi(self, _request: Request) -> Response:
        return JSONResponse(description(self.settings))


class _Static:
    """A file of the package.

    Args:
        name: Its name.
        media_type: For the header.
    """

    def __init__(self, name: str, media_type: str) -> None:
        self._response = Response(
            files(__package__).joinpath("static", name).read_bytes(),
            media_type=media_type,
            headers={"cache-control": "no-cache"},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await self._response(scope, receive, send)


async def _live(_request: Request) -> Response:
    return JSONResponse({"status": "live"})
