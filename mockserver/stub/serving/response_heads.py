"""Heads of HTTP/1.1 responses: status line, header fields, and how long the content is (RFC 9112, section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formatdate

from mockserver import sources
from mockserver.stub.response import STATUS_LINES
from mockserver.stub.statuses import WITHOUT_CONTENT

_STATUS_LINES = {code: f"HTTP/1.1 {line}\r\n" for code, line in STATUS_LINES.items()}
_MAX_REMEMBERED = 512
#: Connections and framing are the server's; an application cannot know.
_DROPPED = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade"})


class HeadWriter:
    """Writer of response heads."""

    def __init__(self) -> None:
        self._second = -1
        self._date = ""
        #: Field names as they were given, and in lower case if that means something here.
        self._kinds: dict[str, str] = {}

    def write(
        self, status: int, fields: Sequence[tuple[str, str]], length: int | None, *, is_head: bool, connection: str
    ) -> bytes:
        """Return the head of a response, with the empty line at its end.

        Args:
            status: status code.
            fields: header fields; a `Content-Length` or `Date` among them wins.
            length: of the content in bytes, None if it comes in chunks.
            is_head: whether the request's method was HEAD, so that the content is not sent.
            connection: value of the `Connection` field, "" for none.
        """
        text = _STATUS_LINES[status]
        dated = sized = False
        for name, value in fields:
            kind = self._kinds.get(name)
            if kind is None:
                kind = self._kind(name)
            if kind:
                if kind in _DROPPED:
                    continue
                dated = dated or kind == "date"
                sized = sized or kind == "content-length"
            if "\n" in value or "\r" in value:
                value = " ".join(value.split())  # a field that would end here, and begin another one
            text += f"{name}: {value}\r\n"
        if length is None:
            text += "" if sized else "Transfer-Encoding: chunked\r\n"
        elif not sized and not is_head and (length or status not in WITHOUT_CONTENT):
            text += f"Content-Length: {length}\r\n"
        if connection:
            text += f"Connection: {connection}\r\n"
        if not dated:
            now = int(sources.wall_clock())
            if now != self._second:
                self._second = now
                self._date = f"Date: {formatdate(now, usegmt=True)}\r\n"
            text += self._date
        return f"{text}\r\n".encode("latin-1", "replace")

    def _kind(self, name: str) -> str:
        lower = name.lower()
        kind = lower if lower in _DROPPED or lower in {"date", "content-length"} else ""
        if len(self._kinds) < _MAX_REMEMBERED:
            self._kinds[name] = kind
        return kind
