"""Stored form of accounts and tokens, shared by all code that seeds, verifies, issues or revokes credentials."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

#: Collections of the store: accounts by username, tokens by their key.
ACCOUNTS = "accounts"
TOKENS = "tokens"
#: Value of `WWW-Authenticate` for HTTP Basic (RFC 7617, section 2).
BASIC_CHALLENGE = 'Basic realm="mockserver", charset="UTF-8"'


def token_key(token: str) -> str:
    """Return the key under which the store keeps a token: a digest, so that dumps and files hold no token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def shared_token_key(username: str, token: str) -> str:
    """Return the store's key of a token that several accounts have: a digest of user name and token."""
    return token_key(f"{username}:{token}")


def password_hash(username: str, password: str) -> str:
    """Return the digest that the store keeps of an account's password.

    A fast hash on purpose: it keeps passwords out of dumps and files. The accounts of a stub guard nothing, and a slow
    one would make each login and each new world cost tens of milliseconds.
    """
    return hashlib.sha256(f"{username}\0{password}".encode("utf-8", "surrogatepass")).hexdigest()


def password_matches(account: Mapping[str, Any], username: str, password: str) -> bool:
    """Tell whether a password is that of an account, comparing digests in constant time."""
    expected = account["password_hash"]
    return expected is not None and hmac.compare_digest(expected, password_hash(username, password))
