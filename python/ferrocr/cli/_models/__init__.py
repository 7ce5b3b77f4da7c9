"""``ferrocr models``: list, check, fetch, remove and carry models.

Each module here has one or a few commands, with ``add`` to describe them as the modules above this package do.
"""

from typing import TYPE_CHECKING

from . import _archive, _audit, _info, _keep, _list, _pull, _remove, _trash, _verify

if TYPE_CHECKING:
    from .._command import Commands


def add(commands: "Commands") -> None:
    """Describe the command and those below it."""
    models = commands.add_parser(
        "models", help="list, check, fetch and remove models", description="Look after the models."
    )
    actions = models.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (_list, _info, _audit, _pull, _verify, _remove, _trash, _keep, _archive):
        module.add(actions)
