"""The pages of a document in an event loop: each is waited for in a thread."""

from collections.abc import AsyncGenerator, Generator
from functools import partial

from .._engine._asyncio import in_thread, to_the_end
from .._engine._call import Call
from .._engine._call_options import CallOptions
from .._engine._inputs import ImageInput
from ..exceptions import OcrError
from . import DocumentPage
from ._reading import DocumentReader
from ._request import DocumentRequest


async def each_page(
    reader: DocumentReader, source: ImageInput, request: DocumentRequest, options: CallOptions, ahead: int | None
) -> AsyncGenerator[DocumentPage | OcrError]:
    """Give what comes of each page, as :meth:`ferrocr.OcrEngine.arecognize_pages`."""
    call = Call()
    # Whatever becomes of the task, a document that was opened is in here.
    opened: list[Generator[DocumentPage | OcrError]] = []

    def begin() -> Generator[DocumentPage | OcrError]:
        call.begin()
        opened.append(reader.pages(source, request, options, ahead, call)[1])
        return opened[0]

    try:
        results = await in_thread(call, begin)
        while (result := await in_thread(call, partial(next, results, None))) is not None:
            yield result
    finally:
        call.cancel()
        for results in opened:
            await to_the_end(results.close)
