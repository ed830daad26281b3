"""The handler of an operation: a Python behaviour, one that the contract names, or one inferred from the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.resources.state_roles import SHOW, STORE
from mockserver.errors import ContractError
from mockserver.messages import OutgoingRequest
from mockserver.plugins.calls import Handler, Rules
from mockserver.plugins.registration import is_trusted
from mockserver.stub.behaviour.handlers import AUTH, REMOVE, SETTING, Handlers, find_handler
from mockserver.stub.behaviour.login import LoginHandler
from mockserver.stub.behaviour.setting import SettingHandler
from mockserver.stub.store.worlds import World
from mockserver.stub.stub_options import StubOptions

if TYPE_CHECKING:
    from mockserver.stub.crud.example_items import Representations

NO_NAMES: frozenset[str] = frozenset()


def _not_sent(outgoing: OutgoingRequest, _world: World) -> str:
    return f"callback {outgoing.name} not sent: no host is allowed"


def nothing_inferred(_operation: Operation) -> Mapping[str, Behaviour]:
    """Return no behaviours: what is inferred with `--no-state`."""
    return {}


class Settings(NamedTuple):
    """Settings of a stub that apply to the responses of all operations.

    Attributes:
        behaviours: Python behaviours by `operationId`.
        handlers: functions that an API adds, by handler and role of `x-mockserver-behaviour`.
        trusted: handlers of the engine whose responses are sent without being validated.
        secret_names: members that are masked in all operations.
        deliver: queues a callback for sending if that is allowed; returns a note for the journal.
        inferred: returns the behaviours that were inferred of the operations around one, by `operationId`.
    """

    options: StubOptions
    rules: Rules
    behaviours: Mapping[str, Handler] = {}
    handlers: Handlers = MappingProxyType({})
    trusted: frozenset[str] = NO_NAMES
    secret_names: frozenset[str] = NO_NAMES
    deliver: Callable[[OutgoingRequest, World], str] = _not_sent
    inferred: Callable[[Operation], Mapping[str, Behaviour]] = nothing_inferred


def behaviour_of(
    contract: Contract, operation: Operation, settings: Settings, representations: Representations
) -> tuple[Operation, Handler | None]:
    """Return an operation with its behaviour, and its handler: from Python, the contract, or inferred."""
    if operation.id in settings.behaviours:
        return operation, settings.behaviours[operation.id]
    if operation.behaviour is None:
        inferred = settings.inferred(operation).get(operation.id)
        if inferred is not None:
            operation = replace(operation, behaviour=inferred)
    if operation.behaviour is None:
        return operation, None
    handler = handler_of(contract, operation, settings.handlers)
    return operation, handler or _made(contract, operation, operation.behaviour, settings, representations)


def _made(
    contract: Contract,
    operation: Operation,
    behaviour: Behaviour,
    settings: Settings,
    representations: Representations,
) -> Handler:
    """Return a handler that the engine makes for an operation: setting, login or resource."""
    if behaviour.handler == SETTING:
        return SettingHandler(contract, operation, representations).run
    if behaviour.handler == AUTH:
        return LoginHandler(contract, operation, representations).run
    from mockserver.stub.crud.resources import ResourceHandler  # a contract without collections never loads them
    from mockserver.stub.crud.tombstones import RemoveHandler
    from mockserver.stub.crud.whole_values import WholeValueHandler

    explicit = {one.id: one.behaviour for one in contract.operations if one.behaviour is not None}
    relatives = {**settings.inferred(operation), **explicit}
    if behaviour.role == REMOVE:
        return RemoveHandler(operation, relatives.values())
    if behaviour.role in {SHOW, STORE}:
        return WholeValueHandler(contract, operation, behaviour, relatives)
    return ResourceHandler(contract, operation, behaviour, relatives, representations)


def handler_of(contract: Contract, operation: Operation, added: Handlers) -> Handler | None:
    """Return the function that an operation's behaviour names, None if the engine makes it for the operation.

    Raises:
        ContractError: there is no such handler.
    """
    assert operation.behaviour is not None
    try:
        return find_handler(operation.behaviour, added)
    except LookupError as error:
        raise ContractError(f"{contract.place(operation.behaviour.pointer)}: {error}") from error


def trusts(handler: Handler | None, behaviour: Behaviour, settings: Settings) -> bool:
    """Tell whether a handler's responses are trusted, and so sent without being validated against the contract."""
    if handler is None or settings.options.errors:
        return False
    if getattr(handler, "judges", False):
        return True  # it has validated its responses itself
    return (fills_form(handler) and behaviour.handler in settings.trusted) or is_trusted(handler)


def fills_form(handler: Handler | None) -> bool:
    """Tell whether a handler is one that the engine makes for a setting or a login.

    It fills in the form of the operation's example, and looks for the content in its call, never in the arguments.
    """
    return isinstance(getattr(handler, "__self__", None), SettingHandler | LoginHandler)
