"""``ferrocr doctor``: whether reading will work here, and what to do where it will not."""

import argparse
import dataclasses
import os
import platform
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__, _core
from .._memory import available_mb
from .._text import printable
from ..exceptions import InvalidArgumentError, OcrError
from ..models._catalog import DEFAULT_SET
from ..models.progress import megabytes
from ..models.store import CatalogEntry, ModelStore, catalog, model_sets
from ._command import add_command, add_dir, dir_option, positive
from ._environment import masked, place_of, variables
from ._environment import misspelled as misspelled_variables
from ._errors import EXIT_OK, EXIT_PROBLEMS, split_hint
from ._output import print_json

if TYPE_CHECKING:
    from ._command import Commands

LEAST_MEMORY_MB = 500
"""Memory in MB below which ``doctor`` complains: the default models and one large page take about as much."""


def add(commands: "Commands") -> None:
    """Describe the command."""
    doctor = add_command(commands, "doctor", run, "check whether reading will work here", "ferrocr doctor")
    doctor.add_argument("--json", action="store_true", help="print the checks as JSON")
    add_dir(doctor)
    measured = doctor.add_argument_group("measurements in this process, instead of the checks")
    either = measured.add_mutually_exclusive_group()
    either.add_argument("--release-check", action="store_true", help="load, read and free again and again")
    either.add_argument("--benchmark", action="store_true", help="time every provider and preset that works here")
    measured.add_argument(
        "--isolated", action="store_true", help="check the release of an engine in a process of its own"
    )
    measured.add_argument("--cycles", type=positive, default=5, metavar="N", help="how often, default: %(default)s")
    measured.add_argument("--picture", metavar="FILE", help="the picture to read, default: a drawn one")


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """One thing that ``doctor`` looked at.

    Attributes:
        name: The thing that was looked at.
        ok: True if reading can work with it.
        detail: The finding, for people.
        fix: Advice; None where nothing needs doing.
        facts: The finding, for programs.
    """

    name: str
    ok: bool
    detail: str
    fix: str | None = None
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


def run(arguments: argparse.Namespace) -> int:
    """Make every check, or one of the measurements, and print what came of it.

    Raises:
        InvalidArgumentError: Isolated engines were asked for where none is made.
    """
    if arguments.isolated and not arguments.release_check:
        message = "--isolated is for --release-check"
        raise InvalidArgumentError(message, "ferrocr doctor --release-check --isolated")
    if arguments.release_check:
        from . import _release_check

        return _release_check.run(arguments)
    if arguments.benchmark:
        from . import _benchmark

        return _benchmark.run(arguments)
    # The variables first: looking for the runtime sets one.
    checks = [
        _check_versions(),
        _check_variables(),
        *_check_runtime(),
        *_check_models(arguments.dir),
        *_check_automatic(arguments.dir),
        _check_sources(),
        _check_memory(),
    ]
    ok = all(check.ok for check in checks)
    if arguments.json:
        print_json({"ok": ok, "checks": [dataclasses.asdict(check) for check in checks]})
    else:
        for check in checks:
            print(f"{'ok' if check.ok else 'problem':<9}{check.name:<10}{printable(check.detail)}")
            if check.fix:
                print(f"hint: {printable(check.fix)}")
    return EXIT_OK if ok else EXIT_PROBLEMS


def _check_versions() -> Check:
    facts = {
        "ferrocr": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
    }
    detail = "ferrocr {ferrocr}, {implementation} {python}, {platform}, {cpus} CPUs".format(**facts)
    return Check("versions", ok=True, detail=detail, facts=facts)


def _check_variables() -> Check:
    found, misspelled = variables(), misspelled_variables()
    detail = ", ".join(f"{name}={printable(value)}" for name, value in found.items()) or "none that count"
    names = [f"{name} (meant: {meant})" if meant else name for name, meant in misspelled.items()]
    fix = f"ferrocr does not know {', '.join(names)}" if names else None
    facts = {"set": found, "unknown": misspelled}
    return Check("variables", ok=True, detail=detail, fix=fix, facts=facts)


def _check_sources() -> Check:
    """Say where missing models would come from, without asking anybody."""
    from ..models._package_index import packages

    links, indexes, *_ = packages()
    mirror = os.environ.get("FERROCR_MIRROR") or None
    shown = [masked("", address) for address in ([mirror] if mirror else []) + links + indexes]
    offline = os.environ.get("FERROCR_OFFLINE", "0") not in {"", "0"}
    detail = "none: FERROCR_OFFLINE is set" if offline else ", ".join(map(printable, ["the catalog's", *shown]))
    facts = {"offline": offline, "mirror_and_indexes": shown}
    return Check("sources", ok=True, detail=detail, facts=facts)


