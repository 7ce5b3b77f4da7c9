"""The service, in this process and with an engine that reads what the bytes of an upload say."""

import asyncio
import json
import threading
from collections.abc import MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fake_service import service
from ferrocr import formats
from ferrocr.serve._outputs import OUTPUTS
from own_process import wait_until

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages among themselves

LONG = b"x" * 300_000
"""More than is held in memory."""


class Client:
    """A client that speaks ASGI with an application in an event loop of its own, and may leave."""

    def __init__(self, app: Any, path: str, *pieces: bytes, stays: bool = True, headers: Any = ()) -> None:  # noqa: ANN401
        self.takes = True
        self.gone, self.sent = threading.Event(), list[MutableMapping[str, Any]]()
        self._pieces, self._stays = list(pieces), stays
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": path.partition("?")[0],
            "query_string": path.partition("?")[2].encode(),
            "root_path": "",
            "headers": [(b"host", b"localhost"), *headers],
            "client": ("127.0.0.1", 1),
        }
        self._app = app

    async def receive(self) -> MutableMapping[str, Any]:
        """Give the body, then nothing until the client leaves."""
        if self._pieces:
            piece = self._pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self._pieces) or not self._stays}
        while not self.gone.is_set():
            await asyncio.sleep(0.005)
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Keep what comes."""
        self.sent.append(message)
        while not self.takes:
            await asyncio.sleep(0.01)

    async def run(self) -> None:
        """Go through it."""
        await self._app(self.scope, self.receive, self.send)

    @property
    def status(self) -> int | None:
        """The status of the answer; None where there is none."""
        return self.sent[0]["status"] if self.sent else None

    def json(self) -> Any:  # noqa: ANN401
        """The answer's body."""
        return json.loads(b"".join(message.get("body", b"") for message in self.sent[1:]))


# --- reading ---------------------------------------------------------------------------------------------------------


def test_a_raw_body_and_a_form_say_the_same() -> None:
    with service() as (client, engine, _):
        raw = client.post("/v1/read?pages=2-&dpi=150&min_score=0.25", content=b"one\ftwo\fthree")
        assert raw.headers["content-type"] == "application/json"
        assert raw.headers["x-page-count"] == "3"
        options = engine.options
        assert [page["text"] for page in raw.json()["pages"]] == ["two", "three"]
        assert options == {
            "ahead": 1,
            "pages": "2-",
            "dpi": 150.0,
            "min_score": 0.25,
            "text_layer": "ignore",
            "password": None,
            "characters": False,
            "timeout": 60.0,
        }
        fields = {"pages": "2-", "dpi": "150", "min_score": "0.25"}
        form = client.post("/v1/read", files={"file": ("a.pdf", b"one\ftwo\fthree")}, data=fields)
        assert engine.options == options
        assert [page["source"] for page in form.json()["pages"]] == ["a.pdf"] * 2


def test_rules_for_lines_reach_the_engine_and_wrong_ones_are_refused_before() -> None:
    with service() as (client, engine, _):
        fields = {"allow": "0123456789", "words": "12\n34"}
        client.post("/v1/read", files={"file": ("a.png", b"one")}, data=fields)
        assert (engine.options["allow"], engine.options["words"]) == ("0123456789", ["12", "34"])
        engine.options.clear()
        refused = client.post("/v1/read", params={"pattern": "(["}, content=b"one")
        assert refused.status_code == 400
        assert refused.json()["error"]["kind"] == "InvalidArgumentError"
        assert not engine.options


