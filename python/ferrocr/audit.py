"""What a look at the model directory finds."""

from .models.audit import REPORT_FORMAT, AuditEntry, AuditReport, ModelInfo, ModelState

__all__ = ["REPORT_FORMAT", "AuditEntry", "AuditReport", "ModelInfo", "ModelState"]
