"""The JSON content that an operation takes, for the claims that are made by it."""

from __future__ import annotations

from mockserver.contract.model import MediaType, Operation
from mockserver.http.media_types import json_content


def taken(operation: Operation) -> tuple[str, MediaType]:
    """Return media type and content of an operation that takes JSON, as the plan has made sure."""
    found = content_of(operation)
    assert found is not None
    return found


def content_of(operation: Operation) -> tuple[str, MediaType] | None:
    """Return the media type of an operation's JSON as it is sent, and what is documented for it; None for no JSON."""
    return json_content(operation.request_body.content) if operation.request_body is not None else None
