"""Several interpreters in one process: the package belongs to the first one that imports it."""

import subprocess
import sys

import pytest

from conftest import run_python

PRELUDE = """
import gc, sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

def run(code):
    other = interpreters.create()
    failed = interpreters.run_string(other, "import sys; sys.path[:] = " + repr(sys.path) + code)
    assert failed is None, failed
    interpreters.destroy(other)

REFUSED = '''
try:
    import ferrocr
except ImportError as error:
    assert "another interpreter" in str(error) and "subinterpreters" in str(error), error
else:
    raise AssertionError("it was imported")
assert "ferrocr._core" not in sys.modules
'''
FAILS = '''
import ferrocr
try:
    ferrocr.OcrEngine().get_local_path("a/b")
except ferrocr.OcrError as error:
    assert type(error) is ferrocr.InvalidArgumentError
'''
"""


def check(code: str) -> None:
    """Run code that ends well."""
    ended: subprocess.CompletedProcess[str] = run_python(PRELUDE + code)
    assert (ended.returncode, ended.stderr) == (0, "")


pytestmark = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="other implementations have one interpreter"
)


def test_a_second_interpreter_is_refused_and_the_first_goes_on() -> None:
    check("exec(FAILS)\nrun(REFUSED)\nrun(REFUSED)\nexec(FAILS)\nassert 'ferrocr._core' in sys.modules")


def test_what_an_interpreter_that_is_gone_had_is_not_used_by_another() -> None:
    check("run(FAILS)\ngc.collect()\nexec(REFUSED)\nrun(REFUSED)")
