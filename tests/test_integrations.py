"""Adapters for other programs, with the real programs where they are installed."""

import asyncio
import gc
import logging
import pickle
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image

import ferrocr
from conftest import draw_text
from ferrocr import exceptions
from ferrocr.integrations._pieces import Pieces
from pdf_files import Sheet, make_pdf, scanned, words

TITLE, ORDER = "Iron tastes of rain", "Order 4711 paid"
LETTER = [f"Line {number} of a letter that brings its text" for number in range(20)]


def needs(host: str) -> pytest.MarkDecorator:
    """Leave a test out where a program is not installed."""
    return pytest.mark.skipif(find_spec(host) is None, reason=f"{host} is not installed")


class Lent:
    """The engine of all tests in the place of one that an adapter makes: it is loaded already, and never freed."""

    engine: ferrocr.OcrEngine
    freed: list["Lent"]

    def __init__(self, **options: object) -> None:
        ferrocr.engine.OcrEngine(**options).free_resources()  # type: ignore[arg-type]
        self.was_used = False

    def recognize(self, *arguments: Any, **options: Any) -> object:  # noqa: ANN401
        self.was_used = True
        return self.engine.recognize(*arguments, **options)

    def recognize_pages(self, *arguments: Any, **options: Any) -> object:  # noqa: ANN401
        self.was_used = True
        return self.engine.recognize_pages(*arguments, **options)

    def load(self) -> None: ...

    def free_resources(self) -> None:
        self.freed.append(self)


@pytest.fixture(autouse=True)
def lent(engine: ferrocr.OcrEngine, monkeypatch: pytest.MonkeyPatch) -> type[Lent]:
    """The class that stands in for the engine's."""
    kind = type("Lent", (Lent,), {"engine": engine, "freed": []})
    monkeypatch.setattr(ferrocr, "OcrEngine", kind)
    return kind


@pytest.fixture
def released(lent: type[Lent]) -> Callable[[], int]:
    """Tells how many engines that were read with have been released since the test began."""
    gc.collect()
    lent.freed.clear()

    def count() -> int:
        gc.collect()
        return len([one for one in lent.freed if one.was_used])

    return count


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of two paragraphs."""
    path = tmp_path_factory.mktemp("pictures") / "note.png"
    draw_text([TITLE, "", "", "", ORDER]).save(path)
    return path


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory, picture: Path) -> Path:
    """A PDF of two pages: a picture, and text of its own."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "picture.pdf").write_bytes(scanned([Image.open(picture).convert("RGB")]))
    with pikepdf.open(folder / "picture.pdf") as pdf, pikepdf.open(digital(folder)) as other:
        pdf.pages.extend(other.pages)
        pdf.save(folder / "scan.pdf")
    return folder / "scan.pdf"


def digital(folder: Path) -> Path:
    """A PDF of a page with text of its own."""
    path = folder / "digital.pdf"
    content = "".join(words(line, 40, 700 - 30 * number) for number, line in enumerate(LETTER))
    path.write_bytes(make_pdf([Sheet(content, (612, 792))]))
    return path


