"""The class ``RapidOCR``."""

import os
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import ferrocr

from ..._engine._inputs import ImageInput
from ..._sharing import release_with
from ...exceptions import ImageError, InvalidArgumentError
from .._pictures import as_stored
from ._output import LoadImageError, RapidOCROutput, TextRecOutput, one_line, output_of
from ._params import parsed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ...results import Page, ReleaseReport


class RapidOCR:
    """Reads pictures and returns results in RapidOCR's shape.

    Making one is cheap: models are loaded by the first call. Any thread may call it. The models are given back when
    nobody has it any more, at the end of a ``with`` block, or by `free_resources`.
    """

    def __init__(
        self,
        config_path: str | os.PathLike[str] | None = None,
        params: Mapping[str, Any] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        """Prepare to read.

        Args:
            config_path: Not followed; give `params`.
            params: RapidOCR's parameters by names such as ``"Global.text_score"``; docs/migration.md lists those that
                are followed.
            options: Options of `ferrocr.OcrEngine`, which go before `params`.

        Raises:
            ValueError: A parameter that there is not, or that cannot be followed.
        """
        if config_path is not None:
            message = "ferrocr reads no configuration files of RapidOCR's"
            raise InvalidArgumentError(message, "give the parameters that differ from the defaults as params=")
        asked = parsed(params)
        self._words, self._characters = asked.word_boxes, asked.character_boxes
        self._engine = ferrocr.OcrEngine(**{**asked.options, **options})
        release_with(self, self._engine)

    def __call__(
        self,
        img_content: ImageInput,
        use_det: bool | None = None,  # noqa: FBT001  # as it is there
        use_cls: bool | None = None,  # noqa: FBT001
        use_rec: bool | None = None,  # noqa: FBT001
        return_word_box: bool | None = None,  # noqa: FBT001
        return_single_char_box: bool | None = None,  # noqa: FBT001
        text_score: float | None = None,
        box_thresh: float | None = None,
        unclip_ratio: float | None = None,
    ) -> RapidOCROutput | TextRecOutput:
        """Read a picture. Arguments hold for this call alone.

        Args:
            img_content: A path, an encoded file's bytes, a Pillow image, or an array (HxW grey, HxWx3 BGR, HxWx4 RGBA).
                An EXIF turn is applied to files, as there, and left alone in what is in memory.
            use_det: False for the picture of one line: the result is a `TextRecOutput`.
            use_cls: No effect; the parameter ``Global.use_cls`` has one.
            use_rec: False is refused: there are no boxes without text.
            return_word_box: True for words.
            return_single_char_box: True for characters in the place of words.
            text_score: Lines with a lower score are left out.
            box_thresh: Ignored with a warning.
            unclip_ratio: Ignored with a warning.

        Raises:
            LoadImageError: It cannot be read.
            ValueError: Boxes without text were asked for, or a score is out of its range.
            OcrError: As `ferrocr.OcrEngine.recognize`.
        """
        if use_rec is False:
            message = "ferrocr has no boxes without text: use_rec=False"
            raise InvalidArgumentError(message, "leave it out, and take the boxes of the result")
        for name, value in (("box_thresh", box_thresh), ("unclip_ratio", unclip_ratio)):
            if value is not None:
                warnings.warn(f"ferrocr ignores RapidOCR's parameter {name}", stacklevel=2)
        characters = self._characters if return_single_char_box is None else return_single_char_box
        words = self._words if return_word_box is None else return_word_box
        picture = _rgb(img_content)
        begun = time.perf_counter()
        page = self._read(picture, characters=words, min_score=text_score)
        seconds = time.perf_counter() - begun
        if use_det is False:
            return one_line(page, seconds, words=words, characters=characters)
        return output_of(page, picture, seconds, words=words, characters=characters)

    def _read(self, picture: ImageInput, *, characters: bool, min_score: float | None) -> "Page":
        try:
            return self._engine.recognize(picture, characters=characters, min_score=min_score)
        except ImageError as error:
            raise LoadImageError(str(error)) from error

    def free_resources(self) -> "ReleaseReport":
        """Give the models back; every later call raises `ferrocr.ResourcesFreedError`."""
        return self._engine.free_resources()

    def __enter__(self) -> Self:
        """Return itself; its end frees the resources."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Free the resources."""
        self.free_resources()


def _rgb(image: ImageInput) -> ImageInput:
    """Return the picture in the order of colours and the frame that ferrocr reads."""
    if isinstance(image, str) and image.startswith(("http://", "https://")):
        message = f"ferrocr fetches no pictures: {image}"
        raise LoadImageError(message)
    if isinstance(image, str | os.PathLike):
        return Path(os.fsdecode(image))
    numpy = sys.modules.get("numpy")
    if isinstance(image, getattr(numpy, "ndarray", ())):
        array = cast("npt.NDArray[np.generic]", image)
        return array[..., ::-1] if array.ndim == 3 and array.shape[2] == 3 else array
    return as_stored(image)
