"""Python behaviours: what no contract can say, written as functions and served with `--behaviours my.module`.

::

    from mockserver.behaviours import Call, Outcome, behaviour

    @behaviour("addNumbers")                                  # the operationId
    def add(call: Call) -> Outcome:
        return Outcome(0, {"sum": call.arguments.query["a"] + call.arguments.query["b"]}, "added")

A function is called with a request that is valid, within the transaction of its world. It answers with an `Outcome`
(status 0: the documented success), or raises `RequestRejected`.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from mockserver.contract.model import Contract
from mockserver.errors import RequestRejected, UsageError
from mockserver.messages import NO_CONTENT, Outcome
from mockserver.stub.behaviour.calls import Call, Handler

__all__ = ["NO_CONTENT", "Call", "Handler", "Outcome", "RequestRejected", "behaviour", "load_behaviours"]

#: Where a function keeps the operations that it is for.
_MARK = "__mockserver_operations__"


def behaviour(operation_id: str) -> Callable[[Handler], Handler]:
    """Return a decorator that makes a function the behaviour of an operation; may be repeated.

    Args:
        operation_id: the operation's `operationId`, or `METHOD /path` where it has none.
    """

    def mark(function: Handler) -> Handler:
        vars(function).setdefault(_MARK, []).append(operation_id)
        return function

    return mark


def load_behaviours(name: str, contract: Contract) -> Mapping[str, Handler]:
    """Return the behaviours of a module by `operationId`; the module is looked for in the current folder first.

    Args:
        name: the module as `import` names it, `package.module`.
        contract: what it is for.

    Raises:
        UsageError: the module cannot be imported, has no behaviours, two for one operation, or one for none.
    """
    module = _import(name)
    found: dict[str, Handler] = {}
    by_label = {label: operation.id for label, operation in contract.by_label.items()}
    for function in {id(value): value for value in vars(module).values() if callable(value)}.values():
        marks = getattr(function, "__dict__", {}).get(_MARK, ())
        for wanted in marks:
            operation = wanted if wanted in contract.by_id else by_label.get(wanted)
            if operation is None:
                raise UsageError(
                    f"--behaviours {name}: {wanted!r} is no operationId of the contract{_hint(wanted, contract)}"
                )
            if operation in found:
                raise UsageError(f"--behaviours {name}: {wanted!r} has two behaviours; leave one out")
            found[operation] = function
    if not found:
        raise UsageError(f'--behaviours {name}: no function there has @behaviour("operationId"); see docs/stub.md')
    return found


def _import(name: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as `python -m` does; the console script has its own folder there
    try:
        return importlib.import_module(name)
    except Exception as error:  # whatever a user's module raises is told in a line, without our frames
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise UsageError(
                f"--behaviours {name}: there is no module {error.name!r} in {folder} or installed"
            ) from error
        raise UsageError(f"--behaviours {name}: cannot be imported: {type(error).__name__}: {error}") from error


def _hint(wanted: str, contract: Contract) -> str:
    close = difflib.get_close_matches(wanted, contract.by_id, n=1)
    return f"; did you mean {close[0]!r}?" if close else "; mockserver inspect lists them"
