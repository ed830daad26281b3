"""Header fields that calls have by `--header` or by `headers` of an identity: read, told from credentials, joined."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from mockserver.errors import UsageError
from mockserver.masking import looks_secret
from mockserver.suite.target.exchange import Fields

#: A field name (RFC 9110, section 5.1).
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Control characters, which no field value has (RFC 9110, section 5.5); a tab may stand within one.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: Fields that say how a message goes over the wire, and what only the sender of it knows.
_OF_THE_MESSAGE = {
    "host": "the base URL of TARGET says it",
    "content-length": "it is the length of what is sent",
    "transfer-encoding": "it is how the content is sent",
    "connection": "it is about the connection",
    "content-type": "it is that of each request's own content",
}
#: The fields that hold credentials in any API (RFC 9110, section 11.6.2; RFC 6265, section 5.4).
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_PUBLIC = frozenset(
    {
        *("accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "origin", "pragma"),
        *("prefer", "referer", "user-agent", "traceparent"),
    }
)
#: To mask a shorter text wherever it stands would make reports unreadable.
_SHORTEST_MASKED = 4
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRET_WORDS = frozenset({"auth", "authorization", "credential", "credentials", "key", "session", "signature", "jwt"})
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_header(text: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Return name and value of a `--header 'NAME: VALUE'`, with each `${VAR}` in the value from the environment.

    Raises:
        UsageError: another form, a field that is not the user's to set, or a variable that is not set. No value is
            shown, since it may be a secret.
    """
    name, colon, value = text.partition(":")
    name = name.strip()
    if not colon or not name:
        raise UsageError("--header needs a name and a value; write it as --header 'X-Tenant: acme'")
    place = f"--header {name}" if _NAME.fullmatch(name) else "--header"
    return name, checked_value(place, name, expand_text(value, environment, place).strip())


def checked_value(place: str, name: str, value: str) -> str:
    """Return the value of a header field if it can be sent with every call.

    Raises:
        UsageError: it cannot; begins with the place.
    """
    if _NAME.fullmatch(name) is None:
        raise UsageError(f"{place}: {name!r} is no name of a header field; it has letters, digits and - alone")
    if name.lower() in _OF_THE_MESSAGE:
        raise UsageError(f"{place}: {name} is not yours to set: {_OF_THE_MESSAGE[name.lower()]}; leave it out")
    if not value:
        raise UsageError(f"{place}: the value of {name} is empty; give one, or leave the field out")
    if _CONTROL.search(value):
        raise UsageError(f"{place}: the value of {name} has a line break or another control character; remove it")
    return value


def is_public(name: str, value: str) -> bool:
    """Tell whether a header field need not be masked: it says what a client wants, or is a word of every page."""
    if is_credential(name):
        return False
    return (
        name.lower() in _PUBLIC or len(value) < _SHORTEST_MASKED or value.lower() in {"true", "false", "null", "none"}
    )


def expand_text(text: str, environment: Mapping[str, str], place: str) -> str:
    """Return a text with each `${NAME}` replaced from the environment.

    Raises:
        UsageError: a variable is not set; begins with the place.
    """

    def replace(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise UsageError(f"{place}: the environment variable {match[1]} is not set")
        return environment[match[1]]

    return _VARIABLE.sub(replace, text)


def is_credential(name: str) -> bool:
    """Tell whether a header field holds a credential, by its name."""
    words = {word.lower() for word in _WORD.findall(name)}
    if "idempotency" in words:
        return False  # a key of the request, which servers give back
    return name.lower() in _CREDENTIALS or looks_secret(name) or not _SECRET_WORDS.isdisjoint(words)


def joined_fields(fields: Sequence[tuple[str, str]]) -> Fields:
    """Return header fields with each name once: the last one wins, cookies are joined (RFC 6265, section 5.4)."""
    cookies: dict[str, str] = {}
    kept: dict[str, tuple[str, str]] = {}
    for name, value in fields:
        if name.lower() == "cookie":
            cookies |= dict(cookie_pairs(value))
        else:
            kept[name.lower()] = (name, value)
    return (*kept.values(), *([("Cookie", written_cookies(cookies))] if cookies else []))


def cookie_pairs(value: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of each cookie in a `Cookie` field."""
    for part in value.split(";"):
        name, equals, held = part.strip().partition("=")
        if equals and name:
            yield name, held


def without_cookies(value: str, names: Collection[str]) -> str:
    """Return a `Cookie` field without some cookies."""
    return written_cookies({name: held for name, held in cookie_pairs(value) if name not in names})


def written_cookies(cookies: Mapping[str, str]) -> str:
    """Return the value of a `Cookie` field."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def variable(name: str) -> str:
    """Return a name in the form of an environment variable."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
