"""Selection of the documented response for an outcome: for success, a preferred status code, or a rejection.

The tables are explained in docs/stub.md, "Responses of any contract".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mockserver.contract.model import DocumentedResponse as Documented
from mockserver.contract.model import Operation

#: Answers that have no content, whatever is documented (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5).
WITHOUT_CONTENT = frozenset({204, 205, 304})
#: What says the same as a status that a contract does not document by its code, the nearest first.
_STAND_INS: Mapping[int, tuple[int, ...]] = {
    400: (422,),
    422: (400,),
    401: (403,),
    403: (401,),
    406: (415, 400),
    412: (409, 400),
    413: (400, 422),
    415: (400, 422),
    428: (400, 422),
}
_NOT_MODIFIED = 304


class Status(NamedTuple):
    """A status code to answer with, and its documented response (None: the contract documents none)."""

    code: int
    documented: Documented | None


def successes(operation: Operation) -> list[Status]:
    """Return the statuses with which a successful call may be answered, best first.

    2xx with content before those without; without any 2xx a redirect, `default` (as 200). Where all that is documented
    are errors, or nothing is, a call that changes state is answered 200 without content: an error would tell a client
    that nothing happened (docs/decisions/0033-success-that-is-not-documented.md). For other calls see `only_error`.
    """
    coded = sorted(
        (Status(_code(key), documented) for key, documented in operation.responses.items() if _code(key)),
        key=lambda status: (status.documented is not None and not status.documented.status.isdecimal(), status.code),
    )
    of_class = {digit: [status for status in coded if status.code // 100 == digit] for digit in (2, 3)}
    found = [status for status in of_class[2] if _has_content(status)]
    found += [status for status in of_class[2] if not _has_content(status)]
    if found:
        return found
    found = sorted(of_class[3], key=lambda status: status.code == _NOT_MODIFIED)
    if "default" in operation.responses:
        found.append(Status(200, operation.responses["default"]))
    return found or [Status(200, None)]


def only_error(operation: Operation) -> int:
    """Return the first documented status of an operation that documents nothing but errors; 0 where it has others.

    An empty 200 would tell a client what no page says; the error is what the document has to show.
    """
    codes = [code for key in operation.responses if (code := _code(key)) or not key.startswith("1")]
    return next(iter(codes), 0) if codes and all(code >= 400 for code in codes) else 0


def preferred(operation: Operation, code: int) -> Status:
    """Return a status code that the client asked for, with its documented response."""
    return Status(code, operation.response_for(code))


def of_rejection(operation: Operation, status: int) -> Status:
    """Return the status for a rejection: its own code, else the nearest documented alternative.

    The code itself, else a code that says the same, else its range, else `default`.
    """
    for code in (status, *_STAND_INS.get(status, ())):
        documented = operation.responses.get(str(code))
        if documented is not None:
            return Status(code, documented)
    return Status(status, operation.response_for(status))


def _code(key: str) -> int:
    """Return the lowest status code that a key of a Responses Object names, 0 for `default` and 1xx."""
    text = f"{key[0]}00" if key[1:].upper() == "XX" else key
    code = int(text) if text.isdecimal() else 0
    return code if 200 <= code <= 599 else 0


def _has_content(status: Status) -> bool:
    return status.documented is not None and bool(status.documented.content) and status.code not in WITHOUT_CONTENT
