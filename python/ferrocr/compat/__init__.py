"""Interfaces of other OCR libraries, served by ferrocr.

``ferrocr.compat.pytesseract`` has pytesseract's functions, ``ferrocr.compat.rapidocr`` the class ``RapidOCR`` and its
results; ``ferrocr.compat.aspose`` has the class ``AsposeAI`` and runs scripts written for it. Import the module you
need: this package imports none of them by itself.
"""
