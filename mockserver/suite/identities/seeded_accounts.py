"""Seeded accounts: identities as seed data of our stub, and the accounts of seed data as identities."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from mockserver.contract.source.loading import parse_yaml
from mockserver.errors import UsageError
from mockserver.suite.identities.identities import Identities, Identity
from mockserver.suite.secrets.known_secrets import Canaries


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


def with_tokens(identities: Identities) -> Identities:
    """Return identities for our stub: those that log in by settings of their own get a made-up token instead."""
    canaries = Canaries()
    given = (
        one
        if one.issued is None
        else replace(
            one,
            username=one.username or f"identity-{number}",
            token=canaries.make("stand-in token"),
            issued=None,
            headers={},
        )
        for number, one in enumerate(identities.given, 1)
    )
    return replace(identities, given=tuple(given))


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
