"""The service in a process of its own, asked over loopback: by slow, rude and many clients, and told to end."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from conftest import draw_text
from own_process import wait_until
from pdf_files import numbered

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="signals end processes otherwise elsewhere")

FAKE = """\
import sys
from fake_service import FakeEngine
from ferrocr.serve import Settings, make_app
from ferrocr.serve._server import run
run(make_app(FakeEngine, Settings(port=0, **eval(sys.argv[1]))), "info")
"""


class Answer(NamedTuple):
    """An answer."""

    status: int
    body: bytes
    retry_after: str | None = None


def answer_on(connection: socket.socket) -> Answer:
    """Return the answer that comes over a connection."""
    answer = HTTPResponse(connection)
    try:
        answer.begin()
        return Answer(answer.status, answer.read())
    finally:
        answer.close()


class Server:
    """A service in a process, whose log is read as it comes.

    Args:
        command: Starts it.
    """

    def __init__(self, *command: str) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
        self.process = subprocess.Popen(
            [sys.executable, *command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment
        )
        self.log: list[dict[str, Any]] = []
        self._others: list[bytes] = []
        threading.Thread(target=self._follow, daemon=True).start()
        wait_until(lambda: self.port > 0 or self.process.poll() is not None, "it listens")
        assert self.port, self._others

    def _follow(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self._others.append(line)

    @property
    def port(self) -> int:
        """The port that it listens at; 0 until then."""
        said = [entry["message"] for entry in self.log if entry["message"].startswith("listening at")]
        return int(said[0].rpartition(":")[2]) if said else 0

    def ask(self, method: str, path: str, body: bytes | None = None) -> "Answer":
        """Return the answer to a request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), answer.getheader("Retry-After"))
        finally:
            connection.close()

    def text(self, path: str, content: bytes) -> str:
        """Return the answer to an upload, which has to be a good one."""
        answer = self.ask("POST", path, content)
        assert answer.status == 200, answer.body
        return answer.body.decode()

    def connect(self, *pieces: bytes) -> socket.socket:
        """Return a connection, and send that over it."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        for piece in pieces:
            connection.sendall(piece)
        return connection

    def metric(self, line: str) -> bool:
        """Return True if the metrics have that line."""
        return f"\n{line}\n" in self.ask("GET", "/metrics").body.decode()

    def end(self) -> int:
        """Have it end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def serving(*command: str) -> Iterator[Server]:
    """A service that is gone in the end."""
    server = Server(*command)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()
        assert server.process.stderr is not None
        server.process.stderr.close()


@pytest.fixture(scope="module")
def fake() -> Iterator[Server]:
    """A service with a fake engine and short limits."""
    limits = {"max_body": 2**20, "stall_seconds": 0.4, "at_once": 1, "queue": 1}
    with serving("-c", FAKE, repr(limits)) as server:
        wait_until(lambda: server.ask("GET", "/health/ready").status == 200, "it is ready")
        yield server
        assert server.end() == 0


HEAD = b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\n"


def test_a_chunked_body_is_refused_once_it_is_too_long(fake: Server) -> None:
    """The client sees why, though it sends on."""
    chunk = b"10000\r\n" + b"x" * 2**16 + b"\r\n"
    with fake.connect(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *([chunk] * 40), b"0\r\n\r\n") as connection:
        answer = answer_on(connection)
        assert (answer.status, json.loads(answer.body)["error"]["kind"]) == (413, "BodyTooLargeError")


