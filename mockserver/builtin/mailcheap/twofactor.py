"""Behaviours of two-factor authentication by time-based one-time passwords (RFC 6238), and device passwords.

::

               POST                        POST verify/, right code
    disabled ───────▶ pending_verification ────────────────────────▶ enabled
        ▲                      │ DELETE                                 │ DELETE
        └──────────────────────┴────────────────────────────────────────┘

From `enabled` on, logging in needs a code. Each code is accepted once, be it by verification or by a login.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote

from mockserver.builtin.mailcheap.records import (
    DEVICE_PASSWORDS,
    TWO_FACTOR,
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
    issue,
    no_content,
    password_hash,
    success,
)

#: Seconds that a code is for (RFC 6238, section 4.1), and how many codes before and after that of now are accepted.
STEP_SECONDS = 30
WINDOW = 1
#: The documentation's placeholder for the mail server's own host name, as the documented URI has it (twofa_post).
ISSUER = "example.domain.tld"
_KEY_BYTES = 20
_GROUP = 4
_DEVICE_PASSWORD_LENGTH = 20
_DISABLED, _PENDING, _ENABLED = "disabled", "pending_verification", "enabled"


@behaviour("twofactor", "status", trusted=True)
def read_status(call: Call) -> Outcome:
    """Return the status of an account's two-factor authentication (twofa_get)."""
    username = call.arguments.path["username"]
    record = call.transaction.get(TWO_FACTOR, username)
    return _status(username, _DISABLED if record is None else record["status"], "stored status")


@behaviour("twofactor", "enable", trusted=True)
def enable(call: Call) -> Outcome:
    """Issue a two-factor key that the client must verify; a pending key is replaced (twofa_post)."""
    username = call.arguments.path["username"]
    if is_enabled(call, username):
        raise conflict(f"two-factor authentication of {username} is enabled; disable it first to get a new key")
    key = issue(call, "totp_key", _made_up_key).replace("-", "")
    # No documented response shows the key again, but a digest would not do to check codes; dumps mask this name.
    call.transaction.put(TWO_FACTOR, username, {"status": _PENDING, "totp_secret": key, "used": []})
    shown = {
        "key": "-".join(key[at : at + _GROUP] for at in range(0, len(key), _GROUP)),
        "status": _PENDING,
        "type": "TOTP",
        "uri": f"otpauth://totp/{ISSUER}:{quote(username, safe='@')}?secret={key}&issuer={ISSUER}",
        "username": username,
    }
    return success({"2fa": shown}, "new key, to be verified")


@behaviour("twofactor", "verify", trusted=True)
def verify_code(call: Call) -> Outcome:
    """Enable two-factor authentication when a client sends a code derived from its key (twofa_verify_post)."""
    content = content_of(call)
    username = content["username"]
    record = call.transaction.get(TWO_FACTOR, username)
    if record is None or record["status"] != _PENDING:
        raise conflict(f"no key of {username} waits for verification")
    step = _step_of(record, content["otp"], call.now)
    if step is None:
        raise conflict(f"`otp` is not the key's code for this time, give or take {STEP_SECONDS} seconds")
    call.transaction.put(TWO_FACTOR, username, {**_with_used(record, step, call.now), "status": _ENABLED})
    return _status(username, _ENABLED, "code accepted")


@behaviour("twofactor", "disable", trusted=True)
def disable(call: Call) -> Outcome:
    """Delete an account's two-factor key, verified or pending; device passwords stay (twofa_delete)."""
    username = call.arguments.path["username"]
    if username != call.caller.username and call.transaction.get(ACCOUNTS, username) is None:
        raise not_found(f"there is no account {username}")
    was_there = call.transaction.get(TWO_FACTOR, username) is not None
    call.transaction.delete(TWO_FACTOR, username)
    return no_content(0, "disabled" if was_there else "was not enabled")


def is_enabled(call: Call, username: str) -> bool:
    """Tell whether an account has two-factor authentication enabled, so that a login needs a code."""
    record = call.transaction.get(TWO_FACTOR, username)
    return record is not None and record["status"] == _ENABLED


def accept_code(call: Call, username: str, otp: str) -> bool:
    """Tell whether a two-factor code is right, and if so mark the code as used."""
    record = call.transaction.get(TWO_FACTOR, username)
    step = None if record is None else _step_of(record, otp, call.now)
    if record is None or step is None:
        return False
    call.transaction.put(TWO_FACTOR, username, _with_used(record, step, call.now))
    return True


@behaviour("twofactor", "device_passwords", trusted=True)
def list_device_passwords(call: Call) -> Outcome:
    """List the names of the caller's device passwords in the order of their creation (twofa_devicepwd_get)."""
    own = _device_passwords(call)
    return success({"2fa": {"device_password": [record["friendly_name"] for record in own]}}, "stored names")


@behaviour("twofactor", "create_device_password", trusted=True)
def create_device_password(call: Call) -> Outcome:
    """Issue a password for mail programs, of which only a digest is stored (twofa_devicepwd_post)."""
    username, name = call.caller.username, content_of(call)["friendly_name"]
    account = call.transaction.get(ACCOUNTS, username) or {}
    if not is_enabled(call, username) and account.get("password_login", True):
        raise conflict("device passwords are for accounts with 2FA enabled or password login disabled")
    own = _device_passwords(call)
    if any(record["friendly_name"] == name for record in own):
        raise conflict(f"{username} has a device password of this name already")
    password = issue(call, "device_password", lambda made_up: made_up[:_DEVICE_PASSWORD_LENGTH])
    call.transaction.put(
        DEVICE_PASSWORDS,
        f"{username}/{name}",
        {
            "username": username,
            "friendly_name": name,
            "hash": password_hash(username, password),
            "number": next_number(own),
        },
    )
    shown = {"device_password": password, "friendly_name": name, "username": username}
    return success(shown, "new device password")


def _status(username: str, status: str, why: str) -> Outcome:
    return success({"2fa": {"status": status, "username": username}}, why)


def _made_up_key(secret: str) -> str:
    """Return a made-up two-factor key of 160 bits in Base32 (RFC 4226, section 4, R6)."""
    return base64.b32encode(hashlib.sha256(secret.encode()).digest()[:_KEY_BYTES]).decode()


def _step_of(record: Record, otp: str, now: float) -> int | None:
    """Return the time step (RFC 6238, section 4.2) of a two-factor code, None if the code is wrong or used."""
    import pyotp  # most stubs never check a code; it costs start-up time

    totp = pyotp.TOTP(record["totp_secret"], interval=STEP_SECONDS)
    for step in _steps(now):
        if step not in record["used"] and hmac.compare_digest(totp.generate_otp(step).encode(), otp.encode()):
            return step
    return None


def _steps(now: float) -> range:
    current = int(now) // STEP_SECONDS
    return range(max(current - WINDOW, 0), current + WINDOW + 1)


def _with_used(record: Record, step: int, now: float) -> Record:
    """Return a two-factor record with one more code marked as used; codes outside the time window are dropped.

    The steps themselves and not the latest of them: a test may set its clock back, and must not be locked out by that.
    """
    kept = [used for used in record["used"] if used in _steps(now)]
    return {**record, "used": [*kept, step]}


def _device_passwords(call: Call) -> list[Record]:
    """Return the records of the caller's device passwords, oldest first."""
    return own_in_order(call, DEVICE_PASSWORDS, call.caller.username)
