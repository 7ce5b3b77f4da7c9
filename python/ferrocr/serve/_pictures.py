"""Pictures of a document's pages, for the page in the browser, which can show neither PDF nor TIFF by itself."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import QueryParams

from .._engine._call import Call
from .._engine._heif import open_picture
from .._engine._options import MOST_SIDE
from ..documents._kinds import kind_of
from ..documents._opening import pdf_file
from ..documents._page_numbers import Wanted
from ..documents._pages import Limits, resolution
from ..exceptions import ImageError, OcrError, PillowMissingError
from ._answers import Answer
from ._bodies import Upload
from ._guard import Scope, Send
from ._problems import problem_of, refuse
from ._reading import in_thread
from ._receiving import Receive
from ._request_options import RequestOptions

if TYPE_CHECKING:
    import PIL.Image

_MOST_PIXELS = 20_000_000
"""An A4 page at 400 dpi, more than screens show."""


class PictureAnswer(Answer):
    """A page of the upload as JPEG, as it was read: turned as its EXIF data say."""

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, upload: Upload, options: RequestOptions
    ) -> None:
        pages = options.keywords["pages"] or "1"
        if not str(pages).isdecimal():
            refuse("a picture is of one page", "say for example pages=3")
        executor, call = self._service.executor, Call(self._service.settings.page_seconds)
        assert executor is not None
        content = upload.content if upload.path is None else Path(upload.path)

        def draw() -> bytes:
            return _jpeg(content, int(str(pages)), options, call, self._service.settings.page_seconds)

        try:
            body = await self._service.in_turn(scope, receive, in_thread(executor, call, draw))
        except OcrError as error:
            raise problem_of(error, upload.path, upload.name) from None
        headers = [(b"content-type", b"image/jpeg"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _options(self, scope: Scope, upload: Upload) -> RequestOptions:
        query = QueryParams(scope["query_string"])
        if "format" in query:
            refuse("a picture of a page is JPEG in any case", "leave the format out")
        return super()._options(scope, upload)


def _jpeg(content: str | bytes | Path, number: int, options: RequestOptions, call: Call, seconds: float) -> bytes:
    try:
        import PIL.Image
    except ImportError:
        message = "pictures of pages are made with Pillow, which is not installed"
        raise PillowMissingError(message, 'run: pip install "ferrocr[pdf]"') from None
    assert not isinstance(content, str)
    call.begin()
    if kind_of(content) == "pdf":
        picture = _of_pdf(content, number, options, call, seconds)
    else:
        try:
            picture = _of_picture(content, number)
        except (OSError, EOFError, SyntaxError, ValueError, LookupError, PIL.Image.DecompressionBombError) as error:
            if isinstance(error, OcrError):
                raise
            message = f"page {number} cannot be shown: {error}"
            raise ImageError(message) from error
    out = io.BytesIO()
    picture.save(out, "jpeg", quality=85)
    return out.getvalue()


def _of_pdf(
    content: bytes | Path, number: int, options: RequestOptions, call: Call, seconds: float
) -> "PIL.Image.Image":
    import PIL.Image

    password = options.keywords["password"]
    file = pdf_file()(
        content, "the document", password, max_pixels=_MOST_PIXELS, timeout=seconds, begun=call.take_along
    )
    try:
        next(Wanted([number]).among(file.count, "the document"))
        limits = Limits(_MOST_PIXELS, MOST_SIDE, 0, _any_size)
        _, width, height = resolution(file.size(number), options.keywords["dpi"], limits)
        return PIL.Image.frombytes("RGB", (width, height), bytes(file.render(number, width, height)))
    finally:
        file.close()


def _of_picture(content: bytes | Path, number: int) -> "PIL.Image.Image":
    import PIL.ImageOps

    from .._engine._pixels import page_frames

    with open_picture(content) as picture:
        frames = page_frames(picture)
        next(Wanted([number]).among(len(frames), "the document"))
        picture.seek(frames[number - 1])
        picture.draft("RGB", (4000, 4000))
        shown = PIL.ImageOps.exif_transpose(picture).convert("RGB")
    if shown.width * shown.height > _MOST_PIXELS:
        shown.thumbnail((4000, 4000))
    return shown


def _any_size(_width: int, _height: int) -> None:
    pass
