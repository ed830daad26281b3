"""Responses with content that schemathesis can parse; the suite judges the original responses.

schemathesis reads JSON by `json.loads`, validates it with jsonschema-rs, keeps texts of it, and sends them again.
Nesting by the thousand, lone surrogates and numbers of hundreds of digits each end one of these, and with it the run.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mockserver.contract.schema.validator import supported_value
from mockserver.suite.target.exchange import NotJSON, WireResponse, is_json
from mockserver.suite.target.json_text import has_odd_numbers

#: Longer content is not given to schemathesis, which keeps some of it for each case.
_MAX_CONTENT = 256 * 1024
#: So much of content that is not JSON, whatever it says, cannot be nested too deep.
_HARMLESS = 200
#: A lone surrogate as JSON writes it, a half of a pair included: looking at those costs little.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def keep_original(request: Any, response: WireResponse) -> bytes:
    """Keep the original response with its request; return the simplified content for schemathesis."""
    content = _harmless(response)
    request.original_response = response
    request.is_faithful = content == response.body
    return content


def original(request: Any) -> WireResponse | None:
    """Return the original response to a request, None if it was not kept."""
    found: WireResponse | None = getattr(request, "original_response", None)
    return found


def shorten_original(request: Any) -> None:
    """Shorten the kept response to what evidence shows, since schemathesis keeps all requests of a phase."""
    if (found := original(request)) is not None:
        request.original_response = found.shortened()


def is_faithful(request: Any) -> bool:
    """Tell whether schemathesis got the content of a response unchanged."""
    return bool(getattr(request, "is_faithful", True))


def _harmless(response: WireResponse) -> bytes:
    body = response.body
    if not is_json(response.media_type):
        return body[:_MAX_CONTENT]
    try:
        reading = response.reading()
    except NotJSON:
        return body[:_HARMLESS]
    if len(body) > _MAX_CONTENT:
        return b"null"
    if reading.pruned or _SURROGATE.search(body) or has_odd_numbers(body):
        return json.dumps(supported_value(reading.value)).encode()
    return body
