"""Heads of HTTP/1.1 requests (RFC 9112, sections 2 to 6), read into WSGI variables.

Clients repeat themselves: a head, or its fields, that came before byte for byte is looked up, not read again.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from mockserver.errors import RequestRejected

MAX_HEAD_BYTES = 64 * 1024
#: Length of content that comes in chunks.
CHUNKED = -1
_MAX_FIELDS = 200
_MAX_REMEMBERED = 512
_MAX_REMEMBERED_BYTES = 4096
_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^\x00-\x20\x7f]+) HTTP/([0-9])\.([0-9])")
_FIELDS = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*(?:\r\n|\Z))*")
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
#: As CGI has them: without the prefix of the other fields.
_WITHOUT_PREFIX = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
#: What decides how a message is read, by names in which CGI makes no difference between `-` and `_`.
_FRAMING = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH", "CONTENT_ENCODING", "TRANSFER_ENCODING"})


class Head(NamedTuple):
    """The head of a request.

    Attributes:
        environ: its WSGI variables; whoever adds to them takes a copy.
        method: as in `environ`.
        length: of the content in bytes, or `CHUNKED`.
        closes: whether the connection ends with the response.
        expects: whether the client waits for 100 (Continue) before it sends content.
        is_old: whether it is of HTTP/1.0, which has no chunks and no 100 (Continue).
    """

    environ: dict[str, Any]
    method: str
    length: int
    closes: bool
    expects: bool
    is_old: bool


class HeadReader:
    """Reader of request heads, which remembers those that it has read."""

    def __init__(self, constants: dict[str, Any]) -> None:
        """Prepare to read heads; `constants` are variables that all requests have."""
        self._constants = constants
        self._names: dict[str, str] = {}
        self._fields: dict[bytes, dict[str, str]] = {}
        self._heads: dict[bytes, Head] = {}

    def read(self, raw: bytes) -> Head:
        """Return the head of a request in bytes without the empty line at their end.

        Raises:
            RequestRejected: 400, 431 or 501; nothing that follows on the connection can be understood.
        """
        found = self._heads.get(raw)
        if found is None:
            found = self._read(raw)
            if len(raw) <= _MAX_REMEMBERED_BYTES:
                _remember(self._heads, raw, found)
        return found

    def _read(self, raw: bytes) -> Head:
        line, _, block = raw.partition(b"\r\n")
        matched = _LINE.fullmatch(line)
        if matched is None:
            raise _bad("the request line is not METHOD TARGET HTTP/1.1 (RFC 9112, section 3)")
        if matched[3] != b"1":
            raise _bad("this server speaks HTTP/1.1 and no other version")
        fields = self._fields.get(block)
        if fields is None:
            fields = self._read_fields(block)
            if len(block) <= _MAX_REMEMBERED_BYTES:
                _remember(self._fields, block, fields)
        is_old = matched[4] == b"0"
        method, target = matched[1].decode("ascii"), matched[2].decode("latin-1")
        authority = _AUTHORITY.match(target)
        if authority is not None:
            target = target[authority.end() :] or "/"
            fields = {**fields, "HTTP_HOST": authority[1].rpartition("@")[2]}
        host = fields.get("HTTP_HOST")
        if host is None and not is_old:
            raise _bad("the request has no Host field (RFC 9112, section 3.2)")
        if host is not None and "," in host:
            raise _bad("the request has more than one Host field (RFC 9112, section 3.2)")
        path, _, query = target.partition("?")
        if not path.startswith("/") and path != "*":
            raise _bad("the target of the request is no path (RFC 9112, section 3.2)")
        environ = {
            **self._constants,
            **fields,
            "REQUEST_METHOD": method,
            "RAW_URI": target,
            "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1") if "%" in path else path,
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": "HTTP/1.0" if is_old else "HTTP/1.1",
        }
        options = {option.strip().lower() for option in fields.get("HTTP_CONNECTION", "").split(",")}
        return Head(
            environ,
            method,
            _length(fields, is_old=is_old),
            closes="close" in options or (is_old and "keep-alive" not in options),
            expects=not is_old and fields.get("HTTP_EXPECT", "").lower() == "100-continue",
            is_old=is_old,
        )

    def _read_fields(self, block: bytes) -> dict[str, str]:
        """Return the header fields by WSGI name; those of one name are joined as RFC 9110, section 5.3, has it."""
        if _FIELDS.fullmatch(block) is None:
            raise _bad("a line of the head is no header field (RFC 9112, section 5)")
        lines = block.decode("latin-1").split("\r\n") if block else []
        if len(lines) > _MAX_FIELDS:
            raise RequestRejected(
                431, "Request Header Fields Too Large", f"the request has more than {_MAX_FIELDS} header fields"
            )
        found: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            key = self._names.get(name) or self._key(name)
            value = value.strip(" \t")
            if key in found:
                value = f"{found[key]}{';' if key == 'HTTP_COOKIE' else ','}{value}"
            found[key] = value
        return found

    def _key(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        if "_" in name and key in _FRAMING:
            key = f"HTTP__{key}"  # `Content_Length` is another field, which must not frame the request
        elif key not in _WITHOUT_PREFIX:
            key = f"HTTP_{key}"
        _remember(self._names, name, key)
        return key


def too_long() -> RequestRejected:
    """Return the rejection (431) of a head that is longer than `MAX_HEAD_BYTES`."""
    return RequestRejected(
        431, "Request Header Fields Too Large", f"the head of the request is longer than {MAX_HEAD_BYTES} bytes"
    )


def _length(fields: dict[str, str], *, is_old: bool) -> int:
    """Return the length of the content; what could be taken for another length by others is refused."""
    length, coding = fields.get("CONTENT_LENGTH"), fields.get("HTTP_TRANSFER_ENCODING")
    if coding is None:
        if length is None:
            return 0
        if not (length.isascii() and length.isdecimal()) or len(length) > 18:
            raise _bad("the Content-Length is no number of bytes (RFC 9110, section 8.6)")
        return int(length)
    if length is not None or is_old:
        raise _bad("Transfer-Encoding cannot stand beside Content-Length or HTTP/1.0 (RFC 9112, section 6.1)")
    if coding.lower() != "chunked":
        raise RequestRejected(501, "Not Implemented", "no Transfer-Encoding but chunked is understood")
    return CHUNKED


def _remember(kept: dict[Any, Any], key: Any, value: Any) -> None:
    if len(kept) >= _MAX_REMEMBERED:
        kept.clear()
    kept[key] = value


def _bad(detail: str) -> RequestRejected:
    return RequestRejected(400, "Bad Request", detail)
