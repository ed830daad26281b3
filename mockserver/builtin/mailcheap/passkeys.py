"""Behaviours of WebAuthn: registering passkeys, logging in with them, and disabling login by password.

::

    options ── challenge, for the caller ──▶ authenticator ── attestation ──▶ registration: a credential is kept
    options ── challenge, for anybody ─────▶ authenticator ── assertion ────▶ authentication: a token is issued

Responses of authenticators are verified by py_webauthn; this module keeps what that needs: issued challenges with their
account and time, and the keys of each account (W3C Web Authentication, Level 2, sections 7.1 and 7.2).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from mockserver.builtin.mailcheap.passwords import log_in
from mockserver.builtin.mailcheap.records import (
    PASSKEYS,
    WEBAUTHN,
    WEBAUTHN_CHALLENGES,
    conflict,
    next_number,
    not_found,
    own_in_order,
)
from mockserver.plugins import (
    ACCOUNTS,
    Call,
    Outcome,
    Record,
    behaviour,
    content_of,
    is_loopback,
    issue,
    login_refused,
    success,
)

#: How long a challenge is valid. The options say 60 seconds, which is too short for a person at a debugger.
CHALLENGE_SECONDS = 300
#: Open challenges of one account, and of those who are not logged in; one more drops the oldest.
MAX_CHALLENGES = 16
MAX_ANONYMOUS_CHALLENGES = 256
#: The relying party of seed data that names none: a browser takes it for pages that are served by the same machine.
DEFAULT_RELYING_PARTY = "localhost"
#: Algorithms of keys in the order in which the documentation lists them (webauthn_registration_get): COSE identifiers
#: of ECDSA, EdDSA, ECDSA with SHA-512, RSASSA-PSS and RSASSA-PKCS1-v1_5.
ALGORITHMS = (-7, -8, -36, -37, -38, -39, -257, -258, -259)
_TIMEOUT_MILLISECONDS = 60_000
_CHALLENGE_BYTES = 64
_PUBLIC_KEY = "public-key"
_REGISTRATION, _AUTHENTICATION = "registration", "authentication"
#: Credentials that an account must have before its login by password can be disabled (nopwdlogin_post).
_ENOUGH = 2
_T = TypeVar("_T")


class _UnverifiedError(Exception):
    """Error: WebAuthn data of a client failed verification; the error's text says why."""


@behaviour("passkeys", "registration_options", trusted=True)
def registration_options(call: Call) -> Outcome:
    """Return WebAuthn registration options with a new challenge for the caller (webauthn_registration_get)."""
    username = call.caller.username
    party = _relying_party(call)
    content = {
        "attestation": "none",
        "authenticatorSelection": {
            "requireResidentKey": True,
            "residentKey": "required",
            "userVerification": "preferred",
        },
        "challenge": _ask(call, _REGISTRATION, username),
        "excludeCredentials": [
            _descriptor(passkey) for passkey in passkeys_of(call, username) if passkey.get("credential_id")
        ],
        "pubKeyCredParams": [{"alg": algorithm, "type": _PUBLIC_KEY} for algorithm in ALGORITHMS],
        "rp": {"id": party, "name": party},
        "timeout": _TIMEOUT_MILLISECONDS,
        "user": {"displayName": username, "id": _user_handle(call, username), "name": username},
    }
    return success(content, "new challenge")


@behaviour("passkeys", "register", trusted=True)
def register(call: Call) -> Outcome:
    """Verify a WebAuthn registration and store its credential for the caller (webauthn_registration_post)."""
    content = content_of(call)
    username, name = call.caller.username, content["friendly_name"]
    try:
        verified = _verified_registration(call, content)
    except _UnverifiedError as error:
        raise conflict(f"the response does not match the registration options: {error}") from error
    identifier = _encode(verified.credential_id)
    if _found(call, identifier) is not None:
        raise conflict("this credential is registered already")
    own = passkeys_of(call, username)
    if any(passkey["friendly_name"] == name for passkey in own):
        raise conflict(f"{username} has a credential of this name already")
    call.transaction.put(
        PASSKEYS,
        f"{username}/{name}",
        {
            "username": username,
            "friendly_name": name,
            "credential_id": identifier,
            "public_key": _encode(verified.credential_public_key),
            "sign_count": verified.sign_count,
            "device_type": verified.credential_device_type.value,
            "backed_up": int(verified.credential_backed_up),
            "transports": list(content["response"].get("transports") or ()),
            "number": next_number(own),
        },
    )
    return success({"friendly_name": name}, "attestation verified")


