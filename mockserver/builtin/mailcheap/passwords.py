"""Passwords: SHA512-Crypt hashes, and what logging in takes beside a password (accounts_post, accounts_get, auth_post).

The engine checks logins by a faster digest of its own; this form is for what a client sends or reads.
"""

from __future__ import annotations

import hashlib

from mockserver import plugins
from mockserver.builtin.mailcheap import twofactor
from mockserver.builtin.mailcheap.records import may_use_api
from mockserver.plugins import Call, Outcome, Record, issue_token, login_refused, success

#: Stands before such a hash, as Dovecot's password schemes do.
PREFIX = "{SHA512-CRYPT}"
#: The fewest that the algorithm knows: hashes of a stub guard nothing, and each costs a client's patience.
_ROUNDS = 1000
_SALT_LENGTH = 16


def make(username: str, password: str) -> str:
    """Return the hash of an account's password, with its prefix.

    The salt is made of the name, so that a list of accounts looks the same on every start and in every example. A NUL
    ends a password, as it does for crypt(3); only seed data can have one.
    """
    from passlib.hash import sha512_crypt  # costs start-up time, and most runs need none of it

    salt = hashlib.sha256(f"salt\0{username}".encode("utf-8", "surrogatepass")).hexdigest()[:_SALT_LENGTH]
    hashed: str = sha512_crypt.using(rounds=_ROUNDS, salt=salt).hash(password.partition("\0")[0])
    return PREFIX + hashed


def matches(password: str, hashed: str) -> bool:
    """Tell whether a hash with its prefix is the one of a password; one that is malformed is nobody's."""
    from passlib.hash import sha512_crypt

    try:
        return bool(sha512_crypt.verify(password, hashed.removeprefix(PREFIX)))
    except ValueError:
        return False  # no such hash, or no password that could have one (it has a NUL)


def belongs_to(account: Record, username: str, password: str) -> bool:
    """Tell whether a password is the account's, which may have been sent as such a hash: then nothing else is known."""
    hashed = account.get("password_crypt")
    if hashed is not None and account["password_hash"] is None:
        return matches(password, hashed)
    return plugins.password_matches(account, username, password)


def admit(call: Call, username: str, account: Record) -> None:
    """Ask an account whose password was right for what else it needs: a code, the right to log in so, or at all.

    Raises:
        RequestRejected: 401.
    """
    if not account.get("password_login", True):
        raise login_refused("password login is disabled for this account; log in with one of its WebAuthn credentials")
    if twofactor.is_enabled(call, username):
        otp = call.content.get("otp")
        if not isinstance(otp, str):
            raise login_refused("this account has two-factor authentication, so logging in needs `otp`, too")
        if not twofactor.accept_code(call, username, otp):
            raise login_refused("`otp` is not the account's code now, or was used before")
    _require_access(account)


def log_in(call: Call, username: str, account: Record, why: str) -> Outcome:
    """Give an account that showed who it is a token; it is told the same as a login by password tells.

    Raises:
        RequestRejected: 401, the account may not log in at all.
    """
    _require_access(account)
    issued = issue_token(call, username, account)
    auth = {
        "auth_token": issued.token,
        "message": "Successfully logged in",
        "perm_level": account["level"],
        "status": "success",
        "username": username,
        "valid_from": issued.valid_from,
        "valid_to": issued.valid_to,
    }
    return success({"auth": auth}, why)


def _require_access(account: Record) -> None:
    if not may_use_api(account):
        raise login_refused("the account is disabled, or has no access to the API")