@pytest.mark.parametrize("name", [name for name, row in OUTPUTS.items() if not row.needs_file])
def test_each_format_is_the_writers(name: str) -> None:
    with service() as (client, engine, _):
        answer = client.post(f"/v1/read?format={name}", content=b"one\ntwo", headers={"X-Filename": "a%C3%A9.png"})
        assert answer.status_code == 200
        media_type = "application/x-ndjson" if name == "jsonl" else formats.WRITERS[name].media_type
        assert answer.headers["content-type"].partition(";")[0] == media_type
        sheet = formats.Sheet(engine._result("one\ntwo", None), "aé.png")  # type: ignore[arg-type]
        assert answer.content == "".join(formats.chunks(name, [sheet])).encode()


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/plain", "text/plain"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/jsonl", "application/x-ndjson"),
        ("text/csv", "text/csv"),
        ("text/html;q=0.5, text/markdown", "text/markdown"),
        ("*/*", "application/json"),
        ("image/tiff", "application/json"),
        ("text/plain;q=0, text/tab-separated-values;q=x, application/xml;q=0.1", "application/xml"),
    ],
)
def test_accept_chooses_the_format(accept: str, media_type: str) -> None:
    with service() as (client, _, _app):
        answer = client.post("/v1/read", content=b"one", headers={"Accept": accept})
        assert answer.headers["content-type"].partition(";")[0] == media_type


def test_a_password_never_stands_in_an_address() -> None:
    with service() as (client, engine, _):
        client.post("/v1/read", content=b"one", headers={"X-Document-Password": "gr%C3%BCn 7"})
        assert engine.options["password"] == "grün 7"
        client.post("/v1/read", files={"file": ("a", b"one")}, data={"password": "blau"})
        assert engine.options["password"] == "blau"
        assert client.post("/v1/read?password=rot", content=b"one").status_code == 400


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("format=docx", "no format 'docx'"),
        ("pages=0", "no page 0"),
        ("pages=9", "no page 9"),
        ("dpi=many", "dpi is a number"),
        ("dpi=0", "dpi is a number"),
        ("text_layer=perhaps", "text_layer is"),
        ("characters=2", "characters is"),
        ("characters=1&format=text", "does not hold the characters"),
        ("format=pdf&text_layer=only", "nothing is read"),
        ("page=1", "no option 'page'"),
    ],
)
def test_a_wrong_option_is_named(query: str, said: str) -> None:
    with service() as (client, _, _app):
        answer = client.post(f"/v1/read?{query}", content=b"one", headers={"X-Request-ID": "a-1"})
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert said in error["message"]
        assert error["kind"] == "InvalidArgumentError"
        assert answer.json()["request_id"] == answer.headers["x-request-id"] == "a-1"


def test_errors_do_not_say_where_an_upload_lies() -> None:
    with service() as (client, engine, _):
        answer = client.post("/v1/read", content=b"\xff" * 300_000)
        error = {"kind": "ImageError", "message": "the upload is no picture", "hint": "convert it to PNG first"}
        assert (answer.status_code, answer.json()["error"]) == (422, error)
        answer = client.post("/v1/read", files={"file": ("../a.png", b"\xff" * 300_000)})
        assert answer.json()["error"]["message"] == "a.png is no picture"
        assert len(engine.paths) == 2
        assert not any(Path(path).exists() for path in engine.paths)


def test_a_page_that_cannot_be_read_stands_in_its_place() -> None:
    with service() as (client, _, _app):
        first, second, third = client.post("/v1/read", content=b"!image\fgood\f!image").json()["pages"]
        assert (first["number"], first["error"], second["text"], third["number"]) == (
            1,
            "this page is damaged",
            "good",
            3,
        )
        nothing = client.post("/v1/read", content=b"!image\f!image")
        assert (nothing.status_code, nothing.json()["error"]["page"]) == (422, 1)
        lines = client.post("/v1/read?format=jsonl", content=b"!image\f!image")
        assert lines.status_code == 422


def test_an_error_after_the_first_page_of_a_stream_is_its_last_line() -> None:
    with service() as (client, _, _app):
        answer = client.post("/v1/read?format=jsonl", content=b"good\f!fatal\fnever")
        first, last = map(json.loads, answer.text.splitlines())
        assert (first["text"], last["number"]) == ("good", 2)
        assert "the model is damaged" in last["error"]
        assert client.post("/v1/read", content=b"good\f!fatal").status_code == 500


def test_pages_are_sent_while_others_are_read() -> None:
    with service() as (_, engine, app):
        client = Client(app, "/v1/read?format=jsonl", b"one\f!wait")
        with ThreadPoolExecutor(1) as threads:
            done = _begin(threads, app, client)
            wait_until(lambda: len(client.sent) == 2, "the first page")
            assert json.loads(client.sent[1]["body"])["text"] == "one"
            engine.go.set()
            done.result(10)
        assert json.loads(client.sent[2]["body"])["text"] == "waited"