@behaviour("passkeys", "authentication_options", trusted=True)
def authentication_options(call: Call) -> Outcome:
    """Return WebAuthn authentication options with a new challenge for any account (webauthn_auth_get)."""
    content = {
        "allowCredentials": [],
        "challenge": _ask(call, _AUTHENTICATION, ""),
        "rpId": _relying_party(call),
        "timeout": _TIMEOUT_MILLISECONDS,
        "userVerification": "preferred",
    }
    return success(content, "new challenge")


@behaviour("passkeys", "authenticate", trusted=True)
def authenticate(call: Call) -> Outcome:
    """Log in the account whose WebAuthn credential signed a challenge (webauthn_auth_post)."""
    content = content_of(call)
    passkey = _found(call, content["id"])
    account = None if passkey is None else call.transaction.get(ACCOUNTS, passkey["username"])
    if passkey is None or account is None or "public_key" not in passkey:
        raise login_refused("no account has this credential")
    try:
        verified = _verified_authentication(call, content, passkey)
    except _UnverifiedError as error:
        raise login_refused(f"the credential was not accepted: {error}") from error
    seen = {"sign_count": verified.new_sign_count, "backed_up": int(verified.credential_backed_up)}
    call.transaction.put(PASSKEYS, f"{passkey['username']}/{passkey['friendly_name']}", {**passkey, **seen})
    return log_in(call, passkey["username"], account, "assertion verified")


@behaviour("passkeys", "credentials", trusted=True)
def list_passkeys(call: Call) -> Outcome:
    """List the caller's WebAuthn credentials, oldest first (webauthn_creds_get)."""
    shown = [
        {name: passkey[name] for name in ("backed_up", "device_type", "friendly_name")}
        for passkey in passkeys_of(call, call.caller.username)
    ]
    return success({"credentials": shown}, "stored credentials")


@behaviour("passkeys", "disable_password_login", trusted=True)
def disable_password_login(call: Call) -> Outcome:
    """Disable login by password for an account with at least two WebAuthn credentials (nopwdlogin_post)."""
    username = call.arguments.path["username"]
    account = call.transaction.get(ACCOUNTS, username)
    if account is None:
        raise not_found(f"there is no account {username}")
    count = len(passkeys_of(call, username))
    if count < _ENOUGH:
        raise conflict(f"{username} has {count} passwordless credentials, but needs at least {_ENOUGH}")
    call.transaction.put(ACCOUNTS, username, {**account, "password_login": False})
    return success({"password_login": "disabled"}, f"{count} passwordless credentials")


def passkeys_of(call: Call, username: str) -> list[Record]:
    """Return the records of an account's WebAuthn credentials, oldest first."""
    return own_in_order(call, PASSKEYS, username)


def _found(call: Call, identifier: str) -> Record | None:
    """Return the record of the WebAuthn credential with an identifier, None if there is none."""
    records = call.transaction.items(PASSKEYS).values()
    return next((record for record in records if record.get("credential_id") == identifier), None)


def _descriptor(passkey: Record) -> dict[str, Any]:
    """Return the PublicKeyCredentialDescriptor of a stored credential (Web Authentication, section 5.8.3)."""
    descriptor = {"id": passkey["credential_id"], "type": _PUBLIC_KEY}
    return {**descriptor, "transports": passkey["transports"]} if passkey.get("transports") else descriptor


def _verified_registration(call: Call, content: Any) -> Any:
    from webauthn import verify_registration_response  # most stubs never see a passkey; it costs start-up time
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    challenge, origin = _client_data(content)
    _use_challenge(call, _REGISTRATION, call.caller.username, challenge)
    party = _relying_party(call)
    return _judged(
        lambda: verify_registration_response(
            credential=content,
            expected_challenge=_decode(challenge),
            expected_rp_id=party,
            expected_origin=_of_party(origin, party),
            supported_pub_key_algs=[COSEAlgorithmIdentifier(algorithm) for algorithm in ALGORITHMS],
        )
    )


def _verified_authentication(call: Call, content: Any, passkey: Record) -> Any:
    from webauthn import verify_authentication_response  # as above

    challenge, origin = _client_data(content)
    if challenge != content["auth_challenge"]:
        raise _UnverifiedError("auth_challenge is not the challenge that was signed")
    _use_challenge(call, _AUTHENTICATION, "", challenge)
    party = _relying_party(call)
    handle = content["response"].get("userHandle")
    if handle is not None and handle.rstrip("=") != _user_handle(call, passkey["username"]):
        raise _UnverifiedError("userHandle is not that of the credential's account")
    return _judged(
        lambda: verify_authentication_response(
            credential=content,
            expected_challenge=_decode(challenge),
            expected_rp_id=party,
            expected_origin=_of_party(origin, party),
            credential_public_key=_decode(passkey["public_key"]),
            credential_current_sign_count=passkey["sign_count"],
        )
    )


