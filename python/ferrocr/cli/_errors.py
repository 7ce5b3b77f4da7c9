"""How a command ends: its exit codes, and what the user is told about an error."""

import sys
from dataclasses import dataclass

from .. import exceptions

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
    """How a class of exception ends the command: the exit code, and a hint for those that bring none of their own."""

    error: type[Exception]
    exit_code: int
    hint: str | None = None


# The first row that fits counts, so a class stands above its base.
FAILURES = (
    Failure(exceptions.InvalidArgumentError, EXIT_USAGE, "see: ferrocr --help"),
    Failure(exceptions.ModelNotFoundError, EXIT_CANNOT_RUN, "run: ferrocr models pull"),
    Failure(exceptions.ModelCorruptError, EXIT_CANNOT_RUN, "remove that file, then run: ferrocr models pull"),
    Failure(exceptions.ModelInUseError, EXIT_CANNOT_RUN, "free the engine or end the process that uses it"),
    Failure(exceptions.ModelKeptError, EXIT_CANNOT_RUN, "`ferrocr models keep` shows and changes the keep-list"),
    Failure(exceptions.DownloadError, EXIT_CANNOT_RUN, "give another source: ferrocr models pull --mirror URL"),
    Failure(exceptions.RuntimeUnavailableError, EXIT_CANNOT_RUN, "run: ferrocr doctor"),
    Failure(exceptions.InferenceError, EXIT_CANNOT_RUN, "run: ferrocr doctor"),
    Failure(Exception, EXIT_CANNOT_RUN),
)


def report(error: Exception, name: str | None = None) -> int:
    """Tell the user about `error`, which the file `name` gave if there is one; returns the exit code it means."""
    failure = next(row for row in FAILURES if isinstance(error, row.error))
    message, hint = split_hint(error)
    if name is not None and name not in message:
        message = f"{name}: {message}"
    lines = [f"error: {message or type(error).__name__}"]
    if hint or (failure.hint and name is None):
        lines.append(f"hint: {hint or failure.hint}")

    from tqdm import tqdm

    tqdm.write("\n".join(lines), file=sys.stderr)  # above a progress bar that may be there
    return failure.exit_code


def split_hint(error: Exception) -> tuple[str, str]:
    """What went wrong, in as many lines as that takes, and what to do about it; empty where nothing is known."""
    hint = error.hint if isinstance(error, exceptions.OcrError) else None
    return str(error).removesuffix(f"\n{hint}"), hint or ""
