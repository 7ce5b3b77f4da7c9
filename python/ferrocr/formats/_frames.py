"""Pages as data frames of pandas and polars, which the extras of these names bring."""

from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, cast

from .._text import whole_characters
from .._writable import Rows
from ..exceptions import InvalidArgumentError, RuntimeUnavailableError
from ._sheet import Sheet
from ._table import COLUMNS, Row, line_rows, word_rows

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_KINDS: tuple[type, ...] = (str, int, int, int, int, str, float, bool, float, float, float, float)
"""The type of each column."""

_OF_PANDAS = {str: "string", int: "int64", float: "float64", bool: "bool"}


def pandas_frame(sheets: Iterable[Sheet], rows: Rows) -> "pd.DataFrame":
    """Return a table of the pages for pandas.

    Raises:
        RuntimeUnavailableError: It is not installed.
        InvalidArgumentError: There are no such rows.
    """
    columns = _columns(sheets, rows)
    pandas = _imported("pandas")
    series = {name: pandas.Series(columns[name], dtype=_OF_PANDAS[kind]) for name, kind in _kinds(rows)}
    return cast("pd.DataFrame", pandas.DataFrame(series))


def polars_frame(sheets: Iterable[Sheet], rows: Rows) -> "pl.DataFrame":
    """Return a table of the pages for polars.

    Raises:
        RuntimeUnavailableError: It is not installed.
        InvalidArgumentError: There are no such rows.
    """
    columns = _columns(sheets, rows)
    polars = _imported("polars")
    known = {str: polars.String, int: polars.Int64, float: polars.Float64, bool: polars.Boolean}
    schema = {name: known[kind] for name, kind in _kinds(rows)}
    return cast("pl.DataFrame", polars.DataFrame({name: columns[name] for name in schema}, schema=schema))


def _kinds(rows: Rows) -> list[tuple[str, type]]:
    """Return the columns with their types; lines have no numbers of words."""
    return [(name, kind) for name, kind in zip(COLUMNS, _KINDS, strict=True) if name != "word" or rows == "words"]


def _columns(sheets: Iterable[Sheet], rows: Rows) -> dict[str, list[object]]:
    if rows not in ("words", "lines"):
        message = f"rows are 'words' or 'lines', not {rows!r}"
        raise InvalidArgumentError(message)
    give = word_rows if rows == "words" else line_rows
    found = [_encodable(row) for sheet in sheets for row in give(sheet)]
    return {name: [row[index] for row in found] for index, name in enumerate(COLUMNS)}


def _encodable(row: Row) -> Row:
    source = None if row.source is None else whole_characters(row.source)
    return row._replace(source=source, text=whole_characters(row.text))


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        message = f"a table for {name} needs {name}, which is not installed"
        if error.name != name:
            message = f"a table for {name} needs {name}, which cannot be imported: {error}"
        raise RuntimeUnavailableError(message, f'run: pip install "ferrocr[{name}]"') from error
