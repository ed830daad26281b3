"""Authentication: finds the caller of a request by the security requirements and schemes of its operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qs

from mockserver.contract.model import Contract, Operation, SecurityScheme
from mockserver.errors import RequestRejected
from mockserver.http import basic
from mockserver.http.digest import Digest, parameters
from mockserver.messages import Caller, Request
from mockserver.plugins.account_records import (
    ACCOUNTS,
    BASIC_CHALLENGE,
    TOKENS,
    password_matches,
    shared_token_key,
    token_key,
)
from mockserver.stub.validation.parameters import cookies_of

ANYBODY = Caller("", "", "")
_MAX_REMEMBERED_CREDENTIALS = 4096
#: Authentication schemes whose credentials have a known form.
_KNOWN_SCHEMES = frozenset({"basic", "bearer", "digest"})


class _World(Protocol):
    """Interface of a world as far as authentication uses it."""

    @property
    def name(self) -> str: ...

    @property
    def read(self) -> Callable[[str, str], dict[str, Any] | None]: ...

    def now(self) -> float: ...


Authenticate = Callable[[Request, _World], Caller]
_Identify = Callable[[Request, _World], Caller | None]


class Authentication:
    """Compiler of security requirements: makes the function that authenticates the requests of an operation.

    With `open_door` no credentials are required, and every caller is the highest-level seeded account. Without
    `accounts` any well-formed credentials are accepted, since there is nothing to compare them with.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        accounts: bool,
        open_door: Caller | None = None,
        seed: int = 0,
        secrets: Callable[[], Mapping[str, Iterable[str]]] = dict,
        matches: Callable[[dict[str, Any], str, str], bool] = password_matches,
    ) -> None:
        """Prepare to authenticate requests; `secrets` returns seeded secrets by user name, for HTTP Digest.

        `matches` tells whether a password is that of an account's record and name.
        """
        self._contract = contract
        self._accounts = accounts
        self._matches = matches
        uses_digest = any(_is_digest(scheme) for scheme in contract.security_schemes.values())
        self._digests = Digest(seed, secrets() if uses_digest else {})
        self._open_door = open_door
        # A client sends the same field on every call; it is decoded and digested once.
        self._decoded: dict[str, Caller | None] = {}

    def compile(self, operation: Operation) -> Authenticate:
        """Return a function that returns the caller of a request or raises RequestRejected (401 or 403)."""
        if self._open_door is not None:
            caller = self._open_door
            return lambda _request, _world: caller
        requirements = [
            [self._contract.security_schemes[name] for name in requirement] for requirement in operation.security
        ]
        if not requirements or [] in requirements:
            return lambda _request, _world: ANYBODY
        alternatives = [
            [
                _scoped(self._check(self._contract.security_schemes[name]), scopes)
                for name, scopes in requirement.items()
            ]
            for requirement in operation.security
        ]
        identify = _all_of(alternatives[0]) if len(alternatives) == 1 else _any_of([_all_of(a) for a in alternatives])
        allowed = None if operation.levels is None else frozenset(operation.levels)
        challenge = self._challenge(requirements)

        def authenticate(request: Request, world: _World) -> Caller:
            try:
                caller = identify(request, world)
            except _LacksScopeError as lack:
                detail = f"{lack.username} lacks the scope {lack.scope}, which {operation.label} requires"
                raise RequestRejected(403, "Forbidden", detail) from lack
            if caller is None:
                raise RequestRejected(
                    401, "Unauthorized", _rejection_reason(request), fields={"WWW-Authenticate": challenge(world)}
                )
            # A caller without name comes from a scheme that knows no accounts, so no levels either.
            if allowed is not None and caller.level not in allowed and caller.username:
                raise _level_rejection(caller, operation)
            return caller

        return authenticate

    def _check(self, scheme: SecurityScheme) -> _Identify:
        """Return a function that finds the caller by one security scheme, None if the credentials do not fit it."""
        if scheme.type == "http" and scheme.scheme == "basic":
            return self._basic
        if scheme.type == "mutualTLS":
            return lambda _request, _world: ANYBODY
        if _is_digest(scheme):
            return self._digest
        if scheme.type == "http" and scheme.scheme.lower() not in _KNOWN_SCHEMES and not self._accounts:
            # A scheme of the API's own: the contract does not say whether its name precedes the credentials.
            return lambda request, _world: ANYBODY if request.authorization else None
        find = (
            partial(_api_key, scheme) if scheme.type == "apiKey" else partial(_scheme_credentials, _auth_scheme(scheme))
        )
        return partial(self._token, find)

    def _challenge(self, requirements: list[list[SecurityScheme]]) -> Callable[[_World], str]:
        """Return a function that makes the `WWW-Authenticate` value of a 401 response, with a new nonce for Digest."""
        schemes = [scheme for schemes in requirements for scheme in schemes]
        others = list(dict.fromkeys(_challenge(scheme) for scheme in schemes if not _is_digest(scheme)))
        fixed = ", ".join(others)
        if not any(map(_is_digest, schemes)):
            return lambda _world: fixed
        return lambda world: ", ".join([self._digests.challenge(world.name), *others])

    def _digest(self, request: Request, world: _World) -> Caller | None:
        """Return the caller with valid HTTP Digest credentials (RFC 7616); anybody if the stub has no accounts."""
        if not self._accounts:
            return ANYBODY if parameters(request.authorization) is not None else None
        username = self._digests.username(request, world.name)
        account = world.read(ACCOUNTS, username) if username is not None else None
        return None if account is None or username is None else Caller(username, account["level"], "")

    def _token(self, find: Callable[[Request], str | None], request: Request, world: _World) -> Caller | None:
        """Return the caller that a token or API key was issued to; anybody if the stub has no accounts."""
        shown = find(request)
        if not shown:
            return None
        if not self._accounts:
            return ANYBODY
        key = token_key(shown)
        token = world.read(TOKENS, key)
        if token is None or not _is_valid_now(token, world):
            return None
        return Caller(token["username"], token["level"], key)

    def _basic(self, request: Request, world: _World) -> Caller | None:
        """Return the caller with valid HTTP Basic credentials `username:token` (RFC 7617)."""
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
            return self._with_password(field, caller, world) if self._accounts else Caller(caller.username, "", "")
        if token["username"] != caller.username:
            return self._with_shared_token(field, caller, world)
        if not _is_valid_now(token, world):
            return None
        if token["level"] != caller.level:
            caller = self._remember(field, Caller(caller.username, token["level"], caller.token_key))
        return caller

    def _with_shared_token(self, field: str, caller: Caller, world: _World) -> Caller | None:
        """Return the caller by a token that several accounts have, None if the token is not valid for the user name."""
        _, _, shown = _credentials(field).partition(":")
        key = shared_token_key(caller.username, shown)
        token = world.read(TOKENS, key)
        if token is None or not _is_valid_now(token, world):
            return None
        return Caller(caller.username, token["level"], key)

    def _with_password(self, field: str, caller: Caller, world: _World) -> Caller | None:
        """Return the caller if the Basic credentials hold the account's password (RFC 7617), else None.

        An API with levels issues tokens at a login, and does not accept passwords here.
        """
        if self._contract.levels:
            return None
        account = world.read(ACCOUNTS, caller.username)
        _, _, password = _credentials(field).partition(":")
        if account is None or not self._matches(account, caller.username, password):
            return None
        return Caller(caller.username, account["level"], "")

    def _remember(self, field: str, caller: Caller | None) -> Caller | None:
        if len(self._decoded) >= _MAX_REMEMBERED_CREDENTIALS:
            self._decoded.clear()
        self._decoded[field] = caller
        return caller


