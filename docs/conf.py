"""Settings of Sphinx for the documentation; tools/build_docs.py puts its sources together."""

import builtins
import re

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import ferrocr

project = "ferrocr"
author = "the ferrocr authors"
copyright = "2026, the ferrocr authors"
release = version = ferrocr.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 4
highlight_language = "none"
default_role = "code"
smartquotes = False
python_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
nitpick_ignore_regex = [("py:.*", ".*")]
"""Types of Python's and of others are not looked up: that would ask their sites."""

html_theme = "furo"
html_title = f"ferrocr {release}"
html_show_sourcelink = False
html_copy_source = False


def leave_builtins_alone(_app: Sphinx, document: nodes.document) -> None:
    """Take the links off Python's own types: `bytes` is also what attributes here are called."""
    for link in list(document.findall(pending_xref)):
        if link.get("refdomain") == "py" and hasattr(builtins, link.get("reftarget", "")):
            link.replace_self(link.children)


def link_pages(_app: Sphinx, _what: str, _name: str, _value: object, _options: object, lines: list[str]) -> None:
    """Make links of what docstrings call `docs/rules.md`, as it is installed."""
    lines[:] = [re.sub(r"\bdocs/([a-z-]+)\.md\b", r":doc:`\1`", line) for line in lines]


def setup(app: Sphinx) -> None:
    """Have Sphinx call what is above."""
    app.connect("autodoc-process-docstring", link_pages)
    app.connect("doctree-read", leave_builtins_alone)