class TestPieces:
    """The part that the adapters have in common."""

    def test_pages_blocks_and_lines(self, picture: Path) -> None:
        (page,) = Pieces().of(picture)
        assert page.text == f"{TITLE}\n\n{ORDER}"
        assert page.box == (0, 0, 900, 384)
        assert page.score > 0.95
        blocks = list(Pieces("block").of(picture))
        assert [block.text for block in blocks] == [TITLE, ORDER]
        (line,) = Pieces("line", min_score=0.5).of(draw_text([ORDER]))
        assert line.text == ORDER
        known = line.metadata()
        assert 20 < known["left"] < 40  # type: ignore[operator]
        assert (known["page_width"], known["text_origin"]) == (900, "ocr")
        assert {type(value) for value in known.values()} <= {str, int, float}

    def test_pages_come_when_they_are_asked_for(self, scan: Path, engine: ferrocr.OcrEngine) -> None:
        pieces = Pieces()
        first, second = pieces.of(scan)
        assert (first.page.number, first.page.origin) == (1, "ocr")
        assert (second.page.number, second.page.origin) == (2, "text layer")
        assert second.text.split()[:2] == ["Line", "0"]
        generator = pieces.of(scan)
        assert next(generator).page.number == 1
        assert engine._documents
        generator.close()
        assert not engine._documents

    def test_options_are_for_reading_or_for_the_engine(self, scan: Path) -> None:
        (page,) = Pieces(pages="2", text_layer="ignore", dpi=72, languages=["en"], threads=1).of(scan)
        assert (page.page.number, page.page.origin, page.page.dpi) == (2, "ocr", 72)

    @pytest.mark.parametrize("options", [{"split": "word"}, {"preset": "slow"}, {"languages": ["xx"]}])
    def test_wrong_options_are_refused_at_once(self, options: dict[str, Any]) -> None:
        with pytest.raises(exceptions.InvalidArgumentError):
            Pieces(**options)
        with pytest.raises(TypeError):
            Pieces(nonsense=1)

    def test_the_engine_goes_with_it_and_comes_back(self, picture: Path, released: Callable[[], int]) -> None:
        pieces = Pieces()
        list(pieces.of(picture))
        pieces.close()
        assert released() == 1
        assert list(pieces.of(picture))
        del pieces
        assert released() == 2

    def test_a_copy_in_another_process_has_its_own(self, picture: Path) -> None:
        pieces = Pieces("line", min_score=0.2)
        list(pieces.of(picture))
        copy = pickle.loads(pickle.dumps(pieces))
        assert copy.engine() is not pieces.engine()
        assert [piece.text for piece in copy.of(picture)] == [TITLE, ORDER]

    def test_a_page_without_text_has_no_score(self) -> None:
        (page,) = Pieces().of(Image.new("L", (50, 40), 255))
        assert (page.text, page.score) == ("", 0.0)


@needs("markitdown")
class TestMarkItDown:
    """The plugin of MarkItDown."""

    @pytest.fixture
    def program(self) -> Any:  # noqa: ANN401
        from markitdown import MarkItDown

        made = MarkItDown(enable_plugins=True)
        # Where the package was installed, MarkItDown has found the plugin by itself.
        if not [one for one in entry_points(group="markitdown.plugin") if one.name == "ferrocr"]:
            import_module("ferrocr.integrations.markitdown").register_converters(made)
        return made

    def test_a_picture_is_its_text(self, program: Any, picture: Path) -> None:  # noqa: ANN401
        result = program.convert(picture)
        assert result.markdown == f"{TITLE}\n\n{ORDER}\n"
        assert result.pages[0].page.lines[0].score > 0.9

    def test_a_scan_is_read_and_other_files_are_left_alone(self, program: Any, scan: Path) -> None:  # noqa: ANN401
        result = program.convert(scan)
        assert result.markdown.startswith(f"{TITLE}\n\n{ORDER}\n\n---\n\nLine 0 of a letter")
        assert [page.origin for page in result.pages] == ["ocr", "text layer"]
        is_read = find_spec("pdfplumber") is not None
        whole = program.convert(digital(scan.parent))
        assert "Line 19 of a letter" in whole.markdown
        assert hasattr(whole, "pages") != is_read
        (scan.parent / "note.csv").write_text("a,b\n1,2\n")
        assert "| a | b |" in program.convert(scan.parent / "note.csv").markdown

    def test_a_describer_of_pictures_gets_them(self, picture: Path) -> None:
        from markitdown import StreamInfo

        converter = import_module("ferrocr.integrations.markitdown").FerrocrConverter()
        info = StreamInfo(extension=".png")
        with picture.open("rb") as file:
            assert converter.accepts(file, info)
            assert not converter.accepts(file, info, llm_client=object())
            assert not converter.accepts(file, StreamInfo(extension=".docx"))

    def test_options_come_with_the_program(self, picture: Path) -> None:
        from markitdown import MarkItDown

        plugin = import_module("ferrocr.integrations.markitdown")
        made = MarkItDown()
        plugin.register_converters(made, ferrocr={"min_score": 1.0}, other=1)
        assert made.convert(picture).markdown == ""

    def test_the_engine_goes_with_the_program(self, picture: Path, released: Callable[[], int]) -> None:
        from markitdown import MarkItDown

        made = MarkItDown()
        import_module("ferrocr.integrations.markitdown").register_converters(made)
        made.convert(picture)
        del made
        assert released() == 1


