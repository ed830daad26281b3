"""SHA512-Crypt hashes of passwords, in which the mail server takes and shows them (accounts_post, accounts_get).

The stub checks logins by a faster digest of its own (credentials.py); this form is for what a client sends or reads.
"""

from __future__ import annotations

import hashlib

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
