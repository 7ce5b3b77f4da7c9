"""pytesseract's exceptions, and ferrocr's errors as these."""

from collections.abc import Iterator
from contextlib import contextmanager

from ...exceptions import DownloadError, ModelNotFoundError, OcrError, OcrTimeoutError, RuntimeUnavailableError


class TesseractError(RuntimeError):
    """A picture cannot be read, or not as it was asked for.

    Attributes:
        status: The exit status that Tesseract would have had.
        message: The error's text.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class TesseractNotFoundError(EnvironmentError):
    """The models, ONNX Runtime, or packages for PDF files are not there."""


class PandasNotSupported(EnvironmentError):  # the name that programs know
    """pandas is not installed."""

    def __init__(self) -> None:
        super().__init__("Output.DATAFRAME needs pandas, which is not installed\nrun: pip install pandas")


class TSVNotSupported(EnvironmentError):
    """Never raised: it is there for programs that name it."""


class ALTONotSupported(EnvironmentError):
    """Never raised: it is there for programs that name it."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise ferrocr's errors as those that programs written for pytesseract expect.

    Raises:
        TesseractNotFoundError: Models or a library are missing.
        TesseractError: Any other error of ferrocr.
        RuntimeError: The timeout is over.
    """
    try:
        yield
    except OcrTimeoutError as error:
        message = "Tesseract process timeout"  # programs compare the text
        raise RuntimeError(message) from error
    except (ModelNotFoundError, DownloadError, RuntimeUnavailableError) as error:
        raise TesseractNotFoundError(str(error)) from error
    except OcrError as error:
        raise TesseractError(1, str(error)) from error