def _begin(threads: ThreadPoolExecutor, app: Any, *clients: Client) -> "Future[None]":  # noqa: ANN401
    """Run clients side by side in the loop of the service, whose gate belongs to it."""

    async def all_of_them() -> None:
        app.service.gate = type(app.service.gate)(app.settings.at_once, app.settings.queue)
        await asyncio.gather(*(client.run() for client in clients))

    return threads.submit(asyncio.run, all_of_them())


def test_what_the_engine_counts_is_among_the_metrics() -> None:
    with service() as (client, engine, _):
        engine.crashes = 5
        text = client.get("/metrics").text
    for line in (
        "engine_pages_total 4",
        'engine_errors_total{kind="ImageError"} 2',
        "engine_processes_crashed_total 5",
        "engine_loads_total 3",
        "engine_load_seconds_total 0.5",
        'engine_seconds_total{stage="detect"} 1.5',
        'engine_seconds_total{stage="wait"} 0.0',
        "engine_queue_length 1",
        "engine_in_flight 1",
    ):
        assert f"ferrocr_{line}\n" in text, line
    assert 'stage="total"' not in text
    assert "# TYPE ferrocr_engine_seconds_total counter" in text


def test_a_crash_is_read_once_more_and_counted() -> None:
    with service() as (client, engine, _):
        pages = client.post("/v1/read", content=b"one\f!crash 1\fthree").json()["pages"]
        assert [page["text"] for page in pages] == ["one", "survived", "three"]
        assert "ferrocr_engine_crashes_total 1\n" in client.get("/metrics").text
        engine.crashes = 0
        twice = client.post("/v1/read", content=b"!crash 2")
        assert (twice.status_code, twice.json()["error"]["kind"]) == (503, "EngineCrashedError")
        assert int(twice.headers["retry-after"]) >= 1


def test_a_process_that_does_not_start_is_a_crash_too() -> None:
    with service() as (client, engine, _):
        pages = client.post("/v1/read", content=b"one\f!start 1\fthree").json()["pages"]
        assert [page["text"] for page in pages] == ["one", "started", "three"]
        engine.crashes = 0
        twice = client.post("/v1/read", content=b"!start 2")
        assert (twice.status_code, twice.json()["error"]["kind"]) == (503, "EngineCrashedError")


def test_a_defect_says_nothing_of_the_document(caplog: pytest.LogCaptureFixture) -> None:
    with service() as (client, _, _app):
        answer = client.post("/v1/read", content=b"!defect")
        assert (answer.status_code, answer.json()["error"]["kind"]) == (500, "InternalError")
        assert "secret" not in answer.text
        assert "a defect: KeyError" in caplog.text


# --- other services' shapes ------------------------------------------------------------------------------------------


def test_liteparse_gets_its_shape() -> None:
    with service() as (client, _, _app):
        answer = client.post("/ocr", files={"file": ("a.png", b"one\ntwo")}, data={"language": "en"}).json()
        quad = [[1.0, 2.0], [9.0, 2.0], [9.0, 5.0], [1.0, 5.0]]
        first = {"text": "one", "bbox": [1.0, 2.0, 9.0, 5.0], "confidence": 0.9877, "polygon": quad}
        assert answer == {"results": [first, {**first, "text": "two"}]}
        assert client.post("/ocr", files={"file": ("a.png", b"\n")}).json() == {"results": []}
        wrong = client.post("/ocr", files={"file": ("a.png", b"one")}, data={"language": "klingon"})
        assert (wrong.status_code, list(wrong.json())) == (400, ["error"])
        assert client.post("/ocr", files={"language": (None, b"en")}).status_code == 400
        assert client.post("/ocr", files={"file": ("a.pdf", b"one\ftwo")}).status_code == 400


