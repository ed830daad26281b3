"""Salted digests of passwords, as directories write them: `{SSHA}` and the digits (RFC 2307, draft-stroeder 2012)."""

from __future__ import annotations

import base64
import hashlib

from mockserver.suite.secrets.encoded_secrets import as_bytes

_ALGORITHMS = {"MD5": "md5", "SHA": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}


def is_digest_of(secret: str, scheme: str, digits: str) -> bool:
    """Tell whether a digest is one of a secret.

    Args:
        secret: the secret.
        scheme: `SSHA`, `SHA256` and so on; with an S first, a salt stands behind the digest.
        digits: digest and salt in base64.
    """
    name = _ALGORITHMS.get(scheme) or _ALGORITHMS.get(scheme[1:])
    if name is None:
        return False
    try:
        raw = base64.b64decode(digits + "=" * (-len(digits) % 4))
    except ValueError:
        return False
    size = hashlib.new(name, usedforsecurity=False).digest_size
    digest, salt = raw[:size], raw[size:]
    return hashlib.new(name, as_bytes(secret) + salt, usedforsecurity=False).digest() == digest
