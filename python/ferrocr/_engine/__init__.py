"""Everything that runs an engine: forms of pictures, checked options, calls, loading, forks and the exit.

:mod:`ferrocr.engine` is what users see of it. What other packages need of a running process, such as a call's deadline
or the end of the interpreter, is here too.
"""
