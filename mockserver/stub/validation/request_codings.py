"""Content codings of requests undone, with a limit of what may come of them (RFC 9110, section 8.4)."""

from __future__ import annotations

import zlib

from mockserver.errors import RequestRejected
from mockserver.http import json

#: `wbits` of zlib for each coding; deflate is tried with and without the zlib header, as clients disagree.
_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
_ACCEPTED = "gzip, deflate"
#: No client has more of them; each may blow content up once more.
_MAX_CODINGS = 3


def decoded(content: bytes, field: str, limit: int, *, keeps_unknown: bool = False) -> bytes:
    """Return content with all codings of its `Content-Encoding` field undone, the last one first.

    Args:
        content: as it was sent.
        field: the codings, in the order in which they were applied.
        limit: of what comes of it, in bytes.
        keeps_unknown: whether content in an unknown coding is returned as it is.

    Raises:
        RequestRejected: 415 for an unknown coding, 400 for content that is not in it, 413 for more than `limit` bytes.
    """
    codings = [coding for name in field.split(",") if (coding := name.strip().lower()) not in {"", "identity"}]
    if len(codings) > _MAX_CODINGS or any(coding not in _WINDOWS for coding in codings):
        if keeps_unknown:
            return content
        raise RequestRejected(
            415,
            "Unsupported Media Type",
            f"the Content-Encoding {json.text(field[:100])} is not known; use {_ACCEPTED}, or leave it out",
            fields={"Accept-Encoding": _ACCEPTED},
        )
    for coding in reversed(codings if content else ()):
        content = _inflated(content, coding, limit)
    return content


def too_large(limit: int) -> RequestRejected:
    """Return the rejection (413) of content with more than `limit` bytes."""
    return RequestRejected(
        413,
        "Content Too Large",
        f"the content is longer than {limit} bytes, the limit of this server (--max-body)",
    )


def _inflated(content: bytes, coding: str, limit: int) -> bytes:
    reason = ""
    for window in _WINDOWS[coding]:
        try:
            return _members(content, window, limit, coding)
        except zlib.error as error:
            reason = reason or str(error)
    raise _broken(coding, reason)


def _members(content: bytes, window: int, limit: int, coding: str) -> bytes:
    """Return what is in compressed content; of gzip there may be several members (RFC 1952, section 2.2)."""
    found = b""
    while content:
        member = zlib.decompressobj(window)
        found += member.decompress(content, limit + 1 - len(found))
        if len(found) > limit:
            raise too_large(limit)
        if not member.eof:
            raise _broken(coding, "it breaks off")
        content = member.unused_data if coding != "deflate" else b""
    return found


def _broken(coding: str, reason: str) -> RequestRejected:
    return RequestRejected(400, "Bad Request", f"the content is not {coding}, as its Content-Encoding says: {reason}")