@needs("langchain_core")
class TestLangChain:
    """The parser of LangChain."""

    def test_documents_have_page_place_and_score(self, scan: Path) -> None:
        from langchain_core.documents.base import Blob

        from ferrocr.integrations.langchain import FerrocrParser

        first, second = FerrocrParser().lazy_parse(Blob.from_path(scan, metadata={"tag": "x"}))
        assert first.page_content == f"{TITLE}\n\n{ORDER}"
        assert (first.metadata["source"], first.metadata["page"], first.metadata["page_label"]) == (str(scan), 0, "1")
        assert (second.metadata["page"], second.metadata["text_origin"], second.metadata["tag"]) == (
            1,
            "text layer",
            "x",
        )
        assert first.metadata["score"] > 0.9

    def test_bytes_are_read_and_errors_are_raised(self, picture: Path) -> None:
        from langchain_core.documents.base import Blob

        from ferrocr.integrations.langchain import FerrocrParser

        parser = FerrocrParser(split="line")
        documents = parser.parse(Blob.from_data(picture.read_bytes(), path="memory.png"))
        assert [one.page_content for one in documents] == [TITLE, ORDER]
        assert documents[1].metadata["top"] > documents[0].metadata["bottom"]
        assert documents[0].metadata["source"] == "memory.png"
        with pytest.raises(exceptions.ImageError):
            parser.parse(Blob.from_data(b"no picture"))

    def test_the_engine_goes_with_the_parser(self, picture: Path, released: Callable[[], int]) -> None:
        from langchain_core.documents.base import Blob

        from ferrocr.integrations.langchain import FerrocrParser

        parser = FerrocrParser()
        parser.parse(Blob.from_path(picture))
        del parser
        assert released() == 1


@needs("llama_index")
class TestLlamaIndex:
    """The reader of LlamaIndex."""

    def test_a_folder_is_read(self, scan: Path, picture: Path, tmp_path: Path) -> None:
        from llama_index.core import SimpleDirectoryReader
        from llama_index.core.schema import MetadataMode

        from ferrocr.integrations.llama_index import FerrocrReader

        for file in (scan, picture):
            (tmp_path / file.name).write_bytes(file.read_bytes())
        reader = FerrocrReader()
        documents = SimpleDirectoryReader(tmp_path, file_extractor={".pdf": reader, ".png": reader}).load_data()
        assert [(one.metadata["file_name"], one.metadata["page_label"]) for one in documents] == [
            ("note.png", "1"),
            ("scan.pdf", "1"),
            ("scan.pdf", "2"),
        ]
        assert documents[0].text == f"{TITLE}\n\n{ORDER}"
        assert documents[0].metadata["file_size"] == picture.stat().st_size
        shown = documents[0].get_content(metadata_mode=MetadataMode.EMBED)
        assert "page_label: 1" in shown
        assert "page_width" not in shown

    def test_lines_have_their_places(self, picture: Path) -> None:
        from ferrocr.integrations.llama_index import FerrocrReader

        title, order = FerrocrReader(split="line").load_data(str(picture))
        assert title.metadata["bottom"] < order.metadata["top"]
        assert FerrocrReader().load_data(picture, extra_info={"tag": "x"})[0].metadata["tag"] == "x"

    def test_other_file_systems_are_read(self, picture: Path) -> None:
        from ferrocr.integrations.llama_index import FerrocrReader

        class Remote:
            def cat_file(self, name: str) -> bytes:
                assert name == "far/note.png"
                return picture.read_bytes()

        (document,) = FerrocrReader().load_data("far/note.png", fs=Remote())
        assert document.metadata["file_name"] == "note.png"


