"""The answers of a service that read: in any of the formats, and in the shapes that other programs know."""

import asyncio
import io
import json
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import unquote

from starlette.datastructures import Headers, QueryParams

from .. import _core
from .._engine._call import Call
from ..documents import DocumentPage
from ..documents._request import DocumentKeywords
from ..exceptions import OcrError
from ..formats import Failure, Sheet
from ..models._catalog import DEFAULT_SET
from ._bodies import Upload
from ._guard import Record, Scope, Send
from ._outputs import FileMaker
from ._problems import GoneError, Problem, message_of, problem_of, refuse
from ._reading import Engine, Pages, in_thread
from ._receiving import Receive
from ._request_options import RequestOptions, options_of
from ._service import Service

T = TypeVar("T")

Entry = Sheet | Failure

_PIECE = 2**16
_HELD = 2**20
"""Bytes of an answer that are held in memory; a longer one lies on the disk until it is sent."""


class Answer:
    """Reads uploads; made into something by those that inherit from it.

    Args:
        service: All that answers share.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        async with self._service.upload(scope, receive) as upload:
            options = self._options(scope, upload)
            if options.output.needs_file:
                await upload.on_disk()
            await self._answer(scope, receive, send, upload, options)

    def _options(self, scope: Scope, upload: Upload) -> RequestOptions:
        headers, query = Headers(scope=scope), QueryParams(scope["query_string"])
        return options_of(query, upload.fields, headers.get("accept", ""), _password(headers))

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, upload: Upload, options: RequestOptions
    ) -> None:
        raise NotImplementedError

    async def _read(
        self,
        record: Record,
        upload: Upload,
        keywords: DocumentKeywords,
        begin: Callable[[int], Awaitable[None]],
        take: Callable[[Entry], Awaitable[None]],
    ) -> None:
        """Read all pages, and hand each over as it comes, from the first one on that could be read.

        Raises:
            Problem: None of them can be read, or something ends it all.
        """
        service = self._service
        assert service.executor is not None
        pages = Pages(cast("Engine", service.engine), service.executor, upload, keywords, service.settings)
        first: OcrError | None = None
        before: list[Entry] | None = []
        try:
            await pages.start()
            while (result := await pages.next()) is not None:
                entry = self._entry(result, upload, record)
                if before is None:
                    await take(entry)
                    continue
                before.append(entry)
                if isinstance(result, OcrError):
                    first = first or result
                    continue
                await begin(pages.count)
                for one in before:
                    await take(one)
                before = None
            if before is not None and first is not None:
                raise first
            if before is not None:
                await begin(pages.count)
        except OcrError as error:
            raise problem_of(error, upload.path, upload.name) from None
        finally:
            service.metrics.count("engine_crashes_total", pages.crashes)
            await pages.close()

    def _entry(self, result: DocumentPage | OcrError, upload: Upload, record: Record) -> Entry:
        metrics = self._service.metrics
        if isinstance(result, OcrError):
            metrics.count("errors_total", kind=type(result).__name__)
            return Failure(message_of(result, upload.path, upload.name), upload.name, result.page or 1)
        record.pages += 1
        metrics.count("pages_total", origin=result.origin)
        return replace(Sheet.of(result), source=upload.name)


class ReadAnswer(Answer):
    """The answer in any of the formats."""

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, upload: Upload, options: RequestOptions
    ) -> None:
        work = _Work(self, scope["ferrocr.record"], upload, options, send)
        if options.output.is_streamed:
            await self._service.in_turn(scope, receive, work.stream())
            return
        with tempfile.SpooledTemporaryFile(_HELD, dir=str(self._service.folder)) as file:
            await self._service.in_turn(scope, receive, work.gather(cast("BinaryIO", file)))
            try:
                async with asyncio.timeout(self._service.settings.seconds):
                    await work.send_file(cast("BinaryIO", file))
            except TimeoutError:  # the client takes nothing
                raise GoneError from None


class _Work:
    """One request for a format."""

    def __init__(self, answer: ReadAnswer, record: Record, upload: Upload, options: RequestOptions, send: Send) -> None:
        self._answer, self._record, self._upload, self._options, self._send = answer, record, upload, options, send
        self._executor = answer._service.executor
        self._count = 0

    async def stream(self) -> None:
        """Send each page as it is read. An error after the first one is the last line."""
        making, taken = self._made(), 0

        async def begin(count: int) -> None:
            self._count = count
            await self._start(None)

        async def take(entry: Entry) -> None:
            nonlocal taken
            taken = entry.number
            await self._send({"type": "http.response.body", "body": making.add(entry), "more_body": True})

        try:
            await self._answer._read(self._record, self._upload, self._options.keywords, begin, take)
        except Problem as problem:
            if not self._record.status:
                raise
            self._record.error = problem.kind
            await take(Failure(problem.text, self._upload.name, problem.page or taken + 1))
        await self._send({"type": "http.response.body", "body": b""})

    async def gather(self, file: BinaryIO) -> None:
        """Read all pages, and write them to a file."""
        async with AsyncExitStack() as stack:
            making = await self._run(self._made)
            stack.callback(making.close)
            file.write(making.begin())

            async def begin(count: int) -> None:
                self._count = count
                if self._options.output.one_page and count > 1 and self._options.keywords["pages"] is None:
                    name = self._options.output.name
                    refuse(f"a file of the format {name} holds one page, and there are {count}", "say pages=1")

            async def take(entry: Entry) -> None:
                file.write(await self._run(partial(making.add, entry)))

            await self._answer._read(self._record, self._upload, self._options.keywords, begin, take)
            await self._run(partial(making.end, file))

    async def send_file(self, file: BinaryIO) -> None:
        """Send what was gathered."""
        await self._start(file.seek(0, io.SEEK_END))
        file.seek(0)
        while piece := file.read(_PIECE):
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    def _made(self) -> FileMaker:
        upload, keywords = self._upload, self._options.keywords
        path = Path(upload.path) if self._options.output.needs_file and upload.path is not None else None
        keeps_own_text = keywords["text_layer"] == "auto"
        return self._options.output.make(path, upload.name or "the upload", keywords["password"], keeps_own_text)

    async def _run(self, work: Callable[[], T]) -> T:
        """Do what may take long in a thread; it has one for each place at the engine."""
        try:
            if not self._options.output.needs_file:
                return work()
            assert self._executor is not None
            return await in_thread(self._executor, Call(), work)
        except OcrError as error:
            raise problem_of(error, self._upload.path, self._upload.name) from None

    async def _start(self, length: int | None) -> None:
        media_type = self._options.output.media_type
        if media_type.startswith("text/") or media_type.endswith("xml"):
            media_type += "; charset=utf-8"
        headers = [(b"content-type", media_type.encode()), (b"x-page-count", str(self._count).encode())]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})


@dataclass(frozen=True, slots=True)
class Shape:
    """JSON as clients of another service know it.

    Attributes:
        check: Refuses a form's fields and a document's number of pages.
        page: Makes the items of a page.
        whole: Makes the answer of all items.
        text_layer: The use of the text that a PDF brings.
    """

    check: Callable[[Upload, int], None]
    page: Callable[[Entry, int], list[dict[str, Any]]]
    whole: Callable[[list[dict[str, Any]]], Any]
    text_layer: str = "ignore"


class ShapedAnswer(Answer):
    """The answer in a shape of somebody else's.

    Args:
        service: All that answers share.
        shape: The shape.
    """

    def __init__(self, service: Service, shape: Shape) -> None:
        super().__init__(service)
        self._shape = shape

    def _options(self, scope: Scope, upload: Upload) -> RequestOptions:
        self._shape.check(upload, 1)
        query = {"text_layer": self._shape.text_layer, **QueryParams(scope["query_string"])}
        return options_of({**query, "format": "json"}, {}, "", _password(Headers(scope=scope)))

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, upload: Upload, options: RequestOptions
    ) -> None:
        items: list[dict[str, Any]] = []
        pages = 0

        async def begin(count: int) -> None:
            nonlocal pages
            pages = count
            self._shape.check(upload, count)

        async def take(entry: Entry) -> None:
            items.extend(self._shape.page(entry, pages))

        await self._service.in_turn(
            scope, receive, self._read(scope["ferrocr.record"], upload, options.keywords, begin, take)
        )
        body = json.dumps(self._shape.whole(items), ensure_ascii=False).encode(errors="replace")
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _password(headers: Headers) -> str | None:
    """Return the password of a document, which is quoted since headers have no letters beyond Latin."""
    quoted = headers.get("x-document-password")
    return None if quoted is None else unquote(quoted)


def _check_liteparse(upload: Upload, count: int) -> None:
    if count > 1:
        refuse(f"this address takes one picture, and the document has {count} pages", "POST it to /v1/read")
    language = upload.fields.get("language")
    if language:
        try:
            _core.recognizer_for(DEFAULT_SET, language.replace("+", ",").split(","))
        except OcrError as error:
            raise problem_of(error) from None


def _liteparse_page(entry: Entry, _count: int) -> list[dict[str, Any]]:
    items = []
    for line in entry.page.lines if isinstance(entry, Sheet) else ():
        xs, ys = zip(*line.quad, strict=True)
        left, top = round(min(xs), 1), round(min(ys), 1)
        items.append(
            {
                "text": line.text,
                "bbox": [left, top, max(left + 0.1, round(max(xs), 1)), max(top + 0.1, round(max(ys), 1))],
                "confidence": round(line.score, 4),
                "polygon": [[round(x, 1), round(y, 1)] for x, y in line.quad],
            }
        )
    return items


def _open_webui_page(entry: Entry, count: int) -> list[dict[str, Any]]:
    metadata: dict[str, Any] = {"source": entry.source, "page": entry.number, "total_pages": count}
    if isinstance(entry, Failure):
        return [{"page_content": "", "metadata": {**metadata, "error": entry.error}}]
    return [{"page_content": entry.page.text, "metadata": metadata}]


def _open_webui_whole(items: list[dict[str, Any]]) -> Any:  # noqa: ANN401
    if not any(item["page_content"] for item in items):
        # In these words, after which Open WebUI tries what it has itself.
        raise Problem(422, "ImageError", "No extractable text")
    return items


def _results(items: list[dict[str, Any]]) -> Any:  # noqa: ANN401
    return {"results": items}


def _anything(_upload: Upload, _count: int) -> None:
    pass


liteparse = Shape(_check_liteparse, _liteparse_page, _results)
"""The answers of LiteParse's OCR API."""

open_webui = Shape(_anything, _open_webui_page, _open_webui_whole, text_layer="auto")
"""The answers of an external document loader of Open WebUI."""
