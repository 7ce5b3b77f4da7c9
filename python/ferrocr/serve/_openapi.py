"""The description of the service, as OpenAPI has it."""

from typing import Any

from .. import __version__
from ..documents._request import USES_OF_TEXT_LAYER, USUAL_DPI
from ._outputs import OUTPUTS
from ._settings import Settings

_Object = dict[str, Any]

_ERRORS = {
    "400": "An option is wrong, or there is no such page.",
    "401": "The key is missing or wrong.",
    "408": "The body takes too long to arrive.",
    "413": "The body is too long.",
    "422": "It is no picture or document, or damaged, encrypted or too large.",
    "501": "A package that this needs is not installed.",
    "503": "There is no room, the engine crashed, or the service begins or ends; Retry-After says when to try again.",
    "504": "It takes too long.",
}


def description(settings: Settings) -> _Object:
    """Return the whole description."""
    secured: list[_Object] = [{"bearer": []}, {"key": []}] if settings.keys else []
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ferrocr",
            "version": __version__,
            "description": f"Reads pictures and documents of up to {settings.max_body} bytes and {settings.max_pages} "
            "pages.",
        },
        "paths": {
            "/v1/read": {"post": _read(secured)},
            "/v1/picture": {"post": _picture(secured)},
            "/ocr": {"post": _ocr(secured)},
            "/process": {"put": _process(secured)},
            "/health/live": {"get": _plain("Tell that the process answers.", "status")},
            "/health/ready": {"get": _plain("Tell that the models are loaded; 503 until then.", "status")},
            "/metrics": {"get": {**_plain("Give numbers as Prometheus reads them.", "text"), "security": secured}},
        },
        "components": {
            "schemas": {"Error": _error_schema()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _read(secured: list[_Object]) -> _Object:
    formats: _Object = {row.media_type: {} for row in OUTPUTS.values()}
    return {
        "summary": "Read a picture or a document.",
        "description": "The body is the file, or a form with the file and the options. Without `format` the header "
        "Accept chooses. Pages of `jsonl` come while others are read.",
        "security": secured,
        "parameters": [_parameter(name, schema, what) for name, (schema, what) in _options().items()]
        + [
            _header("X-Document-Password", "Opens an encrypted PDF."),
            _header("X-Filename", "The file's name, quoted."),
        ],
        "requestBody": _body({name: schema for name, (schema, _) in _options().items()} | {"password": _text()}),
        "responses": {
            "200": {
                "description": "The pages.",
                "headers": {
                    "X-Page-Count": {"description": "The pages of the document.", "schema": {"type": "integer"}}
                },
                "content": formats,
            },
            **_errors(),
        },
    }


def _picture(secured: list[_Object]) -> _Object:
    options = {name: value for name, value in _options().items() if name in ("pages", "dpi")}
    return {
        "summary": "Show a page of a document.",
        "security": secured,
        "parameters": [_parameter(name, schema, what) for name, (schema, what) in options.items()],
        "requestBody": _body({}),
        "responses": {"200": {"description": "The page.", "content": {"image/jpeg": {}}}, **_errors()},
    }


def _ocr(secured: list[_Object]) -> _Object:
    return {
        "summary": "Read a picture, as LiteParse's OCR API has it.",
        "security": secured,
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _form({"language": _text()})}}},
        "responses": {
            "200": {"description": "Lines with `text`, `bbox`, `confidence` and `polygon`.", "content": _json()}
        },
    }


def _process(secured: list[_Object]) -> _Object:
    return {
        "summary": "Read a document, as Open WebUI asks an external document loader.",
        "security": secured,
        "requestBody": {"required": True, "content": {"application/octet-stream": {}}},
        "responses": {"200": {"description": "Pages with `page_content` and `metadata`.", "content": _json()}},
    }


def _options() -> dict[str, tuple[_Object, str]]:
    return {
        "format": ({"type": "string", "enum": list(OUTPUTS), "default": "json"}, "The format of the answer."),
        "pages": (_text(), "Pages such as 1-3,7,12-; all by default."),
        "dpi": ({"type": "number", "default": USUAL_DPI}, "For pages of a PDF."),
        "text_layer": (
            {"type": "string", "enum": list(USES_OF_TEXT_LAYER)},
            "auto takes the text that a PDF brings where it is likely to be all.",
        ),
        "min_score": ({"type": "number", "minimum": 0, "maximum": 1}, "Lines with a lower score are left out."),
        "characters": ({"type": "boolean", "default": False}, "Words come with their characters."),
        "allow": ({"type": "string"}, "The characters that may come out."),
        "pattern": ({"type": "string"}, "A regular expression that each line matches as a whole."),
        "words": ({"type": "string"}, "The words that lines are made of, one a line."),
    }


def _body(options: _Object) -> _Object:
    content = {"application/octet-stream": {}, "multipart/form-data": {"schema": _form(options)}}
    return {"required": True, "content": content}


def _form(options: _Object) -> _Object:
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    return {"type": "object", "required": ["file"], "properties": {"file": file, **options}}


def _parameter(name: str, schema: _Object, what: str) -> _Object:
    return {"name": name, "in": "query", "schema": schema, "description": what}


def _header(name: str, what: str) -> _Object:
    return {"name": name, "in": "header", "schema": _text(), "description": what}


def _plain(summary: str, what: str) -> _Object:
    content = _json() if what == "status" else {"text/plain": {}}
    return {"summary": summary, "responses": {"200": {"description": what, "content": content}}}


def _errors() -> _Object:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": text, "content": content} for status, text in _ERRORS.items()}


def _error_schema() -> _Object:
    properties = {
        "kind": _text(),
        "message": _text(),
        "hint": {"type": ["string", "null"]},
        "page": {"type": "integer"},
    }
    error = {"type": "object", "required": ["kind", "message"], "properties": properties}
    return {"type": "object", "properties": {"error": error, "request_id": _text()}}


def _json() -> _Object:
    return {"application/json": {}}


def _text() -> _Object:
    return {"type": "string"}
