"""Aspose's interface: the tutorial's flow, and scripts that run unchanged."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ferrocr.compat.aspose import AsposeAI, audit_models, main
from ferrocr.exceptions import ResourcesFreedError

CLEAN_UP = """\
import os
from aspose.ocr.ai import AsposeAI

def audit(ai):
    for name in ai.list_local():
        state = "OLD" if name.startswith("old_") else "CURRENT"
        print(f"{state}: {os.path.join(ai.get_local_path(), name)}")

ai = AsposeAI()
print("Models on disk:", ai.list_local())
audit(ai)
for name in ai.list_local():
    if name.startswith("old_"):
        os.remove(os.path.join(ai.get_local_path(), name))
        print(f"Deleted {name}")
folder = ai.get_local_path()
audit(ai)
ai.free_resources()
print("All OCR resources have been released.")
os.rename(folder, folder + "_moved")
for use in (ai.list_local, ai.get_local_path, lambda: ai.recognize(b""), ai.__enter__):
    try:
        use()
    except RuntimeError as error:
        print(type(error).__name__)
ai.free_resources()
"""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A directory with a current and an old model, neither of which is real."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("en_ocr_v1.bin", "old_fr_ocr_v1.bin"):
        (folder / name).write_bytes(b"weights")
    return folder


def run(folder: Path, script: str | None, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run `script`, written to a file in `folder`, through the runner, as a user would there."""
    if script is not None:
        (folder / "script.py").write_text(script)
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "ferrocr.compat.aspose", "script.py", *arguments],
        cwd=folder,
        env={**os.environ, "FERROCR_OFFLINE": "1", "FERROCR_MODEL_DIR": str(folder / "models"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_tutorial_runs_unchanged(tmp_path: Path, models: Path) -> None:
    done = run(tmp_path, CLEAN_UP)
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "Models on disk: ['en_ocr_v1.bin', 'old_fr_ocr_v1.bin']",
        f"CURRENT: {models / 'en_ocr_v1.bin'}",
        f"OLD: {models / 'old_fr_ocr_v1.bin'}",
        "Deleted old_fr_ocr_v1.bin",
        f"CURRENT: {models / 'en_ocr_v1.bin'}",
        "All OCR resources have been released.",
        *["ResourcesFreedError"] * 4,
    ]
    assert [path.name for path in (tmp_path / "models_moved").iterdir() if path.suffix] == ["en_ocr_v1.bin"]


def test_a_with_block_frees(models: Path) -> None:
    with AsposeAI(models, threads=1) as ai:
        assert ai.list_local() == ["en_ocr_v1.bin", "old_fr_ocr_v1.bin"]
        assert ai.get_local_path("en_ocr_v1.bin") == str(models / "en_ocr_v1.bin")
        assert not ai.closed
    assert ai.closed
    with pytest.raises(ResourcesFreedError), ai:
        pass


def test_freeing_twice_gives_the_same_report(models: Path) -> None:
    ai = AsposeAI(models)
    assert ai.free_resources() is not None
    assert ai.free_resources() == ai.free_resources()


def test_a_directory_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    with AsposeAI(folder) as ai:
        assert ai.list_local() == []
        assert ai.get_local_path() == str(folder)
    assert not folder.exists()


def test_the_audit_says_old_and_current(models: Path) -> None:
    assert audit_models(models) == [f"CURRENT: {models / 'en_ocr_v1.bin'}", f"OLD: {models / 'old_fr_ocr_v1.bin'}"]
    assert audit_models(models / "nothing") == []


@pytest.mark.parametrize(
    "statements",
    [
        "from aspose.ocr.ai import AsposeAI as C",
        "import aspose.ocr.ai; C = aspose.ocr.ai.AsposeAI",
        "import aspose.ocr.ai as ai; C = ai.AsposeAI",
        "import aspose.ocr; C = aspose.ocr.ai.AsposeAI",
        "import aspose.ocr as ocr; C = ocr.ai.AsposeAI",
        "from aspose.ocr import ai; C = ai.AsposeAI",
        "from aspose.ocr.ai import *; C = AsposeAI",
    ],
)
def test_every_form_of_import_gives_the_one_class(tmp_path: Path, statements: str) -> None:
    script = f"{statements}\nfrom ferrocr.compat.aspose import AsposeAI as ours\nassert C is ours\nprint('same')\n"
    done = run(tmp_path, script)
    assert (done.stdout, done.stderr, done.returncode) == ("same\n", "", 0)


def test_a_script_is_main_and_sees_its_arguments_and_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("VALUE = 7\n")
    script = "import sys, neighbour\nprint(__name__, sys.argv, neighbour.VALUE)\n"
    done = run(tmp_path, script, "one", "--two")
    assert done.stdout == "__main__ ['script.py', 'one', '--two'] 7\n"


@pytest.mark.parametrize(("ending", "status"), [("sys.exit(5)", 5), ("sys.exit('bad')", 1), ("raise KeyError", 1)])
def test_the_way_a_script_ends_is_kept(tmp_path: Path, ending: str, status: int) -> None:
    assert run(tmp_path, f"import sys\n{ending}\n").returncode == status


def test_a_missing_script_is_a_clear_error(tmp_path: Path) -> None:
    done = run(tmp_path, None)
    assert done.returncode == 2
    assert done.stderr == "error: cannot run script.py: no such file\n"


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda script: script.mkdir(), "it is a folder without __main__.py"),
        (lambda script: script.symlink_to(script), os.strerror(errno.ELOOP)),
    ],
)
def test_what_is_no_script_is_a_clear_error(
    prepare: Callable[[Path], None], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.py"
    prepare(script)
    assert main([str(script)]) == 2
    assert capsys.readouterr().err == f"error: cannot run {script}: {why}\n"


def test_a_folder_is_run_as_python_does_it(tmp_path: Path) -> None:
    (tmp_path / "script.py").mkdir()
    (tmp_path / "script.py" / "__main__.py").write_text("print('in the folder', __name__)\n")
    assert run(tmp_path, None).stdout == "in the folder __main__\n"


@pytest.mark.parametrize(
    "script",
    [
        "def fail():\n    raise KeyError('x')\nfail()\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('y') from error\n",
        "import json\njson.loads('{')\n",
        "x = = 1\n",
        "import sys\nsys.excepthook = lambda kind, error, frames: print(kind, frames.tb_lineno)\n1 / 0\n",
        "raise KeyboardInterrupt\n",
        "import sys\nsys.exit('bad')\n",
        "import sys\nprint(sys.path[0] == sys.path[1], 'neighbour' in sys.modules)\nraise SystemExit(3)\n",
    ],
)
def test_a_script_ends_as_without_the_runner(tmp_path: Path, script: str) -> None:
    done = run(tmp_path, script)
    plain = subprocess.run(
        [sys.executable, "-W", "error", "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    told = plain.stderr.replace(f"{tmp_path}{os.sep}script.py", "script.py")
    assert (done.returncode, done.stdout, done.stderr) == (plain.returncode, plain.stdout, told)


def test_the_current_folder_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "script.py").write_text("import neighbour\n")
    command = [sys.executable, "-m", "ferrocr.compat.aspose", "elsewhere/script.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'neighbour'"
    assert "aspose.py" not in done.stderr


def test_a_real_package_is_noted_and_its_other_modules_stay(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "aspose"
    (real / "ocr").mkdir(parents=True)
    (real / "__init__.py").touch()
    (real / "words.py").write_text("NAME = 'words'\n")
    (real / "ocr" / "__init__.py").write_text("raise AssertionError('imported')\n")
    script = "import aspose.words\nfrom aspose.ocr.ai import AsposeAI\nprint(aspose.words.NAME, AsposeAI.__module__)\n"
    search = os.pathsep.join(filter(None, [str(real.parent), os.environ.get("PYTHONPATH")]))
    done = run(tmp_path, script, PYTHONPATH=search)
    assert done.stdout == "words ferrocr.compat.aspose\n"
    assert done.stderr == f"note: using ferrocr in place of the aspose package at {real}\n"


def test_nothing_of_aspose_is_visible_before_install() -> None:
    code = (
        "import ferrocr.compat.aspose as compat, sys\n"
        "assert 'aspose' not in sys.modules\n"
        "compat.install(); first = sys.modules['aspose.ocr.ai'].AsposeAI; compat.install()\n"
        "from aspose.ocr.ai import AsposeAI\n"
        "assert AsposeAI is first is compat.AsposeAI\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
