"""A software authenticator: makes credentials and signs with them as WebAuthn's JSON forms have it.

Written from the specification (W3C Web Authentication, Level 2, sections 5.2, 6.1 and 6.5) and not from the library
that the stub judges by, so that the two check each other. It attests nothing (`none`), as the options ask.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

#: Bits of the flags in authenticator data (section 6.1).
USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40
#: COSE identifiers of algorithms (RFC 9053, RFC 8812).
ES256, EDDSA, RS256 = -7, -8, -257


def encode(value: bytes) -> str:
    """Return bytes in Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of a text in Base64url, padded or not."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Key:
    """A key pair: the public half as COSE has it, and how it signs."""

    algorithm: int
    public: Mapping[int, Any]
    sign: Callable[[bytes], bytes]


def es256_key() -> Key:
    """Return a new key on P-256."""
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    public = {1: 2, 3: ES256, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
    return Key(ES256, public, lambda data: private.sign(data, ec.ECDSA(hashes.SHA256())))


def eddsa_key(seed: bytes | None = None) -> Key:
    """Return a key on Ed25519: a new one, or that of 32 bytes."""
    private = (
        ed25519.Ed25519PrivateKey.generate() if seed is None else ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    )
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return Key(EDDSA, {1: 1, 3: EDDSA, -1: 6, -2: raw}, private.sign)


def rs256_key() -> Key:
    """Return a new RSA key of 2,048 bits."""
    private = rsa.generate_private_key(65537, 2048)
    numbers = private.public_key().public_numbers()
    public = {1: 3, 3: RS256, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")}
    return Key(RS256, public, lambda data: private.sign(data, padding.PKCS1v15(), hashes.SHA256()))


@dataclass
class Authenticator:
    """One credential on one device.

    Attributes:
        identifier: of the credential.
        flags: what it says of user and backup in every answer.
        count: signatures so far; one that does not count keeps 0.
        counts: whether it counts.
    """

    key: Key = field(default_factory=es256_key)
    identifier: bytes = b"credential-of-the-tests"
    flags: int = USER_PRESENT | USER_VERIFIED
    count: int = 0
    counts: bool = True
    user_handle: str = ""

    def create(self, options: Mapping[str, Any], origin: str = "https://demo.mymailcheap.com") -> dict[str, Any]:
        """Return what `navigator.credentials.create(options)` gives."""
        assert self.key.algorithm in {parameter["alg"] for parameter in options["pubKeyCredParams"]}
        self.user_handle = options["user"]["id"]
        attested = bytes(16) + len(self.identifier).to_bytes(2, "big") + self.identifier + cbor(dict(self.key.public))
        data = self._data(options["rp"]["id"], ATTESTED, attested)
        said = client_data("webauthn.create", options["challenge"], origin)
        return {
            "id": encode(self.identifier),
            "rawId": encode(self.identifier),
            "response": {
                "attestationObject": encode(cbor({"fmt": "none", "attStmt": {}, "authData": data})),
                "clientDataJSON": encode(said),
                "transports": ["internal"],
            },
            "type": "public-key",
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }

    def get(self, options: Mapping[str, Any], origin: str = "https://demo.mymailcheap.com") -> dict[str, Any]:
        """Return what `navigator.credentials.get(options)` gives."""
        self.count += self.counts
        data = self._data(options["rpId"])
        said = client_data("webauthn.get", options["challenge"], origin)
        response = {
            "authenticatorData": encode(data),
            "clientDataJSON": encode(said),
            "signature": encode(self.key.sign(data + hashlib.sha256(said).digest())),
        }
        if self.user_handle:
            response["userHandle"] = self.user_handle
        return {
            "id": encode(self.identifier),
            "rawId": encode(self.identifier),
            "response": response,
            "type": "public-key",
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }

    def _data(self, party: str, flags: int = 0, attested: bytes = b"") -> bytes:
        """Return authenticator data (section 6.1)."""
        head = hashlib.sha256(party.encode()).digest() + bytes([self.flags | flags])
        return head + self.count.to_bytes(4, "big") + attested


def client_data(kind: str, challenge: str, origin: str) -> bytes:
    """Return what a browser says that an answer is for (section 5.8.1)."""
    said = {"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}
    return json.dumps(said, separators=(",", ":")).encode()


def cbor(value: Any) -> bytes:
    """Return a value in CBOR (RFC 8949): as much of it as keys and attestations need."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    assert isinstance(value, dict)
    return _head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())


def _head(major: int, number: int) -> bytes:
    """Return the first bytes of an item: its major type, and its value or length."""
    if number < 24:
        return bytes([major << 5 | number])
    size = 1 if number < 1 << 8 else 2 if number < 1 << 16 else 4
    return bytes([major << 5 | 23 + {1: 1, 2: 2, 4: 3}[size]]) + number.to_bytes(size, "big")
