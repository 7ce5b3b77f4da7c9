"""The engine in Docling, with Docling's own classes. The models that it fetches for layouts are not needed here."""

import gc
import importlib
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

import ferrocr
from conftest import draw_text

if find_spec("docling") is None:
    pytest.skip("Docling is not installed", allow_module_level=True)

from docling.datamodel.accelerator_options import AcceleratorOptions
from docling.exceptions import OcrLanguageNotSupportedError
from docling_core.types.doc import BoundingBox, CoordOrigin

from ferrocr.integrations import docling as adapter
from ferrocr.integrations.docling import FerrocrOcrModel, FerrocrOcrOptions
from pdf_files import scanned


@pytest.fixture(autouse=True)
def _models(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_MODEL_DIR", str(models_dir))


def model_of(options: FerrocrOcrOptions) -> FerrocrOcrModel:
    accelerator = AcceleratorOptions(num_threads=2)
    return FerrocrOcrModel(enabled=True, artifacts_path=None, options=options, accelerator_options=accelerator)


class Backend:
    """A page of a document that is a picture at 216 dots to the inch."""

    def __init__(self, picture: Image.Image) -> None:
        self.picture = picture

    def is_valid(self) -> bool:
        return True

    def get_page_image(self, *, scale: float, cropbox: Any) -> Image.Image:  # noqa: ANN401
        box = [round(scale * side) for side in (cropbox.l, cropbox.t, cropbox.r, cropbox.b)]
        return self.picture.crop((box[0], box[1], box[2], box[3]))


def read(model: FerrocrOcrModel, monkeypatch: pytest.MonkeyPatch, regions: list[BoundingBox]) -> list[Any]:
    """Return the cells that the model finds in these regions."""
    found: list[Any] = []
    monkeypatch.setattr(model, "get_ocr_rects", lambda _: regions)
    monkeypatch.setattr(model, "post_process_cells", lambda cells, *_: found.extend(cells))
    page: Any = SimpleNamespace(_backend=Backend(draw_text(["Iron tastes of rain", "Order 4711 paid"])))
    profiled: Any = SimpleNamespace(timings={})
    assert list(model(profiled, [page])) == [page]
    return found


def region(left: float, top: float, right: float, bottom: float) -> BoundingBox:
    return BoundingBox(l=left, t=top, r=right, b=bottom, coord_origin=CoordOrigin.TOPLEFT)


def test_lines_stand_where_they_are_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(FerrocrOcrOptions(lang=["eng"]))
    whole = read(model, monkeypatch, [region(0, 0, 300, 64)])
    assert [cell.text for cell in whole] == ["Iron tastes of rain", "Order 4711 paid"]
    assert [cell.index for cell in whole] == [0, 1]
    lower = read(model, monkeypatch, [region(0, 25, 300, 64), region(0, 0, 0, 0)])
    assert [cell.text for cell in lower] == ["Order 4711 paid"]
    boxes = [cell.rect.to_bounding_box() for cell in (whole[1], lower[0])]
    assert boxes[0].as_tuple() == pytest.approx(boxes[1].as_tuple(), abs=2)
    assert boxes[0].l == pytest.approx(32 / 3, abs=2)
    assert 26 < boxes[0].t < boxes[0].b < 43
    assert lower[0].from_ocr
    assert lower[0].confidence > 0.9


def test_whole_pages_are_read_where_docling_is_told_so(tmp_path: Path) -> None:
    """From a file to the cells of its page, all by Docling's own classes."""
    base = importlib.import_module("docling.datamodel.base_models")
    document = importlib.import_module("docling.datamodel.document")
    first = importlib.import_module("docling.models.stages.page_preprocessing.page_preprocessing_model")
    file = tmp_path / "scan.pdf"
    file.write_bytes(scanned([draw_text(["Iron tastes of rain", "Order 4711 paid"])], dpi=144))
    backend = importlib.import_module("docling.backend.pypdfium2_backend").PyPdfiumDocumentBackend
    opened = document.InputDocument(path_or_stream=file, format=base.InputFormat.PDF, backend=backend)
    result, page = document.ConversionResult(input=opened), base.Page(page_no=1)
    page._backend = opened._backend.load_page(0)
    page.size = page._backend.get_size()
    options = first.PagePreprocessingOptions(images_scale=None)
    pages = list(first.PagePreprocessingModel(options=options)(result, [page]))
    model = model_of(FerrocrOcrOptions(lang=["iso:en"], force_full_page_ocr=True))
    assert list(model(result, pages)) == pages
    assert [cell.text for cell in page.cells] == ["Iron tastes of rain", "Order 4711 paid"]
    assert all(cell.from_ocr for cell in page.cells)
    boxes = [cell.rect.to_bounding_box() for cell in page.cells]
    # Half of the pixels, where the letters stand.
    assert [box.l for box in boxes] == pytest.approx([16, 16], abs=3)
    assert 8 < boxes[0].t < boxes[0].b < 32 < boxes[1].t < boxes[1].b < 64
    page._backend.unload()
    opened._backend.unload()


def test_languages_are_docling_s_or_the_engine_s() -> None:
    codes = {
        ("eng", "deu"): ["eng", "deu"],
        ("iso:de",): ["de"],
        ("iso:zh-Hant", "iso:en"): ["zh", "en"],
        ("iso:sr-Latn",): ["sr-Latn"],
        (): [],
    }
    for asked, expected in codes.items():
        assert model_of(FerrocrOcrOptions(lang=list(asked))).resolve_ocr_languages() == expected
    with pytest.raises(OcrLanguageNotSupportedError, match="klingon"):
        model_of(FerrocrOcrOptions(lang=["klingon"]))


def test_options_are_of_the_engine() -> None:
    with pytest.raises(ferrocr.InvalidArgumentError):
        model_of(FerrocrOcrOptions(models="nothing"))
    with pytest.raises(TypeError):
        model_of(FerrocrOcrOptions(options={"nonsense": 1}))


def test_the_engine_goes_with_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(FerrocrOcrOptions())
    read(model, monkeypatch, [region(0, 0, 300, 64)])
    engine = model._engines.engine(None)
    assert engine.loaded
    monkeypatch.undo()
    del model
    gc.collect()
    assert engine.closed


def test_docling_makes_it_by_its_options() -> None:
    factories = importlib.import_module("docling.models.factories.ocr_factory")
    factory = factories.OcrFactory()
    is_known = any(point.value == adapter.__name__ for point in entry_points(group="docling"))
    if is_known:
        factory.load_from_plugins(allow_external_plugins=True)
    else:
        factory.process_plugin(adapter.ocr_engines(), "ferrocr", adapter.__name__)
    assert "ferrocr" in factory.registered_kind
    options = factory.create_options("ferrocr", lang=["eng"])
    accelerator = AcceleratorOptions(num_threads=1)
    made = factory.create_instance(options, enabled=True, artifacts_path=None, accelerator_options=accelerator)
    assert isinstance(made, FerrocrOcrModel)
