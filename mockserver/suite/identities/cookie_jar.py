"""Cookie jar: the cookies that a server set for one identity, and those that go with a request (RFC 6265)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that a server set.

    Attributes:
        path: it goes to this path and all below it.
        expires: UNIX seconds after which it is gone, None for the end of the session.
    """

    name: str
    value: str
    path: str = "/"
    secure: bool = False
    expires: float | None = None

    def goes_to(self, path: str) -> bool:
        """Tell whether the cookie goes with a request for a path (RFC 6265, section 5.1.4)."""
        if path == self.path or self.path == "/":
            return True
        return path.startswith(self.path if self.path.endswith("/") else f"{self.path}/")


class CookieJar:
    """Cookies of one identity by name and path.

    Their `Domain` is not looked at: a jar belongs to one target, which may be a copy of the server that it names.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._held: dict[tuple[str, str], Cookie] = {}

    def store(self, field: str, path: str) -> Cookie | None:
        """Store or delete the cookie of a `Set-Cookie` field that the response for a path had, and return it."""
        cookie = parse_cookie(field, path, self._clock())
        if cookie is None:
            return None
        key = (cookie.name, cookie.path)
        self._held.pop(key, None)
        if cookie.expires is None or cookie.expires > self._clock():
            self._held[key] = cookie
        return cookie

    def sent(self, path: str | None = None, *, secure: bool = True) -> Iterator[Cookie]:
        """Yield the cookies that go with a request for a path, or all of them; the longest path first."""
        now = self._clock()
        live = [one for one in self._held.values() if one.expires is None or one.expires > now]
        for cookie in sorted(live, key=lambda one: -len(one.path)):
            if (path is None or cookie.goes_to(path)) and (secure or not cookie.secure):
                yield cookie

    def value(self, name: str) -> str | None:
        """Return the value of a cookie by its name, None if there is none."""
        return next((cookie.value for cookie in self.sent() if cookie.name == name), None)

    def clear(self) -> None:
        """Forget all cookies."""
        self._held.clear()


def parse_cookie(field: str, path: str, now: float) -> Cookie | None:
    """Return the cookie of a `Set-Cookie` field (RFC 6265, section 5.2), None if it has none.

    Args:
        field: value of the field.
        path: path of the request, whose folder is the default of `Path`.
        now: UNIX seconds.
    """
    first, *rest = field.split(";")
    name, equals, value = first.partition("=")
    if not equals or not name.strip():
        return None
    attributes: dict[str, str] = {}
    for part in rest:
        key, _, text = part.partition("=")
        attributes[key.strip().lower()] = text.strip()
    where = attributes.get("path", "")
    if not where.startswith("/"):
        where = path.partition("?")[0].rpartition("/")[0] or "/"
    return Cookie(name.strip(), value.strip(), where, "secure" in attributes, _expiry(attributes, now))


def _expiry(attributes: dict[str, str], now: float) -> float | None:
    """Return when a cookie ends; `Max-Age` wins over `Expires`, and what cannot be read counts as neither."""
    try:
        return now + float(int(attributes["max-age"]))
    except (KeyError, ValueError):
        pass
    try:
        found = parsedate_to_datetime(attributes["expires"].replace("-", " "))
    except (KeyError, ValueError, IndexError, TypeError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
