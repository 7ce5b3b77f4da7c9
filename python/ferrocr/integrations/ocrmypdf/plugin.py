"""The plugin: the hooks that OCRmyPDF calls, and the engine that they give it."""

import argparse
import logging
import types
from collections.abc import Set, Sized
from contextlib import closing
from pathlib import Path
from typing import Protocol

import PIL.Image
from ocrmypdf import hookimpl
from ocrmypdf.hocrtransform import OcrElement
from ocrmypdf.pluginspec import OcrEngine as Interface
from ocrmypdf.pluginspec import OrientationConfidence

from ..._core import __version__
from ..._engine._options import PRESETS
from ..._languages import EVERYTHING, KNOWN
from ...exceptions import OcrTimeoutError
from ...formats import Sheet, chunks
from ...formats._layout import direction_of
from ...results import Page
from ._engines import Options, check_models, engine_of, has_tesseract, settings_of, share_of_threads, translated
from ._pages import element_of, skew_of, text_of_page, text_pdf

_NAME = "ferrocr"

_TESSERACT = "ocrmypdf.builtin_plugins.tesseract_ocr"

_REDUCED = 1280
"""Pixels of the longer side of a page whose direction is asked for: as many as the detector sees at most."""

_UNKNOWN_DPI = 300.0

log = logging.getLogger("ferrocr.ocrmypdf_plugin")


class _Plugins(Protocol):
    """OCRmyPDF's plugins."""

    def get_plugin(self, name: str) -> object: ...

    def register(self, plugin: object, name: str) -> object: ...

    def unregister(self, plugin: object) -> object: ...


@hookimpl
def initialize(plugin_manager: _Plugins) -> None:
    """Let OCRmyPDF do without Tesseract when another engine is chosen.

    Its own plugin asks for the program whichever engine is chosen, and nothing but that is left out.
    """
    builtin = plugin_manager.get_plugin(_TESSERACT)
    if not isinstance(builtin, types.ModuleType) or isinstance(builtin, _TesseractWhenChosen):
        return
    plugin_manager.unregister(builtin)
    plugin_manager.register(_TesseractWhenChosen(builtin), _TESSERACT)


@hookimpl
def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the engine's name to those that can be chosen, and its own options."""
    for action in parser._actions:
        if action.dest == "ocr_engine" and action.choices is not None and _NAME not in action.choices:
            action.choices = [*action.choices, _NAME]
            action.help = f"{action.help} '{_NAME}' uses ferrocr, and so does 'auto' where there is no Tesseract."
    group = parser.add_argument_group("ferrocr", "Options of --ocr-engine ferrocr")
    group.add_argument("--ferrocr-models", metavar="SET", help="a set of models; `ferrocr models list` names them")
    group.add_argument("--ferrocr-model-dir", metavar="DIR", help="the model directory")
    fast = "fast: less work, somewhat less accurate"
    group.add_argument("--ferrocr-preset", choices=PRESETS, help=fast)
    limit = "leave a page without text whose reading takes longer"
    group.add_argument("--ferrocr-timeout", type=float, metavar="SECONDS", help=limit)


@hookimpl
def check_options(options: Options) -> None:
    """Refuse what cannot work before the file is touched, and fetch missing models."""
    if _is_chosen(options):
        check_models(settings_of(options))


@hookimpl
def validate(pdfinfo: Sized, options: Options) -> None:
    """Divide the processors among the workers."""
    options.extra_attrs["ferrocr_threads"] = share_of_threads(options, len(pdfinfo))


@hookimpl(tryfirst=True)
def get_ocr_engine(options: Options | None) -> "FerrocrEngine | None":
    """Return the engine, where it is chosen."""
    return FerrocrEngine() if _is_chosen(options) else None


def _is_chosen(options: Options | None) -> bool:
    name = "auto" if options is None else getattr(options, "ocr_engine", "auto")
    return name == _NAME or (name == "auto" and not has_tesseract())


