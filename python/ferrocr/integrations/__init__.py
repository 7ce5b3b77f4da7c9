"""Other programs that use ferrocr as their OCR engine, a package for each.

Nothing else of ferrocr imports these, and each imports the program that it is for.
"""
