"""Adapters with stand-ins for their programs: what they ask of these, and what is said where they are not there."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import ferrocr
from conftest import run_python
from ferrocr import DocumentPage, Line, Page, exceptions

ADAPTERS = {
    "markitdown": ("MarkItDown", "markitdown"),
    "langchain": ("LangChain", "langchain"),
    "llama_index": ("LlamaIndex", "llamaindex"),
    "haystack": ("Haystack", "haystack"),
}
HOSTS = ("markitdown", "langchain_core", "llama_index", "haystack")


class Engine:
    """Reads a page of two lines; a file that is named so is broken."""

    def __init__(self, **options: object) -> None: ...

    def load(self) -> None: ...

    def free_resources(self) -> None: ...

    def recognize_pages(self, document: object, **options: object) -> Any:  # noqa: ANN401
        if "broken" in str(document):
            message = "no picture"
            raise exceptions.ImageError(message)
        quads = [((10.0, y), (50.0, y), (50.0, y + 8), (10.0, y + 8)) for y in (5.0, 20.0)]
        lines = tuple(Line(text, 0.5, quad, ()) for text, quad in zip(("one", "two"), quads, strict=True))
        yield DocumentPage(3, Page(60, 40, lines), source=str(document))


class Kept:
    """A document of any program."""

    def __init__(self, *arguments: object, **members: object) -> None:
        self.__dict__.update(members)


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> "Callable[[str], Any]":
    """Imports an adapter whose program is a stand-in."""
    monkeypatch.setattr(ferrocr, "OcrEngine", Engine)

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
        module = f"ferrocr.integrations.{name}"
        monkeypatch.delitem(sys.modules, module, raising=False)
        made = importlib.import_module(module)
        del sys.modules[module]  # nobody else shall have it
        return made

    return imported


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


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_program_that_is_not_there_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, extra = ADAPTERS[name]
    for host in HOSTS:
        monkeypatch.setitem(sys.modules, host, None)
    module = f"ferrocr.integrations.{name}"
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(
        ImportError, match=rf'^{program} cannot be imported: .*\nrun: pip install "ferrocr\[{extra}\]"$'
    ):
        importlib.import_module(module)


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
