"""The protection of models that a process uses."""

from .models.lease import Lease

__all__ = ["Lease"]