@needs("haystack")
class TestHaystack:
    """The component of Haystack."""

    def test_a_pipeline_reads_and_closes(self, scan: Path, picture: Path, released: Callable[[], int]) -> None:
        from haystack import Pipeline
        from haystack.dataclasses import ByteStream

        from ferrocr.integrations.haystack import FerrocrToDocument

        pipeline = Pipeline()
        pipeline.add_component("read", FerrocrToDocument(options={"languages": ["en"]}))
        stream = ByteStream(picture.read_bytes(), meta={"name": "memory"})
        sources = {"sources": [str(scan), stream], "meta": {"tag": "x"}}
        documents = pipeline.run({"read": sources})["read"]["documents"]
        assert [one.meta["page_number"] for one in documents] == [1, 2, 1]
        assert documents[0].content == documents[2].content == f"{TITLE}\n\n{ORDER}"
        assert (documents[0].meta["file_path"], documents[2].meta["name"]) == ("scan.pdf", "memory")
        assert {one.meta["tag"] for one in documents} == {"x"}
        pipeline.close()
        assert released() == 1

    def test_a_pipeline_is_written_and_read_back(self, picture: Path) -> None:
        from haystack import Pipeline

        from ferrocr.integrations.haystack import FerrocrToDocument

        pipeline = Pipeline()
        pipeline.add_component("read", FerrocrToDocument(split="line", options={"min_score": 0.4}))
        again = Pipeline.loads(pipeline.dumps(), allowed_modules=["ferrocr.integrations.haystack"])
        documents = again.run({"read": {"sources": [picture]}})["read"]["documents"]
        assert [one.content for one in documents] == [TITLE, ORDER]

    def test_what_cannot_be_read_is_left_out_with_a_warning(
        self, picture: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        from ferrocr.integrations.haystack import FerrocrToDocument

        (tmp_path / "broken.png").write_bytes(b"no picture")
        converter = FerrocrToDocument(store_full_path=True)
        with caplog.at_level(logging.WARNING):
            documents = converter.run([tmp_path / "broken.png", tmp_path / "nowhere.png", picture])["documents"]
        assert [one.meta["file_path"] for one in documents] == [str(picture)]
        assert caplog.text.count("Skipping it") == 2


@needs("pymupdf4llm")
class TestPyMuPdf4Llm:
    """The function of PyMuPDF4LLM."""

    def test_a_scan_has_its_text(self, scan: Path, released: Callable[[], int]) -> None:
        import pymupdf4llm

        from ferrocr.integrations.pymupdf4llm import FerrocrFunction

        function = FerrocrFunction()
        text = pymupdf4llm.to_markdown(str(scan), ocr_function=function)
        assert TITLE in text
        assert ORDER in text
        assert "Line 0 of a letter" in text
        del function
        assert released() == 1

    def test_text_is_where_it_stands_and_legible_text_is_kept(self, scan: Path) -> None:
        import pymupdf

        from ferrocr.integrations.pymupdf4llm import FerrocrFunction

        function = FerrocrFunction(min_score=0.3)
        with pymupdf.open(str(scan)) as document:
            before = document[1].get_text()
            for number in (0, 1):
                function(document[number], dpi=150, language="eng+deu")
            found = {word[4]: word[:4] for word in document[0].get_text("words")}
            # The picture of 900x384 pixels is a page of 648x276.48 points.
            assert found["Iron"][0] == pytest.approx(32 * 0.72, abs=6)
            assert found["4711"][1] == pytest.approx(272 * 0.72, abs=12)
            assert document[1].get_text() == before

    def test_unknown_languages_are_refused(self, scan: Path) -> None:
        import pymupdf

        from ferrocr.integrations.pymupdf4llm import FerrocrFunction

        with pymupdf.open(str(scan)) as document:
            with pytest.raises(exceptions.InvalidArgumentError, match="does not know the language klingon"):
                FerrocrFunction()(document[0], language="klingon")
            FerrocrFunction(languages=["en"])(document[0], language="klingon")
            assert ORDER in document[0].get_text()


def test_reading_in_an_event_loop(picture: Path) -> None:
    pieces = Pieces()
    text = asyncio.run(asyncio.to_thread(lambda: [one.text for one in pieces.of(picture)]))
    assert text == [f"{TITLE}\n\n{ORDER}"]