def test_open_webui_gets_its_shape() -> None:
    with service() as (client, engine, _):
        headers = {"Content-Type": "application/pdf", "X-Filename": "a%20b.pdf"}
        answer = client.put("/process", content=b"one\f!image\fthree", headers=headers).json()
        assert [page["page_content"] for page in answer] == ["one", "", "three"]
        assert answer[2]["metadata"] == {"source": "a b.pdf", "page": 3, "total_pages": 3}
        assert engine.options["text_layer"] == "auto"
        nothing = client.put("/process", content=b"\n")
        assert (nothing.status_code, nothing.json()) == (422, {"detail": "No extractable text"})
        assert "detail" in client.put("/process", content=b"\xff").json()


# --- limits ----------------------------------------------------------------------------------------------------------


def test_a_body_is_refused_beyond_its_limit_however_it_comes() -> None:
    with service(max_body=1000) as (client, engine, _):
        for answer in (
            client.post("/v1/read", content=b"x" * 1001),
            client.post("/v1/read", content=iter([b"x" * 600] * 2)),
            client.post("/v1/read", files={"file": ("a", b"x" * 1001)}),
            client.post("/v1/read", files={"file": ("a", b"x")}, data={"pages": "1" * 5000}),
        ):
            assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "BodyTooLargeError")
        assert engine.calls == 0
        assert client.post("/v1/read", content=b"x" * 1000).status_code == 200


