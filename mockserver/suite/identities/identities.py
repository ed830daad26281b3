"""Identities: accounts of the target from the identities file, or of our stub from its seed data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from mockserver.contract.exchanges import presumed_success
from mockserver.contract.model import Contract, Operation, SecurityScheme
from mockserver.errors import UsageError
from mockserver.http import basic
from mockserver.suite.identities.issued_credentials import IssuedCredentials
from mockserver.suite.identities.request_fields import (
    cookie_pairs,
    is_credential,
    is_public,
    joined_fields,
    variable,
    without_cookies,
)
from mockserver.suite.target.exchange import Fields


@dataclass(frozen=True, slots=True)
class Identity:
    """An account of the target, with its credentials and permission level.

    Attributes:
        username: "" where the target knows none (an API key alone).
        token: the standing credential of calls.
        password: what the account logs in with.
        level: its permission level, "" if unknown.
        schemes: credential by name of the security scheme, where it differs from `token`.
        owns: each domain and address that is its own, besides itself.
        owns_known: whether somebody said what it owns; if not, there may be more than `owns` has.
        more_tokens: what else is a token of its own, so that nobody takes it for another account's alone.
        headers: header fields that each of its calls has, besides those of security schemes.
        issued: what a login or an OAuth 2 token request gives it in this run, None where it needs neither.
    """

    username: str = ""
    token: str | None = None
    password: str | None = None
    level: str = ""
    scopes: tuple[str, ...] = ()
    schemes: Mapping[str, str] = field(default_factory=dict)
    owns: tuple[str, ...] = ()
    totp_secret: str | None = None
    more_tokens: frozenset[str] = frozenset()
    owns_known: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    issued: IssuedCredentials | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """Name of the identity in messages and environment variables."""
        return self.username or self.level or "identity"

    @property
    def stem(self) -> str:
        """Beginning of the names of the environment variables that replace its credentials in output."""
        return re.sub(r"[^A-Z0-9]+", "_", self.label.upper()).strip("_") or "IDENTITY"

    def secrets(self) -> Iterator[tuple[str, str]]:
        """Yield each credential, after the name of the environment variable that replaces it in output."""
        stem = self.stem
        for kind, value in (
            ("TOKEN", self.token),
            ("PASSWORD", self.password),
            ("TOTP_SECRET", self.totp_secret),
        ):
            if value:
                yield f"{stem}_{kind}", value
        for name, value in self.schemes.items():
            yield f"{stem}_{variable(name)}", value
        for name, value in self.headers.items():
            if is_credential(name):
                yield f"{stem}_{variable(name)}", value
            if (login := basic.decode(value)) is not None:
                yield f"{stem}_PASSWORD", login[1]
        if self.issued is not None:
            yield from ((f"{stem}_{name}", value) for name, value in self.issued.settings.secrets())

    def masked(self) -> Iterator[tuple[str, str]]:
        """Yield what is masked in output and may all the same come back: header fields that are no credential."""
        for name, value in self.headers.items():
            if not is_credential(name) and not is_public(name, value):
                yield f"{self.stem}_{variable(name)}", value

    @property
    def usable(self) -> bool:
        """Whether it has something to call with."""
        return bool(self.token or self.schemes or self.password or self.headers or self.issued)

    def credential(self, scheme: SecurityScheme) -> str | None:
        """Return the credential that this identity sends for a security scheme, or None."""
        own = self.schemes.get(scheme.name, self.token)
        if own is None and self.issued is not None:
            own = self.issued.credential(scheme)
        # Without a token, Basic falls back to what RFC 7617 means by it: user name and password.
        return self.password if own is None and (scheme.type, scheme.scheme) == ("http", "basic") else own

    def knows(self, secret: str | None) -> bool:
        """Tell whether a secret is a credential of this account, even if it is also one of another account."""
        return secret is not None and (
            self.has_token(secret) or secret == self.password or secret in self.schemes.values()
        )

    def showing(self, shown: Mapping[str, str]) -> Identity:
        """Return the same account with only the given credentials, by name of the security scheme.

        Header fields that are no credential stay: without its tenant, or a CSRF token, a call is refused for another
        reason.
        """
        fields = {name: value for name, value in self.headers.items() if not is_credential(name)}
        if not (self.token or self.schemes or self.password or self.issued):
            fields = {}  # they are all that it calls with
        if self.issued is not None:
            fields |= self.issued.csrf_fields()
        return replace(self, token=None, password=None, schemes=shown, totp_secret=None, headers=fields, issued=None)

    def has_token(self, token: str | None) -> bool:
        """Tell whether a token belongs to this account, even if it also belongs to another account."""
        if token is None:
            return False
        issued = self.issued is not None and self.issued.knows(token)
        return issued or token == self.token or token in self.more_tokens

    def with_token(self, token: str) -> Identity:
        """Return the same account with another token; the previous token still counts as its own."""
        known = self.more_tokens | ({self.token} if self.token else frozenset())
        return replace(self, token=token, schemes={}, totp_secret=None, more_tokens=known, issued=None)

    def fields(self) -> Fields:
        """Return the header fields of its calls beside those of security schemes: its own, cookies, a CSRF token."""
        issued = self.issued.fields() if self.issued is not None else ()
        return (*self.headers.items(), *issued)

    @property
    def needs_no_scheme(self) -> bool:
        """Whether its header fields alone are its credentials, whatever the contract says about schemes."""
        if self.issued is not None:
            return self.issued.stands_alone
        named = {name.lower() for name in self.headers}
        return not named.isdisjoint({"authorization", "cookie"}) or (
            bool(named) and not (self.token or self.schemes or self.password)
        )


@dataclass(frozen=True, slots=True)
class Identities:
    """All identities that a run may call as.

    Attributes:
        given: all of them, also those whose login failed.
        path: the file that they are from, None where nobody gave one.
        always: header fields of every request, probes without credentials included (`--header`).
        unbound: credentials of `--header` that no security scheme of the contract uses; they are sent with calls
            that need no identity, too.
    """

    given: tuple[Identity, ...]
    path: Path | None = None
    always: Fields = ()
    unbound: Fields = ()

    @property
    def all(self) -> tuple[Identity, ...]:
        """The identities that can call: those whose login failed are left out."""
        if all(identity.issued is None for identity in self.given):
            return self.given
        return tuple(one for one in self.given if one.issued is None or not one.issued.failure)

    @property
    def own_fields(self) -> frozenset[str]:
        """Names of the header fields, in lower case, that the user gave beside those of security schemes."""
        fields = (*self.always, *self.unbound, *(one for identity in self.given for one in identity.headers.items()))
        return frozenset(name.lower() for name, _ in fields)

    def resolved(self, contract: Contract) -> Identities:
        """Return the identities with header fields turned into credentials of the contract's security schemes."""
        schemes = tuple(contract.security_schemes.values())
        bound = [name for name, value in self.unbound if any(held(scheme, {name: value}) for scheme in schemes)]
        return replace(
            self,
            given=tuple(_resolved(identity, schemes) for identity in self.given),
            unbound=tuple((name, value) for name, value in self.unbound if name not in bound),
        )

    def with_no_identity(self, contract: Contract, operation: Operation) -> Fields:
        """Return the fields of a call that needs no identity, which is no probe without credentials.

        Where the contract says nothing of credentials at all, they are those of the first identity that has any which
        need no scheme.
        """
        if operation.security:
            return ()
        if any(other.security for other in contract.operations):
            return self.unbound
        alone = next((identity for identity in self.all if identity.needs_no_scheme), None)
        return joined_fields((*self.unbound, *(alone.fields() if alone is not None else ())))

    def of_highest_level(self, levels: tuple[str, ...]) -> Identity | None:
        """Return the identity of the highest permission level that has a credential, in the order of the contract."""
        usable = [identity for identity in self.all if identity.usable]
        order = {level: rank for rank, level in enumerate(levels)}
        return min(usable, key=lambda identity: order.get(identity.level, len(order)), default=None)

    def of_level(self, level: str) -> Identity | None:
        """Return the first identity of a permission level, or None."""
        return next((identity for identity in self.all if identity.level == level), None)

    def named(self, username: str) -> Identity | None:
        """Return the identity with a user name, or None."""
        return next((identity for identity in self.all if identity.username == username), None)

    def allowed(self, operation: Operation, levels: tuple[str, ...]) -> Identity | None:
        """Return the identity of the highest level among those that may call an operation by the contract.

        Of those of one level, the one that its example presumes: what a call is about may be that one's alone.
        """
        if operation.levels is None:
            return self.of_highest_level(levels)
        of_levels = (self.of_level(level) for level in levels if level in operation.levels)
        found = next((identity for identity in of_levels if identity is not None), None)
        presumed = self.named(presumed_success(operation).identity or "")
        same_level = found is not None and presumed is not None and presumed.level == found.level
        return presumed if same_level and presumed is not None and (presumed.token or presumed.issued) else found


