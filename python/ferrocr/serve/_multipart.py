"""Forms with a file, taken apart piece by piece."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ._bodies import Upload, checked_name
from ._problems import Problem, refuse

_MOST_FIELDS = 32
_LONGEST_FIELD = 2**12


class Form:
    """A form whose file becomes an upload, and whose fields are its options.

    Args:
        content_type: The header with the boundary.
        upload: The upload.

    Raises:
        Problem: There is no boundary.
    """

    def __init__(self, content_type: str, upload: Upload) -> None:
        boundary = parse_options_header(content_type.encode("latin-1"))[1].get(b"boundary", b"")
        if not boundary:
            refuse("the form has no boundary", "leave the header Content-Type to your HTTP library")
        self._upload = upload
        self._has_file = self._in_file = self._is_whole = False
        self._field: str | None = None
        self._header = self._value = bytearray()
        self._headers: dict[str, str] = {}
        self._pending = bytearray()
        self._parts = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header,
                "on_header_value": self._on_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_content,
                "on_part_data": self._on_data,
                "on_part_end": self._end_part,
                "on_end": self._end_form,
            },
        )

    async def put(self, data: bytes) -> None:
        """Take a piece.

        Raises:
            Problem: It is no form, or has too much in it.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            refuse(f"the form is damaged: {error}")
        if self._pending:
            content, self._pending = bytes(self._pending), bytearray()
            await self._upload.put(content)

    async def end(self) -> None:
        """Say that there is no more.

        Raises:
            Problem: It is not whole, or has no file.
        """
        if not self._is_whole:
            refuse("the form ends in the middle")
        if not self._has_file:
            refuse("the form has no file", "send it as the part `file`, with a file name")
        await self._upload.end()

    def _begin(self) -> None:
        self._headers, self._header, self._value = {}, bytearray(), bytearray()
        self._parts += 1
        if self._parts > _MOST_FIELDS:
            refuse(f"the form has more than {_MOST_FIELDS} parts")

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._header, self._value = bytearray(), bytearray()

    def _begin_content(self) -> None:
        options = parse_options_header(self._headers.get("content-disposition", "").encode())[1]
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options or name == "file":
            if self._has_file:
                refuse("the form has more than one file", "send a request for each")
            self._has_file = self._in_file = True
            self._upload.name = checked_name(options.get(b"filename", b"").decode("utf-8", "replace"))
        else:
            self._field = name
            self._value = bytearray()

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._pending += data[start:end]
            return
        self._value += data[start:end]
        if len(self._value) > _LONGEST_FIELD:
            raise Problem(413, "BodyTooLargeError", f"the field {self._field!r} has more than {_LONGEST_FIELD} bytes")

    def _end_part(self) -> None:
        if not self._in_file and self._field is not None:
            self._upload.fields[self._field] = self._value.decode("utf-8", "replace")
        self._in_file, self._field = False, None

    def _end_form(self) -> None:
        self._is_whole = True
