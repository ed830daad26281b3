"""Digest authentication (RFC 7616): challenges, and verification of the credentials sent for them."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import unquote, urlsplit

from mockserver.messages import Request
from mockserver.sources import make_secret

REALM = "mockserver"
_HASHES: Mapping[str, Callable[[bytes], hashlib._Hash]] = {
    "SHA-256": hashlib.sha256,
    # Kept by RFC 7616 for old clients, of which there are many.
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
}
_SESSION = "-SESS"
_PARAMETER = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?:,|$)')
_HEX = re.compile(r"[0-9a-fA-F]+")
_LENGTHS = {name: make(b"").digest_size * 2 for name, make in _HASHES.items()}
_ALWAYS = frozenset({"username", "realm", "nonce", "uri", "response"})
_WITH_QOP = frozenset({"nc", "cnonce"})

Parameters = Mapping[str, str]


class Digest:
    """Digest authentication of the stub: issues challenges and verifies credentials.

    A nonce consists of its number and a text derived from seed, world and number, so that any process recognises it. It
    does not expire and may be used any number of times: a stub protects nothing, and tests may be repeated.

    Only `H(A1)` of each secret is kept (RFC 7616, section 3.4.2).
    """

    def __init__(self, seed: int, secrets: Mapping[str, Iterable[str]]) -> None:
        """Take the seed of the nonces, and the secrets of accounts by user name."""
        self._seed = seed
        self._numbers = itertools.count(1)
        self._keys = {
            (username, name): [_hash(name, f"{username}:{REALM}:{secret}") for secret in known]
            for username, known in secrets.items()
            for name in _HASHES
        }

    def challenge(self, world: str) -> str:
        """Return the value of a `WWW-Authenticate` field, the stronger algorithm first (RFC 7616, section 3.7)."""
        nonce = self._nonce(world, next(self._numbers))
        return ", ".join(f'Digest realm="{REALM}", qop="auth", algorithm={name}, nonce="{nonce}"' for name in _HASHES)

    def username(self, request: Request, world: str) -> str | None:
        """Return the user name of a request's Digest credentials, None if they are wrong for the world."""
        sent = parameters(request.authorization)
        if sent is None or sent["realm"] != REALM or not self._issued(world, sent["nonce"]):
            return None
        if not _is_target(sent["uri"], request):
            return None
        name = _algorithm(sent)
        keys = self._keys.get((sent["username"], name), ())
        expected = [_response_digest(name, key, request.method, sent) for key in keys]
        shown = sent["response"].lower()
        return sent["username"] if any(hmac.compare_digest(shown, one) for one in expected) else None

    def _nonce(self, world: str, number: int) -> str:
        return f"{number}-{make_secret(self._seed, world, 'digest nonce', number)}"

    def _issued(self, world: str, nonce: str) -> bool:
        number = nonce.partition("-")[0]
        return number.isascii() and number.isdecimal() and len(number) < 20 and nonce == self._nonce(world, int(number))


def parameters(field: str | None) -> Parameters | None:
    """Return the parameters of Digest credentials by name in lower case, None if invalid (RFC 7616, section 3.4)."""
    scheme, _, rest = (field or "").partition(" ")
    if scheme.lower() != "digest":
        return None
    found: dict[str, str] = {}
    at = 0
    while at < len(rest):
        match = _PARAMETER.match(rest, at)
        if match is None or match[1].lower() in found:
            return None
        found[match[1].lower()] = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
        at = match.end()
    return found if _is_complete(found) else None


def _is_complete(sent: Parameters) -> bool:
    length = _LENGTHS.get(_algorithm(sent))
    if not sent.keys() >= _ALWAYS or not sent["username"] or len(sent["response"]) != length:
        return False
    if _HEX.fullmatch(sent["response"]) is None:
        return False
    is_session = sent.get("algorithm", "").upper().endswith(_SESSION)
    if "qop" not in sent:
        return not is_session or "cnonce" in sent
    return sent["qop"].lower() == "auth" and sent.keys() >= _WITH_QOP


def _algorithm(sent: Parameters) -> str:
    return sent.get("algorithm", "MD5").upper().removesuffix(_SESSION)


def _response_digest(name: str, key: str, method: str, sent: Parameters) -> str:
    """Return the `response` parameter expected for a key (RFC 7616, section 3.4.1; without qop, RFC 2069)."""
    if sent.get("algorithm", "").upper().endswith(_SESSION):
        key = _hash(name, f"{key}:{sent['nonce']}:{sent['cnonce']}")
    asked = _hash(name, f"{method}:{sent['uri']}")
    if "qop" not in sent:
        return _hash(name, f"{key}:{sent['nonce']}:{asked}")
    return _hash(name, f"{key}:{sent['nonce']}:{sent['nc']}:{sent['cnonce']}:{sent['qop']}:{asked}")


def _hash(name: str, text: str) -> str:
    return _HASHES[name](text.encode("utf-8", "surrogatepass")).hexdigest()


def _is_target(uri: str, request: Request) -> bool:
    """Tell whether the `uri` of Digest credentials is a request's, apart from a prefix of its path."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return parts.query == request.query and unquote(parts.path).endswith(request.path)
