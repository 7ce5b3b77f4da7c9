"""Load `ferrocr serve` over loopback, and see that it keeps its promises.

Rounds of the engine by itself and of the service take turns, so that what else the machine does meets both alike:
pages a second of each, with the same processes, threads and bytes. Then the seconds of requests below and above what
it can do; the memory that forty uploads of 15 MB at once take, beside that of one; crashes of the processes that hold
the models, by signals and for want of memory, during which each request has to be answered, and rightly or with 503;
and slow clients, clients that leave and uploads that mean harm, beside which others have to be answered rightly. For
example::

    python benches/service.py --seconds 10 --rounds 5 --crashes 100
    python benches/service.py --parts steady --minutes 20
    python benches/service.py --parts rival --rival rapidocr=http://127.0.0.1:9005/ocr --rival-pid 4711

The last one takes turns with another service on this machine, which you have started: `rapidocr` is RapidOCR's API,
`docling` is docling-serve. Nothing is asked but loopback.

It needs the default models and the extra `serve`. The exit status is 1 if an answer was wrong or did not come.
"""

import argparse
import io
import itertools
import json
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import service_abuse
from PIL import Image, ImageDraw, ImageFont

from ferrocr import OcrEngine

USUAL_PARTS = ("throughput", "latency", "uploads", "crashes", "abuse")

PARTS = (*USUAL_PARTS, "steady", "rival")

WAYS = ("SIGSEGV", "SIGKILL", "SIGABRT", "memory")
"""Ends of processes that hold models."""

RIVALS = {"rapidocr": "image_file", "docling": "files"}
"""The form's field for the picture, by service."""

UPLOADS, UPLOAD_SIDE = 40, 2236
"""Pictures of 15 MB, uncompressed."""

PATIENCE = 400.0
"""Seconds after which a request counts as not answered."""


def drawn(lines: int, size: tuple[int, int] = (900, 600), form: str = "png") -> bytes:
    """Return a picture with some lines of text."""
    picture = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(28)
    for index in range(lines):
        draw.text((40, 30 + 48 * index), f"Line {index} of order {4711 * (lines + index)} paid", "black", font)
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()


