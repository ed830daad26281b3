"""Content for operations without behaviour: the contract's own example."""

from __future__ import annotations

from mockserver.contract.model import Operation
from mockserver.errors import RequestRejected
from mockserver.messages import Outcome, no_content, success


def example_outcome(operation: Operation) -> Outcome:
    """Return the first example of an operation's success, the same on every call.

    Raises:
        RequestRejected: 501, the contract documents content there but gives no example of it.
    """
    documented = operation.success()
    if documented is None or not documented.content:
        return no_content(0, "documented without content")
    for media_type in documented.content.values():
        for example in media_type.examples.values():
            return success(example.value, f"example {example.name}")
    raise RequestRejected(
        501,
        "Not Implemented",
        f"the contract has no example of the {documented.status} response of {operation.label}; add one",
    )
