"""Other libraries' interfaces in processes of their own: forks, the end of one, and what is not installed."""

import os
from pathlib import Path

import pytest

from conftest import run_python


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_child_reads_and_nothing_warns_at_the_end(models_dir: Path, picture_file: Path) -> None:
    code = (
        "import os, sys\n"
        "from ferrocr.compat import pytesseract\n"
        "text = pytesseract.image_to_string(sys.argv[1])\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    print('child', pytesseract.image_to_string(sys.argv[1]) == text, flush=True)\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "print('parent', pytesseract.image_to_string(sys.argv[1]) == text)\n"
    )
    done = run_python(code, str(picture_file), FERROCR_MODEL_DIR=str(models_dir))
    assert (done.stdout, done.stderr, done.returncode) == ("child True\nparent True\n", "", 0)


def test_a_program_that_uses_it_needs_neither_pillow_nor_pandas(models_dir: Path, picture_file: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['PIL'] = sys.modules['pandas'] = None\n"
        "from ferrocr.compat import pytesseract\n"
        "print(pytesseract.image_to_string(sys.argv[1]), end='')\n"
    )
    done = run_python(code, str(picture_file), FERROCR_MODEL_DIR=str(models_dir))
    assert (done.stdout, done.stderr) == ("Iron tastes of rain\nOrder 4711 paid\n", "")
