"""Errors as answers: a status, and JSON with the kind, a message and a hint."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from .. import exceptions
from ..exceptions import OcrError

# The first row that fits counts, so a class stands above its base.
STATUSES: tuple[tuple[type[OcrError], int], ...] = (
    (exceptions.InvalidArgumentError, 400),
    (exceptions.ImageError, 422),  # damaged, encrypted, too large, or no picture at all
    (exceptions.OcrTimeoutError, 504),
    (exceptions.OcrCancelledError, 503),  # the service ends
    (exceptions.ResourcesFreedError, 503),
    (exceptions.EngineCrashedError, 503),
    (exceptions.OutOfMemoryError, 503),
    (exceptions.ModelNotFoundError, 503),
    (exceptions.DownloadError, 503),
    (exceptions.PillowMissingError, 501),
    (exceptions.RuntimeUnavailableError, 501),  # a PDF, and pypdfium2 is not installed
    (OcrError, 500),
)


class GoneError(Exception):
    """The client has closed its connection: nobody waits for the answer."""


class Problem(Exception):
    """An answer that says why there is no other.

    Args:
        status: Its status.
        kind: The name of the class of errors that it is of.
        message: The error.
        hint: Advice.
        headers: Headers of the answer.
        page: The page of the document that it is about.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        hint: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        page: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.message, self.hint, self.page = status, kind, message, hint, page
        self.headers = dict(headers or {})
        if status == 503:
            self.headers.setdefault("retry-after", "1")

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the JSON of the answer."""
        error: dict[str, Any] = {"kind": self.kind, "message": self.message, "hint": self.hint}
        if self.page is not None:
            error["page"] = self.page
        return {"error": error, "request_id": request_id}

    @property
    def text(self) -> str:
        """The message and the hint in one line."""
        return self.message if self.hint is None else f"{self.message}; {self.hint}"


def problem_of(error: OcrError, path: str | None = None, name: str | None = None) -> Problem:
    """Return the answer for an error of the engine.

    Args:
        error: The error.
        path: The file that it may name, of which nobody shall know where it lies.
        name: The name by which the client knows it.
    """
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    message, hint = message_of(error, path, name), error.hint
    return Problem(status, type(error).__name__, message, hint, page=error.page)


def message_of(error: OcrError, path: str | None, name: str | None) -> str:
    """Return the message of an error without its hint, about a file that has the client's name for it."""
    message = str(error).removesuffix(f"\n{error.hint}")
    return message if path is None else message.replace(path, name or "the upload")


def busy(message: str, retry_after: float) -> Problem:
    """Return the answer for a request that there is no room for."""
    seconds = str(max(1, min(60, round(retry_after))))
    return Problem(503, "BusyError", message, f"try again in {seconds} s", headers={"retry-after": seconds})


def refuse(message: str, hint: str | None = None) -> NoReturn:
    """Refuse a request that makes no sense.

    Raises:
        Problem: In any case.
    """
    raise Problem(400, "InvalidArgumentError", message, hint)


def _liteparse_error(problem: Problem, _request_id: str) -> dict[str, Any]:
    return {"error": problem.text}


def _open_webui_error(problem: Problem, _request_id: str) -> dict[str, Any]:
    return {"detail": problem.text}


SHAPES: Mapping[str, Callable[[Problem, str], dict[str, Any]]] = {
    "/ocr": _liteparse_error,
    "/process": _open_webui_error,
}
"""The JSON of errors by address, where clients want it as another service has it."""
