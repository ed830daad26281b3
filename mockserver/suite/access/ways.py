"""Ways around the credentials of a call: other spellings of its path, fields that proxies set, other methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from mockserver.contract.model import SAFE_METHODS, Operation
from mockserver.suite.access.spellings import spellings
from mockserver.suite.identities.identities import asks_for_credentials
from mockserver.suite.run.session import Session
from mockserver.suite.target.exchange import WireRequest

#: Fields by which proxies tell the address of a client (RFC 7239 for `Forwarded`), and that of this machine.
_ADDRESSES = (
    *(
        (f"X-{name}", "127.0.0.1")
        for name in ("Forwarded-For", "Real-IP", "Client-IP", "Remote-Addr", "Originating-IP")
    ),
    ("True-Client-IP", "127.0.0.1"),
    ("Forwarded", "for=127.0.0.1;host=localhost"),
    ("X-Forwarded-Host", "localhost"),
)
#: Fields by which proxies tell who has logged in with them.
_USERS = ("X-Forwarded-User", "X-Remote-User", "Remote-User", "X-WEBAUTH-USER", "X-Auth-Request-User", "X-User")
#: Fields by which proxies tell the path that was asked for.
_PATHS = ("X-Original-URL", "X-Rewrite-URL")
#: Fields by which clients that can send only GET and POST name another method.
_METHOD_FIELDS = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
#: What a body of a form or a query names the method by, in Rails, Laravel and Symfony.
_METHOD_QUERY = "_method"

#: Spellings of the path of a base URL that may be taken for it; what is at its end stands in the middle of a path.
_OF_A_BASE = frozenset(
    {
        *("a doubled slash", "an escaped letter", "capital letters", "a parameter in a segment"),
        *("a segment and `..`", "a segment `.`", "an escaped slash"),
    }
)


@dataclass(frozen=True, slots=True)
class Way:
    """One way around the credentials.

    Attributes:
        how: what is special about it.
        request: without credentials.
        parts: the same with one of its fields each, to tell which one of several opens it.
    """

    how: str
    request: WireRequest
    parts: tuple[Way, ...] = ()


def other_spellings(session: Session, operation: Operation, bare: WireRequest) -> list[Way]:
    """Return a request with each other spelling of its path that belongs to no other operation."""
    path, question, query = bare.path.partition("?")
    ways = [
        Way(how, replace(bare, path=other + question + query))
        for how, other in spellings(operation.path, path, public_path(session))
        if _is_free(session, operation, other)
    ]
    base = urlsplit(session.run.target.base_url).path.rstrip("/")
    others = spellings(base, base) if base else ()
    return [*ways, *(Way(f"{how}, in {base}", replace(bare, base=other)) for how, other in others if how in _OF_A_BASE)]


def forged_fields(session: Session, operation: Operation, bare: WireRequest, name: str) -> list[Way]:
    """Return a request with fields by which proxies tell address, user (that has a name) or path."""
    ways = [_with(bare, "", _ADDRESSES), _with(bare, "", [(field, name) for field in _USERS])]
    if bare.method not in SAFE_METHODS:
        return ways  # whatever stands at the other path is not to be changed
    base = urlsplit(session.run.target.base_url).path.rstrip("/")
    public = public_path(session) or "/"
    ways += [_with(bare, "", [(field, base + public)]) for field in _PATHS]
    if _is_free(session, operation, public) or _is_public(session, public):
        elsewhere = replace(bare, path=public)
        ways += [_with(elsewhere, f"{public} with ", [(field, base + bare.path)]) for field in _PATHS]
    return ways


def overridden_methods(session: Session, bare: WireRequest) -> list[Way]:
    """Return a request with another method, and its own one in fields and query; both in turn for unsafe methods."""
    path, _, query = bare.path.partition("?")
    defined = session.run.resolver.methods_at(path)
    asked = f"{path}?{query}{'&' * bool(query)}{_METHOD_QUERY}={bare.method}"
    ways = []
    for method in ("OPTIONS", "POST") if bare.method in SAFE_METHODS else ("GET", "POST", "OPTIONS"):
        if method == bare.method or (method == "POST" and method in defined):
            continue  # it does something by itself
        other = replace(bare, method=method)
        ways.append(_with(other, f"{method} with ", [(field, bare.method) for field in _METHOD_FIELDS]))
        ways.append(Way(f"{method} with the query {_METHOD_QUERY}={bare.method}", replace(other, path=asked)))
    open_too = any(not asks_for_credentials(session.contract, one) for one in defined.values())
    if bare.method == "GET" and "HEAD" not in defined and open_too:  # else it is among the undefined methods
        ways.append(Way("HEAD", replace(bare, method="HEAD")))
    return ways


def _with(bare: WireRequest, how: str, fields: Sequence[tuple[str, str]]) -> Way:
    """Return a way of a request with more header fields."""
    names = [f"{name}: {value}" for name, value in fields]
    parts = [_with(bare, how, [field]) for field in fields] if len(fields) > 1 else []
    sent = tuple(field for field in bare.fields if field[0].lower() not in {name.lower() for name, _ in fields})
    return Way(how + " and ".join(names), replace(bare, fields=(*sent, *fields)), tuple(parts))


def _is_free(session: Session, operation: Operation, path: str) -> bool:
    """Tell whether a path belongs to no other operation of the contract."""
    methods = session.run.resolver.methods_at(path)
    return not methods or methods.get(operation.method) is operation


def _is_public(session: Session, path: str) -> bool:
    found = session.run.resolver.methods_at(path).get("GET")
    return found is not None and found.label == f"GET {path}" and not asks_for_credentials(session.contract, found)


def public_path(session: Session) -> str | None:
    """Return the path of a selected read that asks for no credentials, None if the contract has none."""
    run = session.run
    return next(
        (
            operation.path
            for operation in run.selected
            if operation.method == "GET"
            and "{" not in operation.path
            and not asks_for_credentials(run.contract, operation)
            and run.policy.refusal("GET", operation) is None
        ),
        None,
    )
