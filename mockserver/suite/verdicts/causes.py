"""Causes in words: what findings of several checks or operations have in common."""

from __future__ import annotations

from mockserver.suite.target.exchange import WireResponse

#: Of findings about operations that the server does not have.
NOT_THERE = "operations of the contract are not there"
#: Status codes for a missing resource or method (RFC 9110, sections 15.5.5, 15.5.6 and 15.6.2).
NOT_THERE_STATUSES = frozenset({404, 405, 501})


def missing_field(name: str) -> str:
    """Return the cause of findings about a header field that responses lack."""
    return f"the field {name} is missing"


def undefined_method(response: WireResponse) -> str:
    """Return the cause of findings about undefined methods that get no 405."""
    if response.successful:
        return "undefined methods are accepted"
    return f"undefined methods are refused with {response.status}, not with 405"


def class_of(response: WireResponse) -> str:
    """Return the class of a response's status code in words: `errors`, `redirects` or `successes`."""
    return "errors" if response.status >= 400 else "redirects" if response.status >= 300 else "successes"
