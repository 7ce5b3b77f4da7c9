"""ferrocr as an engine of OCRmyPDF: the plugin, its engines, languages by Tesseract's names, and pages as trees.

OCRmyPDF loads it as :mod:`ferrocr.ocrmypdf_plugin`.
"""
