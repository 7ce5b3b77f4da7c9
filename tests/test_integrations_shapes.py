"""Adapters with stand-ins for their programs: what they ask of these, and what is said where they are not there."""

import importlib
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

import ferrocr
from conftest import draw_text, run_python
from ferrocr import DocumentPage, Line, Page, exceptions

ADAPTERS = {
    "markitdown": ("MarkItDown", "run", "markitdown"),
    "langchain": ("LangChain", "run", "langchain"),
    "llama_index": ("LlamaIndex", "run", "llamaindex"),
    "haystack": ("Haystack", "run", "haystack"),
    "docling": ("Docling", "run", "docling"),
    "paperless": ("paperless-ngx", "run in the environment of paperless-ngx", "paperless"),
}
HOSTS = (
    *("django", "docling", "docling_core", "documents", "haystack", "langchain_core", "llama_index", "markitdown"),
    "paperless",
)


class Engine:
    """Reads a page of two lines; a file that is named so is broken."""

    made: ClassVar[list[dict[str, object]]] = []
    asked: ClassVar[list[dict[str, object]]] = []

    def __init__(self, **options: object) -> None:
        self.made.append(options)
        if "nonsense" in options:
            message = "no option"
            raise TypeError(message)

    def load(self) -> None: ...

    def free_resources(self) -> None: ...

    def recognize(self, image: object, **options: object) -> Page:
        return next(self.recognize_pages(image)).page  # type: ignore[no-any-return]

    def recognize_pages(self, document: object, **options: object) -> Any:  # noqa: ANN401
        self.asked.append(options)
        if "broken" in str(document):
            message = "no picture"
            raise exceptions.ImageError(message)
        quads = [((10.0, y), (50.0, y), (50.0, y + 8), (10.0, y + 8)) for y in (5.0, 20.0)]
        lines = tuple(Line(text, 0.5, quad, ()) for text, quad in zip(("one", "two"), quads, strict=True))
        yield DocumentPage(3, Page(60, 40, lines), source=str(document))


class BaseOcrModel:
    """Docling's base of engines, as far as the engine relies on it."""

    def __init__(self, *, enabled: bool, artifacts_path: object, options: Any, accelerator_options: object) -> None:  # noqa: ANN401
        self.languages = options.lang
        self.enabled = enabled
        self._engine_name = "Ferrocr"

    def resolve_ocr_languages(self) -> list[str]:
        return [self.map_ocr_language(language) for language in self.languages]  # type: ignore[attr-defined]

    def get_ocr_rects(self, page: Any) -> Any:  # noqa: ANN401
        return page.regions

    def post_process_cells(self, cells: object, page: Any, result: object) -> None:  # noqa: ANN401
        page.cells = cells


class Kept:
    """A document of any program."""

    def __init__(self, *arguments: object, **members: object) -> None:
        self.__dict__.update(members)


class ParseError(Exception):
    """paperless-ngx's error for documents."""


class Unsupported(Exception):
    """Docling's error for a language."""

    def __init__(self, engine: str, language: str, supported: object) -> None:
        super().__init__(f"{engine}: {language}")


def language(code: str, script: str | None = None, *, is_usual: bool = False) -> Any:  # noqa: ANN401
    """A language as Docling has it: a code of ours, or a tag with a script."""
    native = code if script is None else None
    return Kept(
        native=native,
        bcp47_language=None if native else code,
        bcp47_script=script,
        has_default_script=lambda: is_usual,
        tag=lambda: code,
    )


@pytest.fixture
def paperless_config() -> SimpleNamespace:
    """paperless-ngx's settings for OCR, as they are unless somebody changes them."""
    return SimpleNamespace(
        language="eng + osd", mode="auto", pages=None, rotate=True, rotate_threshold=12.0, max_image_pixel=None
    )


