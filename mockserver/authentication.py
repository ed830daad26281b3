"""Who asks: security requirements (any of all-of), and for each kind of scheme how it is checked."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qs

from mockserver.contract.model import Contract, Operation, SecurityScheme
from mockserver.credentials import BASIC_CHALLENGE, TOKENS, token_key
from mockserver.errors import RequestRejected
from mockserver.messages import Caller, Request

ANYBODY = Caller("", "", "")
_MAX_REMEMBERED_CREDENTIALS = 4096


class _World(Protocol):
    """What this stage needs of a world."""

    @property
    def read(self) -> Callable[[str, str], dict[str, Any] | None]: ...

    def now(self) -> float: ...


Authenticate = Callable[[Request, _World], Caller]
_Identify = Callable[[Request, _World], Caller | None]


class Authentication:
    """Compiles the security requirements of operations.

    With `open_door` no credentials are asked for, and everybody is the mightiest seeded account. Without
    `accounts` any well-formed credentials are taken, since there is nothing to compare them with.
    """

    def __init__(self, contract: Contract, *, accounts: bool, open_door: Caller | None = None) -> None:
        self._contract = contract
        self._accounts = accounts
        self._open_door = open_door
        # A client sends the same field on every call; it is decoded and digested once.
        self._decoded: dict[str, Caller | None] = {}

    def compile(self, operation: Operation) -> Authenticate:
        """Return the function that finds an operation's caller or rejects the request with 401 or 403."""
        if self._open_door is not None:
            caller = self._open_door
            return lambda _request, _world: caller
        requirements = [
            [self._contract.security_schemes[name] for name in requirement] for requirement in operation.security
        ]
        if not requirements or [] in requirements:
            return lambda _request, _world: ANYBODY
        alternatives = [[self._check(scheme) for scheme in schemes] for schemes in requirements]
        identify = _all_of(alternatives[0]) if len(alternatives) == 1 else _any_of([_all_of(a) for a in alternatives])
        allowed = None if operation.levels is None else frozenset(operation.levels)
        challenge = self._challenge(requirements)

        def authenticate(request: Request, world: _World) -> Caller:
            caller = identify(request, world)
            if caller is None:
                raise RequestRejected(401, "Unauthorized", _why_not(request), fields={"WWW-Authenticate": challenge})
            # A caller without name comes from a scheme that knows no accounts, so no levels either.
            if allowed is not None and caller.level not in allowed and caller.username:
                raise _wrong_level(caller, operation)
            return caller

        return authenticate

    def _check(self, scheme: SecurityScheme) -> _Identify:
        """Return the function that finds the caller by one scheme, or None where the request does not fit it."""
        if scheme.type == "http" and scheme.scheme == "basic":
            return self._basic
        if scheme.type == "apiKey":
            return partial(_api_key, scheme)
        if scheme.type == "mutualTLS":
            return lambda _request, _world: ANYBODY
        return partial(_with_scheme, scheme.scheme if scheme.type == "http" else "bearer")

    def _challenge(self, requirements: list[list[SecurityScheme]]) -> str:
        challenges = dict.fromkeys(
            BASIC_CHALLENGE if scheme.scheme == "basic" else 'Bearer realm="mockserver"'
            for schemes in requirements
            for scheme in schemes
        )
        return ", ".join(challenges)

    def _basic(self, request: Request, world: _World) -> Caller | None:
        """Return the caller of HTTP Basic credentials `username:auth_token` (RFC 7617)."""
        field = request.authorization
        if field is None:
            return None
        try:
            caller = self._decoded[field]
        except KeyError:
            caller = self._remember(field, _decode_basic(field))
        if caller is None:
            return None
        token = world.read(TOKENS, caller.token_key)
        if token is None:
            return None if self._accounts else Caller(caller.username, "", "")
        if token["username"] != caller.username:
            return None
        if token["expires"] and not token["valid_from"] <= world.now() < token["valid_to"]:
            return None
        if token["level"] != caller.level:
            caller = self._remember(field, Caller(caller.username, token["level"], caller.token_key))
        return caller

    def _remember(self, field: str, caller: Caller | None) -> Caller | None:
        if len(self._decoded) >= _MAX_REMEMBERED_CREDENTIALS:
            self._decoded.clear()
        self._decoded[field] = caller
        return caller


def _decode_basic(field: str) -> Caller | None:
    """Return who Basic credentials name, level yet unknown; None where they are malformed or of another scheme."""
    scheme, _, encoded = field.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(" "), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    username, colon, token = text.partition(":")
    return Caller(username, "", token_key(token)) if colon and username and token else None


def _with_scheme(wanted: str, request: Request, _world: _World) -> Caller | None:
    scheme, _, rest = (request.authorization or "").partition(" ")
    return ANYBODY if scheme.lower() == wanted and rest.strip() else None


def _api_key(scheme: SecurityScheme, request: Request, _world: _World) -> Caller | None:
    if scheme.location == "header":
        found: Any = request.fields.get("HTTP_" + scheme.parameter.upper().replace("-", "_"))
    elif scheme.location == "query":
        found = parse_qs(request.query).get(scheme.parameter)
    else:
        found = f"{scheme.parameter}=" in request.fields.get("HTTP_COOKIE", "")
    return ANYBODY if found else None


def _all_of(checks: list[_Identify]) -> _Identify:
    """Return the check that all of some schemes are shown; the last one tells who calls."""
    if len(checks) == 1:
        return checks[0]

    def identify(request: Request, world: _World) -> Caller | None:
        caller = None
        for check in checks:
            caller = check(request, world)
            if caller is None:
                return None
        return caller

    return identify


def _any_of(checks: list[_Identify]) -> _Identify:
    """Return the check that one of some alternatives is shown."""
    return lambda request, world: next(
        (caller for check in checks if (caller := check(request, world)) is not None), None
    )


def _why_not(request: Request) -> str:
    if request.authorization is None:
        return "the request has no credentials"
    scheme, _, _ = request.authorization.partition(" ")
    if scheme.lower() == "basic" and _decode_basic(request.authorization) is None:
        return "the credentials are not base64 of `username:auth_token` (RFC 7617)"
    return "the credentials are not known here, or no longer valid"


def _wrong_level(caller: Caller, operation: Operation) -> RequestRejected:
    return RequestRejected(
        403,
        "Forbidden",
        f"{caller.username} is {caller.level or 'without level'}; {operation.label} is for "
        + " or ".join(operation.levels or ()),
    )
