"""Problem details (RFC 9457) for rejections that the contract leaves to us."""

from __future__ import annotations

from typing import Any

from mockserver import documents
from mockserver.errors import RequestRejected

MEDIA_TYPE = "application/problem+json"


def problem(status: int, title: str, detail: str, **members: Any) -> bytes:
    """Return problem details as JSON text; `about:blank` says that the status code is the whole type."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "violations": [],
    }
    content.update(members)
    return documents.encode(content)


def of(rejected: RequestRejected, status: int) -> bytes:
    """Return the problem details of a rejection, all its violations included (docs/stub.md, "Rejections")."""
    shown = [violation.as_json() for violation in rejected.violations]
    return problem(status, rejected.title, rejected.detail, violations=shown)
