"""Identities: accounts of the target from the identities file, or of our stub from its seed data."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mockserver.contract.exchanges import presumed_success
from mockserver.contract.model import Contract, Operation, SecurityScheme
from mockserver.contract.source.loading import parse_yaml
from mockserver.errors import UsageError
from mockserver.http import basic
from mockserver.suite.target.exchange import Fields

_KEYS = frozenset({"username", "token", "password", "level", "scopes", "schemes", "owns", "totp_secret"})
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


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

    @property
    def label(self) -> str:
        """Name of the identity in messages and environment variables."""
        return self.username or self.level or "identity"

    def secrets(self) -> Iterator[tuple[str, str]]:
        """Yield each credential, after the name of the environment variable that replaces it in output."""
        stem = re.sub(r"[^A-Z0-9]+", "_", self.label.upper()).strip("_") or "IDENTITY"
        for kind, value in (
            ("TOKEN", self.token),
            ("PASSWORD", self.password),
            ("TOTP_SECRET", self.totp_secret),
        ):
            if value:
                yield f"{stem}_{kind}", value
        for name, value in self.schemes.items():
            yield f"{stem}_{re.sub(r'[^A-Z0-9]+', '_', name.upper())}", value

    def credential(self, scheme: SecurityScheme) -> str | None:
        """Return the credential that this identity sends for a security scheme, or None."""
        own = self.schemes.get(scheme.name, self.token)
        # Without a token, Basic falls back to what RFC 7617 means by it: user name and password.
        return self.password if own is None and (scheme.type, scheme.scheme) == ("http", "basic") else own

    def knows(self, secret: str | None) -> bool:
        """Tell whether a secret is a credential of this account, even if it is also one of another account."""
        return secret is not None and (
            self.has_token(secret) or secret == self.password or secret in self.schemes.values()
        )

    def showing(self, shown: Mapping[str, str]) -> Identity:
        """Return the same account with only the given credentials, by name of the security scheme."""
        return replace(self, token=None, password=None, schemes=shown, totp_secret=None)

    def has_token(self, token: str | None) -> bool:
        """Tell whether a token belongs to this account, even if it also belongs to another account."""
        return token is not None and (token == self.token or token in self.more_tokens)

    def with_token(self, token: str) -> Identity:
        """Return the same account with another token; the previous token still counts as its own."""
        known = self.more_tokens | ({self.token} if self.token else frozenset())
        return Identity(
            self.username, token, self.password, self.level, self.scopes, {}, self.owns, None, known, self.owns_known
        )


@dataclass(frozen=True, slots=True)
class Identities:
    """All identities that a run may call as.

    Attributes:
        path: the file that they are from, None where nobody gave one.
    """

    all: tuple[Identity, ...]
    path: Path | None = None

    def of_highest_level(self, levels: tuple[str, ...]) -> Identity | None:
        """Return the identity of the highest permission level that has a credential, in the order of the contract."""
        usable = [identity for identity in self.all if identity.token or identity.schemes or identity.password]
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
        return presumed if same_level and presumed is not None and presumed.token else found


def load_identities(path: Path, environment: Mapping[str, str] | None = None) -> Identities:
    """Return the identities in a file, with each `${NAME}` replaced from the environment.

    Raises:
        UsageError: not readable, an unknown key, a missing variable, or an identity without a credential.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}; check --identities") from error
    data = parse_yaml(path, text)
    if not isinstance(data, dict) or data.keys() != {"identities"} or not isinstance(data["identities"], list):
        raise UsageError(f"{path}: must hold `identities:` with a list and nothing else")
    values = os.environ if environment is None else environment
    return Identities(
        tuple(
            _identity(f"{path}: identity {number}", expand(raw, values, path))
            for number, raw in enumerate(data["identities"], 1)
        ),
        path,
    )


def require_known_schemes(identities: Identities, contract: Contract) -> None:
    """Raise a UsageError if an identity has credentials for a security scheme that the contract does not have.

    Raises:
        UsageError: an identity has some; names file, identity, scheme, and the contract's schemes.
    """
    known = contract.security_schemes
    for number, identity in enumerate(identities.all, 1):
        unknown = next((name for name in identity.schemes if name not in known), None)
        if unknown is not None and identities.path is not None:
            has = f"has {', '.join(map(repr, known))}" if known else "has none"
            raise UsageError(
                f"{identities.path}: identity {number} ({identity.label}): `schemes` names {unknown!r}, "
                f"and the contract {has}; correct the name, or give a token"
            )