def _is_valid_now(token: Mapping[str, Any], world: _World) -> bool:
    """Tell whether a token is valid now; a seeded token may be valid forever."""
    return not token["expires"] or token["valid_from"] <= world.now() < token["valid_to"]


def _credentials(field: str) -> str:
    """Return the `username:secret` in well-formed Basic credentials."""
    return basic.user_pass(field) or ""


def _decode_basic(field: str) -> Caller | None:
    """Return the caller named in Basic credentials, its level unknown; None if they are malformed."""
    username, token = basic.decode(field) or ("", "")
    return Caller(username, "", token_key(token)) if username and token else None


class _LacksScopeError(Exception):
    """Error: the account of valid credentials lacks an OAuth scope that the operation requires."""

    def __init__(self, username: str, scope: str) -> None:
        super().__init__(username, scope)
        self.username = username
        self.scope = scope


def _scoped(check: _Identify, scopes: tuple[str, ...]) -> _Identify:
    """Return an authentication check that also requires scopes, if the account lists its scopes."""
    if not scopes:
        return check

    def identify(request: Request, world: _World) -> Caller | None:
        caller = check(request, world)
        account = world.read(ACCOUNTS, caller.username) if caller is not None and caller.username else None
        granted = None if account is None else account.get("scopes")
        missing = [] if granted is None else [scope for scope in scopes if scope not in granted]
        if missing:
            assert caller is not None
            raise _LacksScopeError(caller.username, missing[0])
        return caller

    return identify


