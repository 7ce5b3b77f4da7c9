"""The model directory, and what is known of models before they are in it."""

from .models.store import ArchiveCallback, CatalogEntry, ModelStore, ProgressCallback, catalog, model_sets

__all__ = ["ArchiveCallback", "CatalogEntry", "ModelStore", "ProgressCallback", "catalog", "model_sets"]
