"""The parser in paperless-ngx, with its own sources: the folder that PAPERLESS names, in an environment for them."""

import importlib
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conftest import draw_text
from pdf_files import Sheet, make_pdf, scanned, words

SOURCES = Path(os.environ.get("PAPERLESS") or "there is none") / "src"
if not (SOURCES / "paperless" / "parsers").is_dir() or find_spec("django") is None:
    pytest.skip("PAPERLESS names no sources of paperless-ngx 3, or Django is not installed", allow_module_level=True)

# Warnings of paperless-ngx and its packages are not ours.
pytestmark = pytest.mark.filterwarnings("default")

LINES = ["Iron tastes of rain", "Order 4711 paid", "Dated 14 March 2026"]
TEXT = "\n".join(LINES)
OLD = (
    "An earlier reading that nobody wants to have, " * 2 + "with more letters than a stamp or a page number would have"
)

has_pictures_of_pages = shutil.which("convert") is not None and shutil.which("gs") is not None


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """paperless-ngx with an empty database."""
    folder = tmp_path_factory.mktemp("paperless")
    names = {"DATA_DIR": "data", "MEDIA_ROOT": "media", "CONSUMPTION_DIR": "consume", "SCRATCH_DIR": "scratch"}
    for name, place in names.items():
        (folder / place).mkdir()
        os.environ[f"PAPERLESS_{name}"] = str(folder / place)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "paperless.settings",
        "PAPERLESS_SECRET_KEY": "of tests",
        "PAPERLESS_DISABLE_DBHANDLER": "true",
        "PAPERLESS_CACHE_BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "PAPERLESS_CHANNELS_BACKEND": "channels.layers.InMemoryChannelLayer",
        "PAPERLESS_THREADS_PER_WORKER": "2",
    }
    sys.path.insert(0, str(SOURCES))
    importlib.import_module("django").setup()
    importlib.import_module("django.core.management").call_command("migrate", verbosity=0)
    registry = importlib.import_module("paperless.parsers.registry").get_parser_registry()
    if not any(point.value.startswith("ferrocr.") for point in entry_points(group="paperless_ngx.parsers")):
        registry._external.append(adapter().FerrocrDocumentParser)
    yield registry
    adapter()._parser._engines.release()
    sys.path.remove(str(SOURCES))


def adapter() -> Any:  # noqa: ANN401  # it can only be imported where Django is set up
    return importlib.import_module("ferrocr.integrations.paperless")


@pytest.fixture(autouse=True)
def _models(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_MODEL_DIR", str(models_dir))
    monkeypatch.delenv("PAPERLESS_FERROCR_OPTIONS", raising=False)


@pytest.fixture
def parsed(host: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:  # noqa: ANN401
    """Parses a file as paperless-ngx does, with settings of its own."""
    settings = importlib.import_module("django.test").override_settings
    entered = []

    def parse(name: str, content: bytes, *, archive: bool = True, **changed: object) -> Any:  # noqa: ANN401
        file, kind = tmp_path / name, "application/pdf" if name.endswith("pdf") else f"image/{file_kind(name)}"
        file.write_bytes(content)
        parser = host.get_parser_for_file(kind, name, file)()
        entered.append(parser.__enter__())
        parser.configure(importlib.import_module("paperless.parsers").ParserContext())
        with settings(**changed):
            parser.parse(file, kind, produce_archive=archive)
        return parser

    yield parse
    for parser in entered:
        parser.__exit__(None, None, None)
        assert not parser._folder.exists()


def file_kind(name: str) -> str:
    return {"jpg": "jpeg", "tif": "tiff"}.get(name.rpartition(".")[2], name.rpartition(".")[2])


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def with_old_text(picture: Image.Image) -> bytes:
    """A scan that somebody has run an OCR over."""
    pikepdf, out = importlib.import_module("pikepdf"), io.BytesIO()
    with pikepdf.open(io.BytesIO(scanned([picture]))) as pdf:
        page, name = pdf.pages[0], pikepdf.Name
        page.Resources.Font = pikepdf.Dictionary(
            F1=pikepdf.Dictionary(Type=name.Font, Subtype=name.Type1, BaseFont=name.Helvetica)
        )
        page.contents_add(pdf.make_stream(words(OLD, size=4, mode=3).encode()))
        pdf.save(out)
    return out.getvalue()


def text_of(pdf: Path, page: int = 0) -> str:
    """The text that PDFium finds on a page."""
    with importlib.import_module("pypdfium2").PdfDocument(pdf) as document:
        return str(document[page].get_textpage().get_text_bounded()).replace("\r\n", "\n").strip()


def test_paperless_finds_it_and_prefers_it(host: Any) -> None:  # noqa: ANN401
    protocol = importlib.import_module("paperless.parsers").ParserProtocol
    for kind in ("application/pdf", "image/jpeg", "image/png", "image/tiff", "image/gif", "image/bmp", "image/webp"):
        assert host.get_parser_for_file(kind, "scan").name == "ferrocr"
    with adapter().FerrocrDocumentParser() as parser:
        assert isinstance(parser, protocol)
        assert (parser.can_produce_archive, parser.requires_pdf_rendition) == (True, False)
    assert "Tesseract" in host.get_parser_for_file("image/heic", "scan").name
    with importlib.import_module("django.test").override_settings(OCR_USER_ARGS='{"ocr_engine": "ferrocr"}'):
        assert "Tesseract" in host.get_parser_for_file("image/png", "scan").name


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "gif", "bmp", "webp"])
def test_pictures_become_archives(kind: str, parsed: Callable[..., Any]) -> None:
    picture = saved(draw_text(LINES), file_kind(kind), dpi=(150, 150))
    parser = parsed(f"scan.{kind}", picture)
    assert parser.get_text() == TEXT
    assert text_of(parser.get_archive_path()) == TEXT
    assert parser.get_page_count(Path("scan"), f"image/{file_kind(kind)}") == 1
    assert parser.get_date() is None


