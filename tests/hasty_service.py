"""An isolated engine's process that gives threads a second to begin."""

from ferrocr._isolated import _service

_service._LONGEST_BEGIN = 1.0

handler = _service.handler
