"""Load `ferrocr serve` over loopback, and see that it keeps its promises.

Rounds of the engine by itself and of the service take turns, so that what else the machine does meets both alike:
pages a second of each, with the same processes, threads and bytes. Then the seconds of requests below and above what
it can do; the memory that forty uploads of 15 MB at once take, beside that of one; and crashes of the processes that
hold the models, during which each request has to be answered, and rightly or with 503. For example::

    python benches/service.py --seconds 10 --rounds 5 --crashes 100

It needs the default models and the extra `serve`. The exit status is 1 if an answer was wrong or did not come.
"""

import argparse
import io
import itertools
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ferrocr import OcrEngine

PARTS = ("throughput", "latency", "uploads", "crashes")

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
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

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
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024

    def children(self) -> list[int]:
        """Return the processes that hold models."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]

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


def crash(service: Service, crashes: int, clients: int) -> int:
    """Kill processes that hold models while requests come; return how many answers were wrong or missing."""
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

    chance = random.Random(7)
    with ThreadPoolExecutor(clients) as threads:
        reading = [threads.submit(read, client) for client in range(clients)]
        done = 0
        while done < crashes:
            # A machine that has little time for it is killed less often.
            before, until = outcome["right"], time.monotonic() + 20
            while outcome["right"] == before and time.monotonic() < until:
                time.sleep(0.02)
            time.sleep(chance.uniform(0.0, 1.0))
            for child in service.children()[:1]:
                try:
                    os.kill(child, (signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT)[done % 3])
                except ProcessLookupError:
                    continue
                done += 1
        over.set()
        for one in reading:
            one.result()
    print(f"{crashes} crashes under {clients} clients: {dict(outcome)}")
    return sum(count for name, count in outcome.items() if name in ("wrong", "missing", "status 500"))


def main() -> int:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each round; default: 10")
    parser.add_argument("--rounds", type=int, default=5, help="of the comparison; default: 5")
    parser.add_argument("--workers", type=int, default=1, help="processes that hold the models; default: 1")
    parser.add_argument("--crashes", type=int, default=100, help="default: 100")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
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
            bad = crash(service, arguments.crashes, 4)
        print(f"the server took {service.memory():.0f} MB in the end; its exit status is {service.end()}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
