"""Searchable PDF files: the pages of a document as they are, with what was read as invisible text.

Needs what ``pip install "ferrocr[pdf]"`` brings: pikepdf, and img2pdf with Pillow for pictures.
"""

from ..searchable_pdf._document import SearchablePdf, make_searchable

__all__ = ["SearchablePdf", "make_searchable"]
