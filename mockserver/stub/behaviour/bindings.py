"""Python functions registered as behaviours, assigned to the operations and handlers of a contract."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mockserver.contract.model import Contract
from mockserver.errors import UsageError
from mockserver.http import json
from mockserver.plugins.calls import Handler
from mockserver.plugins.plugin import Plugin
from mockserver.plugins.registration import Registration, registrations
from mockserver.stub.behaviour.handlers import Handlers


class Bindings(NamedTuple):
    """Python behaviours of a contract: by `operationId`, and by handler and role of `x-mockserver-behaviour`."""

    operations: Mapping[str, Handler]
    handlers: Handlers


NONE = Bindings({}, {})


def bind(found: Iterable[Registration], contract: Contract, source: str, *, whole: bool = True) -> Bindings:
    """Return registered functions by the operations and handlers of a contract that they implement.

    Args:
        found: the functions, as they are registered.
        contract: what they are for.
        source: what a message begins with: the option, module or API that they come from.
        whole: every operation that they name has to be in the contract, which is not one that somebody has changed.

    Raises:
        UsageError: there are two for one operation or handler, or one for none.
    """
    operations: dict[str, Handler] = {}
    handlers: dict[tuple[str, str], Handler] = {}
    by_label = {label: operation.id for label, operation in contract.by_label.items()}
    for name, role, function in found:
        if role is not None:
            if (name, role) in handlers:
                raise UsageError(f"{source}: {name} {role} has two behaviours; leave one out".replace("  ", " "))
            handlers[name, role] = function
            continue
        operation = name if name in contract.by_id else by_label.get(name)
        if operation is None and not whole:
            continue
        if operation is None:
            raise UsageError(
                f"{source}: {json.text(name)} is not an operationId of the contract{_hint(name, contract)}"
            )
        if operation in operations:
            raise UsageError(f"{source}: {json.text(name)} has two behaviours; leave one out")
        operations[operation] = function
    return Bindings(operations, handlers)


def bind_api(api: Plugin | None, contract: Contract) -> Bindings:
    """Return the behaviours of an API, for its own contract or another one that names the API.

    Raises:
        UsageError: as `bind`.
    """
    if api is None:
        return NONE
    own = contract.document.path == api.contract and not contract.document.layers
    return bind(registrations(api.behaviours), contract, f"API {api.name}", whole=own)


def by_operation(bindings: Bindings, contract: Contract, source: str) -> Mapping[str, Handler]:
    """Return behaviours by `operationId` alone, with handlers resolved to all operations that name them.

    Raises:
        UsageError: no operation names a handler; a contract cannot be served by one that nobody asks for.
    """
    found: dict[str, Handler] = {}
    for (name, role), function in bindings.handlers.items():
        meant = [
            one.id
            for one in contract.operations
            if one.behaviour is not None and (one.behaviour.handler, one.behaviour.role) == (name, role)
        ]
        if not meant:
            raise UsageError(f"{source}: no operation has {{handler: {name}, role: {role}}} as x-mockserver-behaviour")
        found |= dict.fromkeys(meant, function)
    return {**found, **bindings.operations}


def _hint(wanted: str, contract: Contract) -> str:
    close = difflib.get_close_matches(wanted, contract.by_id, n=1)
    return f"; did you mean {json.text(close[0])}?" if close else "; `mockserver inspect` lists them"
