"""DELETE operations after which nothing exists at their path any more (RFC 9110, section 9.3.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.resources.shapes import SchemaShape, json_content
from mockserver.http.path_templates import parse_template

_GONE = frozenset({"404", "410"})
#: Status codes of a GET for a resource that does not exist, or not yet.
_ABSENT = _GONE | {"204"}


def removals(contract: Contract) -> Iterator[tuple[str, Behaviour]]:
    """Yield the `operationId` of each DELETE that removes what its path names, with the behaviour `remove`."""
    by_place = {(operation.method, operation.path): operation for operation in contract.operations}
    for operation in contract.operations:
        if operation.method == "DELETE" and (_names_an_item(operation) or _is_single(contract, operation, by_place)):
            yield operation.id, Behaviour("resource", role="remove", resource=operation.path)


def deletes_resource(contract: Contract, operation: Operation) -> bool:
    """Tell whether nothing exists at an operation's path any more once its DELETE was accepted."""
    by_place = {(one.method, one.path): one for one in contract.operations if one.path.startswith(operation.path)}
    if operation.behaviour is not None:
        if operation.request_body is not None:
            return False  # the content selects a part only
        # If a GET always has content, such as a status, a DELETE does not remove it: it disables something.
        read = by_place.get(("GET", operation.path))
        return read is None or not _ABSENT.isdisjoint(read.responses)
    return _names_an_item(operation) or _is_single(contract, operation, by_place)


def _names_an_item(operation: Operation) -> bool:
    """Tell whether an operation's path ends in a parameter, so that it names an item.

    `/pets/{id}:disown` names an action on a pet, which can be repeated, and not the pet.
    """
    last = parse_template(_last(operation))
    return bool(last.parameters) and ":" not in last.literals[-1]


def _is_single(contract: Contract, operation: Operation, by_place: Mapping[tuple[str, str], Operation]) -> bool:
    """Tell whether a path ends in the name of a thing that an item has or has not, as `/gists/{id}/star` does.

    That is so if the contract documents 404 or 410 for a GET. A list such as `/issues/{n}/labels` has items below it,
    and with content or a required query parameter a DELETE removes only a part.
    """
    read = by_place.get(("GET", operation.path))
    if "{" in _last(operation) or "{" not in operation.path or read is None or not _GONE & read.responses.keys():
        return False
    selects = any(parameter.location == "query" and parameter.required for parameter in operation.parameters)
    below = operation.path.rstrip("/") + "/{"
    if selects or operation.request_body is not None or any(path.startswith(below) for _, path in by_place):
        return False
    shown = json_content(read)
    return shown is None or shown.schema is None or "array" not in SchemaShape(contract, [shown.schema]).kinds


def _last(operation: Operation) -> str:
    return operation.path.rstrip("/").rpartition("/")[2]
