"""Processes that do what could hang, crash or take all memory, and that can be ended at any moment.

They know nothing of documents: requests and answers are headers and bytes. A worker imports this package, so it
imports nothing.
"""
