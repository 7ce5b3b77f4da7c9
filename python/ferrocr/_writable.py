"""The other forms that results have: files in all formats, plain data, tables, and what a notebook shows.

What makes these forms is itself made of pages, so it comes from above: :func:`render_with`.
"""

from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, cast, overload

if TYPE_CHECKING:
    import os
    from typing import IO

    import pandas as pd
    import PIL.Image
    import polars as pl

    from ._image_types import ImageInput

TextFormat = Literal["text", "json", "jsonl", "csv", "tsv", "hocr", "alto", "page", "markdown"]
"""Formats of text, which are strings."""

BinaryFormat = Literal["png", "pdf"]
"""Formats that are made with the picture or document, and are bytes."""

Rows = Literal["words", "lines"]
"""The rows of a table."""


class Writable:
    """A result that can be written in every format: a page, a page of a document, or a document."""

    __slots__ = ()

    @overload
    def to(
        self,
        format: TextFormat,
        file: None = None,
        *,
        source: "ImageInput | None" = None,
        password: str | None = None,
    ) -> str: ...
    @overload
    def to(
        self,
        format: BinaryFormat,
        file: None = None,
        *,
        source: "ImageInput | None" = None,
        password: str | None = None,
    ) -> bytes: ...
    @overload
    def to(
        self, format: str, file: None = None, *, source: "ImageInput | None" = None, password: str | None = None
    ) -> str | bytes: ...
    @overload
    def to(
        self,
        format: str,
        file: "str | os.PathLike[str] | IO[bytes] | IO[str]",
        *,
        source: "ImageInput | None" = None,
        password: str | None = None,
    ) -> None: ...

    def to(
        self,
        format: str,
        file: "str | os.PathLike[str] | IO[bytes] | IO[str] | None" = None,
        *,
        source: "ImageInput | None" = None,
        password: str | None = None,
    ) -> str | bytes | None:
        """Return a file of it in one of the formats, or write that file.

        docs/formats.md says what each format holds. :mod:`ferrocr.formats` writes more pages than fit into memory, and
        what was read from several sources.

        Args:
            format: ``"text"``, ``"json"``, ``"jsonl"``, ``"csv"``, ``"tsv"``, ``"hocr"``, ``"alto"``, ``"page"`` or
                ``"markdown"``, which are text; ``"png"`` for the annotated picture of one page, or ``"pdf"`` for a PDF
                that can be searched, which are bytes and need the extras ``draw`` and ``pdf``.
            file: The file's name, under which it appears whole or not at all, or an open file. Text is UTF-8 there,
                except in a file that is open for text. None returns the content.
            source: The picture or document that it was read from, in any form that an engine takes. ``"png"`` and
                ``"pdf"`` need it, and a path is the name of the picture in formats that have it. By default the path
                that a document was read from.
            password: The password that opens an encrypted PDF, for ``"png"`` and ``"pdf"``.

        Raises:
            InvalidArgumentError: There is no such format; a file of it holds one page, and there are more; or the
                picture is missing, or has another size.
            PillowMissingError: Pillow is not installed, and the format needs it.
            RuntimeUnavailableError: A package of the extra ``pdf`` is not installed, and the format needs it.
            ImageError: The picture or document cannot be opened once more.
            StorageError: The file cannot be written.
        """
        return _renderer.file(self, format, file, source=source, password=password)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as the format ``"json"`` has them.

        A document is the object of a JSON file; a page is one of its ``pages``. Scores have four digits behind the
        point, positions one.
        """
        return _renderer.plain(self)

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Return what :meth:`to_dict` gave, or what was read from a JSON file, as it was but for the digits.

        A page of a document has lost the size in points and the origin of its text, and a document the number of its
        pages: the highest one that is there stands for it.

        Raises:
            InvalidArgumentError: They are of another form, or of a newer version.
        """
        return cast("Self", _renderer.restored(cls, data))

    def to_pandas(self, rows: Rows = "words") -> "pd.DataFrame":
        """Return a table for pandas, with the columns of the format ``"csv"``.

        Args:
            rows: A row for each of the ``"words"`` or of the ``"lines"``.

        Raises:
            RuntimeUnavailableError: pandas is not installed: ``pip install "ferrocr[pandas]"``.
            InvalidArgumentError: There are no such rows.
        """
        return _renderer.pandas(self, rows)

    def to_polars(self, rows: Rows = "words") -> "pl.DataFrame":
        """Return the same table as :meth:`to_pandas` for polars.

        Raises:
            RuntimeUnavailableError: polars is not installed: ``pip install "ferrocr[polars]"``.
            InvalidArgumentError: There are no such rows.
        """
        return _renderer.polars(self, rows)

    def _repr_html_(self) -> str:
        """Return the table that notebooks show."""
        return _renderer.html(self)


class Renderer(Protocol):
    """Makes the other forms of results."""

    def file(
        self,
        result: Writable,
        format: str,
        file: "str | os.PathLike[str] | IO[bytes] | IO[str] | None",
        *,
        source: "ImageInput | None",
        password: str | None,
    ) -> str | bytes | None:
        """Return or write a file; :meth:`Writable.to` says more."""

    def plain(self, result: Writable) -> dict[str, Any]:
        """Return plain data."""

    def restored(self, kind: type[Writable], data: object) -> Writable:
        """Return the result of that kind that plain data describe."""

    def pandas(self, result: Writable, rows: Rows) -> "pd.DataFrame":
        """Return a table for pandas."""

    def polars(self, result: Writable, rows: Rows) -> "pl.DataFrame":
        """Return a table for polars."""

    def html(self, result: Writable) -> str:
        """Return the table that notebooks show."""

    def sketch(self, page: Writable) -> bytes | None:
        """Return a small PNG of a page's outlines; None without Pillow."""

    def picture(
        self, page: Writable, image: "ImageInput", *, words: bool, numbers: bool, scores: bool
    ) -> "PIL.Image.Image":
        """Return the annotated picture of a page."""


_renderer: Renderer


def renderer() -> Renderer:
    """Return the maker of other forms."""
    return _renderer


def render_with(renderer: Renderer) -> None:
    """Give results the maker of their other forms."""
    global _renderer
    _renderer = renderer
