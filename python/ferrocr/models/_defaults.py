"""Defaults that more than one module needs, each taken from the place that decides it."""

from .. import _core

DEFAULT_SET: str = _core.model_sets()[0][0]
"""The model set of an engine and of a command that name none. The core's catalog lists it first."""