def _is_digest(scheme: SecurityScheme) -> bool:
    return scheme.type == "http" and scheme.scheme == "digest"


def _auth_scheme(scheme: SecurityScheme) -> str:
    return scheme.scheme if scheme.type == "http" else "bearer"


def _challenge(scheme: SecurityScheme) -> str:
    """Return the challenge of a security scheme (RFC 9110, section 11.6.1)."""
    kind = _auth_scheme(scheme)
    if kind == "basic":
        return BASIC_CHALLENGE
    return f'{kind.capitalize()} realm="mockserver"'


def _scheme_credentials(wanted: str, request: Request) -> str | None:
    """Return the credentials in `Authorization` for a given authentication scheme, None for another scheme."""
    scheme, _, rest = (request.authorization or "").partition(" ")
    return rest.strip() if scheme.lower() == wanted.lower() else None


def _api_key(scheme: SecurityScheme, request: Request) -> str | None:
    if scheme.location == "header":
        if scheme.parameter.lower() == "authorization":
            return request.authorization
        found: str | None = request.fields.get("HTTP_" + scheme.parameter.upper().replace("-", "_"))
        return found
    if scheme.location == "query":
        return next(iter(parse_qs(request.query).get(scheme.parameter, ())), None)
    return next((value for name, value in cookies_of(request) if name == scheme.parameter), None)


def _all_of(checks: list[_Identify]) -> _Identify:
    """Return an authentication check that requires all of some schemes; the last scheme determines the caller."""
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
    """Return an authentication check that requires one of several alternatives."""

    def identify(request: Request, world: _World) -> Caller | None:
        lack: _LacksScopeError | None = None
        for check in checks:
            try:
                caller = check(request, world)
            except _LacksScopeError as error:
                lack = error
                continue
            if caller is not None:
                return caller
        if lack is not None:
            raise lack
        return None

    return identify


def _rejection_reason(request: Request) -> str:
    if request.authorization is None:
        return "the request has no credentials"
    scheme, _, _ = request.authorization.partition(" ")
    if scheme.lower() == "basic" and _decode_basic(request.authorization) is None:
        return "the credentials are not base64 of `username:token` (RFC 7617)"
    return "the credentials are unknown or no longer valid"


def _level_rejection(caller: Caller, operation: Operation) -> RequestRejected:
    return RequestRejected(
        403,
        "Forbidden",
        f"{caller.username} is {caller.level or 'without level'}; {operation.label} may be called by "
        + " or ".join(operation.levels or ()),
    )
