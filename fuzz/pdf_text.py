"""Takes the text of odd PDF files for a while, and stops at the first that breaks what tests/test_text_layer.py holds.

Run it with the project's environment::

    .venv/bin/python fuzz/pdf_text.py --seconds 600

Fuzzers that follow the code see nothing here, since PDFium is not built for them: so files are made of parts that mean
something, and the last one lies in fuzz/artifacts/.
"""

import argparse
import collections
import random
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent / "tests"))


def main() -> None:
    """Go on until the time is over."""
    from ferrocr import OcrEngine
    from pdf_soup import soups
    from test_text_layer import check

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="where to begin")
    arguments = parser.parse_args()
    artifacts = FOLDER / "artifacts" / "pdf_text"
    artifacts.mkdir(parents=True, exist_ok=True)
    counts = collections.Counter[str]()
    until = time.monotonic() + arguments.seconds
    with OcrEngine(download=False) as reader:
        for number in range(arguments.seed, arguments.seed + 10**9):

            @seed(number)
            @settings(max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(soups())
            def run(content: bytes) -> None:
                (artifacts / "last.pdf").write_bytes(content)
                counts[check(reader, content)] += 1

            run()
            if time.monotonic() > until:
                break
    print(f"seeds {arguments.seed} to {number}: {dict(counts)}")


if __name__ == "__main__":
    main()