def test_archives_are_made_where_they_are_wanted(parsed: Callable[..., Any]) -> None:
    parser = parsed("scan.png", saved(draw_text(LINES), "png"), archive=False)
    assert (parser.get_text(), parser.get_archive_path()) == (TEXT, None)
    assert parser.get_page_count(Path("scan.png"), "image/png") is None


def test_modes_say_what_becomes_of_text_that_is_there(parsed: Callable[..., Any]) -> None:
    scan = with_old_text(draw_text(LINES))
    drawn = make_pdf([Sheet(words(OLD, size=3))])
    expected = {
        "auto": (OLD, OLD, OLD),
        "redo": (TEXT, TEXT, OLD),
        "force": (TEXT, TEXT, OLD),
        "off": (OLD, OLD, OLD),
    }
    for mode, (text, archived, of_drawn) in expected.items():
        parser = parsed("scan.pdf", scan, OCR_MODE=mode)
        assert (parser.get_text(), text_of(parser.get_archive_path())) == (text, archived), mode
        assert text_of(parsed("drawn.pdf", drawn, OCR_MODE=mode).get_archive_path()) == of_drawn, mode
    nothing = parsed("scan.png", saved(draw_text(LINES), "png"), OCR_MODE="off")
    assert (nothing.get_text(), text_of(nothing.get_archive_path())) == ("", "")


def test_text_of_later_pages_is_taken_where_it_is(parsed: Callable[..., Any]) -> None:
    one, other = draw_text(LINES), draw_text(["Second page of it"])
    assert "Second" not in parsed("scan.pdf", scanned([one, other]), OCR_PAGES=1).get_text()
    assert "Second" in parsed("scan.pdf", scanned([one, other])).get_text()
    assert parsed("scan.pdf", scanned([one, other]), OCR_PAGES=1).get_page_count(Path("none"), "image/png") == 2
    two = saved(draw_text(LINES), "tiff", save_all=True, append_images=[draw_text(["Second page of it"])])
    parser = parsed("scan.tif", two, OCR_PAGES=1)
    assert (parser.get_text(), text_of(parser.get_archive_path(), 1)) == (TEXT, "")


def test_pages_of_the_archive_stand_upright(parsed: Callable[..., Any]) -> None:
    pikepdf = importlib.import_module("pikepdf")
    for turn, expected in ((90, 90), (180, 180), (270, 270)):
        picture = saved(draw_text(LINES).rotate(turn, expand=True), "png")
        for wanted, turned in ((True, expected), (False, 0)):
            parser = parsed("scan.png", picture, OCR_ROTATE_PAGES=wanted)
            assert parser.get_text() == TEXT
            with pikepdf.open(parser.get_archive_path()) as pdf:
                assert int(pdf.pages[0].get("/Rotate", 0)) == turned


