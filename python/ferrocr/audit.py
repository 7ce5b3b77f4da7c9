"""Reports about the model directory."""

from .models.audit import REPORT_FORMAT, AuditEntry, AuditReport, ModelInfo, ModelState

__all__ = ["REPORT_FORMAT", "AuditEntry", "AuditReport", "ModelInfo", "ModelState"]
