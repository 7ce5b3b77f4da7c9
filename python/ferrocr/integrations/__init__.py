"""Other programs that use ferrocr as their OCR engine: a package or a module for each, named after the program.

Nothing else of ferrocr imports these, and each imports the program that it is for. ``ocrmypdf`` is a plugin of
OCRmyPDF, ``markitdown`` one of MarkItDown, ``paperless`` one of paperless-ngx; ``langchain``, ``llama_index`` and
``haystack`` have readers of documents, and ``pymupdf4llm`` a function that reads pages.
"""