def test_long_bodies_lie_on_the_disk_and_are_deleted() -> None:
    with service() as (client, engine, app):
        folder = app.service.folder
        assert folder is not None
        assert client.post("/v1/read", content=LONG).status_code == 200
        assert client.post("/v1/read", files={"file": ("a", LONG)}).status_code == 200
        assert client.post("/v1/read", content=b"short").status_code == 200
        assert [Path(path).parent for path in engine.paths] == [folder] * 2
        assert list(folder.iterdir()) == []
    assert not folder.exists()
    assert engine.closed


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no file"),
        (b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--b--\r\n", "no file"),
        (b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\n1", "ends in the middle"),
        (b"--c\r\n", "damaged"),
        (b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\n1\r\n" * 2 + b"--b--\r\n", "more than one"),
        (b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n" * 40 + b"--b--\r\n", "more than 32"),
        (b"--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n\r\n--b--\r\n", "no file, or an empty"),
    ],
)
def test_a_form_that_is_none_is_an_error(body: bytes, said: str) -> None:
    with service() as (client, _, _app):
        kind = {"Content-Type": "multipart/form-data; boundary=b"} if body else {}
        answer = client.post("/v1/read", content=body, headers=kind)
        assert answer.status_code == 400
        assert said in answer.json()["error"]["message"]
        assert client.post("/v1/read", content=b"x", headers={"Content-Type": "multipart/form-data"}).status_code == 400


def test_more_pages_than_allowed_are_refused() -> None:
    with service(max_pages=2) as (client, _, _app):
        assert (
            client.post("/v1/read", content=b"a\fb\fc").json()["error"]["hint"] == 'ask for some of them: pages="1-2"'
        )
        assert client.post("/v1/read?pages=2-3", content=b"a\fb\fc").status_code == 200


def test_a_body_that_stalls_is_given_up() -> None:
    with service(stall_seconds=0.05) as (_, _engine, app):
        client = Client(app, "/v1/read", b"half", stays=False)
        with ThreadPoolExecutor(1) as threads:
            done = _begin(threads, app, client)
            wait_until(lambda: client.status == 408, "the answer")
            client.gone.set()
            done.result(10)
        assert client.json()["error"]["kind"] == "SlowBodyError"


def test_a_body_that_comes_for_ever_is_given_up() -> None:
    with service(body_seconds=0.2) as (_, _engine, app):
        client = Client(app, "/v1/read", *([b"x"] * 3), stays=False)
        with ThreadPoolExecutor(1) as threads:
            done = _begin(threads, app, client)
            wait_until(lambda: client.status == 408, "the answer")
            client.gone.set()
            done.result(10)


def test_a_full_queue_refuses_and_those_before_it_are_served_in_order() -> None:
    with service(at_once=1, queue=1) as (_, engine, app):
        clients = [Client(app, "/v1/read", b"!wait") for _ in range(3)]
        with ThreadPoolExecutor(1) as threads:
            done = _begin(threads, app, *clients)
            wait_until(lambda: clients[2].status == 503, "the third is refused")
            assert clients[2].json()["error"]["kind"] == "BusyError"
            assert b"retry-after" in dict(clients[2].sent[0]["headers"])
            assert (app.service.gate.inside, app.service.gate.waiting) == (1, 1)
            engine.go.set()
            done.result(10)
        assert [client.status for client in clients] == [200, 200, 503]
        assert (app.service.gate.inside, app.service.gate.waiting) == (0, 0)


def test_bodies_on_their_way_are_bounded() -> None:
    with service(uploads=1) as (_, _engine, app):
        slow, other = Client(app, "/v1/read", b"half", stays=False), Client(app, "/v1/read", b"one")
        with ThreadPoolExecutor(1) as threads:
            done = _begin(threads, app, slow, other)
            wait_until(lambda: other.status == 503, "the other one is refused")
            slow.gone.set()
            done.result(10)
        assert (slow.status, app.service.receiving) == (None, 0)


@pytest.mark.parametrize("path", ["/v1/read", "/v1/read?format=jsonl", "/ocr", "/process"])
def test_a_client_that_leaves_has_its_reading_ended(path: str) -> None:
    with service(at_once=1) as (http, engine, app):
        client = Client(app, path, b"!wait") if path != "/ocr" else Client(app, path, *FORM, headers=[FORM_TYPE])
        with ThreadPoolExecutor(1) as threads:
            done = _begin(threads, app, client)
            wait_until(lambda: bool(engine.waiting), "it is read")
            client.gone.set()
            done.result(10)
        assert client.sent == []
        assert (app.service.gate.inside, app.service.gate.waiting) == (0, 0)
        route = path.partition("?")[0]
        assert f'ferrocr_requests_total{{route="{route}",status="499"}} 1\n' in http.get("/metrics").text
        assert http.post("/v1/read", content=b"next").status_code == 200


FORM = (b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\n!wait\r\n--b--\r\n",)
FORM_TYPE = (b"content-type", b"multipart/form-data; boundary=b")


def test_a_client_that_leaves_the_queue_is_forgotten() -> None:
    with service(at_once=1, queue=2) as (_, engine, app):
        clients = [Client(app, "/v1/read", b"!wait") for _ in range(3)]
        with ThreadPoolExecutor(1) as threads:
            done = _begin(threads, app, *clients)
            wait_until(lambda: app.service.gate.waiting == 2, "two wait")
            clients[1].gone.set()
            wait_until(lambda: app.service.gate.waiting == 1, "one is gone")
            engine.go.set()
            done.result(10)
        assert [client.status for client in clients] == [200, None, 200]
        assert engine.calls == 2


def test_what_takes_too_long_is_ended() -> None:
    with service(at_once=1, seconds=0.3) as (_, engine, app):
        clients = [Client(app, "/v1/read", b"!wait") for _ in range(2)]
        with ThreadPoolExecutor(1) as threads:
            _begin(threads, app, *clients).result(20)
        # The other one's time is over while it waits, or right after it was let in.
        first, other = (client.status for client in clients)
        assert first == 504
        assert (other, len(engine.waiting)) in [(503, 1), (504, 1), (504, 2)]
        assert (app.service.gate.inside, app.service.gate.waiting) == (0, 0)


def test_a_stream_whose_time_is_over_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    with service(seconds=1.0) as (_, _engine, app):
        client = Client(app, "/v1/read?format=jsonl", b"one\f!wait")
        with ThreadPoolExecutor(1) as threads:
            _begin(threads, app, client).result(20)
        assert client.status == 200
        assert [message.get("more_body") for message in client.sent[1:]] == [True]
        assert "an answer was cut off" in caplog.text


def test_who_takes_nothing_of_an_answer_is_given_up() -> None:
    with service(seconds=1.0) as (_, _engine, app):
        client = Client(app, "/v1/read", b"one")
        client.takes = False
        with ThreadPoolExecutor(1) as threads:
            _begin(threads, app, client).result(20)
        assert len(client.sent) == 1