def _check_runtime() -> Iterator[Check]:
    from .._engine._runtime import disable_telemetry, find_runtime, library_version

    try:
        runtime = find_runtime()
        version = library_version(runtime.path)
        disable_telemetry()
        _core.load_runtime(runtime.path)
    except OcrError as error:
        message, hint = split_hint(error)
        yield Check("runtime", ok=False, detail=message, fix=hint or None)
        return
    facts = {"path": str(runtime.path), "version": version, "distribution": runtime.distribution}
    origin = runtime.distribution or "set by hand"
    yield Check("runtime", ok=True, detail=f"ONNX Runtime {version} ({origin}) at {runtime.path}", facts=facts)
    providers = _core.built_in_providers()
    automatic = _core.automatic_providers()
    detail = f'{", ".join(providers)}; provider="auto" takes {automatic[0]}'
    yield Check("providers", ok=True, detail=detail, facts={"providers": providers, "automatic": automatic})


def _check_automatic(directory: str | None) -> Iterator[Check]:
    """Load the default models as ``provider="auto"`` does, where that is to be more than the plain provider."""
    import ferrocr

    if _core.runtime_path() is None or (best := _core.automatic_providers()[0]) == "cpu":
        return
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with ferrocr.OcrEngine(model_dir=directory, download=False) as engine:
                engine.load()
                used = engine.provider
    except OcrError:
        # Another check says what is the matter with the models.
        return
    why = [str(warning.message) for warning in told]
    facts = {"best": best, "used": used, "warnings": why}
    if used == best:
        yield Check("auto", ok=True, detail=f'provider="auto" works with {used}', facts=facts)
        return
    detail = f'provider="auto" takes {used} instead of {best}: {"; ".join(why)}'
    yield Check("auto", ok=False, detail=detail, fix='repair that, or take provider="cpu"', facts=facts)


def _check_models(directory: str | None) -> Iterator[Check]:
    try:
        store = ModelStore(directory)
        files = {name: Path(store.get_local_path(name)).stat().st_size for name in store.list_local()}
    except (OcrError, OSError) as error:
        yield Check("models", ok=False, detail=split_hint(error)[0], fix="give another directory: --dir DIR")
        return
    place = store.get_local_path()
    listed = ", ".join(f"{name} ({megabytes(size)})" for name, size in files.items()) or "no models"
    yield Check("models", ok=True, detail=f"{place}: {listed}", facts={"directory": place, "files": files})
    default = _check_default_set(files, directory)
    yield default
    yield _check_directory(place, is_filled=default.ok)


def _check_directory(directory: str, *, is_filled: bool) -> Check:
    """See whether models can be written to the directory; one that has the models need not let anybody."""
    place = place_of(directory)
    free = "" if place.free_bytes is None else f", {megabytes(place.free_bytes)} free"
    detail = f"cannot be written: {place.fault}{free}" if place.fault else f"can be written{free}"
    fix = "choose another directory with FERROCR_MODEL_DIR or --dir" if place.fault and not is_filled else None
    facts = {"writable": place.fault is None, "fault": place.fault, "free_bytes": place.free_bytes}
    return Check("directory", ok=fix is None, detail=detail, fix=fix, facts=facts)


def _check_default_set(sizes: dict[str, int], directory: str | None) -> Check:
    """Check that the files of the default set are there and whole, given the sizes of those in the directory."""
    entries = {entry.name: entry for entry in catalog()}
    needed = {name: _state_of(entries.get(name), sizes.get(name)) for name in model_sets()[DEFAULT_SET]}
    wrong = [f"{name} {state}" for name, state in needed.items() if state != "complete"]
    detail = f"{DEFAULT_SET}: " + (", ".join(wrong) or "complete")
    fix = f"run: ferrocr models pull --set {DEFAULT_SET}{dir_option(directory)}" if wrong else None
    return Check("default", ok=not wrong, detail=detail, fix=fix, facts={"set": DEFAULT_SET, "files": needed})


def _state_of(entry: CatalogEntry | None, size: int | None) -> str:
    if size is None:
        return "missing"
    expected = entry.bytes if entry else None
    return "complete" if expected in (None, size) else f"has {size} bytes instead of {expected}"


def _check_memory() -> Check:
    free = available_mb()
    facts = {"available_mb": free, "wanted_mb": LEAST_MEMORY_MB}
    if free is None:
        return Check("memory", ok=True, detail="unknown on this system", facts=facts)
    ok = free >= LEAST_MEMORY_MB
    fix = None if ok else f"free memory, or lift the limit, until {LEAST_MEMORY_MB} MB are available"
    return Check("memory", ok=ok, detail=f"{free:.0f} MB available", fix=fix, facts=facts)