@pytest.fixture
def adapter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, paperless_config: SimpleNamespace
) -> "Callable[[str], Any]":
    """Imports an adapter whose program is a stand-in."""
    monkeypatch.setattr(ferrocr, "OcrEngine", Engine)
    monkeypatch.setattr(Engine, "made", [])
    monkeypatch.setattr(Engine, "asked", [])
    monkeypatch.delenv("PAPERLESS_FERROCR_OPTIONS", raising=False)

    class Component:
        def __call__(self, kind: type) -> type:
            return kind

        def output_types(self, **_types: object) -> Callable[[Any], Any]:
            return lambda function: function

    members: dict[str, dict[str, object]] = {
        "llama_index.core.readers.base": {"BaseReader": object},
        "llama_index.core.schema": {"Document": Kept},
        "langchain_core.document_loaders": {"BaseBlobParser": object},
        "langchain_core.documents": {"Document": Kept},
        "langchain_core.documents.base": {"Blob": Kept},
        "haystack": {
            "Document": Kept,
            "component": Component(),
            "default_from_dict": lambda kind, data: kind(**data["init_parameters"]),
            "default_to_dict": lambda _, **options: {"init_parameters": options},
            "logging": SimpleNamespace(getLogger=lambda _: SimpleNamespace(warning=lambda *_, **__: None)),
        },
        "haystack.components.converters.utils": {"normalize_metadata": lambda _, sources_count: [{}] * sources_count},
        "docling.datamodel.accelerator_options": {"AcceleratorOptions": Kept},
        "docling.datamodel.base_models": {"Page": Kept},
        "docling.datamodel.document": {"ConversionResult": Kept},
        "docling.datamodel.pipeline_options": {"OcrOptions": Kept},
        "docling.exceptions": {"OcrLanguageNotSupportedError": Unsupported},
        "docling.models.base_ocr_model": {"BaseOcrModel": BaseOcrModel},
        "docling.utils.ocr_language": {"OcrLanguage": Kept, "OcrLanguageSupport": Kept},
        "docling.utils.profiling": {"TimeRecorder": lambda *_: nullcontext()},
        "docling_core.types.doc": {"BoundingBox": Kept, "CoordOrigin": SimpleNamespace(TOPLEFT="top left")},
        "docling_core.types.doc.page": {
            "BoundingRectangle": SimpleNamespace(from_bounding_box=lambda box: box),
            "TextCell": Kept,
        },
        "django.conf": {
            "settings": SimpleNamespace(OCR_USER_ARGS=None, SCRATCH_DIR=tmp_path / "scratch", THREADS_PER_WORKER="2")
        },
        "documents.parsers": {"ParseError": ParseError, "make_thumbnail_from_pdf": lambda *files: files},
        "documents.utils": {"maybe_override_pixel_limit": lambda: None},
        "paperless.config": {"OcrConfig": lambda: paperless_config},
        "paperless.parsers": {"MetadataEntry": dict, "ParserContext": Kept},
        "paperless.parsers.utils": {
            "extract_pdf_metadata": lambda file, log: [file],
            "get_page_count_for_pdf": lambda file, log: 7,
            "post_process_text": lambda text: text or None,
        },
        "haystack.dataclasses": {"ByteStream": type("ByteStream", (Kept,), {})},
    }
    for name in [name for name in sys.modules if name.partition(".")[0] in HOSTS]:
        monkeypatch.delitem(sys.modules, name)
    for name, contents in members.items():
        for parent in [name.rsplit(".", depth)[0] for depth in range(name.count("."), -1, -1)]:
            if parent not in sys.modules:
                monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
        vars(sys.modules[name]).update(contents)

    def imported(name: str) -> Any:  # noqa: ANN401
        forget(name)
        made = importlib.import_module(f"ferrocr.integrations.{name}")
        forget(name)  # nobody else shall have it
        return made

    return imported


def forget(name: str) -> None:
    """Take an adapter out of the modules that are imported."""
    module = f"ferrocr.integrations.{name}"
    for loaded in [loaded for loaded in sys.modules if loaded == module or loaded.startswith(f"{module}.")]:
        del sys.modules[loaded]


def test_llama_index_gets_pages(adapter: Callable[[str], Any]) -> None:
    (document,) = adapter("llama_index").FerrocrReader().lazy_load_data(Path("a/b.png"), {"tag": "x"})
    assert document.text == "one\ntwo"
    assert document.metadata == {
        "file_name": "b.png",
        "file_path": str(Path("a/b.png")),
        "page_label": "3",
        **{"left": 0, "top": 0, "right": 60, "bottom": 40, "page_width": 60, "page_height": 40},
        **{"score": 0.5, "text_origin": "ocr", "tag": "x"},
    }
    assert "left" in document.excluded_embed_metadata_keys
    assert document.excluded_llm_metadata_keys == document.excluded_embed_metadata_keys


