"""Behaviours in Python: functions that compute responses to operations, served with `--behaviours my.module`.

::

    from mockserver.behaviours import Call, Outcome, behaviour

    @behaviour("addNumbers")                                  # the operationId, or a handler and a role
    def add(call: Call) -> Outcome:
        return Outcome(0, {"sum": call.arguments.query["a"] + call.arguments.query["b"]}, "added")

A function is called with a valid request, within a transaction on its world. It returns an `Outcome` (status 0: the
documented success), or raises `RequestRejected`. More that such functions can use is in `mockserver.plugins`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from mockserver.contract.model import Contract
from mockserver.errors import RequestRejected, UsageError
from mockserver.http import json
from mockserver.messages import NO_CONTENT, Outcome
from mockserver.plugins.calls import Call, Handler
from mockserver.plugins.registration import behaviour, registrations
from mockserver.plugins.user_modules import import_module, missing_module
from mockserver.stub.behaviour.bindings import bind, by_operation

__all__ = ["NO_CONTENT", "Call", "Handler", "Outcome", "RequestRejected", "behaviour", "load_behaviours"]


def load_behaviours(name: str, contract: Contract) -> Mapping[str, Handler]:
    """Return the behaviours of a module, found in the current folder or installed, by `operationId`.

    Args:
        name: the module as `import` names it, `package.module`.
        contract: what it is for.

    Raises:
        UsageError: the module cannot be imported, has no behaviours, two for one operation, or one for none.
    """
    source = f"--behaviours {name}"
    found = list(registrations([_import(name)]))
    if not found:
        raise UsageError(f'{source}: no function there has @behaviour("operationId"); see docs/stub.md')
    return by_operation(bind(found, contract, source), contract, source)


def _import(name: str) -> ModuleType:
    try:
        return import_module(name)
    except Exception as error:  # whatever a user's module raises is reported in one line, without a traceback
        if missing := missing_module(name, error):
            raise UsageError(
                f"--behaviours {name}: there is no module {json.text(missing)} in {Path.cwd()} or installed"
            ) from error
        raise UsageError(f"--behaviours {name}: cannot be imported: {type(error).__name__}: {error}") from error
