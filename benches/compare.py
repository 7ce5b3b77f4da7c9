"""Compare ferrocr with other OCR engines on your own pictures: speed, memory, and accuracy where there are labels.

Each engine runs with its defaults in a process of its own, started by the interpreter of the environment that it is
installed in. Every picture goes to each engine in turn, so all of them meet the same state of the machine; the first
picture is read once before that, uncounted. Install what you want to compare with, then for example::

    python benches/compare.py PICTURES --engine rapidocr=envs/rapid/bin/python --engine ferrocr

PICTURES is a directory. A file labels.jsonl in it has one object a line: "image" (path within the directory), "kind"
(any word, to group by), "complete" (false where some text has no label; true if left out), and "lines" or "words", a
list of {"text": ..., "ignore": true or false}. Without that file all pictures in the directory are read for speed only.

Accuracy is F1 over tokens: the multiset of runs of letters and digits on a page, or of single characters where labels
have Chinese or Japanese, after NFKC and case folding; places and punctuation do not count. Where labels are not
complete, tokens without a label are no errors. Seconds are summed over all pictures, and ratios are to the engine named
first; compare times inside one run only.
"""

import argparse
import dataclasses
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

Reader = Callable[[str], list[str]]
SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
CHINESE_OR_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


# --- engines: each function makes a reader with the engine's defaults; it runs in the engine's own process ---------


def open_ferrocr() -> Reader:
    """Ferrocr with its default models."""
    ocr = import_module("ferrocr").OcrEngine()
    return lambda path: [line.text for line in ocr.recognize(path).lines]


def open_ferrocr_fast() -> Reader:
    """Ferrocr with the same models and its fast preset."""
    ocr = import_module("ferrocr").OcrEngine(preset="fast")
    return lambda path: [line.text for line in ocr.recognize(path).lines]


def open_ferrocr_tiny() -> Reader:
    """Ferrocr with the tiny models."""
    ocr = import_module("ferrocr").OcrEngine("ppocrv6-tiny")
    return lambda path: [line.text for line in ocr.recognize(path).lines]


def open_ferrocr_openvino() -> Reader:
    """Ferrocr on OpenVINO."""
    engine = import_module("ferrocr").OcrEngine(provider="openvino")
    return lambda path: [line.text for line in engine.recognize(path).lines]


def open_rapidocr() -> Reader:
    """RapidOCR on ONNX Runtime."""
    ocr = import_module("rapidocr").RapidOCR(params={"Global.log_level": "critical"})
    return lambda path: list(ocr(path).txts or ())


def open_rapidocr_openvino() -> Reader:
    """RapidOCR on OpenVINO."""
    rapidocr = import_module("rapidocr")
    params = {f"{stage}.engine_type": rapidocr.EngineType.OPENVINO for stage in ("Det", "Cls", "Rec")}
    ocr = rapidocr.RapidOCR(params={"Global.log_level": "critical", **params})
    return lambda path: list(ocr(path).txts or ())


def open_ocrust() -> Reader:
    """Ocrust, installed as ``ocrust[models]``."""
    ocr = import_module("ocrust").Ocr()
    return lambda path: [line.text for page in ocr.scan(path).pages for line in page.lines]


def open_faster_paddle(size: str = "small") -> Reader:
    """faster-paddle with the models of `size`."""
    ocr = import_module("faster_paddle").OcrEngine(model_size=size)
    return lambda path: str(ocr.ocr(Path(path).read_bytes())["text"]).splitlines()


def open_faster_paddle_tiny() -> Reader:
    """faster-paddle with its own default, the tiny models."""
    return open_faster_paddle("tiny")


def open_tesseract() -> Reader:
    """Read with the program ``tesseract``, one process for each picture."""

    def read(path: str) -> list[str]:
        command = ["tesseract", path, "stdout"]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()

    return read


