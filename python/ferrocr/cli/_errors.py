"""The end of a command: its exit codes, and what the user is told about an error."""

import sys
from dataclasses import dataclass

from .. import exceptions
from .._text import printable
from ._command import dir_option

EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE, EXIT_CANNOT_RUN, EXIT_INTERRUPTED, EXIT_PIPE = 0, 1, 2, 3, 130, 141

EXIT_CODES = """\
exit codes:
  0    everything asked for was done
  1    some file could not be read, or a check found a problem
  2    the command line is wrong
  3    the command could not run: models or ONNX Runtime are missing, or the output cannot be written
  130  ended by Ctrl-C
  141  whatever read the output closed it early
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """The end of the command by class of exception: the exit code, and a hint for those that bring none of their own.

    In the hint, ``{dir}`` stands for the option that names the model directory.
    """

    error: type[Exception]
    exit_code: int
    hint: str | None = None


# The first row that fits counts, so a class stands above its base.
FAILURES = (
    Failure(exceptions.InvalidArgumentError, EXIT_USAGE, "see: ferrocr --help"),
    Failure(exceptions.ModelNotFoundError, EXIT_CANNOT_RUN, "run: ferrocr models pull{dir}"),
    Failure(exceptions.ModelCorruptError, EXIT_CANNOT_RUN, "remove that file, then run: ferrocr models pull{dir}"),
    Failure(exceptions.ModelInUseError, EXIT_CANNOT_RUN, "free the engine or end the process that uses it"),
    Failure(exceptions.ModelKeptError, EXIT_CANNOT_RUN, "`ferrocr models keep{dir}` shows and changes the keep-list"),
    Failure(exceptions.DownloadError, EXIT_CANNOT_RUN, "give another source: ferrocr models pull --mirror URL{dir}"),
    Failure(exceptions.RuntimeUnavailableError, EXIT_CANNOT_RUN, "run: ferrocr doctor{dir}"),
    Failure(exceptions.InferenceError, EXIT_CANNOT_RUN, "run: ferrocr doctor{dir}"),
    Failure(exceptions.OutOfMemoryError, EXIT_CANNOT_RUN, "give it smaller pictures, or more memory"),
    Failure(exceptions.EngineCrashedError, EXIT_CANNOT_RUN, "read the others without it"),
    Failure(exceptions.OcrTimeoutError, EXIT_CANNOT_RUN, "give it a longer timeout, or a smaller picture"),
    Failure(Exception, EXIT_CANNOT_RUN),
)


def report(error: Exception, name: str | None = None, *, directory: str | None = None) -> int:
    """Tell the user about `error`, which the file `name` gave if there is one; returns the exit code it means.

    `directory` is the model directory that the command line names.
    """
    failure = next(row for row in FAILURES if isinstance(error, row.error))
    message, hint = split_hint(error)
    if name is not None and name not in message:
        message = f"{name}: {message}"
    lines = [f"error: {message or type(error).__name__}"]
    if not hint and failure.hint and name is None:
        hint = failure.hint.replace("{dir}", dir_option(directory) if "{dir}" in failure.hint else "")
    if hint:
        lines.append(f"hint: {hint}")

    from tqdm import tqdm

    safe = [printable(line) for line in "\n".join(lines).split("\n")]
    tqdm.write("\n".join(safe), file=sys.stderr)  # above a progress bar that may be there
    return failure.exit_code


def split_hint(error: Exception) -> tuple[str, str]:
    """Return what went wrong, in as many lines as that takes, and what to do about it; empty where nothing is known."""
    return error.for_shell() if isinstance(error, exceptions.OcrError) else (str(error), "")
