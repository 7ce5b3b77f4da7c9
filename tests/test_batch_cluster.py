"""Batches on machines of their own: a Ray cluster that loses one, and an object store; run by `make test-plugins`."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

if any(find_spec(package) is None for package in ("boto3", "daft", "moto", "pyspark", "ray")):
    pytest.skip("Ray, Spark or what tests object stores is not installed", allow_module_level=True)

import boto3
from moto.server import ThreadedMotoServer
from pyarrow import parquet

from conftest import draw_text
from ferrocr import batch
from ferrocr.cli import main
from pdf_files import numbered

EXAMPLES = Path(__file__).parent.parent / "examples"

pytestmark = pytest.mark.filterwarnings("ignore")

CLUSTER = """
import os, sys
import ray
from ray.cluster_utils import Cluster
from ferrocr import batch

node = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args=node)
other = cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
lost = []

def watch(progress):
    if progress.pages and not lost:
        lost.append(other)
        cluster.remove_node(other, allow_graceful=False)

try:
    options = {"workers": 1, "threads": 1, "model_dir": sys.argv[3], "download": False}
    address = cluster.address
    report = batch.run(sys.argv[1], sys.argv[2], runner="ray", address=address, part_rows=10, progress=watch, **options)
    print("read", report.pages, report.errors, len(lost))
finally:
    ray.shutdown()
    cluster.shutdown()
"""


def rows_of(output: Path) -> Counter[tuple[str, int | None]]:
    found: Counter[tuple[str, int | None]] = Counter()
    for part in output.rglob("*.parquet"):
        table = parquet.read_table(part)
        found.update(zip(table["source"].to_pylist(), table["page"].to_pylist(), strict=True))
    return found


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """As many pictures as make several tasks of a cluster, and a PDF."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(150):
        draw_text([f"no {number}"]).save(folder / f"{number:03}.png")
    (folder / "book.pdf").write_bytes(numbered(20))
    return folder


def test_a_cluster_that_loses_a_machine_reads_each_page_once(models_dir: Path, scans: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    command = [sys.executable, "-c", CLUSTER, str(scans), str(output), str(models_dir)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=540, check=False)
    assert "read 170 {} 1" in ended.stdout, ended.stderr
    wanted = Counter({(str(path), 1): 1 for path in scans.glob("*.png")})
    wanted.update((str(scans / "book.pdf"), number) for number in range(1, 21))
    assert rows_of(output) == wanted


def run_example(name: str, arguments: list[str], models: Path) -> None:
    """Run an example in an interpreter of its own, as a user does."""
    environment = {**os.environ, "FERROCR_MODEL_DIR": str(models), "PYSPARK_PYTHON": sys.executable}
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    subprocess.run(command, env=environment, timeout=540, check=True)


@pytest.mark.parametrize(
    "name",
    [
        "batch_daft.py",
        "batch_ray_data.py",
        pytest.param(
            "batch_spark.py", marks=pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
        ),
    ],
)
def test_examples_read_into_parquet(models_dir: Path, scans: Path, tmp_path: Path, name: str) -> None:
    for path in sorted(scans.glob("*.png"))[9:]:
        path.unlink()
    run_example(name, [str(scans), str(tmp_path / "out")], models_dir)
    wanted = Counter({(path.name, 1): 1 for path in scans.glob("*.png")})
    wanted.update(("book.pdf", number) for number in range(1, 21))
    found = Counter({(Path(source).name, page): count for (source, page), count in rows_of(tmp_path / "out").items()})
    assert found == wanted


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an object store on this machine."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_an_object_store_is_read(
    models_dir: Path, store: str, tmp_path: Path, scans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = boto3.client("s3", endpoint_url=store, region_name="us-east-1")
    client.create_bucket(Bucket="archive")
    for name in ("000.png", "001.png", "book.pdf"):
        client.put_object(Bucket="archive", Key=f"may/{name}", Body=(scans / name).read_bytes())
    client.put_object(Bucket="archive", Key="may/notes.md", Body=b"")
    client.put_object(Bucket="archive", Key="may/broken.jpg", Body=b"no picture")
    output = tmp_path / "out"
    at = ["--s3-endpoint", store, "--s3-region", "us-east-1", "--model-dir", str(models_dir), "--no-download"]
    assert main(["batch", "s3://archive/may/", "-o", str(output), *at]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("22 pages of 4 sources read to ")
    assert said[1:] == ["1 could not be read: ImageError (1)", "left out 1 files: .md (1)"]
    book = {("s3://archive/may/book.pdf", number): 1 for number in range(1, 21)}
    pictures = {(f"s3://archive/may/{name}", 1): 1 for name in ("000.png", "001.png", "broken.jpg")}
    assert rows_of(output) == Counter({**book, **pictures})
    assert main(["batch", "s3://archive/may/*.png", "s3://archive/may/book.pdf", "-o", str(output), *at]) == 1
    assert "; 3 sources done before" in capsys.readouterr().err
    (tmp_path / "list.txt").write_text("s3://archive/may/001.png\ns3://archive/may/gone.png\n", encoding="utf-8")
    config = batch.s3_config(store, "us-east-1")
    report = batch.run(tmp_path / "list.txt", tmp_path / "out2", io_config=config, model_dir=models_dir)
    assert (report.pages, report.errors) == (1, {"ImageNotFoundError": 1})
