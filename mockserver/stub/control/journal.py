"""The journal: a bounded list, for each world, of its latest exchanges with the reason for each response.

An entry keeps references to what the request made anyway; it is put into words, with secrets masked, when somebody
reads it.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mockserver.http import basic, json
from mockserver.masking import show, show_query
from mockserver.messages import Violation

#: Entries kept for each world; the oldest go first.
MAX_ENTRIES = 1000
#: Longer content is not kept, only its length.
MAX_CONTENT_BYTES = 16 * 1024


class JournalEntry(NamedTuple):
    """One exchange in a world's journal: request, response, and the reason for the response.

    Attributes:
        number: counts the world's calls from 1.
        at: UNIX time on the machine's clock, in seconds.
        operation: `operationId`, or "" where the contract has no such operation.
        content: the request's content, or only its length in bytes if it is long.
        response: the response's content, or only its length in bytes if it is long.
        why: the rule or example that decided the response, or the reason for a rejection.
        secret_names: property names masked in both contents.
    """

    number: int
    at: float
    method: str
    path: str
    query: str
    authorization: str | None
    content_type: str | None
    content: bytes | int
    operation: str
    status: int
    response: bytes | int
    why: str
    violations: tuple[Violation, ...]
    secret_names: frozenset[str]
    duration_seconds: float

    def as_json(self, secret_parameters: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Return the journal entry as the control API shows it, with secrets masked.

        Args:
            secret_parameters: names of query parameters that hold secrets, whatever they are called.
        """
        return {
            "number": self.number,
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds"),
            "request": {
                "method": self.method,
                "path": show(self.path),
                "query": show_query(self.query, self.secret_names | secret_parameters),
                "authorization": basic.masked(self.authorization),
                "content_type": show(self.content_type),
                "content": _content(self.content, self.secret_names),
            },
            "response": {"status": self.status, "content": _content(self.response, self.secret_names)},
            "operation": self.operation,
            "why": self.why,
            "violations": [violation.as_json() for violation in self.violations],
            "duration_ms": round(self.duration_seconds * 1000, 3),
        }


class Journal:
    """Journal of one world: its latest exchanges, newest last."""

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        # Counting, appending and copying are atomic in CPython; a lock would cost more than the entry.
        self._entries: deque[tuple[int, tuple[Any, ...]]] = deque(maxlen=max_entries)
        self._numbers = itertools.count(1)

    def append(self, values: tuple[Any, ...]) -> None:
        """Append an exchange to the journal, given the values of a JournalEntry after its number."""
        self._entries.append((next(self._numbers), values))

    def clear(self) -> None:
        """Delete every entry of the journal, and count from 1 again."""
        self._entries.clear()
        self._numbers = itertools.count(1)

    def query(
        self,
        operation: str | None = None,
        status: int | None = None,
        method: str | None = None,
        path: str | None = None,
    ) -> Iterator[JournalEntry]:
        """Yield the entries of the journal that match all given conditions, oldest first."""
        for number, values in self._entries.copy():
            entry = JournalEntry(number, *values)
            if (
                (operation is None or entry.operation == operation)
                and (status is None or entry.status == status)
                and (method is None or entry.method == method)
                and (path is None or entry.path == path)
            ):
                yield entry


def kept_content(content: bytes) -> bytes | int:
    """Return content as a journal entry stores it: the bytes, or only their number if there are too many."""
    return content if len(content) <= MAX_CONTENT_BYTES else len(content)


def _content(content: bytes | int, secret_names: frozenset[str]) -> Any:
    """Return content in the journal as a JSON value with secrets masked; content that is not JSON is not shown."""
    if isinstance(content, int):
        return f"{content} bytes, too long to keep"
    if not content:
        return None
    try:
        return show(json.decode(content), secret_names)
    except ValueError:
        return f"{len(content)} bytes that are not JSON"
