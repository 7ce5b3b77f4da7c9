"""Searchable PDF files: a document's pages as they are, with what was read as invisible text.

Users import from :mod:`ferrocr.formats.pdf`, which gives what is in :mod:`._document`. Everything else here needs
pikepdf, or is the text that is put into a PDF.
"""
