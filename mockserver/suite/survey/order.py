"""Order of the survey: lists before items, creations before reads, parents before children, deletions last."""

from __future__ import annotations

from collections.abc import Iterable

from mockserver.contract.model import Operation
from mockserver.contract.roles import is_login
from mockserver.http.path_templates import parse_template
from mockserver.suite.survey.identifier_reader import IdentifierReader
from mockserver.suite.survey.known_items import nameless

#: Stages of the survey.
READ_AND_MAKE, ACT, REMOVE, END = range(4)


def ordered(operations: Iterable[Operation], reader: IdentifierReader) -> list[Operation]:
    """Return operations in the order in which the survey calls them; see `stage`."""
    every = list(operations)
    posted = {nameless(template) for one in every if one.method == "POST" for template in reader.made_by(one)}

    def key(operation: Operation) -> tuple[int, int, int, int]:
        parameters = len(parse_template(operation.path).parameters)
        own = stage(operation)
        makes = reader.is_creation(operation) or (
            operation.method == "PUT" and is_item(operation) and nameless(operation.path) not in posted
        )
        turn = _turn(operation, makes=makes)
        # Children are removed before their parents.
        return own, -parameters if own == REMOVE else parameters, turn, len(operation.path)

    return sorted(every, key=key)


def stage(operation: Operation) -> int:
    """Return the stage of the survey in which an operation is called.

    What acts on an item, such as `/orders/{id}/cancel`, comes once all was read; what ends credentials is last.
    """
    if operation.effect == "credentials":
        return END
    if operation.method == "DELETE":
        return REMOVE
    if operation.safe or is_login(operation) or is_item(operation) or "{" not in operation.path:
        return READ_AND_MAKE
    last = operation.path.rstrip("/").rpartition("/")[2]
    if operation.method == "POST":
        return READ_AND_MAKE if last.endswith("s") else ACT
    return ACT


def is_item(operation: Operation) -> bool:
    """Tell whether an operation's path ends in a parameter, so that it names an item."""
    return bool(parse_template(operation.path.rstrip("/").rpartition("/")[2]).name)


def _turn(operation: Operation, *, makes: bool) -> int:
    if is_login(operation):
        return 6
    if operation.safe:
        return 2 if is_item(operation) else 0
    if makes:
        return 1
    return {"PUT": 3, "PATCH": 4}.get(operation.method, 5)
