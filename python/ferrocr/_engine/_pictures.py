"""Reading pictures, one at a time or ahead of each other, with models that are loaded where they are not."""

from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import NamedTuple

from ..exceptions import OcrCancelledError, OcrError, OcrTimeoutError, ResourcesFreedError
from ..results import Page
from . import _ahead, _exit, _raw
from ._call import Call
from ._call_options import CallOptions, ReadOptions
from ._cores import Core
from ._forms import Form
from ._inputs import ImageInput, normalise
from ._loading import Loader
from ._options import MOST_SIDE


class Pictures(NamedTuple):
    """Reads pictures for one engine, which stays alive as long as this is used."""

    open: Callable[[], Core]
    """Returns the engine in the core; raises ResourcesFreedError once it is freed."""
    loader: Loader
    max_bytes: int

    def read(self, image: ImageInput, options: CallOptions, call: Call) -> Page:
        """Read one picture, as :meth:`ferrocr.OcrEngine.recognize`."""
        call.begin()
        core = self.open()
        form = normalise(image, self.check_size, self.max_bytes)
        if not core.loaded:
            self.loader.load(core, call)
        return self._run(core, form, options.reading, call)

    def load(self, call: Call | None = None) -> None:
        """Load the models, as :meth:`ferrocr.OcrEngine.load`; cancelling `call` ends that."""
        self.loader.load(self.open(), Call() if call is None else call)

    def begin(self, picture: _ahead.Picture, options: CallOptions) -> _ahead.Reading:
        """Begin to read a picture in the background."""
        core = self.open()
        if not core.loaded:
            self.loader.load(core, Call(options.timeout))
        return _ahead.Reading(core, picture, options)

    def begin_image(self, image: ImageInput, options: CallOptions) -> _ahead.Reading:
        """Begin to read a picture of any form in the background."""
        self.open()
        return self.begin(normalise(image, self.check_size, self.max_bytes), options)

    def each(self, images: Iterable[ImageInput], options: CallOptions, ahead: int | None) -> Generator[Page | OcrError]:
        """Read pictures in order, as :meth:`ferrocr.OcrEngine.recognize_many`."""
        self.load()
        ahead = self.usual_ahead() if ahead is None else ahead
        if ahead == 0:
            return self._one_by_one(images, options)

        begun = _ahead.Ahead(images, partial(self.begin_image, options=options), ahead + 1)
        return _ahead.stream(begun, _ahead.Reading.page, self.open, keep_going=options.keep_going)

    def usual_ahead(self) -> int:
        """Return the number of pictures that are read ahead where nobody says it."""
        return self.open().ahead

    def check_size(self, width: int, height: int) -> None:
        """Refuse a picture beyond the engine's limits.

        Raises:
            ImageError: It is too large.
        """
        self.open().check_size(min(width, MOST_SIDE), min(height, MOST_SIDE))

    def _one_by_one(self, images: Iterable[ImageInput], options: CallOptions) -> Generator[Page | OcrError]:
        result: Page | OcrError
        for image in images:
            try:
                result = self.read(image, options, Call(options.timeout))
            except _ahead.OF_ONE_PICTURE as error:
                if not options.keep_going:
                    raise
                result = _ahead.bare(error)
            yield result

    def _run(self, core: Core, form: Form, options: ReadOptions, call: Call) -> Page:
        call.check()
        try:
            return _raw.page(form.recognize(core, options, call))
        except OcrTimeoutError:
            # The core knows of what was left.
            raise call.timed_out() from None
        except (OcrCancelledError, ResourcesFreedError):
            _exit.pause()
            raise