def test_what_may_not_be_changed_is_read(parsed: Callable[..., Any]) -> None:
    signed = make_pdf(
        [Sheet(words("signed by hand"))],
        objects=[b"<</FT/Sig/T(s)/V<</Type/Sig>>>>"],
        root="/AcroForm<</SigFlags 1/Fields[6 0 R]>>",
    )
    parser = parsed("signed.pdf", signed)
    assert (parser.get_text(), parser.get_archive_path()) == ("signed by hand", None)
    pikepdf, out = importlib.import_module("pikepdf"), io.BytesIO()
    with pikepdf.open(io.BytesIO(signed)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user="user"))
    parser = parsed("locked.pdf", out.getvalue())
    assert (parser.get_text(), parser.get_archive_path()) == ("", None)
    assert parser.extract_metadata(Path("locked.pdf"), "application/pdf") == []


def test_errors_are_paperless_s(parsed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    error = importlib.import_module("documents.parsers").ParseError
    with pytest.raises(error, match="damaged"):
        parsed("broken.pdf", b"%PDF-1.4\nbroken")
    with pytest.raises(error, match=r"^ferrocr: .*klingon"):
        parsed("scan.png", saved(draw_text(LINES), "png"), OCR_LANGUAGE="klingon")
    for options in ("{", "[]", '{"nonsense": 1}'):
        monkeypatch.setenv("PAPERLESS_FERROCR_OPTIONS", options)
        with pytest.raises(error, match="PAPERLESS_FERROCR_OPTIONS"):
            parsed("scan.png", saved(draw_text(LINES), "png"))


def test_settings_reach_the_engine(parsed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERLESS_FERROCR_OPTIONS", '{"preset": "fast", "min_score": 0.99999}')
    settings = importlib.import_module("ferrocr.integrations.paperless._settings")
    config = importlib.import_module("paperless.config").OcrConfig
    with importlib.import_module("django.test").override_settings(OCR_LANGUAGE="deu+eng", OCR_MAX_IMAGE_PIXELS=1000):
        made = settings.settings_of(config(), 3)
        assert '"languages": ["deu", "eng"], "max_pixels": 2000, "preset": "fast", "threads": 3' in made.engine
    assert made.call == {"min_score": 0.99999}
    assert parsed("scan.png", saved(draw_text(LINES), "png")).get_text() == ""
    monkeypatch.delenv("PAPERLESS_FERROCR_OPTIONS")
    error = importlib.import_module("documents.parsers").ParseError
    with pytest.raises(error, match="pixels"):
        parsed("scan.png", saved(draw_text(LINES), "png"), OCR_MAX_IMAGE_PIXELS=1000)


@pytest.mark.skipif(not has_pictures_of_pages, reason="paperless-ngx makes thumbnails with ImageMagick and Ghostscript")
def test_documents_are_consumed(host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    # On a machine with other work paperless-ngx gives its search for dates up after a tenth of a second.
    monkeypatch.setattr(importlib.import_module("documents.regex"), "REGEX_TIMEOUT_SECONDS", 60)
    tasks, models = importlib.import_module("documents.tasks"), importlib.import_module("documents.data_models")
    file = tmp_path / "scan.pdf"
    file.write_bytes(scanned([draw_text(LINES), draw_text(["Second page of it"])]))
    given = models.ConsumableDocument(source=models.DocumentSource.ConsumeFolder, original_file=file)
    done = tasks.consume_file.apply(args=[given, None])
    assert done.successful(), done.result
    (document,) = importlib.import_module("documents.models").Document.objects.all()
    assert document.content == f"{TEXT}\n\nSecond page of it"
    assert (document.page_count, document.created) == (2, date(2026, 3, 14))
    assert text_of(document.archive_path) == TEXT
    with Image.open(document.thumbnail_path) as thumbnail:
        assert thumbnail.format == "WEBP"
    assert host.get_parser_for_file(document.mime_type, "scan.pdf").name == "ferrocr"
