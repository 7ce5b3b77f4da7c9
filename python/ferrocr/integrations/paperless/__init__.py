"""ferrocr as a parser of paperless-ngx 3: text of scans, and archive files that can be searched.

paperless-ngx finds it by its entry point where ``pip install "ferrocr[cpu,paperless]"`` was run in its environment.
docs/integrations.md has the rest.
"""

from ._parser import FerrocrDocumentParser

__all__ = ["FerrocrDocumentParser"]