def test_langchain_gets_lines(adapter: Callable[[str], Any]) -> None:
    blob = SimpleNamespace(data=None, path="b.png", source="b.png", metadata={"tag": "x"})
    one, two = adapter("langchain").FerrocrParser(split="line").lazy_parse(blob)
    assert (one.page_content, two.page_content) == ("one", "two")
    assert (two.metadata["page"], two.metadata["page_label"], two.metadata["top"]) == (2, "3", 20)
    assert (two.metadata["source"], two.metadata["tag"]) == ("b.png", "x")


def test_haystack_gets_what_can_be_read(adapter: Callable[[str], Any]) -> None:
    converter = adapter("haystack").FerrocrToDocument(split="block")
    converter.warm_up()
    (document,) = converter.run(["folder/broken.png", "folder/b.png"])["documents"]
    assert (document.content, document.meta["file_path"], document.meta["page_number"]) == ("one\ntwo", "b.png", 3)
    again = type(converter).from_dict(converter.to_dict())
    assert (again.split, again.options) == ("block", None)
    converter.close()


def test_docling_gets_lines_where_they_stand(adapter: Callable[[str], Any]) -> None:
    docling = adapter("docling")
    assert docling.ocr_engines() == {"ocr_engines": [docling.FerrocrOcrModel]}
    options = docling.FerrocrOcrOptions(lang=[language("deu")], scale=2.0)
    model = docling.FerrocrOcrModel(True, None, options, Kept(num_threads=64))
    asked: list[dict[str, object]] = []
    backend = Kept(is_valid=lambda: True, get_page_image=lambda **wanted: asked.append(wanted))
    regions = [Kept(l=100, t=200, area=lambda: 9), Kept(area=lambda: 0)]
    page = Kept(_backend=backend, regions=regions)
    assert list(model(None, [page])) == [page]
    assert asked == [{"scale": 2.0, "cropbox": regions[0]}]
    one, two = page.cells  # type: ignore[attr-defined]
    assert [(one.index, one.text, one.confidence), (two.index, two.text)] == [(0, "one", 0.5), (1, "two")]
    assert (one.rect.l, one.rect.t, one.rect.r, one.rect.b) == (105, 202.5, 125, 206.5)
    assert one.from_ocr
    off = docling.FerrocrOcrModel(False, None, options, Kept(num_threads=1))
    assert list(off(None, [page])) == [page]
    assert docling.FerrocrOcrModel.get_options_type() is docling.FerrocrOcrOptions


def test_docling_gets_languages_as_the_engine_takes_them(adapter: Callable[[str], Any]) -> None:
    docling = adapter("docling")
    model = docling.FerrocrOcrModel(False, None, docling.FerrocrOcrOptions(lang=[]), Kept(num_threads=1))
    cases = {
        language("chi_sim"): "chi_sim",
        language("zh", "Hant"): "zh",
        language("de", "Latn", is_usual=True): "de",
        language("sr", "Latn"): "sr-Latn",
    }
    assert {one: model.map_ocr_language(one) for one in cases} == cases
    assert "rus" in model.supported_ocr_languages().native
    for unknown in (language("klingon"), language("am", "Ethi", is_usual=True)):
        with pytest.raises(Unsupported):
            model.map_ocr_language(unknown)


def test_paperless_gets_text_and_an_archive(adapter: Callable[[str], Any], tmp_path: Path) -> None:
    kind = adapter("paperless").FerrocrDocumentParser
    for attribute in ("name", "version", "author", "url"):
        assert isinstance(getattr(kind, attribute), str)
    assert [kind.score(mime, "scan") for mime in kind.supported_mime_types()] == [15] * 7
    assert kind.score("image/heic", "scan") is None
    settings = sys.modules["django.conf"].settings
    for settings.OCR_USER_ARGS, score in (('{"ocr_engine": "ferrocr"}', None), ('{"deskew": true}', 15), ("{", 15)):
        assert kind.score("image/png", "scan") == score
    file = tmp_path / "three.tif"
    pages = [draw_text(["x"]) for _ in range(3)]
    pages[0].save(file, save_all=True, append_images=pages[1:])
    with kind() as parser:
        parser.configure(Kept())
        parser.parse(file, "image/tiff")
        assert (parser.get_text(), parser.get_date()) == ("one\ntwo", None)
        archive = parser.get_archive_path()
        assert archive.read_bytes().startswith(b"%PDF-")
        assert parser.get_page_count(file, "image/tiff") == 7
        assert parser.get_thumbnail(file, "image/tiff") == (archive, archive.parent, None)
        assert parser.extract_metadata(file, "image/tiff") == []
        assert parser.extract_metadata(archive, "application/pdf") == [archive]
    assert not archive.parent.exists()


