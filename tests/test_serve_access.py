"""The service to whom it lets in, and what it tells of itself, with an engine that reads what bytes say."""

import json
import logging
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from fake_service import FakeEngine, service
from ferrocr import ModelNotFoundError
from ferrocr.exceptions import InvalidArgumentError, RuntimeUnavailableError
from ferrocr.serve import Settings, check_packages, make_app
from ferrocr.serve._outputs import OUTPUTS
from own_process import wait_until

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages among themselves


# --- who may come in -------------------------------------------------------------------------------------------------


def test_a_key_is_asked_for_where_there_is_one() -> None:
    with service(keys=("right", "other")) as (client, engine, _):
        for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer "}, {"Authorization": "Basic right"}):
            answer = client.post("/v1/read", content=b"one", headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert client.get("/metrics").status_code == 401
        assert "error" in client.post("/ocr", content=b"x").json()
        assert engine.calls == 0
        for headers in ({"X-API-Key": "right"}, {"Authorization": "Bearer other"}, {"Authorization": "bearer right"}):
            assert client.post("/v1/read", content=b"one", headers=headers).status_code == 200
        for path in ("/", "/docs", "/openapi.json", "/health/live", "/health/ready", "/static/page.js"):
            assert client.get(path).status_code == 200


def test_pages_of_other_sites_are_kept_out() -> None:
    with service(origins=("https://friend.example",)) as (client, _, _app):

        def status(**headers: str) -> int:
            names = {name.title(): value for name, value in headers.items()}
            return int(client.post("/v1/read", content=b"one", headers=names).status_code)

        assert status(origin="https://evil.example") == 403
        assert status(origin="null") == 403
        assert status(origin="http://localhost") == status(origin="https://friend.example") == 200
        assert status(host="evil.example") == 421
        assert status(host="127.0.0.1:8000") == status(host="[::1]:8000") == status(host="friend.example") == 200
    with service(host="0.0.0.0") as (client, _, _app):
        assert client.get("/health/live", headers={"Host": "ocr.example"}).status_code == 200


# --- what it tells ---------------------------------------------------------------------------------------------------


def test_it_is_ready_when_the_models_are_there(caplog: pytest.LogCaptureFixture) -> None:
    with service() as (client, _, _app):
        wait_until(lambda: client.get("/health/ready").status_code == 200, "it is ready")
    with service(FakeEngine(ModelNotFoundError("there is no model x"))) as (client, _, app):
        wait_until(lambda: app.service.state == "failed", "it has failed")
        assert client.get("/health/ready").json() == {"status": "failed"}
        assert client.get("/health/live").status_code == 200
        assert client.post("/v1/read", content=b"one").json()["error"]["kind"] == "NotReadyError"
    assert "there is no model x" in caplog.text


def test_metrics_are_what_prometheus_reads() -> None:
    with service() as (client, _, _app):
        client.post("/v1/read", content=b"one\ftwo")
        client.post("/v1/read", content=b"\xff")
        client.get("/" + "x" * 20)
        answer = client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    line = re.compile(r'(# (HELP|TYPE) \w+ .+|ferrocr_\w+({(\w+="[^"]*",?)+})? -?[0-9.e+-]+)')
    assert [one for one in answer.text.splitlines() if not line.fullmatch(one)] == []
    for one in (
        'ferrocr_requests_total{route="/v1/read",status="200"} 1',
        'ferrocr_requests_total{route="/v1/read",status="422"} 1',
        'ferrocr_requests_total{route="other",status="404"} 1',
        'ferrocr_pages_total{origin="ocr"} 2',
        'ferrocr_errors_total{kind="ImageError"} 1',
        "ferrocr_received_bytes_total 8",
        'ferrocr_stage_seconds_count{stage="reading"} 2',
        "ferrocr_in_flight 0",
        "ferrocr_queue_limit 32",
    ):
        assert f"\n{one}\n" in answer.text


def test_logs_are_json_and_hold_nothing_of_a_document(caplog: pytest.LogCaptureFixture) -> None:
    from ferrocr.serve._log import JsonFormatter

    caplog.set_level(logging.INFO, "ferrocr.serve")
    with service(keys=("hush",)) as (client, _, _app):
        headers = {
            "X-Request-ID": "r-7",
            "X-API-Key": "hush",
            "X-Filename": "letter.png",
            "X-Document-Password": "hush",
        }
        client.post("/v1/read?pages=1", content=b"dear diary", headers=headers)
        given = client.post("/v1/read", content=b"x", headers={"X-Request-ID": "no good\t"}).headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{32}", given)
    lines = [JsonFormatter().format(record) for record in caplog.records if record.name == "ferrocr.serve"]
    entry = next(one for one in map(json.loads, lines) if one.get("id") == "r-7")
    assert {"method": "POST", "route": "/v1/read", "status": 200, "bytes": 10, "pages": 1}.items() <= entry.items()
    assert {"receiving_seconds", "waiting_seconds", "reading_seconds", "seconds"} <= entry.keys()
    assert not re.search("diary|letter|hush|pages=", "".join(lines))


def test_the_description_names_all_formats_and_errors() -> None:
    with service() as (client, _, _app):
        found = client.get("/openapi.json").json()
        assert client.get("/nothing").json()["error"]["kind"] == "NotFoundError"
        assert client.get("/v1/read").status_code == 405
    read = found["paths"]["/v1/read"]["post"]
    (choice,) = (one["schema"]["enum"] for one in read["parameters"] if one["name"] == "format")
    assert choice == list(OUTPUTS)
    assert {"413", "408", "503", "504"} <= read["responses"].keys()


class Links(HTMLParser):
    """The files that a page takes, and the code in it."""

    def __init__(self) -> None:
        super().__init__()
        self.links, self.inline, self.names = list[str](), list[str](), list[str]()
        self._in_script = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Take its links."""
        given = dict(attributes)
        self.links += [str(given[name]) for name in ("src", "href") if given.get(name)]
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self.names += [str(given[name]) for name in ("id",) if given.get(name)]
        self._in_script = tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        """Find code that stands in the page itself."""
        if self._in_script and data.strip():
            self.inline.append(data)
        self._in_script = False


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_take_nothing_from_elsewhere(path: str) -> None:
    with service() as (client, _, _app):
        page = client.get(path)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        links = Links()
        links.feed(page.text)
        assert links.inline == []
        for link in links.links:
            if not link.startswith("#"):
                assert client.get("/" + link.removeprefix("./").removeprefix("/")).status_code == 200
        assert not [link for link in links.links if "//" in link]


def test_scripts_put_text_in_as_text() -> None:
    for name in ("page.js", "docs.js"):
        script = files("ferrocr.serve").joinpath("static", name).read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script)
    page = files("ferrocr.serve").joinpath("static", "index.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    script = files("ferrocr.serve").joinpath("static", "page.js").read_text(encoding="utf-8")
    assert set(re.findall(r'\$\("([\w-]+)"\)', script)) <= set(links.names)
    (known,) = re.findall(r"const FORMATS = {(.*?)};", script, re.DOTALL)
    assert set(re.findall(r"(\w+):", known)) == OUTPUTS.keys()


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [{"at_once": 0}, {"queue": -1}, {"seconds": 0}, {"seconds": float("nan")}, {"max_body": 1.5}, {"keys": (" ",)}],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError):
        Settings(**wrong)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferrocr._packages.package_folders", lambda name: [] if name == "uvicorn" else [Path()])
    for call in (check_packages, lambda: make_app(FakeEngine)):  # type: ignore[arg-type]
        with pytest.raises(RuntimeUnavailableError, match=r"uvicorn is not installed\n.*ferrocr\[serve\]"):
            call()