@dataclasses.dataclass(frozen=True)
class Adapter:
    """How to open an engine, and the distribution whose version the table shows."""

    open: Callable[[], Reader]
    distribution: str | None


ADAPTERS = {
    "ferrocr": Adapter(open_ferrocr, "ferrocr"),
    "ferrocr-fast": Adapter(open_ferrocr_fast, "ferrocr"),
    "ferrocr-tiny": Adapter(open_ferrocr_tiny, "ferrocr"),
    "ferrocr-openvino": Adapter(open_ferrocr_openvino, "ferrocr"),
    "rapidocr": Adapter(open_rapidocr, "rapidocr"),
    "rapidocr-openvino": Adapter(open_rapidocr_openvino, "rapidocr"),
    "ocrust": Adapter(open_ocrust, "ocrust"),
    "faster-paddle": Adapter(open_faster_paddle, "faster-paddle"),
    "faster-paddle-tiny": Adapter(open_faster_paddle_tiny, "faster-paddle"),
    "tesseract": Adapter(open_tesseract, None),
}


# --- the engine's process: one JSON line for each path that comes in ------------------------------------------------


def serve(name: str) -> None:
    """Answer paths on stdin with what the engine `name` reads there, until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what an engine prints must not mix with the answers
    adapter = ADAPTERS[name]
    started = time.perf_counter()
    read = adapter.open()
    ready = {"start_s": time.perf_counter() - started}
    print(json.dumps({"version": _version(adapter.distribution), **ready}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(_measured(read, json.loads(line))), file=answers, flush=True)


def _version(distribution: str | None) -> str:
    try:
        return metadata.version(distribution) if distribution else ""
    except metadata.PackageNotFoundError:  # built in place, not installed
        return ""


def _measured(read: Reader, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"texts": [], "error": None}
    wall, cpu = time.perf_counter(), _cpu_seconds()
    try:
        answer["texts"] = read(path)
    except Exception as error:  # a picture that an engine cannot read is a result of the comparison
        answer["error"] = f"{type(error).__name__}: {error}"
    answer["wall_s"] = time.perf_counter() - wall
    answer["cpu_s"] = _cpu_seconds() - cpu
    answer["peak_mb"] = _peak_mb()
    return answer


def _cpu_seconds() -> float:
    """CPU time of this process, all its threads, and the processes it has started and waited for."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _peak_mb() -> float | None:
    """Most memory that this process or one it started ever held, in MiB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    per_mib = 2**20 if sys.platform == "darwin" else 2**10
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / per_mib


# --- pictures and accuracy ------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture, and the tokens that its labels hold where it has any."""

    path: Path
    kind: str
    by_character: bool = False
    complete: bool = True
    labels: Counter[str] | None = None


def tokens(texts: Sequence[str], *, by_character: bool) -> Counter[str]:
    """Return the multiset of tokens in `texts`: runs of letters and digits, or each of them alone."""
    folded = unicodedata.normalize("NFKC", " ".join(texts)).casefold()
    words = "".join(char if char.isalnum() else " " for char in folded).split()
    return Counter("".join(words) if by_character else words)


def load_pictures(directory: Path) -> list[Picture]:
    """Return the labelled pictures of `directory`, or all pictures in it where there are no labels."""
    labels = directory / "labels.jsonl"
    if labels.exists():
        rows = labels.read_text(encoding="utf-8").splitlines()
        return [_labelled(directory, json.loads(row)) for row in rows if row.strip()]
    paths = (path for path in directory.rglob("*") if path.suffix.lower() in SUFFIXES)
    return [Picture(path, "all") for path in sorted(paths)]


def _labelled(directory: Path, row: dict[str, Any]) -> Picture:
    items = row.get("lines") or row.get("words") or []
    texts = [item["text"] for item in items if item["text"] and not item.get("ignore")]
    by_character = any(CHINESE_OR_JAPANESE.search(text) for text in texts)
    return Picture(
        directory / row["image"],
        row.get("kind", "all"),
        by_character,
        row.get("complete", True),
        tokens(texts, by_character=by_character),
    )