def _client_data(content: Any) -> tuple[str, str]:
    """Return the challenge (Base64url) and the origin in a client's `clientDataJSON`."""
    from webauthn.helpers import parse_client_data_json

    data = _judged(lambda: parse_client_data_json(_decode(content["response"]["clientDataJSON"])))
    if not isinstance(data.origin, str):
        raise _UnverifiedError("the origin is not text")
    return _encode(data.challenge), data.origin


def _judged(judge: Callable[[], _T]) -> _T:
    """Return the result of a py_webauthn call, with any of its exceptions turned into _UnverifiedError.

    Raises:
        _UnverifiedError: it takes it for wrong, or cannot read it.
    """
    try:
        return judge()
    except Exception as error:  # what clients send reaches parsers of CBOR, keys and certificates; each raises its own
        raise _UnverifiedError(str(error) or type(error).__name__) from error


def _of_party(origin: str, party: str) -> str:
    """Return an origin if it is valid for a relying party (Web Authentication, section 5.1.3, step 8).

    The host is the relying party's or below it, the scheme https; on the machine itself browsers take http, too.

    Raises:
        _UnverifiedError: it may not.
    """
    try:
        parts = urlsplit(origin)
        host = parts.hostname or ""
    except ValueError:
        raise _UnverifiedError("the origin is not a URL") from None
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if secure and (host == party or host.endswith(f".{party}")):
        return origin
    raise _UnverifiedError(f"the origin {json.dumps(origin[:100])} cannot speak for the relying party {party}")


def _relying_party(call: Call) -> str:
    """Return the relying party identifier, a domain: that of the seed data, else `localhost`."""
    record = call.transaction.get(WEBAUTHN, "relying_party")
    return DEFAULT_RELYING_PARTY if record is None else str(record["id"])


def _user_handle(call: Call, username: str) -> str:
    """Return the WebAuthn user handle of an account: a number in Base64url, stored on first use.

    Numbers are given by the seed data, else counted on from there as accounts first ask: a handle must not tell the
    name (Web Authentication, section 14.6.1).
    """
    numbers = call.transaction.get(WEBAUTHN, "users") or {}
    number = numbers.get(username)
    if number is None:
        number = max(numbers.values(), default=0) + 1
        call.transaction.put(WEBAUTHN, "users", {**numbers, username: number})
    return _encode(str(number).encode())


def _ask(call: Call, purpose: str, username: str) -> str:
    """Return a new WebAuthn challenge in Base64url, and store its purpose, account and time of expiry."""
    challenge = issue(call, f"webauthn_{purpose}_challenge", _made_up_challenge)
    asked = call.transaction.items(WEBAUTHN_CHALLENGES)
    over = [key for key, record in asked.items() if call.now >= record["expires"]]
    same = sorted(
        (record["number"], key)
        for key, record in asked.items()
        if (record["purpose"], record["username"]) == (purpose, username) and key not in over
    )
    limit = MAX_CHALLENGES if username else MAX_ANONYMOUS_CHALLENGES
    for key in (*over, *(key for _, key in same[: max(len(same) - limit + 1, 0)])):
        call.transaction.delete(WEBAUTHN_CHALLENGES, key)
    call.transaction.put(
        WEBAUTHN_CHALLENGES,
        challenge,
        {
            "purpose": purpose,
            "username": username,
            "expires": call.now + CHALLENGE_SECONDS,
            "number": max((record["number"] for record in asked.values()), default=0) + 1,
        },
    )
    return challenge


def _use_challenge(call: Call, purpose: str, username: str, challenge: str) -> None:
    """Delete an open WebAuthn challenge, so that it is used once; a rejected call rolls this back.

    Raises:
        _UnverifiedError: there is none, or it is for another purpose or account, or over.
    """
    record = call.transaction.get(WEBAUTHN_CHALLENGES, challenge)
    if record is None or (record["purpose"], record["username"]) != (purpose, username):
        raise _UnverifiedError("the challenge was not issued, or was used already")
    if call.now >= record["expires"]:
        raise _UnverifiedError(f"the challenge is older than {CHALLENGE_SECONDS} seconds")
    call.transaction.delete(WEBAUTHN_CHALLENGES, challenge)


def _made_up_challenge(secret: str) -> str:
    return _encode(hashlib.shake_256(secret.encode()).digest(_CHALLENGE_BYTES))


def _encode(value: bytes) -> str:
    """Return bytes in Base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
