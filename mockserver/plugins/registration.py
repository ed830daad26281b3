"""The decorator `@behaviour`, which registers a Python function as the behaviour of operations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from mockserver.plugins.calls import Handler

#: Attributes of a registered function: its registrations, and whether its responses are trusted.
_MARK = "__mockserver_behaviours__"
_TRUSTED = "__mockserver_trusted__"
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Registration(NamedTuple):
    """One use of `@behaviour`: a function, and the operation or handler that it implements.

    Attributes:
        name: an `operationId`, `METHOD /path`, or a handler of `x-mockserver-behaviour`.
        role: role of the handler, "" if it has no roles; None if `name` is that of an operation.
        function: the behaviour.
    """

    name: str
    role: str | None
    function: Handler


def behaviour(name: str, role: str | None = None, *, trusted: bool = False) -> Callable[[_Function], _Function]:
    """Return a decorator that registers a function as the behaviour of an operation or handler; may be repeated.

    Args:
        name: the operation's `operationId`, or `METHOD /path` where it has none; with `role`, the name of a handler.
        role: makes the function the handler of all operations whose `x-mockserver-behaviour` has this handler and
            role; "" for a handler without roles.
        trusted: the function's responses are known to be valid, so they are sent without being validated; with
            `serve --errors` they are validated all the same.
    """

    def mark(function: _Function) -> _Function:
        vars(function).setdefault(_MARK, []).append((name, role))
        if trusted:
            setattr(function, _TRUSTED, True)
        return function

    return mark


def registrations(owners: Iterable[ModuleType | Callable[..., Any]]) -> Iterator[Registration]:
    """Yield the registrations made by `@behaviour` on functions, and on the functions of modules."""
    seen: set[int] = set()
    for owner in owners:
        for function in vars(owner).values() if isinstance(owner, ModuleType) else (owner,):
            marks = getattr(function, "__dict__", {}).get(_MARK) if callable(function) else None
            if marks and id(function) not in seen:
                seen.add(id(function))
                yield from (Registration(name, role, function) for name, role in marks)


def is_trusted(function: Handler) -> bool:
    """Tell whether a behaviour was registered as `trusted`: its responses are not validated against the contract."""
    return getattr(function, _TRUSTED, False) is True
