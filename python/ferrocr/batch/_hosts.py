"""Daft, which runs batches: its import, and where it runs."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, get_args

from .._packages import package_folders
from ..exceptions import InvalidArgumentError, RuntimeUnavailableError

if TYPE_CHECKING:
    from types import ModuleType

Runner = Literal["native", "ray"]
RUNNERS: tuple[Runner, ...] = get_args(Runner)

QUIET = {"DAFT_ANALYTICS_ENABLED": "0", "DO_NOT_TRACK": "1", "RAY_USAGE_STATS_ENABLED": "0", "DAFT_PROGRESS_BAR": "0"}
"""Variables that keep Daft and Ray from sending statistics and from drawing bars, unless they are set already."""

_NEEDED = {"tables": ("pyarrow",), "native": ("daft", "pyarrow"), "ray": ("daft", "pyarrow", "ray")}


def check_runner(runner: str) -> None:
    """Refuse what is none.

    Raises:
        InvalidArgumentError: There is no such runner.
    """
    if runner not in RUNNERS:
        message = f"runner is 'native' or 'ray', not {runner!r}"
        raise InvalidArgumentError(message)


def check_packages(purpose: Literal["tables", "native", "ray"] = "native") -> None:
    """Find out whether the packages are there, and silence them.

    Raises:
        RuntimeUnavailableError: One of the packages is not installed.
    """
    for package in _NEEDED[purpose]:
        if not package_folders(package):
            extra = "batch" if package != "ray" else "batch,ray"
            message = f"batches are made with Daft and PyArrow, on a cluster with Ray; {package} is not installed"
            raise RuntimeUnavailableError(message, f'run: pip install "ferrocr[{extra}]"')
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def s3_config(endpoint: str | None = None, region: str | None = None, *, anonymous: bool = False) -> object:
    """Return Daft's ``IOConfig`` for an object store that speaks S3.

    Keys are those of ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY`` and ``AWS_SESSION_TOKEN``; where there are none,
    Daft looks where Amazon's tools have them: in the user's files, and at the machine's own service for that.

    Args:
        endpoint: Its address; None for Amazon's.
        region: None for ``AWS_REGION`` or ``AWS_DEFAULT_REGION``.
        anonymous: True to ask without keys.

    Raises:
        RuntimeUnavailableError: Daft is not installed.
    """
    check_packages()
    from daft.io import IOConfig, S3Config

    plain = endpoint is not None and endpoint.startswith("http://")
    variables = os.environ
    return IOConfig(
        s3=S3Config(
            endpoint_url=endpoint,
            region_name=region or variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION"),
            key_id=None if anonymous else variables.get("AWS_ACCESS_KEY_ID"),
            access_key=None if anonymous else variables.get("AWS_SECRET_ACCESS_KEY"),
            session_token=None if anonymous else variables.get("AWS_SESSION_TOKEN"),
            anonymous=anonymous,
            use_ssl=not plain,
        )
    )


def set_runner(runner: Runner, address: str | None) -> None:
    """Have Daft run in this process, or on a Ray cluster.

    Raises:
        InvalidArgumentError: An address is for Ray, or Daft already runs elsewhere.
        RuntimeUnavailableError: The cluster cannot be reached.
    """
    import daft

    if address is not None and runner != "ray":
        message = "an address is that of a Ray cluster"
        raise InvalidArgumentError(message, "say runner='ray' too", shell_hint="say --runner ray too")
    if runner == "ray":
        _connect(address)
    there: Any = daft.runners._get_runner()
    if there is None:
        daft.set_runner_native() if runner == "native" else daft.set_runner_ray(noop_if_initialized=True)
    elif there.name != runner:
        message = f"Daft runs with its runner {there.name!r} in this process, which it does not change"
        raise InvalidArgumentError(message, "use another process")


def _connect(address: str | None) -> None:
    ray: ModuleType | Any = import_module("ray")  # no types of it are needed
    if ray.is_initialized():
        return
    variables = {name: os.environ[name] for name in QUIET}
    try:
        ray.init(address=address, log_to_driver=False, runtime_env={"env_vars": variables})
    except (ConnectionError, RuntimeError, ValueError) as error:
        message = f"cannot reach the Ray cluster{'' if address is None else ' at ' + address}: {error}"
        raise RuntimeUnavailableError(message) from error
