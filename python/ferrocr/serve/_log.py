"""JSON logs, a line for each request, which hold nothing of any document, nor its name."""

import json
import logging
import sys
from datetime import UTC, datetime

LOGGER = logging.getLogger("ferrocr.serve")


class JsonFormatter(logging.Formatter):
    """Makes a line of JSON of a record; ``extra={"fields": {...}}`` adds to it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=True)


def set_up(level: str) -> None:
    """Have everything that is logged in this process go to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
