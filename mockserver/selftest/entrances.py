"""Entrances of operations: how a request shows credentials of each security scheme, and how it is given others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from mockserver.contract.model import Contract, Operation, SecurityScheme
from mockserver.http import basic
from mockserver.selftest.traffic import MutantRequest
from mockserver.stub.store.seed import Account

_UNKNOWN_HTTP = frozenset({"digest"})


class Shown(NamedTuple):
    """Credentials that a request shows: user name and token, both "" without any.

    Only HTTP Basic sends a user name; for other schemes it is that of the account whose token it is, "" if nobody's.
    """

    username: str
    token: str


@dataclass(frozen=True, slots=True)
class Entrance:
    """Security scheme of an operation, as the place in a request where its credentials stand."""

    scheme: SecurityScheme

    @property
    def names_users(self) -> bool:
        """Whether credentials name a user besides the token, as those of HTTP Basic do."""
        return self.scheme.type == "http" and self.scheme.scheme == "basic"

    @property
    def place(self) -> str:
        """Where credentials stand: `header`, `query` or `cookie`."""
        return self.scheme.location if self.scheme.type == "apiKey" else "header"

    @property
    def auth_scheme(self) -> str:
        """Authentication scheme in the Authorization field (RFC 9110, section 11.1), "" for an API key."""
        if self.scheme.type == "apiKey":
            return ""
        return self.scheme.scheme.lower() if self.scheme.type == "http" else "bearer"

    @property
    def field(self) -> str:
        """Name of the header field of the credentials, "" where they stand in the query or a cookie."""
        if self.place != "header":
            return ""
        return self.scheme.parameter if self.scheme.type == "apiKey" else "Authorization"

    def text(self, request: MutantRequest) -> str | None:
        """Return the credentials of a request, without an authentication scheme; None without any."""
        if self.place == "query":
            pairs = parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True)
            return next((value for name, value in pairs if name == self.scheme.parameter), None)
        if self.place == "cookie":
            return next((value for name, value in _cookies(request) if name == self.scheme.parameter), None)
        if self.field.lower() != "authorization":
            found: str | None = request.environ.get(_variable(self.field))
            return found
        if not self.auth_scheme:
            return request.authorization
        scheme, _, rest = (request.authorization or "").partition(" ")
        return rest.strip() if scheme.lower() == self.auth_scheme else None

    def secret(self, account: Account) -> str | None:
        """Return the standing credential of an account for the scheme, None if it has none."""
        own = account.schemes.get(self.scheme.name)
        return own if own is not None else next((token.token for token in account.tokens), None)

    def by(self, request: MutantRequest, account: Account) -> MutantRequest:
        """Return a request with the credentials of an account in place of its own."""
        secret = self.secret(account) or ""
        if self.names_users:
            return request._replace(authorization=basic.encode(f"{account.username}:{secret}"))
        if self.auth_scheme:
            return request._replace(authorization=f"{self.scheme.scheme.capitalize() or 'Bearer'} {secret}")
        environ = dict(request.environ)
        name = self.scheme.parameter
        if self.place == "query":
            pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
            kept = [pair for pair in pairs if pair[0] != name]
            environ["QUERY_STRING"] = urlencode([*kept, (name, secret)], quote_via=quote)
        elif self.place == "cookie":
            kept = [pair for pair in _cookies(request) if pair[0] != name]
            environ["HTTP_COOKIE"] = "; ".join(f"{key}={value}" for key, value in [*kept, (name, secret)])
        elif name.lower() == "authorization":
            return request._replace(authorization=secret)
        else:
            environ[_variable(name)] = secret
        return request._replace(environ=environ)


def entrance_of(contract: Contract, operation: Operation) -> Entrance | None:
    """Return the entrance that wrong credentials are tried at: an operation's first scheme.

    None if the operation is open, or asks for several credentials at once or for such as nobody can make up.
    """
    if not operation.security:
        return None
    schemes = [[contract.security_schemes[name] for name in requirement] for requirement in operation.security]
    if not all(len(needed) == 1 and _is_known(needed[0]) for needed in schemes):
        return None
    return Entrance(schemes[0][0])


def tokens_of(account: Account) -> Iterator[str]:
    """Yield all seeded tokens of an account, of each scheme."""
    yield from (token.token for token in account.tokens)
    yield from account.schemes.values()


def owner_of(token: str, accounts: Iterable[Account]) -> Account | None:
    """Return the account that a seeded token belongs to, None if it is nobody's."""
    return next((account for account in accounts if token in tokens_of(account)), None)


def _is_known(scheme: SecurityScheme) -> bool:
    if scheme.type == "http":
        return scheme.scheme.lower() not in _UNKNOWN_HTTP
    return scheme.type in {"apiKey", "oauth2", "openIdConnect"}


def _variable(field: str) -> str:
    return "HTTP_" + field.upper().replace("-", "_")


def _cookies(request: MutantRequest) -> list[tuple[str, str]]:
    pairs = (pair.strip().partition("=") for pair in request.environ.get("HTTP_COOKIE", "").split(";"))
    return [(name, value) for name, _, value in pairs if name]