def limited(pictures: Sequence[Picture], most: int | None) -> list[Picture]:
    """Return the first `most` pictures of each kind."""
    seen: Counter[str] = Counter()
    kept = []
    for picture in pictures:
        seen[picture.kind] += 1
        if most is None or seen[picture.kind] <= most:
            kept.append(picture)
    return kept


@dataclasses.dataclass
class Score:
    """Tokens counted over pages."""

    matched: int = 0
    found: int = 0
    labelled: int = 0

    def add(self, picture: Picture, texts: Sequence[str]) -> None:
        """Count what was read on `picture`."""
        if picture.labels is None:
            return
        found = tokens(texts, by_character=picture.by_character)
        matched = (found & picture.labels).total()
        self.matched += matched
        self.found += found.total() if picture.complete else matched
        self.labelled += picture.labels.total()

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where nothing was found and nothing is labelled."""
        both = self.found + self.labelled
        return 2 * self.matched / both if both else None


# --- the run --------------------------------------------------------------------------------------------------------


class Engine:
    """An engine's process and what it has shown so far."""

    def __init__(self, label: str, python: str) -> None:
        """Start the engine `label` (an adapter's name, with anything after a colon) with the interpreter `python`."""
        self.label = label
        self._errors = tempfile.TemporaryFile(mode="w+", errors="replace")  # noqa: SIM115 (open as long as the engine)
        self._process = subprocess.Popen(
            [python, __file__, "--serve", label.partition(":")[0]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
        )
        self.start = self._answer()
        self.answers: dict[Path, list[dict[str, Any]]] = {}

    def read(self, picture: Picture) -> dict[str, Any]:
        """Return the engine's answer for one picture."""
        assert self._process.stdin is not None
        print(json.dumps(str(picture.path.resolve())), file=self._process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            self._errors.seek(0)
            last = "".join(self._errors.readlines()[-3:])
            sys.exit(f"error: {self.label} ended with status {status}\n{last}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def run(engines: Sequence[Engine], pictures: Sequence[Picture], repeat: int) -> None:
    """Read every picture `repeat` times with each engine; a different engine begins each round."""
    for engine in engines:
        engine.read(pictures[0])
    rounds = [(picture, turn) for picture in pictures for turn in range(repeat)]
    for number, (picture, _) in enumerate(rounds):
        first = number % len(engines)
        for engine in (*engines[first:], *engines[:first]):
            engine.answers.setdefault(picture.path, []).append(engine.read(picture))
        if sys.stderr.isatty():
            print(f"\r{number + 1}/{len(rounds)} ", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)


# --- the table ------------------------------------------------------------------------------------------------------


def totals(engine: Engine, pictures: Sequence[Picture]) -> dict[str, Any]:
    """Return the row of one engine: seconds summed over pictures, of each the median of its repeats."""
    scores = {kind: Score() for kind in ("ALL", *sorted({picture.kind for picture in pictures}))}
    for picture in pictures:
        texts = engine.answers[picture.path][0]["texts"]
        scores["ALL"].add(picture, texts)
        scores[picture.kind].add(picture, texts)
    every = [answer for answers in engine.answers.values() for answer in answers]
    return {
        "engine": engine.label,
        "version": engine.start["version"],
        "start_s": engine.start["start_s"],
        **{key: sum(_median(engine, picture, key) for picture in pictures) for key in ("wall_s", "cpu_s")},
        "peak_mb": every[-1]["peak_mb"],  # a peak never falls: the last answer has the highest
        "errors": sum(answer["error"] is not None for answer in every),
        "f1": {kind: score.f1 for kind, score in scores.items()},
    }


def _median(engine: Engine, picture: Picture, key: str) -> float:
    return float(statistics.median(answer[key] for answer in engine.answers[picture.path]))


def markdown(rows: Sequence[dict[str, Any]], *, labelled: bool) -> Iterator[str]:
    """Return the table's lines."""
    kinds = [kind for kind in rows[0]["f1"] if kind != "ALL"] if labelled else []
    head = ["engine", "start s", "wall s", "CPU s", "wall x", "CPU x", "peak MB", "errors"]
    head += (["F1", *kinds] if len(kinds) > 1 else ["F1"]) if labelled else []
    yield "| " + " | ".join(head) + " |"
    yield "|---" + "|---:" * (len(head) - 1) + "|"
    for row in rows:
        cells = [
            f"{row['engine']} {row['version']}".rstrip(),
            f"{row['start_s']:.2f}",
            f"{row['wall_s']:.2f}",
            f"{row['cpu_s']:.2f}",
            f"{row['wall_s'] / rows[0]['wall_s']:.2f}",
            f"{row['cpu_s'] / rows[0]['cpu_s']:.2f}",
            _number(row["peak_mb"], 0),
            str(row["errors"]),
            _number(row["f1"]["ALL"], 4),
            *(_number(row["f1"][kind], 3) for kind in kinds),
        ]
        yield "| " + " | ".join(cells[: len(head)]) + " |"


def _number(value: float | None, digits: int) -> str:
    return "?" if value is None else f"{value:.{digits}f}"


def machine() -> str:
    """Return the processor, the number of CPUs, the system, and today's date."""
    processor = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{processor}, {os.cpu_count()} CPUs, {platform.system()}, {datetime.date.today():%d %B %Y}"


def main() -> None:
    """Read the command line, run the comparison, print the table."""
    options = _parser().parse_args()
    if options.serve:
        serve(options.serve)
        return
    if options.directory is None or not options.engine:
        _parser().error("a directory of pictures and at least one --engine are needed")
    pictures = limited(load_pictures(options.directory), options.limit)
    if not pictures:
        sys.exit(f"error: no pictures in {options.directory}")
    engines = [Engine(label, python) for label, python in options.engine]
    try:
        run(engines, pictures, options.repeat)
    finally:
        for engine in engines:
            engine.close()
    _report(engines, pictures, options)


def _report(engines: Sequence[Engine], pictures: Sequence[Picture], options: argparse.Namespace) -> None:
    rows = [totals(engine, pictures) for engine in engines]
    times = "one reading each" if options.repeat == 1 else f"median of {options.repeat} readings each"
    print(f"{len(pictures)} pictures, {times}; {machine()}\n")
    for line in markdown(rows, labelled=any(picture.labels is not None for picture in pictures)):
        print(line)
    if options.json:
        answers = {engine.label: {str(path): read for path, read in engine.answers.items()} for engine in engines}
        text = json.dumps({"machine": machine(), "engines": rows, "answers": answers}, ensure_ascii=False, indent=1)
        options.json.write_text(text, encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, metavar="PICTURES")
    parser.add_argument(
        "--engine",
        action="append",
        type=_engine,
        metavar="NAME[:LABEL][=PYTHON]",
        help=f"{', '.join(ADAPTERS)}; PYTHON is the interpreter that has it installed, default: this one",
    )
    parser.add_argument("--limit", type=_positive, metavar="N", help="at most N pictures of each kind")
    parser.add_argument("--repeat", type=_positive, default=1, metavar="N", help="read each picture N times, default 1")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the numbers and every answer to this file")
    parser.add_argument("--serve", choices=ADAPTERS, help=argparse.SUPPRESS)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = "must be at least 1"
        raise argparse.ArgumentTypeError(message)
    return number


def _engine(text: str) -> tuple[str, str]:
    label, _, python = text.partition("=")
    if label.partition(":")[0] not in ADAPTERS:
        message = f"no engine {label!r}; there are {', '.join(ADAPTERS)}"
        raise argparse.ArgumentTypeError(message)
    return label, python or sys.executable


if __name__ == "__main__":
    main()