def kilobytes(pid: int, name: str) -> int:
    """Return a number that the system tells of a process; 0 where it is gone."""
    with suppress(OSError, StopIteration):
        status = Path(f"/proc/{pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith(name)))
    return 0


class Service:
    """`ferrocr serve` in a process.

    Args:
        options: Those of the command.
    """

    def __init__(self, options: list[str]) -> None:
        command = [sys.executable, "-m", "ferrocr", "serve", "--port", "0", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert self.process.stderr is not None
        self.port = 0
        for line in self.process.stderr:
            message = str(json.loads(line)["message"])
            if message.startswith("listening"):
                self.port = int(message.rpartition(":")[2])
            if message == "ready":
                break
        self.log = b""
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log = (self.log + line)[-4000:]

    def ask(self, picture: bytes, connection: HTTPConnection | None = None) -> tuple[int, str]:
        """Return status and text."""
        given = connection or HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            given.request("POST", "/v1/read?format=text", picture)
            answer = given.getresponse()
            return answer.status, answer.read().decode()
        finally:
            if connection is None:
                given.close()

    def memory(self) -> float:
        """Return the resident memory of the server itself in MB."""
        return kilobytes(self.process.pid, "VmRSS") / 1024

    def memory_of_children(self) -> float:
        """Return that of the processes that hold models."""
        return sum(kilobytes(child, "VmRSS") for child in self.children()) / 1024

    def children(self) -> list[int]:
        """Return the processes that hold models."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]

    def metric(self, name: str) -> float:
        """Return a number of the metrics."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"ferrocr_{name} "))

    def end(self) -> int:
        """End it; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def serving(options: list[str]) -> Iterator[Service]:
    """Run a service."""
    service = Service(options)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.wait()


def rate(seconds: float, clients: int, read: Callable[[int], object]) -> float:
    """Return the pages a second that so many threads get."""
    ends = time.monotonic() + seconds

    def work(client: int) -> int:
        count = 0
        while time.monotonic() < ends:
            read(client)
            count += 1
        return count

    started = time.monotonic()
    with ThreadPoolExecutor(clients) as threads:
        done = sum(threads.map(work, range(clients)))
    return done / (time.monotonic() - started)


def compare(service: Service, engine: OcrEngine, picture: bytes, clients: int, seconds: float, rounds: int) -> None:
    """Measure the service against the engine by itself."""
    connections = [HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE) for _ in range(clients)]
    shares, pages = [], []
    for _ in range(rounds):
        alone = rate(seconds, clients, lambda _client: engine.recognize(picture))
        served = rate(seconds, clients, lambda client: service.ask(picture, connections[client]))
        shares.append(served / alone)
        pages.append(served)
    for connection in connections:
        connection.close()
    print(
        f"throughput: {statistics.median(pages):.1f} requests a second; of the engine by itself "
        f"{statistics.median(shares):.3f} (rounds {min(shares):.3f} to {max(shares):.3f})"
    )


def latency(service: Service, picture: bytes, clients: int, seconds: float, what: str) -> None:
    """Measure how long requests take with so many clients."""
    times: list[float] = []
    statuses: Counter[int] = Counter()

    def read(_client: int) -> None:
        started = time.monotonic()
        status, _ = service.ask(picture)
        statuses[status] += 1
        if status == 200:
            times.append(time.monotonic() - started)
        else:
            time.sleep(0.2)

    rate(seconds, clients, read)
    ranked = sorted(times)
    p50, p99 = (ranked[min(len(ranked) - 1, int(len(ranked) * part))] for part in (0.5, 0.99))
    print(f"{what}, {clients} clients: p50 {p50:.3f} s, p99 {p99:.3f} s, answers {dict(statuses)}")


def uploads(service: Service) -> None:
    """Measure the memory of one long upload, and of many at once."""
    picture = drawn(3, (UPLOAD_SIDE, UPLOAD_SIDE), "bmp")
    service.ask(picture)
    before = service.memory()
    highest = {"": before}

    def watch(over: threading.Event, name: str) -> None:
        while not over.wait(0.02):
            highest[name] = max(highest.get(name, 0.0), service.memory())

    for name, count in (("one", 1), ("many", UPLOADS)):
        over = threading.Event()
        watcher = threading.Thread(target=watch, args=(over, name))
        watcher.start()
        with ThreadPoolExecutor(count) as threads:
            statuses = Counter(status for status, _ in threads.map(service.ask, [picture] * count))
        over.set()
        watcher.join()
        print(
            f"uploads of {len(picture) / 2**20:.0f} MB, {count} at once: the server took {before:.0f} MB before and up "
            f"to {highest[name]:.0f} MB, answers {dict(statuses)}"
        )


@contextmanager
def asking(service: Service, clients: int) -> Iterator[Counter[str]]:
    """Ask all the time with so many clients; give what became of it: right, wrong, missing, or the status."""
    pictures = [drawn(lines) for lines in range(1, 5)]
    expected = [service.ask(picture)[1] for picture in pictures]
    over, outcome = threading.Event(), Counter[str]()

    def read(client: int) -> None:
        for turn in itertools.count(client):
            if over.is_set():
                return
            which = turn % len(pictures)
            try:
                status, text = service.ask(pictures[which])
            except (OSError, HTTPException):
                outcome["missing"] += 1
                continue
            if status == 200:
                outcome["right" if text == expected[which] else "wrong"] += 1
            else:
                outcome[f"status {status}"] += 1

    with ThreadPoolExecutor(clients) as threads:
        reading = [threads.submit(read, client) for client in range(clients)]
        try:
            yield outcome
        finally:
            over.set()
        for one in reading:
            one.result()


def bad_of(outcome: Counter[str]) -> int:
    """Return how many answers were wrong or missing."""
    return sum(count for name, count in outcome.items() if name in ("wrong", "missing", "status 500"))


def crash(service: Service, crashes: int, ways: list[str], clients: int) -> int:
    """End processes that hold models while requests come; return how many answers were wrong or missing."""
    chance, counted = random.Random(7), Counter[str]()
    with asking(service, clients) as outcome:
        done = 0
        while done < crashes:
            # A machine that has little time for it is killed less often.
            before, until = outcome["right"], time.monotonic() + 20
            while outcome["right"] == before and time.monotonic() < until:
                time.sleep(0.02)
            time.sleep(chance.uniform(0.0, 1.0))
            way = ways[done % len(ways)]
            for child in service.children()[:1]:
                try:
                    starve(child) if way == "memory" else os.kill(child, signal.Signals[way])
                except ProcessLookupError:
                    continue
                counted[way] += 1
                done += 1
    crashed = service.metric("engine_processes_crashed_total")
    print(f"{dict(counted)} under {clients} clients: {dict(outcome)}; {crashed:.0f} processes ended unasked")
    return bad_of(outcome)


def starve(pid: int) -> None:
    """Let a process have no more memory for a second. What needs some then fails, or ends it."""
    usual = resource.prlimit(pid, resource.RLIMIT_DATA)
    resource.prlimit(pid, resource.RLIMIT_DATA, (kilobytes(pid, "VmData") * 1024, usual[1]))
    time.sleep(1.0)
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_DATA, usual)


def abuse(service: Service, seconds: float, hostile_uploads: int) -> int:
    """Let slow, rude and hostile clients in beside others; return how many of these were answered wrongly or not."""
    picture, port, before = drawn(8), service.port, service.memory()
    pictures = [picture, drawn(3, form="jpeg"), drawn(3, form="tiff")]
    with asking(service, 1) as quiet:
        time.sleep(seconds)
    until = time.monotonic() + seconds
    kinds: list[Callable[[], object]] = [
        partial(service_abuse.slow_headers, port, until),
        partial(service_abuse.slow_body, port, until),
        partial(service_abuse.half_a_body, port, until),
        partial(service_abuse.no_interest, port, until, picture),
        partial(service_abuse.idle, port, until),
    ]
    with asking(service, 1) as outcome, ThreadPoolExecutor(8 * len(kinds)) as threads:
        list(threads.map(service_abuse.rude, kinds * 8))
    print(f"beside {8 * len(kinds)} slow and rude clients for {seconds:g} s: {dict(outcome)}, alone {dict(quiet)}")
    bad, answers = bad_of(outcome), Counter[int]()
    with asking(service, 1) as outcome:
        for name, upload in service_abuse.hostile(pictures, hostile_uploads):
            try:
                status = service.ask(upload)[0]
            except (OSError, HTTPException) as error:
                print(f"no answer to {name}: {error}")
                status = 0
            if service.process.poll() is not None:
                sys.exit(f"the service has ended with status {service.process.returncode}: {service.log.decode()}")
            answers[status] += 1
            if status not in service_abuse.BEARABLE:
                print(f"status {status} for {name}")
                bad += 1
    bad += bad_of(outcome)
    print(f"beside {hostile_uploads} hostile uploads, which got {dict(answers)}: {dict(outcome)}")
    end = time.monotonic() + 60
    left = ("receiving", "queue_length", "in_flight", "engine_in_flight")
    while any(service.metric(name) for name in left) and time.monotonic() < end:
        time.sleep(0.1)
    stayed = {name: service.metric(name) for name in left if service.metric(name)}
    print(
        f"left of them: {stayed or 'nothing'}; the server took {before:.0f} MB before and {service.memory():.0f} after"
    )
    return bad + len(stayed)


def steady(service: Service, minutes: float, clients: int) -> int:
    """Watch the memory under load for so long; return how many answers were wrong or missing."""
    samples: list[tuple[float, float]] = []
    until = time.monotonic() + 60 * minutes
    with asking(service, clients) as outcome:
        while time.monotonic() < until:
            time.sleep(max(0.5, 60 * minutes / 240))
            samples.append((service.memory(), service.memory_of_children()))
    quarter = max(1, len(samples) // 4)
    for name, values in zip(("the server", "its processes"), zip(*samples, strict=True), strict=True):
        first, last = statistics.median(values[:quarter]), statistics.median(values[-quarter:])
        print(
            f"{minutes:g} minutes under {clients} clients: {name} took {first:.0f} MB in the first quarter, "
            f"{last:.0f} in the last, {max(values):.0f} at most"
        )
    print(f"answers {dict(outcome)}")
    return bad_of(outcome)


class Rival:
    """Another service, on this machine.

    Args:
        given: Its name and address, `rapidocr=http://127.0.0.1:9005/ocr`.
        pid: Its process, for its memory.
    """

    def __init__(self, given: str, pid: int | None) -> None:
        self.name, _, address = given.partition("=")
        parts = urlsplit(address)
        if parts.hostname not in ("127.0.0.1", "localhost", "::1") or self.name not in RIVALS:
            sys.exit(f"a rival is one of {', '.join(RIVALS)}, at an address of this machine")
        self.host, self.port, self.path, self.pid = parts.hostname, parts.port or 80, parts.path or "/", pid

    def ask(self, picture: bytes) -> int:
        """Return the status."""
        head = f'--b\r\nContent-Disposition: form-data; name="{RIVALS[self.name]}"; filename="a.png"\r\n'
        body = f"{head}Content-Type: image/png\r\n\r\n".encode() + picture + b"\r\n--b--\r\n"
        connection = HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request("POST", self.path, body, {"Content-Type": "multipart/form-data; boundary=b"})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()


def beside(service: Service, rival: Rival, picture: bytes, seconds: float, rounds: int) -> int:
    """Take turns with a rival on the same picture; return 1 if it did not answer."""
    if (status := rival.ask(picture)) != 200:
        print(f"{rival.name} answers with status {status}")
        return 1
    for clients in (1, 4):
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(rate(seconds, clients, lambda _client: service.ask(picture)))
            theirs.append(rate(seconds, clients, lambda _client: rival.ask(picture)))
        shares = [own / other for own, other in zip(ours, theirs, strict=True)]
        print(
            f"{clients} clients: {statistics.median(ours):.2f} requests a second, {rival.name} "
            f"{statistics.median(theirs):.2f}; {statistics.median(shares):.2f} times as many ({min(shares):.2f} to "
            f"{max(shares):.2f})"
        )
    taken = service.memory() + service.memory_of_children()
    other = "" if rival.pid is None else f", {rival.name} {kilobytes(rival.pid, 'VmRSS') / 1024:.0f}"
    print(f"memory in MB: {taken:.0f}{other}")
    return 0


def main() -> int:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each round; default: 10")
    parser.add_argument("--rounds", type=int, default=5, help="of the comparison; default: 5")
    parser.add_argument("--workers", type=int, default=1, help="processes that hold the models; default: 1")
    parser.add_argument("--crashes", type=int, default=100, help="default: 100")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="of these; default: all in turns")
    parser.add_argument("--hostile", type=int, default=200, help="uploads that mean harm; default: 200")
    parser.add_argument("--minutes", type=float, default=20.0, help="of the part steady; default: 20")
    parser.add_argument("--rival", metavar="NAME=URL", help=f"another service: {', '.join(RIVALS)}")
    parser.add_argument("--rival-pid", type=int, metavar="PID", help="its process, for its memory")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=USUAL_PARTS, help="default: the first five")
    arguments = parser.parse_args()
    parts, bad = set(arguments.parts), 0
    picture, clients = drawn(8), arguments.workers + 1
    with serving(["--workers", str(arguments.workers), "--queue", str(UPLOADS)]) as service:
        if "throughput" in parts:
            with OcrEngine(isolated=True, workers=arguments.workers, download=False) as engine:
                engine.load()
                compare(service, engine, picture, clients, arguments.seconds, arguments.rounds)
        if "latency" in parts:
            latency(service, picture, 1, arguments.seconds, "below capacity")
            latency(service, picture, 16, arguments.seconds, "above capacity")
        if "uploads" in parts:
            uploads(service)
        if "crashes" in parts:
            bad += crash(service, arguments.crashes, list(arguments.ways), 4)
        if "abuse" in parts:
            bad += abuse(service, arguments.seconds, arguments.hostile)
        if "steady" in parts:
            bad += steady(service, arguments.minutes, 4)
        if "rival" in parts:
            rival = Rival(arguments.rival or "", arguments.rival_pid)
            bad += beside(service, rival, picture, arguments.seconds, arguments.rounds)
        print(f"the server took {service.memory():.0f} MB in the end; its exit status is {service.end()}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
