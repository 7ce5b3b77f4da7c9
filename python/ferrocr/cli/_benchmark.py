"""``ferrocr doctor --benchmark``: the speed of every provider and preset that works here, and which to take."""

import argparse
import dataclasses
import time
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import ferrocr

from .. import _core
from .._engine._options import PRESETS, Preset, Provider
from .._text import printable
from ..exceptions import ImageError, InvalidArgumentError, OcrError
from ._errors import EXIT_OK, split_hint
from ._output import print_json, print_table

if TYPE_CHECKING:
    import PIL.Image

    from .._engine._inputs import ImageInput

LEAST_AGREEMENT = 0.98
"""Agreement from which on a faster provider is advised: in bfloat16 a letter of a page is read in another way now and
then."""

_LINES = (
    "Lighthouse Paper Mill, 14 Harbour Street",
    "Statement of account for March 2026",
    "Drawing paper A3, white      2 pads      37.80",
    "Blue ink, 500 ml             1 jar       12.45",
    "Linen tape, 25 m             3 rolls     21.60",
    "Please pay within thirty days of this letter,",
    "and name the number 2047 when you write to us.",
    "All prices are in euros and include the tax.",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Measurement:
    """One provider with one preset. Numbers are None where it does not work, or where the system does not tell.

    Attributes:
        provider: Name of the provider.
        preset: Name of the preset.
        load_s: Seconds from the making of the engine to its first page.
        pages_per_s: Pages a second after that, read one after the other.
        cpu_s: Seconds of processor time a page.
        memory_mb: Resident memory after the pages beyond that before the load, in 2**20 bytes.
        agreement: Words as the processor's default preset reads them, 0 to 1.
        fault: The reason why it does not work.
        stages: Mean seconds of a page by stage.
    """

    provider: Provider
    preset: Preset
    load_s: float | None = None
    pages_per_s: float | None = None
    cpu_s: float | None = None
    memory_mb: float | None = None
    agreement: float | None = None
    fault: str | None = None
    stages: dict[str, float] | None = None


def run(arguments: argparse.Namespace) -> int:
    """Measure all of them and print a table with advice."""
    image = _drawn_page() if arguments.picture is None else arguments.picture
    found = list(_measure_all(arguments.dir, image, arguments.cycles))
    advice = advice_of(found)
    if arguments.json:
        print_json({"advice": advice, "measurements": [dataclasses.asdict(one) for one in found]})
    else:
        print_table([_HEAD, *map(_row, found)])
        for one in found:
            if one.fault is not None:
                print(f"{one.provider} does not work here: {printable(one.fault)}")
        print(advice)
    return EXIT_OK


def advice_of(found: Sequence[Measurement]) -> str:
    """Return a sentence that says what to take: the fastest of those that agree, and what the other presets bring."""
    usual = [one for one in found if one.preset == PRESETS[0] and one.pages_per_s is not None]
    agreeing = [one for one in usual if (one.agreement or 0.0) >= LEAST_AGREEMENT]
    best = max(agreeing, key=_speed)
    sentence = f'take provider="{best.provider}"'
    automatic = _core.automatic_providers()[0]
    sentence += ', as "auto" does' if best.provider == automatic else f', not "{automatic}" as "auto" does'
    for one in found:
        if one.provider == best.provider and one.preset != best.preset and one.pages_per_s is not None:
            gain, agreement = _speed(one) / _speed(best), one.agreement or 0.0
            sentence += f'; preset="{one.preset}" is {gain:.2f} times as fast, and {agreement:.1%} of the words agree'
    return sentence


def _speed(one: Measurement) -> float:
    return one.pages_per_s or 0.0


def _drawn_page() -> "PIL.Image.Image":
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        message = "drawing a page to read needs Pillow"
        raise InvalidArgumentError(message, "install pillow, or name a picture with --picture FILE") from error
    page = Image.new("L", (1240, 1754), 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(30)
    for row in range(32):
        draw.text((100, 90 + 50 * row), _LINES[row % len(_LINES)], fill=0, font=font)
    return page


def _measure_all(directory: str | None, image: "ImageInput", count: int) -> Iterator[Measurement]:
    """Measure the processor's default preset first: the others are compared with its words."""
    first, reference = _measure(directory, image, count, "cpu", PRESETS[0], [])
    yield first
    for provider in _core.built_in_providers():
        for preset in PRESETS:
            if (provider, preset) == (first.provider, first.preset):
                continue
            try:
                yield _measure(directory, image, count, provider, preset, reference)[0]
            except ImageError:
                raise
            except OcrError as error:
                yield Measurement(provider, preset, fault=split_hint(error)[0])
                break


def _measure(
    directory: str | None, image: "ImageInput", count: int, provider: Provider, preset: Preset, reference: list[str]
) -> tuple[Measurement, list[str]]:
    """Return what was measured, and the words of the page; an empty `reference` stands for these."""
    before, started = _core.resident_bytes(), time.perf_counter()
    with ferrocr.OcrEngine(model_dir=directory, provider=provider, preset=preset, download=False) as engine:
        words = engine.recognize(image).text.split()
        first = engine.stats().seconds
        loaded, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            engine.recognize(image)
        seconds, cpu = time.perf_counter() - loaded, time.process_time() - cpu
        after = _core.resident_bytes()
        stages = _mean_of(first, engine.stats().seconds, count)
    memory = None if before is None or after is None else round((after - before) / 2**20, 1)
    same = SequenceMatcher(None, reference or words, words, autojunk=False).ratio()
    measurement = Measurement(
        provider,
        preset,
        load_s=round(loaded - started, 3),
        pages_per_s=round(count / seconds, 3),
        cpu_s=round(cpu / count, 3),
        memory_mb=memory,
        agreement=round(same, 4),
        stages=stages,
    )
    return measurement, words


def _mean_of(first: ferrocr.Timings, last: ferrocr.Timings, count: int) -> dict[str, float]:
    """Return the mean seconds by stage of the pages between two sums."""
    before = dataclasses.asdict(first)
    return {stage: round((spent - before[stage]) / count, 4) for stage, spent in dataclasses.asdict(last).items()}


_HEAD = ("provider", "preset", "pages/s", "CPU s", "first s", "MB", "agreement")


def _row(one: Measurement) -> list[str]:
    numbers = (one.pages_per_s, one.cpu_s, one.load_s)
    shown = ["-" if number is None else f"{number:.2f}" for number in numbers]
    memory = "-" if one.memory_mb is None else f"{one.memory_mb:.0f}"
    agreement = "-" if one.agreement is None else f"{one.agreement:.1%}"
    return [one.provider, one.preset, *shown, memory, agreement]