class SecretRegister(Protocol):
    """Takes the secrets of a run (`Secrets`)."""

    def add(self, name: str, value: str, *, may_come_back: bool = False) -> None:
        """Register a secret under the name of the variable that replaces it in output."""
        ...


def register_secrets(identities: Identities, secrets: SecretRegister) -> None:
    """Register all that identities and `--header` call with."""
    for identity in identities.given:
        for name, value in identity.secrets():
            secrets.add(name, value)
        for name, value in identity.masked():
            secrets.add(name, value, may_come_back=True)
    for name, value in identities.always:
        if is_public(name, value):
            continue
        secrets.add(f"HEADER_{variable(name)}", value, may_come_back=not is_credential(name))


def require_known_schemes(identities: Identities, contract: Contract) -> None:
    """Raise a UsageError if an identity has credentials for a security scheme that the contract does not have.

    Raises:
        UsageError: an identity has some; names file, identity, scheme, and the contract's schemes.
    """
    known = contract.security_schemes
    for number, identity in enumerate(identities.all, 1):
        settings = identity.issued.settings if identity.issued is not None else None
        names = [*identity.schemes, *([settings.scheme] if settings is not None and settings.scheme else [])]
        unknown = next((name for name in names if name not in known), None)
        if unknown is not None and identities.path is not None:
            has = f"has {', '.join(map(repr, known))}" if known else "has none"
            member = "schemes" if unknown in identity.schemes else "scheme"
            raise UsageError(
                f"{identities.path}: identity {number} ({identity.label}): `{member}` names {unknown!r}, "
                f"and the contract {has}; correct the name, or give a token"
            )


