"""Problem details (RFC 9457) for rejections whose error content the contract does not define."""

from __future__ import annotations

from typing import Any

from mockserver.errors import RequestRejected
from mockserver.http import json

MEDIA_TYPE = "application/problem+json"


def problem(status: int, title: str, detail: str, **members: Any) -> bytes:
    """Return problem details of type `about:blank` as JSON text, with further members."""
    return json.encode(_members(status, title, detail) | members)


def members(rejected: RequestRejected, status: int) -> dict[str, Any]:
    """Return the problem details of a rejection as an object, with all violations (docs/stub.md, "Rejections")."""
    shown = [violation.as_json() for violation in rejected.violations]
    return _members(status, rejected.title, rejected.detail) | {"violations": shown}


def of(rejected: RequestRejected, status: int) -> bytes:
    """Return the problem details of a rejection as JSON text."""
    return encode(members(rejected, status))


def encode(details: dict[str, Any]) -> bytes:
    """Return problem details as JSON text."""
    return json.encode(details)


def _members(status: int, title: str, detail: str) -> dict[str, Any]:
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "violations": []}
