"""Engines whose models live in processes of their own: ``OcrEngine(isolated=True)``.

:class:`._client.IsolatedCore` stands in for the core's engine, so that all else about an engine is the same.
Its processes are workers (:mod:`ferrocr._workers`), in each of which :mod:`._service` has a core's engine.
"""
