# /// script
# requires-python = ">=3.11"
# dependencies = ["ferrocr[cpu,pdf,batch,ray]"]
# ///
"""Read pictures and documents with Ray Data: a pool of actors, each with models of its own.

Run it with a folder and the folder for Parquet files.

    python batch_ray_data.py scans/ out/
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray

from ferrocr.integrations.ray import FerrocrReader

SUFFIXES = ("jpg", "jpeg", "pdf", "png", "tif", "tiff", "webp")


def main() -> None:
    """Read a folder."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, output = Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()
    ray.init(include_dashboard=False, log_to_driver=False)
    files = ray.data.read_binary_files(str(folder), include_paths=True, file_extensions=list(SUFFIXES))
    # An actor for each core but one, which reads files and writes. Each has a process with models.
    actors = max(1, (os.cpu_count() or 1) - 1)
    options = {"bytes_column": "bytes", "workers": 1, "threads": 1}
    pages = files.map_batches(FerrocrReader, fn_constructor_kwargs=options, concurrency=actors, batch_size=16)
    pages.write_parquet(str(output))
    ray.shutdown()


if __name__ == "__main__":
    main()
