"""Content for operations without behaviour: the contract's own example."""

from __future__ import annotations

from mockserver.contract.model import Operation
from mockserver.errors import RequestRejected
from mockserver.messages import Outcome


def example_outcome(operation: Operation) -> Outcome:
    """Return the first example of an operation's success, the same on every call.

    Raises:
        RequestRejected: 501, the contract documents content there but gives no example of it.
    """
    success = operation.success()
    if success is None or not success.content:
        return Outcome(0, None, True, "documented without content")
    for media_type in success.content.values():
        for example in media_type.examples.values():
            return Outcome(0, example.value, False, f"example {example.name}")
    raise RequestRejected(
        501,
        "Not Implemented",
        f"the contract has no example of the {success.status} response of {operation.label}; add one",
    )
