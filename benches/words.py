"""How well the boxes of words fit, beside other OCR engines, on pictures whose words are labelled.

Each engine reads all pictures with its defaults, in a process of its own, started by the interpreter of the environment
that it is installed in::

    python benches/words.py PICTURES --engine tesseract --engine rapidocr=envs/rapid/bin/python --engine ferrocr

PICTURES is a directory with a file labels.jsonl, which has one object a line: "image" (path within the directory),
"kind" (any word, to group by), "complete" (false where some text has no label; true if left out), and "words", a list
of {"text": ..., "quad": four corners, "ignore": true or false}. Pictures without "words" are left out.

A word is found where a word that was read overlaps it by an IoU (intersection over union) of 0.5 or more; pairs are
made from the largest overlap on, each word in one pair. Recall is the part of labelled words in pairs, precision the
part of words that were read. Words of which more than half lies in an ignored area do not count; nor do, where labels
are not complete, words that overlap no label. "and read" counts only pairs of the same text, after NFKC and case
folding and without punctuation. "IoU" is the mean of all pairs. Nothing is timed.
"""

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

Point = tuple[float, float]
Quad = list[Point]
Word = tuple[str, Quad]
Reader = Callable[[str], list[Word]]

LEAST_IOU = 0.5


# --- engines: each function makes a reader with the engine's defaults; it runs in the engine's own process ---------


def open_ferrocr() -> Reader:
    """Ferrocr with its default models."""
    ocr = import_module("ferrocr").OcrEngine()
    return lambda path: [(word.text, list(word.quad)) for line in ocr.recognize(path).lines for word in line.words]


def open_rapidocr() -> Reader:
    """RapidOCR, which is asked for boxes of words."""
    ocr = import_module("rapidocr").RapidOCR(params={"Global.log_level": "critical"})

    def read(path: str) -> list[Word]:
        lines = ocr(path, return_word_box=True).word_results or ()
        return [(text, [(float(x), float(y)) for x, y in quad]) for line in lines for text, _, quad in line if quad]

    return read


def open_ocrust() -> Reader:
    """Ocrust, installed as ``ocrust[models]``."""
    ocr = import_module("ocrust").Ocr()

    def read(path: str) -> list[Word]:
        words = (word for page in ocr.scan(path).pages for line in page.lines for word in line.words)
        return [
            (word.text, _upright(word.box.x0, word.box.y0, word.box.x1 - word.box.x0, word.box.y1 - word.box.y0))
            for word in words
        ]

    return read


def open_tesseract() -> Reader:
    """Read with the program ``tesseract``, one process for each picture."""

    def read(path: str) -> list[Word]:
        command = ["tesseract", path, "stdout", "tsv"]
        table = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
        words = (row for row in rows if row["level"] == "5" and row["text"].strip())
        sides = ("left", "top", "width", "height")
        return [(row["text"], _upright(*(float(row[side]) for side in sides))) for row in words]

    return read


ADAPTERS = {
    "ferrocr": open_ferrocr,
    "rapidocr": open_rapidocr,
    "ocrust": open_ocrust,
    "tesseract": open_tesseract,
}


def _upright(left: float, top: float, width: float, height: float) -> Quad:
    return [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]


