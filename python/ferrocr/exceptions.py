"""Every exception that ferrocr raises on purpose.

A message says what, which and where; the hint, if there is one, is its last line and says what to do.
Each class is also one of Python's own where that fits, so that code which does not know ferrocr catches it.
"""


class OcrError(Exception):
    """Base of all of them. Raised itself only for defects of ferrocr.

    Attributes:
        hint: Advice; None where there is nothing to say. The text of the error ends with it.
        shell_hint: The same for somebody who uses the command line, in commands and options instead of methods and
            keywords.
        page: Number of the document's page that it is about; None where it is about no single page.
    """

    hint: str | None = None
    shell_hint: str | None = None
    page: int | None = None

    # The one argument of the base is the whole text: it and the attributes are what pickle and copy bring back.
    def __init__(self, message: str = "", hint: str | None = None, *, shell_hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}\n{hint}")
        self.hint = hint
        self.shell_hint = hint if shell_hint is None else shell_hint

    def for_shell(self) -> tuple[str, str]:
        """Return the message and the hint for the command line, which is empty where there is none."""
        return str(self).removesuffix(f"\n{self.hint}"), self.shell_hint or ""


class InvalidArgumentError(OcrError, ValueError):
    """An argument is out of its documented range."""


class ImageError(OcrError, ValueError):
    """A picture cannot be decoded, or is larger than the limits allow."""


class ImageNotFoundError(ImageError, FileNotFoundError):
    """There is no picture file of that name."""


class DocumentError(ImageError):
    """A document, or a page of one, is damaged or of a kind that cannot be read."""


class EncryptedDocumentError(DocumentError, PermissionError):
    """A document is encrypted, and the password is missing, wrong, or not what opens it."""


class ModelNotFoundError(OcrError, FileNotFoundError):
    """A model file is not in the model directory and may not be downloaded."""


class ModelCorruptError(OcrError):
    """A model file does not match its hash or is no readable model."""


class ModelMismatchError(OcrError, ValueError):
    """A readable model whose inputs, outputs or characters do not fit the role it was given."""


class ModelInUseError(OcrError, PermissionError):
    """A model file is in use by a process and was not removed."""


class ModelKeptError(OcrError, PermissionError):
    """A model file is on the keep-list, or needed by the models that were named, and was not removed."""


class DownloadError(OcrError, ConnectionError):
    """No source could deliver a model."""


class StorageError(OcrError, OSError):
    """A file or directory could not be read or written."""


class RuntimeUnavailableError(OcrError, ImportError):
    """A library is missing, too old or ambiguous: ONNX Runtime, or pypdfium2 and its process for PDF files."""


class PillowMissingError(OcrError, ImportError):
    """Drawing needs Pillow, which is not installed."""


class InferenceError(OcrError, RuntimeError):
    """ONNX Runtime refused a session or a run."""


class OutOfMemoryError(OcrError, MemoryError):
    """The process got no memory for a picture, for a run of a model on it, or for a thread."""


class ResourcesFreedError(OcrError, RuntimeError):
    """The engine was freed; it never reopens."""


class ForkedError(OcrError, RuntimeError):
    """The engine was loaded by the parent of this forked process, or what goes on was begun there."""


class EngineCrashedError(OcrError):
    """The process of an isolated engine ended during the call: it crashed, or was ended for another call's sake.

    Attributes:
        status: Its exit status; None where it was ended by a signal, or for an answer that made no sense.
        signal: The name of the signal that ended it, such as ``"SIGSEGV"``; None where none did.
        source: The picture's file; None for one that is no file, and where no picture was read.
    """

    status: int | None = None
    signal: str | None = None
    source: str | None = None

    def __init__(
        self,
        message: str = "",
        hint: str | None = None,
        *,
        shell_hint: str | None = None,
        status: int | None = None,
        signal: str | None = None,
        source: str | None = None,
    ) -> None:
        super().__init__(message, hint, shell_hint=shell_hint)
        self.status, self.signal, self.source = status, signal, source


class OcrCancelledError(OcrError):
    """The work was ended early: on request, at its timeout, or by a release that does not wait for it."""


class OcrTimeoutError(OcrCancelledError, TimeoutError):
    """The work did not end within the timeout of its call."""
