"""Passwords: SHA512-Crypt hashes, and conditions for logging in (accounts_post, accounts_get, auth_post).

The algorithm is that of Ulrich Drepper's public specification, "Unix crypt using SHA-256 and SHA-512", version 0.6;
the comments name its steps. The engine checks logins by a faster digest of its own; this form is for what a client
sends or reads.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from mockserver import plugins
from mockserver.builtin.mailcheap import twofactor
from mockserver.builtin.mailcheap.records import may_use_api
from mockserver.plugins import Call, Outcome, Record, issue_token, login_refused, success

#: Stands before such a hash, as Dovecot's password schemes do.
PREFIX = "{SHA512-CRYPT}"
#: The fewest that the algorithm knows: hashes of a stub guard nothing, and each costs a client's patience.
_ROUNDS = 1000
#: Used where a hash names none.
_DEFAULT_ROUNDS = 5000
_SALT_LENGTH = 16
#: Each round digests the whole password, so that the time of a long one has to be limited.
_MAX_PASSWORD_BYTES = 4096
#: At most 99,999 rounds, as the contract has it: all that the algorithm knows would keep a stub busy for half an hour.
_HASH = re.compile(
    r"\$6\$(?:rounds=(?P<rounds>[1-9][0-9]{3,4})\$)?(?P<salt>[./0-9A-Za-z]{0,16})\$(?P<digest>[./0-9A-Za-z]{86})"
)
_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def make_hash(username: str, password: str) -> str:
    """Return the SHA512-Crypt hash of an account's password, with the prefix `{SHA512-CRYPT}`.

    The salt is made of the name, so that a list of accounts looks the same on every start and in every example. A NUL
    ends a password, as it does for crypt(3); only seed data can have one.
    """
    salt = hashlib.sha256(f"salt\0{username}".encode("utf-8", "surrogatepass")).hexdigest()[:_SALT_LENGTH]
    digest = _digest(password.partition("\0")[0].encode("utf-8", "surrogatepass"), salt.encode(), _ROUNDS)
    return f"{PREFIX}$6$rounds={_ROUNDS}${salt}${digest}"


def hash_matches(password: str, hashed: str) -> bool:
    """Tell whether a SHA512-Crypt hash is that of a password; a malformed hash matches none."""
    found = _HASH.fullmatch(hashed.removeprefix(PREFIX))
    key = password.encode("utf-8", "surrogatepass")
    # No hash was made of a password with a NUL, or of so long a one.
    if found is None or b"\0" in key or len(key) > _MAX_PASSWORD_BYTES:
        return False
    made = _digest(key, found["salt"].encode(), int(found["rounds"] or _DEFAULT_ROUNDS))
    return hmac.compare_digest(made, found["digest"])


def belongs_to(account: Record, username: str, password: str) -> bool:
    """Tell whether a password is that of an account, which may be stored as a client's SHA512-Crypt hash."""
    hashed = account.get("password_crypt")
    if hashed is not None and account["password_hash"] is None:
        return hash_matches(password, hashed)
    return plugins.password_matches(account, username, password)


def admit(call: Call, username: str, account: Record) -> None:
    """Raise RequestRejected (401) if an account may not log in by password, or the two-factor code is missing or wrong.

    Raises:
        RequestRejected: 401.
    """
    if not account.get("password_login", True):
        raise login_refused("password login is disabled for this account; log in with one of its WebAuthn credentials")
    if twofactor.is_enabled(call, username):
        otp = call.content.get("otp")
        if not isinstance(otp, str):
            raise login_refused("this account has two-factor authentication, so a login also requires `otp`")
        if not twofactor.accept_code(call, username, otp):
            raise login_refused("`otp` is not the account's current code, or was used before")
    _require_access(account)


def log_in(call: Call, username: str, account: Record, why: str) -> Outcome:
    """Issue a token to an account whose identity was verified, and return the response of a login.

    Raises:
        RequestRejected: 401, the account may not log in at all.
    """
    _require_access(account)
    issued = issue_token(call, username, account, "auth_token")
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


def _digest(password: bytes, salt: bytes, rounds: int) -> str:
    """Return the 86 characters that SHA512-Crypt puts after the salt."""
    digest = _start(password, salt)
    # P and S (steps 13 to 20): digests of password and salt, as long as these are.
    p = _cut(hashlib.sha512(password * len(password)).digest(), len(password))
    s = _cut(hashlib.sha512(salt * (16 + digest[0])).digest(), len(salt))
    # Step 21: what a round adds to the digest of the round before is the same in each forty-second one.
    between = [(s if number % 3 else b"") + (p if number % 7 else b"") for number in range(42)]
    added = [p + middle if number & 1 else middle + p for number, middle in enumerate(between)]
    for number in range(rounds):
        more = added[number % 42]
        digest = hashlib.sha512(more + digest if number & 1 else digest + more).digest()
    return _encoded(digest)


def _start(password: bytes, salt: bytes) -> bytes:
    """Return digest A of SHA512-Crypt, which mixes password, salt and digest B (steps 1 to 12)."""
    b = hashlib.sha512(password + salt + password).digest()
    mixed = password + salt + _cut(b, len(password))
    length = len(password)
    while length:
        mixed += b if length & 1 else password
        length >>= 1
    return hashlib.sha512(mixed).digest()


def _cut(digest: bytes, length: int) -> bytes:
    """Return a digest repeated, and cut off, to a length in bytes."""
    return (digest * (length // len(digest) + 1))[:length]


def _encoded(digest: bytes) -> str:
    """Return a digest in crypt(3)'s alphabet: four characters for three bytes, lowest bits first (step 22)."""
    text = ""
    for group in range(21):
        first, second, third = (digest[(group + 21 * (group + turn)) % 63] for turn in range(3))
        text += _characters(first << 16 | second << 8 | third, 4)
    return text + _characters(digest[63], 2)


def _characters(bits: int, count: int) -> str:
    return "".join(_ALPHABET[bits >> 6 * place & 63] for place in range(count))
