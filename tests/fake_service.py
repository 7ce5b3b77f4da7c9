"""An engine for tests of the service, which reads what the bytes of an upload say, and a service in a process."""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, cast

from starlette.testclient import TestClient

from ferrocr import EngineStats, Line, Page, Timings
from ferrocr._engine._call import Call
from ferrocr._workers._start import HINT
from ferrocr.documents import DocumentPage
from ferrocr.documents._page_numbers import PageNumbers, Wanted
from ferrocr.exceptions import EngineCrashedError, ImageError, ModelCorruptError, OcrError, RuntimeUnavailableError
from ferrocr.serve import Settings, make_app
from ferrocr.serve._app import App

QUAD = ((1.04, 2.0), (9.0, 2.0), (9.0, 5.0), (1.0, 5.0))


def page_of(text: str) -> Page:
    """A page with a line of text for each line of `text`."""
    return Page(40, 30, tuple(Line(line, 0.98765, QUAD, ()) for line in text.split("\n") if line))


class FakeEngine:
    """Gives the pages that the content has between form feeds; those that begin with "!" are orders.

    Attributes:
        options: Those of the last call.
        waiting: Calls that wait, as "!wait" has them do until they are cancelled.
        crashes: Times that "!crash" has crashed it.
    """

    provider: ClassVar[str] = "cpu"

    def __init__(self, load_error: OcrError | None = None) -> None:
        self.loaded = self.closed = False
        self.options: dict[str, Any] = {}
        self.crashes = self.calls = 0
        self.waiting: list[Call] = []
        self.paths: list[str] = []
        self.go = threading.Event()
        self._load_error = load_error

    def load(self) -> None:
        """Load, or fail as the test wants."""
        if self._load_error is not None:
            raise self._load_error
        self.loaded = True

    def stats(self) -> EngineStats:
        """Return what an engine would have counted."""
        seconds = Timings(total=2.0, detect=1.5, recognize=0.25)
        return EngineStats(7, 4, 99, {"ImageError": 2}, 1, 1, 3, {}, 0.5, self.crashes, seconds)

    def free_resources(self, **_options: object) -> None:
        """Close."""
        self.closed = True

    def _begin_pages(
        self, document: str | bytes, call: Call, on_error: str = "return", ahead: int | None = None, **options: object
    ) -> tuple[int, Generator[DocumentPage | OcrError]]:
        self.calls += 1
        self.options = {"ahead": ahead, **options}
        if isinstance(document, str):
            self.paths.append(document)
        data = Path(document).read_bytes() if isinstance(document, str) else document
        if data.startswith(b"\xff"):
            message = f"{document if isinstance(document, str) else 'the picture'} is no picture"
            raise ImageError(message, "convert it to PNG first")
        texts = data.decode().rstrip("\0").split("\f")
        numbers = Wanted(cast("PageNumbers | None", options.get("pages"))).among(len(texts), "the document")
        return len(texts), self._results(texts, numbers, call)

    def _results(self, texts: list[str], numbers: Iterator[int], call: Call) -> Generator[DocumentPage | OcrError]:
        for number in numbers:
            call.check()
            result = self._result(texts[number - 1], call)
            if isinstance(result, OcrError):
                result.page = number
                yield result
            else:
                yield DocumentPage(number, result, "ocr")

    def _result(self, text: str, call: Call) -> Page | OcrError:
        match text.partition(" ")[0]:
            case "!wait":
                self.waiting.append(call)
                while not self.go.wait(0.01):
                    call.check()
                return page_of("waited")
            case "!sleep":
                time.sleep(float(text[7:]))
                return page_of("slept")
            case "!crash":
                self.crashes += 1
                return EngineCrashedError("it crashed") if self.crashes <= int(text[7:]) else page_of("survived")
            case "!start":
                self.crashes += 1
                if self.crashes <= int(text[7:]):
                    message = "reading needs a process of its own, and the one that was started ended"
                    raise RuntimeUnavailableError(message, HINT)
                return page_of("started")
            case "!image":
                return ImageError("this page is damaged", "scan it again")
            case "!fatal":
                raise ModelCorruptError("the model is damaged")
            case "!defect":
                raise KeyError("secret text")
        return page_of(text)


@contextmanager
def service(
    engine: FakeEngine | None = None,
    **limits: Any,  # noqa: ANN401
) -> Iterator[tuple[TestClient, FakeEngine, App]]:
    """A service in this process with a fake engine, once it is ready."""
    fake = FakeEngine() if engine is None else engine
    app = make_app(lambda: fake, Settings(**limits))  # type: ignore[arg-type,return-value]
    with TestClient(app, base_url="http://localhost") as client:
        yield client, fake, app
