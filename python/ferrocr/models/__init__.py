"""The models: what is known of them, the directory that they lie in, and where they can be had.

Users import from :mod:`ferrocr` itself, or from the modules :mod:`ferrocr.store`, :mod:`ferrocr.audit`,
:mod:`ferrocr.removal`, :mod:`ferrocr.lease` and :mod:`ferrocr.progress`, which give what is here.
"""
