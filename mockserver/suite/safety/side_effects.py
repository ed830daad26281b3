"""GET operations that change something, told by their names: a logout, a login with a password, a deletion.

RFC 9110, section 9.2.1, calls GET safe; real contracts have `GET /user/logout` all the same. Off loopback such an
operation counts as unsafe. The words are few, and stand where a name says what is done: as the last segment of the
path, as the verb of the `operationId` or of the summary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mockserver.contract.model import Contract, Operation
from mockserver.http.path_templates import parse_template
from mockserver.http.pointers import lookup

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
#: Between the parts of an `operationId`: `users/logout`, `UserController_logout`.
_PART = re.compile(r"[^A-Za-z0-9]+")
#: Ends a session, however the name goes on.
_ENDINGS = ("logout", "log out", "logoff", "log off", "signout", "sign out", "signoff", "sign off")
#: No noun that a path would name what it shows by.
_VERBS = (
    *("revoke", "invalidate", "unsubscribe", "deactivate", "delete", "remove", "destroy", "erase", "purge", "wipe"),
    *("terminate", "uninstall", "unlink", "unregister", "deregister"),
)
#: Nouns, too, as in `GET /runs/{id}/trigger`: an `operationId` that begins with a reading verb clears them.
_EITHER = (
    *("reset", "trigger", "cancel", "abort", "restart", "reboot", "shutdown", "disable", "enable", "activate"),
    *("regenerate", "rotate", "execute", "flush", "clear", "kill", "approve", "reject", "subscribe", "expire"),
    "resend",
)
_READING = frozenset(
    (
        *("get", "list", "find", "show", "read", "fetch", "search", "describe", "view", "count", "check", "is", "has"),
        *("query", "retrieve", "download", "export", "head", "lookup", "browse", "return", "returns", "preview"),
        "status",
    )
)
_ARTICLES = frozenset(
    ("a", "an", "the", "all", "any", "your", "my", "this", "that", "these", "its", "current", "given")
)
_PASSWORDS = frozenset({"password", "passwd", "passphrase", "passcode", "pwd"})


def side_effects(contract: Contract) -> Mapping[str, str]:
    """Return why each GET operation that changes something counts as unsafe, by label."""
    found = ((one.label, _effect(contract, one)) for one in contract.operations if one.method in {"GET", "HEAD"})
    return {label: why for label, why in found if why}


def _effect(contract: Contract, operation: Operation) -> str:
    if operation.effect is not None:
        return f"x-mockserver-effect says that it changes {operation.effect}"
    for parameter in operation.parameters:
        if parameter.location == "query" and not _PASSWORDS.isdisjoint(_words(parameter.name)):
            return f"it takes a password in the query ({parameter.name}), so it is a login"
    raw = lookup(contract.document.data, operation.pointer)
    named = str(raw.get("operationId") or "")
    parts = [_words(part) for part in _PART.split(named) if part]
    reads = any(part[0] in _READING for part in parts if part)
    segment = _last_segment(operation.path)
    if _is(segment, (*_ENDINGS, *_VERBS)) or _begins(segment, _ENDINGS) or (not reads and _acts(segment)):
        return f"its path ends in {' '.join(segment)!r}"
    if any(_begins(part, _ENDINGS) or _ends(part, _ENDINGS) for part in (*parts, _words(named))):
        return f"its operationId {named} speaks of the end of a session"
    if not reads and any(_begins(part, _VERBS) for part in parts):
        return f"its operationId {named} is no read"
    phrase = _summary_phrase(str(raw.get("summary") or ""))
    return f"its summary says {phrase!r}" if phrase else ""


def _acts(segment: Sequence[str]) -> bool:
    """Tell whether a segment is a verb, or begins with one that is nothing else: `reset`, `delete-account`."""
    return _is(segment, _EITHER) or _begins(segment, _VERBS)


def _summary_phrase(summary: str) -> str:
    """Return the verb that a summary begins with, in the imperative or the third person, "" if it names no change."""
    words = _words(summary)
    plain = [_imperative(words[0]), *words[1:]] if words else []
    ending = next((phrase for phrase in _ENDINGS if _begins(plain, (phrase,))), "")
    if ending:
        return ending
    acts = len(plain) > 1 and plain[1] in _ARTICLES and plain[0] in (*_VERBS, *_EITHER)
    return f"{words[0]} {words[1]}" if acts else ""


def _imperative(word: str) -> str:
    every = {verb.split()[0] for verb in (*_ENDINGS, *_VERBS, *_EITHER)}
    stems = (word, word.removesuffix("s"), word.removesuffix("es"))
    return next((stem for stem in stems if stem in every), word)


def _last_segment(path: str) -> list[str]:
    """Return the words of the last segment that is no parameter."""
    segments = [segment.text for segment in parse_template(path).segments if segment.literals[0]]
    return _words(segments[-1].rpartition(":")[2]) if segments else []


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _is(words: Sequence[str], phrases: Sequence[str]) -> bool:
    return " ".join(words) in phrases


def _begins(words: Sequence[str], phrases: Sequence[str]) -> bool:
    return any(list(words[: len(split)]) == split for split in map(str.split, phrases))


def _ends(words: Sequence[str], phrases: Sequence[str]) -> bool:
    return any(list(words[-len(split) :]) == split for split in map(str.split, phrases))