def serve(name: str) -> None:
    """Answer each path on stdin with one JSON line: the words that the engine `name` reads there."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what an engine prints must not mix with the answers
    read = ADAPTERS[name]()
    for line in sys.stdin:
        print(json.dumps(read(json.loads(line))), file=answers, flush=True)


def words_read(name: str, python: str, pictures: "Sequence[Picture]") -> list[list[Word]]:
    """Return the words that an engine reads, for each picture."""
    paths = "".join(json.dumps(str(picture.path.resolve())) + "\n" for picture in pictures)
    command = [python, __file__, "--serve", name]
    done = subprocess.run(command, input=paths, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return [[(text, quad) for text, quad in json.loads(line)] for line in done.stdout.splitlines()]


# --- overlap --------------------------------------------------------------------------------------------------------


def area(corners: Sequence[Point]) -> float:
    """Of a polygon; negative where the corners run counter-clockwise on the screen."""
    after = [*corners[1:], *corners[:1]]
    return sum(x * below - right * y for (x, y), (right, below) in zip(corners, after, strict=True)) / 2


def intersection(one: Quad, other: Quad) -> float:
    """Return the area that two convex quads with corners in clockwise order have in common (Sutherland and Hodgman)."""
    left = list(one)
    for start, end in zip(other, [*other[1:], other[0]], strict=True):
        left = list(_inside(left, start, end))
    return area(left) if left else 0.0


def _inside(corners: Sequence[Point], start: Point, end: Point) -> Iterator[Point]:
    """Return the part of a polygon to the right of the way from `start` to `end`."""

    def side(point: Point) -> float:
        return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])

    for before, corner in zip([*corners[-1:], *corners[:-1]], corners, strict=True):
        there, here = side(before), side(corner)
        if (there < 0) != (here < 0):
            part = there / (there - here)
            yield before[0] + part * (corner[0] - before[0]), before[1] + part * (corner[1] - before[1])
        if here >= 0:
            yield corner


def iou(one: Quad, other: Quad) -> float:
    """Intersection over union."""
    common = intersection(one, other)
    both = area(one) + area(other) - common
    return common / both if both > 0 else 0.0


# --- pictures and scores --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Picture:
    """A picture with its labelled words."""

    path: Path
    kind: str
    complete: bool
    words: list[Word]
    ignored: list[Quad]


def load(directory: Path) -> list[Picture]:
    """Return the pictures of a directory that have labelled words."""
    rows = map(json.loads, (directory / "labels.jsonl").read_text(encoding="utf-8").splitlines())
    return [_picture(directory, row) for row in rows if row.get("words")]


def _picture(directory: Path, row: dict[str, Any]) -> Picture:
    words, ignored = list[Word](), list[Quad]()
    for word in row["words"]:
        quad = _clockwise([(x, y) for x, y in word["quad"]])
        if word.get("ignore") or not word["text"].strip():
            ignored.append(quad)
        else:
            words.append((word["text"], quad))
    return Picture(directory / row["image"], row.get("kind", "all"), row.get("complete", True), words, ignored)


def _clockwise(quad: Quad) -> Quad:
    return quad if area(quad) >= 0 else quad[::-1]


@dataclass
class Score:
    """Words counted over pictures."""

    labelled: int = 0
    found: int = 0
    read: int = 0
    overlaps: list[float] = field(default_factory=list)

    def add(self, picture: Picture, words: Sequence[Word]) -> None:
        """Count what was read on `picture`."""
        words = [(text, _clockwise(quad)) for text, quad in words]
        pairs = sorted(
            (
                (overlap, i, j)
                for i, (_, label) in enumerate(picture.words)
                for j, (_, quad) in enumerate(words)
                if (overlap := iou(label, quad)) > 0
            ),
            reverse=True,
        )
        near = {j for _, _, j in pairs}
        taken, used = set[int](), set[int]()
        for overlap, i, j in pairs:
            if overlap >= LEAST_IOU and i not in taken and j not in used:
                taken.add(i)
                used.add(j)
                self.overlaps.append(overlap)
                self.read += folded(picture.words[i][0]) == folded(words[j][0])
        self.labelled += len(picture.words)
        for j, (_, quad) in enumerate(words):
            spared = j not in used and (_covers(picture.ignored, quad) or not (picture.complete or j in near))
            self.found += not spared

    def cells(self) -> Iterator[str]:
        """Recall, precision, the same for words that were read right, and the mean overlap."""
        for count in (len(self.overlaps), self.read):
            yield f"{count / max(self.labelled, 1):.3f}"
            yield f"{count / max(self.found, 1):.3f}"
        yield f"{sum(self.overlaps) / max(len(self.overlaps), 1):.3f}"


def _covers(ignored: Sequence[Quad], quad: Quad) -> bool:
    return any(intersection(other, quad) > area(quad) / 2 for other in ignored)


def folded(text: str) -> str:
    """Letters and digits alone, in small letters; of a word without any, all of it."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in plain if char.isalnum()) or plain


def main() -> None:
    """Read the command line, run the engines, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, metavar="PICTURES")
    parser.add_argument("--engine", action="append", metavar="NAME[=PYTHON]", help=", ".join(ADAPTERS))
    parser.add_argument("--serve", choices=ADAPTERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    if options.directory is None or not options.engine:
        parser.error("a directory of pictures and at least one --engine are needed")
    pictures = load(options.directory)
    print("| engine | kind | recall | precision | and read: recall | precision | IoU |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for engine in options.engine:
        name, _, python = engine.partition("=")
        scores: dict[str, Score] = {}
        for picture, words in zip(pictures, words_read(name, python or sys.executable, pictures), strict=True):
            scores.setdefault(picture.kind, Score()).add(picture, words)
        for kind, score in sorted(scores.items()):
            print(f"| {name} | {kind} | {' | '.join(score.cells())} |", flush=True)


if __name__ == "__main__":
    main()
