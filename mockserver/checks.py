"""Checks of one's own, made with `--checks-from my.module` or by a plug-in (docs/extending.md).

::

    from mockserver.checks import ObservedResponse, Operation, Session

    def every_response_has_a_request_id(observed: ObservedResponse) -> bool:
        \"\"\"Check that every response has the field X-Request-Id.\"\"\"
        assert observed.response.field("X-Request-Id"), "no X-Request-Id"
        return True

    def reads_can_be_cached(session: Session, operation: Operation) -> int:
        \"\"\"Check that a read says for how long it may be cached.\"\"\"
        if operation.method != "GET":
            raise NotRun("it is no read")
        response = session.call(operation, session.valid_request(operation, session.run.allowed(operation)))
        assert response.field("Cache-Control"), "no Cache-Control"
        return 1

A function whose docstring begins `Check that` is a check. With one argument it is made on every response of a run, with
two once on every operation. It passes by returning (False: there was nothing to judge), fails by a failed assertion or
by raising `CheckFailure`, and is not made by raising `NotRun`. Whatever it sends goes through the guard of the run.
"""

from __future__ import annotations

from mockserver.contract.model import Contract, Operation
from mockserver.suite.cases.observed_response import ObservedResponse
from mockserver.suite.run.session import Run, Session
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.verdicts.failures import CheckFailure, NotRun

__all__ = [
    "CheckFailure",
    "Contract",
    "Exchange",
    "NotRun",
    "ObservedResponse",
    "Operation",
    "Run",
    "Session",
    "WireRequest",
    "WireResponse",
]
