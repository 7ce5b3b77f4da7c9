"""A batch that is killed at any moment: its output has each page once in the end, and half of none."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("daft")
from pyarrow import parquet

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes end by signals elsewhere")

CHILD = Path(__file__).parent / "batch_child.py"


def make_sources(folder: Path) -> Counter[tuple[str, int | None]]:
    """Make sources of all kinds, and return the rows that they are to have."""
    rows: Counter[tuple[str, int | None]] = Counter()
    for index in range(60):
        name = folder / f"{index:02}.png"
        name.write_bytes(b"%d" % index)
        rows[str(name), 1] += 1
    for pages in (1, 15, 16, 17, 90):
        name = folder / f"book.{pages}.pdf"
        name.write_bytes(b"book")
        rows.update((str(name), number) for number in range(1, pages + 1))
    (folder / "broken.pdf").write_bytes(b"")
    rows[str(folder / "broken.pdf"), None] += 1
    return rows


def start(output: Path, folder: Path, log: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "BATCH_CHILD_LOG": str(log)}
    command = [sys.executable, str(CHILD), str(output), str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def rows_of(output: Path) -> Counter[tuple[str, int | None]]:
    """Return the rows of all parts, each of which has to be whole."""
    found: Counter[tuple[str, int | None]] = Counter()
    for part in output.glob("part-*.parquet"):
        table = parquet.read_table(part)
        found.update(zip(table["source"].to_pylist(), table["page"].to_pylist(), strict=True))
    return found


def lines_of(log: Path) -> int:
    return len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_moments_it_has_each_page_once(tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    folder, output, log = tmp_path / "in", tmp_path / "out", tmp_path / "log"
    folder.mkdir()
    wanted = make_sources(folder)
    for _ in range(4):
        child, done, after = start(output, folder, log), lines_of(log), choose.randrange(1, 60)
        while child.poll() is None and lines_of(log) < done + after:
            time.sleep(0.001)
        time.sleep(choose.random() * 0.02)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        before = rows_of(output)
        assert not before - wanted
    output_of_last = start(output, folder, log).communicate()
    assert rows_of(output) == wanted, output_of_last
    assert not list((output / ".ferrocr").glob("*.part"))
    # What was in parts is not read again.
    read = lines_of(log)
    assert output_of_last[0].split()[0] == str((wanted - before).total() - (broken_in(wanted - before)))
    assert start(output, folder, log).communicate()[0].split() == ["0", "0", "66"]
    assert lines_of(log) == read


def broken_in(rows: Counter[tuple[str, int | None]]) -> int:
    return sum(page is None for _, page in rows)


def test_ctrl_c_keeps_what_was_read(tmp_path: Path) -> None:
    folder, output, log = tmp_path / "in", tmp_path / "out", tmp_path / "log"
    folder.mkdir()
    wanted = make_sources(folder)
    child = start(output, folder, log)
    while child.poll() is None and lines_of(log) < 40:
        time.sleep(0.001)
    child.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in child.communicate()[1]
    before = rows_of(output)
    assert before
    assert not before - wanted
    start(output, folder, log).communicate()
    assert rows_of(output) == wanted
