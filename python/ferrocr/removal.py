"""Files that leave the model directory and come back."""

from .models.removal import ArchivedFile, Decision, PlannedFile, Removal, TrashedFile

__all__ = ["ArchivedFile", "Decision", "PlannedFile", "Removal", "TrashedFile"]
