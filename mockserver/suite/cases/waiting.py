"""Waiting: requests that ask a server to wait before it responds, and operations whose responses never end."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from mockserver.contract.model import Operation
from mockserver.http.content.sequences import sequence_kind
from mockserver.suite.target.exchange import WireRequest

#: Query parameters of long polling and of following: Consul's `wait`, Kubernetes' `watch`, Docker's `follow`.
_WAITS = re.compile(
    r"(?:max[_-]?)?wait(?:[_-]?(?:for|ms|seconds|s|time|timeout))?|(?:long[_-]?|poll[_-]?)?timeout(?:[_-]?(?:ms|seconds))?"
    r"|(?:long[_-]?)?poll|block|watch|follow|stream",
    re.IGNORECASE,
)
_NO = frozenset({"", "0", "false", "no", "off"})


def asks_to_wait(request: WireRequest) -> bool:
    """Tell whether a request asks the server to wait for something: long polling, or `Prefer: wait` (RFC 7240)."""
    if re.search(r"\bwait=", request.field("Prefer") or ""):
        return True
    query = parse_qsl(request.path.partition("?")[2], keep_blank_values=True)
    return any(_WAITS.fullmatch(name) and value.lower() not in _NO for name, value in query)


def is_endless(operation: Operation) -> bool:
    """Tell whether all content that an operation documents for a success is a stream."""
    names = [
        name for status, response in operation.responses.items() if status.startswith("2") for name in response.content
    ]
    return bool(names) and all(sequence_kind(name) for name in names)
