"""The mail server's own part of the control API, described by control.yaml beside it."""

from __future__ import annotations

from typing import Any

from mockserver.builtin.mailcheap.domains import verify_name
from mockserver.plugins import ControlCall, ControlRoute, RequestRejected

#: 2026-11-30, 00:00 UTC: since then the route is at its place of today.
_MOVED = 1_795_996_800


def verify(call: ControlCall) -> Any:
    """Let a name be verified, as the DNS record that a client is told to make would.

    Raises:
        RequestRejected: 422 for content of another form, 404 for a name that is not there.
    """
    content = call.content
    if content is None:
        raise RequestRejected(400, "Bad Request", "the content is not JSON: there is none")
    if not isinstance(content, dict) or content.keys() != {"domain"}:
        raise _unprocessable("the content must be an object with one or more of domain")
    domain = content["domain"]
    if not isinstance(domain, str):
        raise _unprocessable("domain must be the name of a domain, domain alias or relay domain")
    try:
        kind = verify_name(call.transaction, domain, call.now)
    except LookupError as error:
        raise RequestRejected(404, "Not Found", str(error.args[0])) from error
    return {"domain": domain.lower(), "kind": kind.member, "status": "verified"}


def _unprocessable(detail: str) -> RequestRejected:
    return RequestRejected(422, "Unprocessable Content", detail)


ROUTES = (
    ControlRoute(
        method="POST",
        path="/domains/verify",
        answer=verify,
        formerly="/domains/verify",
        deprecated=_MOVED,
    ),
)
