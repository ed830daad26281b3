"""Which handler a call is given to, by the kind and role of `x-mockserver-behaviour`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from mockserver.builtin import mailcheap
from mockserver.contract.model import Operation
from mockserver.errors import RequestRejected
from mockserver.stub.behaviour.calls import Call, Handler

#: The handler of collections and items, and the roles of their operations.
RESOURCE = "resource"
REMOVE = "remove"
RESOURCE_ROLES = ("list", "create", "read", "replace", "merge", "delete", REMOVE)


def find_handler(operation: Operation) -> Handler | None:
    """Return the handler that an operation's behaviour names, or None where it names none.

    Raises:
        LookupError: there is no such handler, or it has no such role; the message lists those that there are.
    """
    behaviour = operation.behaviour
    if behaviour is None:
        return None
    if behaviour.handler == RESOURCE and behaviour.role in RESOURCE_ROLES:
        return None  # made for the operation, from the contract (resources.py)
    handler = HANDLERS.get((behaviour.handler, behaviour.role))
    if handler is None:
        known = (*HANDLERS, *((RESOURCE, role) for role in RESOURCE_ROLES))
        roles = [role for name, role in known if name == behaviour.handler]
        if roles:
            raise LookupError(f"{behaviour.handler} has no role {behaviour.role!r}; it has {', '.join(roles)}")
        names = ", ".join(dict.fromkeys(name for name, _ in known))
        raise LookupError(f"unknown handler {behaviour.handler}; known are {names}")
    return handler


def refuse_absent(_call: Call) -> NoReturn:
    """Stand for everything that a server with this contract does not have."""
    raise RequestRejected(404, "Not Found", "there is nothing of this name")


HANDLERS: Mapping[tuple[str, str], Handler] = {**mailcheap.HANDLERS, ("absent", ""): refuse_absent}
