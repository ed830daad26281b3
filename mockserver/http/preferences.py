"""Preferences of a client for one response: `Prefer: code=404, example=NAME, dynamic=true` (RFC 7240)."""

from __future__ import annotations

import re

from mockserver.errors import RequestRejected
from mockserver.messages import Preferences

NONE = Preferences()
_PREFERENCE = re.compile(r'([A-Za-z0-9_-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?[^,]*(?:,|$)')
_PRISM_QUERY = re.compile(r"(?:^|&)__(code|example|dynamic)=([A-Za-z0-9_.-]{0,40})(?=&|$)")
_SWITCH = {"true": True, "": True, "1": True, "false": False, "0": False}


def parse(field: str) -> Preferences:
    """Return the preferences in a `Prefer` field; unknown ones are ignored (RFC 7240, section 2).

    Of a preference that occurs twice, the first counts.

    Raises:
        RequestRejected: 400, `code` is no status code or `dynamic` neither true nor false.
    """
    found: dict[str, str] = {}
    for match in _PREFERENCE.finditer(field):
        name, quoted, token = match.groups()
        found.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token or "")
    code = dynamic = None
    if "code" in found:
        if re.fullmatch("[2-5][0-9][0-9]", found["code"]) is None:
            raise _unusable(f"code={found['code'][:20]} is not a status code from 200 to 599")
        code = int(found["code"])
    if "dynamic" in found:
        dynamic = _SWITCH.get(found["dynamic"].lower())
        if dynamic is None:
            raise _unusable(f"dynamic={found['dynamic'][:20]} is neither true nor false")
    return Preferences(code, found.get("example", ""), dynamic)


def prism_hint(query: str) -> str:
    """Return what to send in place of a query such as `__code=404`, a preference in Prism before version 4; else ""."""
    found = _PRISM_QUERY.search(query)
    return (
        f"; __{found[1]} in the query does nothing here, send the field `Prefer: {found[1]}={found[2]}`"
        if found
        else ""
    )


def applied(preferences: Preferences) -> str:
    """Return the value of `Preference-Applied` for preferences that the response honours (RFC 7240, section 3)."""
    parts = []
    if preferences.code is not None:
        parts.append(f"code={preferences.code}")
    if preferences.example:
        parts.append(f"example={token(_visible(preferences.example))}")
    if preferences.dynamic is not None:
        parts.append(f"dynamic={'true' if preferences.dynamic else 'false'}")
    return ", ".join(parts)


def token(text: str) -> str:
    """Return a preference's value as a token or, if it needs it, as a quoted string (RFC 7240, section 2)."""
    if re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _visible(text: str) -> str:
    """Return a text with the characters replaced that a response field may not hold."""
    return text.encode("ascii", "replace").decode().replace("\r", " ").replace("\n", " ")


def _unusable(what: str) -> RequestRejected:
    return RequestRejected(400, "Bad Request", f"Prefer: {what}")