def test_paperless_s_settings_hold(
    adapter: Callable[[str], Any], paperless_config: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "scan.pdf"
    file.write_bytes(b"no PDF, so that nothing is taken out of it")
    kind = adapter("paperless").FerrocrDocumentParser
    for mode, own in (("auto", "auto"), ("redo", "auto"), ("force", "ignore"), ("off", "only")):
        paperless_config.mode = mode
        with kind() as parser:
            parser.parse(file, "application/pdf", produce_archive=False)
        assert Engine.asked.pop() == {"text_layer": own, "pages": None}
    assert Engine.made == [{"languages": ["eng"], "threads": 2, "idle_unload": 60.0}]
    paperless_config.mode, paperless_config.pages, paperless_config.max_image_pixel = "auto", 2, 0
    monkeypatch.setenv("PAPERLESS_FERROCR_OPTIONS", '{"dpi": 150, "languages": null, "threads": 3}')
    with kind() as parser:
        parser.parse(file, "application/pdf", produce_archive=False)
        assert (parser.get_text(), parser.get_archive_path()) == ("one\ntwo\n\none\ntwo", None)
    assert Engine.asked == [
        {"text_layer": "auto", "pages": "1-2", "dpi": 150},
        {"text_layer": "only", "pages": "3-", "dpi": 150},
    ]
    assert Engine.made[1:] == [{"languages": None, "threads": 3, "idle_unload": 60.0, "max_pixels": 2**63 - 1}]


def test_paperless_gets_its_own_errors(adapter: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with adapter("paperless").FerrocrDocumentParser() as parser:
        with pytest.raises(ParseError, match=r"^ferrocr: no picture$"):
            parser.parse(Path("broken.png"), "image/png", produce_archive=False)
        for options in ("{", "[]", '{"nonsense": 1}'):
            monkeypatch.setenv("PAPERLESS_FERROCR_OPTIONS", options)
            with pytest.raises(ParseError, match=r"^ferrocr: PAPERLESS_FERROCR_OPTIONS"):
                parser.parse(Path("b.png"), "image/png")


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_program_that_is_not_there_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, run, extra = ADAPTERS[name]
    for host in (*HOSTS, *(loaded for loaded in list(sys.modules) if loaded.partition(".")[0] in HOSTS)):
        monkeypatch.setitem(sys.modules, host, None)
    forget(name)
    with pytest.raises(
        ImportError, match=rf'^{program} cannot be imported: .*\n{run}: pip install "ferrocr\[{extra}\]"$'
    ):
        importlib.import_module(f"ferrocr.integrations.{name}")


def test_engines_go_with_their_objects_and_children_have_their_own(models_dir: Path, picture_file: Path) -> None:
    code = (
        "import os, sys\n"
        "from ferrocr.integrations._pieces import Pieces\n"
        "def read(pieces): return [piece.text for piece in pieces.of(sys.argv[1])]\n"
        "pieces = Pieces(split='line')\n"
        "assert read(pieces) == ['Iron tastes of rain', 'Order 4711 paid']\n"
        "if hasattr(os, 'fork'):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        os._exit(len(read(pieces)))\n"
        "    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2\n"
        "engine = pieces.engine()\n"
        "del pieces\n"
        "print(engine.closed, read(Pieces(split='line')) != [])\n"
        "kept = Pieces()\n"
        "read(kept)\n"
    )
    done = run_python(code, str(picture_file), FERROCR_MODEL_DIR=str(models_dir))
    assert (done.stdout, done.stderr, done.returncode) == ("True True\n", "", 0)
