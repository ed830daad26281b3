"""What logging in takes here beside the password, and what a login tells (auth_post, webauthn_auth_post)."""

from __future__ import annotations

from mockserver.builtin.mailcheap import twofactor
from mockserver.builtin.mailcheap.records import may_use_api
from mockserver.plugins import Call, Outcome, Record, issue_token, login_refused, success


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
