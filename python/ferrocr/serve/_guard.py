"""The outermost part of the service: ids of requests, who may come in, headers of answers, errors, logs and counts."""

import hashlib
import hmac
import json
import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

from ..exceptions import OcrError
from ._log import LOGGER
from ._metrics import Metrics
from ._problems import SHAPES, GoneError, Problem, problem_of
from ._receiving import Receive, discard
from ._settings import Settings

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_LINGER = 2.0
"""Seconds that a body which is not wanted is still taken, so that the client sees the answer."""

_LOCAL = ("localhost", "127.0.0.1", "[::1]")

_FOREIGN = "pages of other sites may not send requests"
_FOREIGN_HINT = "whoever runs the service may allow them: --allow-origin"

OPEN = frozenset({"/", "/docs", "/openapi.json", "/health/live", "/health/ready"})
"""Addresses that need no key: they tell nothing of anybody's documents."""


@dataclass(slots=True)
class Record:
    """One request, for the logs and the counts."""

    id: str
    started: float = field(default_factory=time.monotonic)
    status: int = 0
    received: int = 0
    pages: int = 0
    error: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    body_is_read: bool = False


class Guard:
    """Stands before an application.

    Args:
        inner: The application.
        settings: Keys and origins.
        metrics: Counts.
        routes: Addresses that are known, for the counts.
    """

    def __init__(self, inner: Application, settings: Settings, metrics: Metrics, routes: frozenset[str]) -> None:
        self._inner, self._settings, self._metrics, self._routes = inner, settings, metrics, routes
        self._hosts = {*_LOCAL, settings.host, *(urlsplit(origin).netloc.lower() for origin in settings.origins)}
        self._keys = [hashlib.sha256(key.encode()).digest() for key in settings.keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        headers = Headers(scope=scope)
        record = Record(_request_id(headers.get("x-request-id", "")))
        # A copy, because an application that mounts this one has its own under "app". There has to be one, so that
        # Starlette raises for what it does not know.
        scope = {**scope, "ferrocr.record": record, "app": self}

        async def receiving() -> MutableMapping[str, Any]:
            message = await receive()
            record.body_is_read |= message["type"] == "http.request" and not message.get("more_body")
            return message

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                fields = MutableHeaders(scope=message)
                fields["x-request-id"] = record.id
                for name, value in _HEADERS.items():
                    fields.setdefault(name, value)
                fields.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await self._handle(scope, headers, receiving, sending, record)
        finally:
            self._note(scope, record)

    async def _handle(self, scope: Scope, headers: Headers, receive: Receive, send: Send, record: Record) -> None:
        try:
            self._check(scope, headers)
            await self._inner(scope, receive, send)
        except GoneError:
            record.status = 499
        except Exception as error:
            problem = _as_problem(error)
            if problem.status >= 500 and not isinstance(error, OcrError | Problem):
                LOGGER.error("a defect: %s", type(error).__name__, exc_info=error, extra={"fields": {"id": record.id}})
            record.error = problem.kind
            self._metrics.count("errors_total", kind=problem.kind)
            if record.status:  # it has begun, and its end is all that can be kept back
                LOGGER.warning("an answer was cut off", extra={"fields": {"id": record.id, "error": problem.kind}})
                return
            body = SHAPES.get(_route(scope), Problem.body)(problem, record.id)
            await _refuse(problem, body, record, receive, send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Refuse who may not come in.

        Raises:
            Problem: The client knows no key, or is a page of somebody else's in a browser.
        """
        host = headers.get("host", "").lower()
        if self._settings.is_local and host not in self._hosts and _without_port(host) not in self._hosts:
            # A name that somebody else's server gives this machine, so that its pages may ask what they like.
            raise Problem(421, "UnknownHostError", "this service goes by the name of localhost", "use that address")
        origin = headers.get("origin")
        if (
            origin is not None
            and scope["method"] not in ("GET", "HEAD")
            and urlsplit(origin).netloc.lower() != host
            and origin not in self._settings.origins
        ):
            raise Problem(403, "ForeignOriginError", _FOREIGN, _FOREIGN_HINT)
        path = _route(scope)
        if self._keys and path not in OPEN and not path.startswith("/static/"):
            self._check_key(headers)

    def _check_key(self, headers: Headers) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
        digest = hashlib.sha256(given.encode()).digest()
        # All of them, however soon one fits.
        fits = [hmac.compare_digest(digest, key) for key in self._keys]
        if not any(fits):
            message = "the key is missing or wrong"
            hint = "send it as `Authorization: Bearer KEY` or as `X-API-Key: KEY`"
            raise Problem(401, "UnauthorizedError", message, hint, headers={"www-authenticate": "Bearer"})

    def _note(self, scope: Scope, record: Record) -> None:
        path = _route(scope)
        route = path if path in self._routes else "other"
        self._metrics.count("requests_total", route=route, status=str(record.status or 500))
        if record.received:
            self._metrics.count("received_bytes_total", record.received)
        for stage, seconds in record.seconds.items():
            self._metrics.took(stage, seconds)
        fields: dict[str, Any] = {
            "id": record.id,
            "client": (scope.get("client") or [None])[0],
            "method": scope["method"],
            "route": route,
            "status": record.status or 500,
            "seconds": round(time.monotonic() - record.started, 4),
        }
        if record.received:
            fields |= {"bytes": record.received, "pages": record.pages}
            fields |= {f"{stage}_seconds": round(seconds, 4) for stage, seconds in record.seconds.items()}
        if record.error:
            fields["error"] = record.error
        LOGGER.log(
            10 if route.startswith("/health") or route == "/metrics" else 20, "request", extra={"fields": fields}
        )


def _route(scope: Scope) -> str:
    """Return the path below the place where another application has mounted this one."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) or "/" if root else path


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def _request_id(given: str) -> str:
    return given if _ID.fullmatch(given) else uuid.uuid4().hex


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, OcrError):
        return problem_of(error)
    if isinstance(error, HTTPException):
        kind, message = {
            404: ("NotFoundError", "there is nothing at this address"),
            405: ("MethodNotAllowedError", "this address takes another method"),
        }.get(error.status_code, ("HttpError", str(error.detail)))
        return Problem(error.status_code, kind, message, "/docs lists what there is", headers=error.headers)
    return Problem(500, "InternalError", "a defect of the service", "its log says more under the id of the request")


async def _refuse(problem: Problem, plain: dict[str, Any], record: Record, receive: Receive, send: Send) -> None:
    """Send an answer that says why there is no other."""
    body = json.dumps(plain, ensure_ascii=False).encode(errors="replace")
    headers = {"content-type": "application/json", "content-length": str(len(body)), **problem.headers}
    if not record.body_is_read:
        headers["connection"] = "close"
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": pairs})
    if record.body_is_read:
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await discard(receive, _LINGER, 2**26)
    await send({"type": "http.response.body", "body": b""})
