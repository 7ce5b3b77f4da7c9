"""The functions, under the names that they have in pytesseract 0.3.13."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ..._core import __version__
from ..._engine._inputs import ImageInput
from ..._languages import KNOWN
from ...models.store import catalog
from ._config import Config, parsed
from ._errors import (
    ALTONotSupported,
    PandasNotSupported,
    TesseractError,
    TesseractNotFoundError,
    TSVNotSupported,
    translated,
)
from ._outputs import EXTENSIONS, Outputs

if TYPE_CHECKING:
    from packaging.version import Version

__all__ = [
    "ALTONotSupported",
    "Output",
    "PandasNotSupported",
    "TSVNotSupported",
    "TesseractError",
    "TesseractNotFoundError",
    "get_languages",
    "get_tesseract_version",
    "image_to_alto_xml",
    "image_to_boxes",
    "image_to_data",
    "image_to_osd",
    "image_to_pdf_or_hocr",
    "image_to_string",
    "run_and_get_multiple_output",
    "run_and_get_output",
    "tesseract_cmd",
]

tesseract_cmd = "tesseract"
"""Never called: it is there for programs that set it."""

_SERVED = "5.3.0"
"""The version of Tesseract whose output this has, for programs that ask before they use a function."""

_BINARY = ("pdf", "hocr")

_OSD_KEYS: dict[str, tuple[str, type]] = {
    "Page number": ("page_num", int),
    "Orientation in degrees": ("orientation", int),
    "Rotate": ("rotate", int),
    "Orientation confidence": ("orientation_conf", float),
    "Script": ("script", str),
    "Script confidence": ("script_conf", float),
}


class Output:
    """Forms of a result."""

    BYTES = "bytes"
    DATAFRAME = "data.frame"
    DICT = "dict"
    STRING = "string"


def image_to_string(
    image: ImageInput,
    lang: str | None = None,
    config: str = "",
    nice: int = 0,
    output_type: str = Output.STRING,
    timeout: float = 0,
) -> Any:  # noqa: ANN401
    """Return the text of a picture: rows as lines, an empty line between blocks, a form feed between pages.

    Args:
        image: A path, a Pillow image, an array (HxW, HxWx3 RGB) or an encoded file's bytes.
        lang: Tesseract's codes, such as ``"eng+deu"``; None is English, ``"mul"`` all that the models can read.
        config: Tesseract's command line; docs/migration.md says what is followed.
        nice: No effect: nothing is started.
        output_type: ``Output.STRING``, ``Output.BYTES`` or ``Output.DICT``.
        timeout: Seconds for each page; 0 is no bound.

    Raises:
        TesseractError: The picture cannot be read, or an option cannot be followed.
        TesseractNotFoundError: Models or a library are missing.
        RuntimeError: The timeout is over.
        TypeError: It is no picture.
    """
    _check_output(output_type, Output.STRING, Output.BYTES, Output.DICT)
    content = _run(image, ["txt"], lang, config, timeout)[0]
    if output_type == Output.DICT:
        return {"text": content.decode()}
    return content if output_type == Output.BYTES else content.decode()


def image_to_data(
    image: ImageInput,
    lang: str | None = None,
    config: str = "",
    nice: int = 0,
    output_type: str = Output.STRING,
    timeout: float = 0,
    pandas_config: Mapping[str, Any] | None = None,
) -> Any:  # noqa: ANN401
    """Return words with their boxes and confidences, in the columns of Tesseract's TSV.

    Args:
        image: As for :func:`image_to_string`, and all others but these two:
        lang: See there.
        config: See there.
        nice: See there.
        output_type: ``Output.DATAFRAME`` too, which needs pandas.
        timeout: See there.
        pandas_config: Options of ``pandas.read_csv``.

    Raises:
        PandasNotSupported: pandas is not installed.
        TesseractError: As for :func:`image_to_string`, and all others there.
    """
    _check_output(output_type, Output.STRING, Output.BYTES, Output.DICT, Output.DATAFRAME)
    read_csv = _read_csv() if output_type == Output.DATAFRAME else None
    content = _run(image, ["tsv"], lang, config, timeout)[0]
    if read_csv is not None:
        return read_csv(BytesIO(content), **{"quoting": 3, "sep": "\t", **(pandas_config or {})})
    if output_type == Output.DICT:
        return _columns(content.decode(), "\t", text_column=-1)
    return content if output_type == Output.BYTES else content.decode()


def image_to_boxes(
    image: ImageInput,
    lang: str | None = None,
    config: str = "",
    nice: int = 0,
    output_type: str = Output.STRING,
    timeout: float = 0,
) -> Any:  # noqa: ANN401
    """Return characters with their boxes, counted from the lower left corner. Arguments as for `image_to_string`."""
    _check_output(output_type, Output.STRING, Output.BYTES, Output.DICT)
    content = _run(image, ["box"], lang, config, timeout)[0]
    if output_type == Output.DICT:
        return _columns(f"char left bottom right top page\n{content.decode()}", " ", text_column=0)
    return content if output_type == Output.BYTES else content.decode()


def image_to_pdf_or_hocr(
    image: ImageInput,
    lang: str | None = None,
    config: str = "",
    nice: int = 0,
    extension: str = "pdf",
    timeout: float = 0,
) -> bytes:
    """Return a searchable PDF, which needs ``ferrocr[pdf]``, or hOCR. Other arguments as for `image_to_string`.

    Raises:
        ValueError: There is no such extension.
        TesseractError: As for `image_to_string`, and all others there.
    """
    if extension not in _BINARY:
        message = f"Unsupported extension: {extension}"
        raise ValueError(message)
    return _run(image, [extension], lang, config, timeout)[0]


def image_to_alto_xml(
    image: ImageInput, lang: str | None = None, config: str = "", nice: int = 0, timeout: float = 0
) -> bytes:
    """Return the page as ALTO XML. Arguments as for `image_to_string`."""
    return _run(image, ["xml"], lang, config, timeout)[0]


def image_to_osd(
    image: ImageInput,
    lang: str | None = "osd",
    config: str = "",
    nice: int = 0,
    output_type: str = Output.STRING,
    timeout: float = 0,
) -> Any:  # noqa: ANN401
    """Return the turn of a page and its script, told from what was read. Arguments as for `image_to_string`.

    Raises:
        TesseractError: There are no characters, or as for `image_to_string`, and all others there.
    """
    _check_output(output_type, Output.STRING, Output.BYTES, Output.DICT)
    content = _run(image, ["osd"], lang, config, timeout)[0]
    if output_type == Output.DICT:
        parts = [line.partition(": ") for line in content.decode().splitlines()]
        return {_OSD_KEYS[name][0]: _OSD_KEYS[name][1](value) for name, _, value in parts}
    return content if output_type == Output.BYTES else content.decode()


def run_and_get_output(
    image: ImageInput,
    extension: str = "",
    lang: str | None = None,
    config: str = "",
    nice: int = 0,
    timeout: float = 0,
    return_bytes: bool = False,  # noqa: FBT001, FBT002  # as it is there
) -> Any:  # noqa: ANN401
    """Return the file that Tesseract would write with this suffix: txt, tsv, box, hocr, xml, osd or pdf."""
    content = _run(image, [extension or "txt"], lang, config, timeout)[0]
    return content if return_bytes else content.decode()


def run_and_get_multiple_output(
    image: ImageInput,
    extensions: Sequence[str],
    lang: str | None = None,
    nice: int = 0,
    timeout: float = 0,
    return_bytes: bool = False,  # noqa: FBT001, FBT002
) -> list[Any]:
    """Return several of these files, of one reading; pdf and hocr as bytes in any case."""
    contents = _run(image, extensions, lang, "", timeout)
    return [
        content if return_bytes or extension in _BINARY else content.decode()
        for extension, content in zip(extensions, contents, strict=True)
    ]


def get_languages(config: str = "", *, cached: bool = False) -> list[str]:
    """Return codes of all languages that a recogniser of the catalog reads, sorted, and ``"osd"``.

    Their models are fetched when they are first needed, where that is allowed.
    """
    read = {language for entry in catalog() for language in entry.languages}
    return sorted({"osd", *(code for code, language in KNOWN.items() if len(code) > 2 and language in read)})


def get_tesseract_version(*, cached: bool = False) -> "Version":
    """Return the version of Tesseract that is served, with ferrocr's as its local part: ``5.3.0+ferrocr.0.1.0``."""
    from packaging.version import parse

    return parse(f"{_SERVED}+ferrocr.{__version__}")