def asks_for_credentials(contract: Contract, operation: Operation) -> bool:
    """Tell whether an operation must refuse requests without credentials, client certificates apart."""
    return bool(operation.security) and all(
        requirement and all(contract.security_schemes[name].type != "mutualTLS" for name in requirement)
        for requirement in operation.security
    )


def credentials(
    contract: Contract, operation: Operation, identity: Identity
) -> tuple[Fields, tuple[tuple[str, str], ...]] | None:
    """Return the header fields and query parameters that carry an identity's credentials for an operation.

    The first security requirement that the identity can meet counts; None if it can meet none.
    """
    if not operation.security:
        return (), ()
    for requirement in operation.security:
        fields: list[tuple[str, str]] = []
        query: list[tuple[str, str]] = []
        for name in requirement:
            scheme = contract.security_schemes[name]
            shown = identity.credential(scheme)
            if shown is None or not add_credential(scheme, identity.username, shown, fields, query):
                break
        else:
            return joined_fields((*fields, *identity.fields())), tuple(query)
    return (joined_fields(identity.fields()), ()) if identity.needs_no_scheme else None


def held(scheme: SecurityScheme, headers: Mapping[str, str]) -> str | None:
    """Return the credential of a security scheme that header fields hold, None if they hold none."""
    fields = {name.lower(): value for name, value in headers.items()}
    authorization = fields.get("authorization", "")
    kind, _, rest = authorization.partition(" ")
    if scheme.type == "apiKey" and scheme.location == "header":
        return fields.get(scheme.parameter.lower())
    if scheme.type == "apiKey" and scheme.location == "cookie":
        return dict(cookie_pairs(fields.get("cookie", ""))).get(scheme.parameter)
    if (scheme.type, scheme.scheme) == ("http", "basic"):
        found = basic.decode(authorization)
        return found[1] if found is not None else None
    name = scheme.scheme if scheme.type == "http" else "bearer"
    return (
        rest.strip() if scheme.type in {"http", "oauth2", "openIdConnect"} and kind.lower() == name and rest else None
    )


def _resolved(identity: Identity, schemes: Iterable[SecurityScheme]) -> Identity:
    """Return an identity whose header fields became credentials of the security schemes that use them."""
    found: dict[str, str] = {}
    used: set[str] = set()
    username = identity.username
    for scheme in schemes if identity.headers else ():
        secret = held(scheme, identity.headers)
        if secret is None:
            continue
        name = scheme.parameter.lower() if scheme.type == "apiKey" else "authorization"
        if (scheme.type, scheme.scheme) == ("http", "basic"):
            login = basic.decode(_field(identity.headers, "authorization"))
            if login is None or (username and login[0] != username):
                continue  # it is sent as it is
            username = login[0]
        if identity.credential(scheme) is None:
            found[scheme.name] = secret
        used.add("cookie" if (scheme.type, scheme.location) == ("apiKey", "cookie") else name)
    if not used:
        return identity
    headers = {name: value for name, value in identity.headers.items() if name.lower() not in used - {"cookie"}}
    if "cookie" in used:
        named = {scheme.parameter for scheme in schemes if scheme.location == "cookie"}
        headers = {
            name: left
            for name, value in headers.items()
            if (left := value if name.lower() != "cookie" else without_cookies(value, named))
        }
    return replace(identity, username=username, schemes={**found, **identity.schemes}, headers=headers)


def _field(headers: Mapping[str, str], wanted: str) -> str:
    return next((value for name, value in headers.items() if name.lower() == wanted), "")


def add_credential(
    scheme: SecurityScheme,
    username: str,
    secret: str,
    fields: list[tuple[str, str]],
    query: list[tuple[str, str]],
) -> bool:
    """Add the header field or query parameter of a credential to `fields` or `query`; False if unsupported."""
    if scheme.type == "http" and scheme.scheme == "basic":
        fields.append(("Authorization", basic.encode(f"{username}:{secret}")))
    elif scheme.type in {"oauth2", "openIdConnect"} or (scheme.type == "http" and scheme.scheme == "bearer"):
        fields.append(("Authorization", f"Bearer {secret}"))
    elif scheme.type == "http" and scheme.scheme != "digest":
        fields.append(("Authorization", f"{scheme.scheme} {secret}"))
    elif scheme.type == "apiKey" and scheme.location == "header":
        fields.append((scheme.parameter, secret))
    elif scheme.type == "apiKey" and scheme.location == "query":
        query.append((scheme.parameter, secret))
    elif scheme.type == "apiKey" and scheme.location == "cookie":
        fields.append(("Cookie", f"{scheme.parameter}={secret}"))
    else:
        return False
    return True
