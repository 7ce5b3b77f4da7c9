"""From inputs to pages: pictures are read ahead of each other, documents page by page."""

import argparse
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import ferrocr

from .._engine._call_options import ReadKeywords
from ..documents._kinds import kind_of
from ..documents._opening import pdf_file
from ..exceptions import ImageError, InvalidArgumentError, OcrError, RuntimeUnavailableError, StorageError
from ..formats import Sheet
from ..models.progress import DownloadProgress
from ._bar import Progress
from ._formats import Entry
from ._sources import Source, is_pdf

Read: TypeAlias = tuple[Source, Iterator[Entry]]
"""An input and its pages, which are taken before the next input is asked for."""


class Reader:
    """Reads inputs in order.

    Args:
        arguments: The options of ``ferrocr read``.
        progress: Hears of each page, file and failure.
        begin: Called with each input just before it is read.
    """

    def __init__(self, arguments: argparse.Namespace, progress: Progress, begin: Callable[[Source], None]) -> None:
        self._arguments, self._progress, self._begin = arguments, progress, begin
        self._ahead: int | None = None if arguments.jobs is None else arguments.jobs - 1
        self._options: ReadKeywords = {
            "min_score": arguments.min_score,
            "timeout": arguments.timeout,
            "characters": arguments.characters,
            "allow": arguments.allow,
            "pattern": arguments.pattern,
            "words": arguments.words,
        }

    def read(self, sources: Sequence[Source]) -> Generator[Read]:
        """Give what came of each page of each input. An error that concerns no single input is raised instead."""
        if all(source.problem for source in sources):
            yield from self._problems(sources)  # before models are fetched and loaded for nothing
            return
        arguments = self._arguments
        with (
            DownloadProgress() as progress,
            ferrocr.OcrEngine(
                arguments.models,
                detector=arguments.detector,
                recognizer=arguments.recognizer,
                orienter=arguments.orienter,
                page_orienter=arguments.page_orienter,
                model_dir=arguments.model_dir,
                provider=arguments.provider,
                preset=arguments.preset,
                device_id=arguments.device_id,
                threads=arguments.threads,
                languages=arguments.languages,
                download=not arguments.no_download,
                isolated=arguments.isolated or arguments.workers is not None,
                workers=arguments.workers or 1,
                progress=progress,
            ) as ocr,
        ):
            for way, group in groupby(sources, self._way_of):
                # Closed before the engine, which would wait for what is being read ahead.
                with closing(way(group, ocr)) as batches:
                    for source, entries in batches:
                        yield source, self._counted(entries)
                        self._progress.file()

    def _way_of(self, source: Source) -> "Callable[[Iterator[Source], ferrocr.OcrEngine], Generator[Read]]":
        if source.problem is not None:
            return self._problems
        is_document = (
            self._arguments.pages is not None
            or self._arguments.text_layer == "only"  # which a picture has not
            or source.data is not None
            or kind_of(Path(source.name)) is not None
        )
        return self._documents if is_document else self._pictures

    def _counted(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        for entry in entries:
            if isinstance(entry, Sheet):
                self._progress.page()
            yield entry

    def _problems(self, sources: Iterable[Source], _ocr: object = None) -> Generator[Read]:
        for source in sources:
            if source.problem is not None:
                yield source, iter([self._progress.failed(source.problem, source)])

    def _pictures(self, sources: Iterator[Source], ocr: "ferrocr.OcrEngine") -> Generator[Read]:
        begun: deque[Source] = deque()

        def given() -> Iterator[str | bytes]:
            for source in sources:
                self._begin(source)
                begun.append(source)
                yield source.content

        ocr.load()
        self._progress.start()
        results = ocr.recognize_many(given(), ahead=self._ahead, **self._options)
        with closing(results) as pages:
            for page in pages:
                source = begun.popleft()
                if isinstance(page, OcrError):
                    yield source, iter([self._progress.failed(page, source)])
                else:
                    yield source, iter([Sheet(page, source.name)])

    def _documents(self, sources: Iterator[Source], ocr: "ferrocr.OcrEngine") -> Generator[Read]:
        for source in sources:
            with closing(self._pages(source, ocr)) as entries:
                yield source, entries

    def _pages(self, source: Source, ocr: "ferrocr.OcrEngine") -> Generator[Entry]:
        arguments = self._arguments
        self._begin(source)
        try:
            if is_pdf(source):
                pdf_file()
        except RuntimeUnavailableError as error:  # here, where it cannot be about ONNX Runtime, which all need
            yield self._progress.failed(error, source)
            return
        try:
            results = ocr.recognize_pages(
                source.content,
                pages=arguments.pages,
                dpi=arguments.dpi,
                text_layer=arguments.text_layer,
                password=arguments.password,
                ahead=self._ahead,
                **self._options,
            )
        except (ImageError, StorageError, InvalidArgumentError) as error:
            yield self._progress.failed(error, source)
            return
        self._progress.start()
        with closing(results):
            for result in results:
                if isinstance(result, OcrError):
                    yield self._progress.failed(result, source, result.page or 1)
                else:
                    yield replace(Sheet.of(result), source=source.name)