def test_a_body_that_says_its_length_is_refused_before_it_comes(fake: Server) -> None:
    with fake.connect(HEAD + b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n") as connection:
        answer = answer_on(connection)
        assert answer.status == 413


def test_a_slow_client_is_given_up(fake: Server) -> None:
    with fake.connect(HEAD + b"Content-Length: 1000\r\n\r\nhalf") as connection:
        answer = answer_on(connection)
        assert answer.status == 408
        assert connection.recv(1) == b""


def test_a_client_that_leaves_makes_room_at_once(fake: Server) -> None:
    request = HEAD + b"Content-Length: 5\r\n\r\n!wait"
    reading = fake.connect(request)
    wait_until(lambda: fake.metric("ferrocr_in_flight 1"), "it is read")
    queued = fake.connect(request)
    wait_until(lambda: fake.metric("ferrocr_queue_length 1"), "the other one waits")
    refused = fake.ask("POST", "/v1/read", b"one")
    assert (refused.status, int(refused.retry_after or 0) >= 1) == (503, True)
    queued.close()
    wait_until(lambda: fake.metric("ferrocr_queue_length 0"), "it is gone from the queue")
    reading.close()
    wait_until(lambda: fake.metric("ferrocr_in_flight 0"), "nothing is read")
    assert json.loads(fake.text("/v1/read", b"next"))["pages"][0]["text"] == "next"


def test_what_is_no_request_is_refused(fake: Server) -> None:
    for nonsense in (
        b"\x16\x03\x01\x02\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 2**20 + b"\r\n\r\n",
    ):
        with fake.connect() as connection:
            try:
                connection.sendall(nonsense)
                assert connection.recv(12) in (b"HTTP/1.1 400", b"")
            except ConnectionError:
                continue
    assert fake.ask("GET", "/health/live").status == 200


def test_the_end_waits_for_what_is_read_and_what_waits() -> None:
    with serving("-c", FAKE, "{'at_once': 1}") as server:
        request = HEAD + b"Content-Length: 10\r\n\r\n!sleep 0.5"
        reading, queued = server.connect(request), server.connect(request)
        wait_until(lambda: server.metric("ferrocr_queue_length 1"), "one waits")
        assert server.end() == 0
        for connection in (reading, queued):
            answer = answer_on(connection)
            assert (answer.status, b"slept" in answer.body) == (200, True)
            connection.close()
        with pytest.raises(ConnectionError):
            server.connect()
        assert [entry["message"] for entry in server.log][-1] == "ending"


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell what was the most")
def test_uploads_that_wait_take_no_memory() -> None:
    """Sixteen of 8 MB at once, of which one is read at a time."""
    body = b"!sleep 0.05".ljust(8 * 2**20, b"\0")
    with serving("-c", FAKE, "{'at_once': 1}") as server:

        def most() -> int:
            status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
            return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) // 1024

        server.text("/v1/read", body)
        one = most()
        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(lambda _: server.ask("POST", "/v1/read", body).status, range(16)))
        assert answers == [200] * 16
        assert most() < one + 48


def test_models_that_are_missing_end_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ferrocr", "serve", "--port", "0", "--model-dir", str(tmp_path), "--workers", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 3
    assert "\nhint: " in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "ferrocr", "serve", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot listen at 127.0.0.1")


def test_the_command_reads_and_survives_the_end_of_its_engine(models_dir: Path) -> None:
    content = io.BytesIO()
    draw_text(["Order 4711 paid"]).save(content, "png")
    picture = content.getvalue()
    command = ("-m", "ferrocr", "serve", "--port", "0", "--model-dir", str(models_dir), "--threads", "1")
    with serving(*command) as server:
        wait_until(lambda: server.ask("GET", "/health/ready").status == 200, "it is ready")
        assert server.text("/v1/read?format=text", picture) == "Order 4711 paid\n"
        (child,) = children(server.process.pid)
        os.kill(child, signal.SIGKILL)
        assert server.text("/v1/read?format=text", picture) == "Order 4711 paid\n"
        assert server.text("/v1/read?format=text&pages=2&text_layer=only", numbered(3)).strip()
        assert server.ask("POST", "/v1/read?format=pdf", picture).body.startswith(b"%PDF-")
        assert server.ask("POST", "/v1/read?format=png", picture).body.startswith(b"\x89PNG")
        shown = server.ask("POST", "/v1/picture?pages=3", numbered(3))
        assert (shown.status, shown.body[:2]) == (200, b"\xff\xd8")
        assert server.ask("POST", "/v1/picture?pages=4", numbered(3)).status == 400
        assert server.ask("POST", "/v1/picture", b"no picture").status == 422
        left = children(server.process.pid)
        assert server.end() == 0
    assert not [pid for pid in left if Path(f"/proc/{pid}").exists()]


def children(pid: int) -> list[int]:
    """The processes that one has started, and that hold models."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    if not found.exists():
        pytest.skip("the system does not tell")
    pids = [
        int(child)
        for thread in Path(f"/proc/{pid}/task").iterdir()
        for child in (thread / "children").read_text().split()
    ]
    return [child for child in pids if b"_isolated" in Path(f"/proc/{child}/cmdline").read_bytes()]