def _run(image: ImageInput, extensions: Sequence[str], lang: str | None, config: str, timeout: float) -> list[bytes]:
    unknown = [extension for extension in extensions if extension not in EXTENSIONS]
    if unknown:
        message = f"Unsupported extension: {unknown[0]}"
        raise ValueError(message)
    with translated():
        asked: Config = parsed(config or "", lang)
        outputs = Outputs(image, asked, timeout, characters="box" in extensions)
        return [outputs.make(extension) for extension in extensions]


def _check_output(output_type: str, *known: str) -> None:
    if output_type not in known:
        message = f"output_type is one of {', '.join(map(repr, known))}, not {output_type!r}"
        raise ValueError(message)


def _read_csv() -> Any:  # noqa: ANN401
    try:
        import pandas
    except ImportError:
        raise PandasNotSupported from None
    return pandas.read_csv


def _columns(table: str, separator: str, *, text_column: int) -> dict[str, list[int | str]]:
    """Return a table by columns: whole numbers, except in one column; nothing at all where it has no rows."""
    head, *rows = (line.split(separator) for line in table.removesuffix("\n").split("\n"))
    if not rows:
        return {}
    text = head[text_column]
    return {
        name: [value if name == text else int(float(value)) for value in column]
        for name, column in zip(head, zip(*rows, strict=True), strict=True)
    }
