"""Handlers that a contract can name in `x-mockserver-behaviour`, and how the one of an operation is found.

::

    absent     a function          always 404
    setting    made for the        one value with a transitional status
    auth       operation, from     a login that issues tokens
    resource   the contract        items of collections (crud/resources.py)

An API adds its own; one with the name and role of an engine's handler replaces that handler.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from mockserver.contract.model import Behaviour
from mockserver.errors import RequestRejected
from mockserver.http import json
from mockserver.plugins.calls import Call, Handler
from mockserver.plugins.registration import behaviour
from mockserver.stub.behaviour import login, setting

#: Handlers that are made for each operation; roles of the one of collections and items.
SETTING, AUTH, RESOURCE = "setting", "auth", "resource"
REMOVE = "remove"
RESOURCE_ROLES = ("list", "create", "read", "replace", "merge", "delete", "act", "clear", "show", "store", REMOVE)
MADE: Mapping[str, tuple[str, ...]] = {SETTING: setting.ROLES, AUTH: login.ROLES, RESOURCE: RESOURCE_ROLES}

Handlers = Mapping[tuple[str, str], Handler]


@behaviour("absent", "", trusted=True)
def refuse_absent(_call: Call) -> NoReturn:
    """Answer every call with 404: the handler `absent`, for operations whose objects never exist."""
    raise RequestRejected(404, "Not Found", "no object has this name")


FUNCTIONS: Handlers = {("absent", ""): refuse_absent}


def find_handler(wanted: Behaviour, added: Handlers) -> Handler | None:
    """Return the function that implements a handler and role, None if the engine makes one for each operation.

    Args:
        wanted: what the contract says.
        added: handlers of the API that is served.

    Raises:
        LookupError: there is no such handler, or it has no such role; the message lists those that there are.
    """
    key = (wanted.handler, wanted.role)
    found = added.get(key) or FUNCTIONS.get(key)
    if found is not None:
        return found
    if wanted.role in MADE.get(wanted.handler, ()):
        return None
    known = [*FUNCTIONS, *((name, role) for name, roles in MADE.items() for role in roles), *added]
    roles = [role for name, role in known if name == wanted.handler]
    if roles:
        raise LookupError(f"{wanted.handler} has no role {json.text(wanted.role)}; it has {', '.join(roles)}")
    names = ", ".join(dict.fromkeys(name for name, _ in known))
    hint = "" if added else "; to use the handlers of an API, add `x-mockserver-api: NAME` at the top of the contract"
    raise LookupError(f"unknown handler {wanted.handler}; known are {names}{hint}")
