"""The server that the command runs: uvicorn, until it is told to end."""

import logging
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

from ..exceptions import InvalidArgumentError, OcrError
from ._log import LOGGER, set_up

if TYPE_CHECKING:
    from ._app import App


_KEPT = 65
"""Seconds that an idle connection is kept: longer than most balancers of load, which so never use a dead one."""


class _Server(uvicorn.Server):
    """A server that tells where it listens, and when it begins to end."""

    def __init__(self, config: uvicorn.Config, app: "App", listening: socket.socket) -> None:
        super().__init__(config)
        self._app, self._listening = app, listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin."""
        await super().startup(sockets)
        host, port = self._listening.getsockname()[:2]
        LOGGER.info("listening at http://%s:%d", f"[{host}]" if ":" in host else host, port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, once the requests have their answers."""
        self._app.service.state = "draining"
        LOGGER.info("draining")
        await super().shutdown(sockets)


def run(app: "App", log_level: str) -> None:
    """Serve until SIGTERM or SIGINT, then let requests in flight end.

    Raises:
        InvalidArgumentError: The address cannot be listened at.
        OcrError: The models cannot be loaded.
    """
    settings = app.settings
    listening = _listening(settings.host, settings.port)
    set_up(log_level)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    if not settings.is_local and not settings.keys:
        LOGGER.warning("whoever reaches %s may use this service: there is no API key", settings.host)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEPT,
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
    )
    server = _Server(config, app, listening)
    failures: list[OcrError] = []

    def fail(error: OcrError) -> None:
        failures.append(error)
        server.should_exit = True

    app.on_failure = fail
    # uvicorn sends itself the signal once more when it has ended, which is no failure.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        server.run([listening])
    finally:
        signal.signal(signal.SIGTERM, before)
        listening.close()
    if failures:
        raise failures[0]


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        message = f"cannot listen at {host}, port {port}: {error.strerror or error}"
        raise InvalidArgumentError(message, "choose another --port or --host") from error