def seeded_identities(path: Path) -> Identities:
    """Return the accounts of a seed data file as identities, each with its first token that does not expire.

    Raises:
        UsageError: not a seed-data file.
    """
    try:
        data = parse_yaml(path, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    accounts = data.get("accounts", []) if isinstance(data, dict) else None
    if not isinstance(accounts, list):
        raise UsageError(f"{path}: is no seed data; it must map sections to lists, `accounts` among them")
    return Identities(tuple(_account(raw) for raw in accounts if isinstance(raw, dict)))


def asks_for_credentials(contract: Contract, operation: Operation) -> bool:
    """Tell whether an operation must refuse requests without credentials, client certificates apart."""
    return bool(operation.security) and all(
        requirement and all(contract.security_schemes[name].type != "mutualTLS" for name in requirement)
        for requirement in operation.security
    )


def seed_data(identities: Identities) -> dict[str, Any]:
    """Return seed data for the stub with an account for each identity that has a user name (docs/stub.md)."""
    return {
        "accounts": [
            {
                "username": identity.username,
                **({"level": identity.level} if identity.level else {}),
                **({"password": identity.password} if identity.password else {}),
                **({"schemes": dict(identity.schemes)} if identity.schemes else {}),
                **({"scopes": list(identity.scopes)} if identity.scopes else {}),
                **({"owns": list(identity.owns)} if identity.owns else {}),
                "tokens": [{"token": identity.token, "valid_from": 0, "valid_to": 2**31 - 1, "expires": False}]
                if identity.token
                else [],
            }
            for identity in identities.all
            if identity.username
        ]
    }


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
            return tuple(fields), tuple(query)
    return None


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


def _identity(place: str, raw: Any) -> Identity:
    if not isinstance(raw, dict):
        raise UsageError(f"{place} must be a mapping")
    unknown = sorted(raw.keys() - _KEYS)
    if unknown:
        raise UsageError(f"{place} has the unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    schemes = raw.get("schemes") or {}
    if not isinstance(schemes, dict):
        raise UsageError(f"{place}: `schemes` must map names of security schemes to credentials")
    texts = {key: raw[key] for key in ("username", "token", "password", "level", "totp_secret") if key in raw}
    for key, value in (*texts.items(), *schemes.items()):
        if not isinstance(value, str) or not value:
            raise UsageError(f"{place}: {key!r} must be text that is not empty; put it in quotes")
    if not (raw.get("token") or raw.get("password") or schemes):
        raise UsageError(f"{place} has no credential; give it a token, a password or schemes")
    return Identity(
        **texts,
        schemes=dict(schemes),
        scopes=_texts(place, "scopes", raw),
        owns=_texts(place, "owns", raw),
        owns_known="owns" in raw,
    )


def _texts(place: str, key: str, raw: dict[str, Any]) -> tuple[str, ...]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{place}: {key!r} must be a list of texts")
    return tuple(value)


def expand(value: Any, environment: Mapping[str, str], path: Path) -> Any:
    """Return a value with each `${NAME}` in its texts replaced from the environment."""
    if isinstance(value, dict):
        return {key: expand(item, environment, path) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, environment, path) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise UsageError(f"{path}: the environment variable {match[1]} is not set")
        return environment[match[1]]

    return _VARIABLE.sub(replace, value)


def _account(raw: dict[str, Any]) -> Identity:
    tokens = [token for token in raw.get("tokens") or () if isinstance(token, dict)]
    standing = next((token for token in tokens if token.get("expires") is False), tokens[0] if tokens else {})
    return Identity(
        username=str(raw.get("username", "")),
        token=standing.get("token"),
        password=raw.get("password"),
        level=str(raw.get("level", "")),
        scopes=tuple(raw.get("scopes") or ()),
        schemes=dict(raw.get("schemes") or {}),
        owns=tuple(raw.get("owns") or ()),
        more_tokens=frozenset(str(token.get("token")) for token in tokens if token is not standing),
    )