class FerrocrEngine(Interface):
    """The engine, as OCRmyPDF wants one."""

    @staticmethod
    def version() -> str:
        """Return ferrocr's version."""
        return __version__

    @staticmethod
    def creator_tag(options: Options) -> str:
        """Return the origin that the file names."""
        return f"ferrocr {__version__}"

    def __str__(self) -> str:
        return f"ferrocr {__version__}"

    @staticmethod
    def languages(options: Options) -> Set[str]:
        """Return every code that may be given."""
        return {*KNOWN, EVERYTHING}

    @staticmethod
    def get_orientation(input_file: Path, options: Options) -> OrientationConfidence:
        """Return the page's turn clockwise, and how certain that is."""
        return OrientationConfidence(*direction_of(_reduced(input_file, options).lines))

    @staticmethod
    def get_deskew(input_file: Path, options: Options) -> float:
        """Return the degrees to turn the page counter-clockwise."""
        skew = skew_of(_reduced(input_file, options).lines)
        log.debug("skew: %.3f degrees", skew)
        return skew

    @staticmethod
    def supports_generate_ocr() -> bool:
        """Return True."""
        return True

    @staticmethod
    def generate_ocr(input_file: Path, options: Options, page_number: int = 0) -> tuple[OcrElement, str]:
        """Return the page as a tree, and its text."""
        page, dpi = _read(input_file, options)
        return element_of(page, dpi, page_number), text_of_page(page)

    @staticmethod
    def generate_hocr(input_file: Path, output_hocr: Path, output_text: Path, options: Options) -> None:
        """Write the page as hOCR, and its text."""
        page, dpi = _read(input_file, options)
        hocr = "".join(chunks("hocr", [Sheet(page, input_file.name, dpi=dpi)]))
        output_hocr.write_text(hocr, encoding="utf-8")
        output_text.write_text(text_of_page(page), encoding="utf-8")

    @staticmethod
    def generate_pdf(input_file: Path, output_pdf: Path, output_text: Path, options: Options) -> None:
        """Write the page as a PDF of invisible text, for ``--pdf-renderer sandwich``."""
        page, dpi = _read(input_file, options)
        text_pdf(page, dpi, output_pdf)
        output_text.write_text(text_of_page(page), encoding="utf-8")


class _TesseractWhenChosen(types.ModuleType):
    """OCRmyPDF's plugin for Tesseract, which asks for the program only where that engine is chosen."""

    def __init__(self, builtin: types.ModuleType) -> None:
        super().__init__(builtin.__name__, builtin.__doc__)
        # Of a module, only what it has itself is seen as a hook, and nothing of its class.
        for name, function in vars(builtin).items():
            if hasattr(function, "ocrmypdf_impl"):
                setattr(self, name, function)

        @hookimpl
        def check_options(options: Options) -> None:
            name = getattr(options, "ocr_engine", "auto")
            if name == "tesseract" or (name == "auto" and has_tesseract()):
                builtin.check_options(options)

        self.check_options = check_options


def _read(file: Path, options: Options) -> tuple[Page, float]:
    """Return the page, empty where it took too long, and its pixels to the inch."""
    with PIL.Image.open(file) as picture:
        size, dpi = picture.size, float(picture.info.get("dpi", (_UNKNOWN_DPI,))[0])
    with translated():
        try:
            timeout: float | None = getattr(options, "ferrocr_timeout", None)
            return engine_of(settings_of(options)).recognize(file, timeout=timeout), dpi
        except OcrTimeoutError:
            log.warning("[ferrocr] took too long to read - skipping")
            return Page(*size, ()), dpi


def _reduced(file: Path, options: Options) -> Page:
    """Return the page's lines, read from a small copy, which tells as well where they run."""
    with translated(), PIL.Image.open(file) as picture:
        picture.draft("L", (_REDUCED, _REDUCED))
        with closing(picture.convert("L")) as small:
            small.thumbnail((_REDUCED, _REDUCED))
            return engine_of(settings_of(options)).recognize(small, min_score=0.0)
