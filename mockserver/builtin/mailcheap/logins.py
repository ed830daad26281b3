"""Authorization tokens: obtained by logging in, described, revoked (pages auth_post, auth_get, auth_delete)."""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.builtin.mailcheap import twofactor
from mockserver.builtin.mailcheap.records import may_use_api
from mockserver.errors import RequestRejected
from mockserver.messages import Outcome, success
from mockserver.stub.behaviour.calls import Call, Handler, content_of, issue
from mockserver.stub.store.account_records import ACCOUNTS, BASIC_CHALLENGE, TOKENS, password_matches, token_key
from mockserver.stub.store.store import Record, Transaction

#: Validity of an issued token in seconds, as the documented login shows it (auth_post).
TOKEN_SECONDS = 86_400
#: Live tokens of one account; one login more revokes the oldest, so that a login loop cannot fill the memory.
MAX_TOKENS = 256


def issue_token(call: Call) -> Outcome:
    """Log in by password, with a code where the account has two-factor authentication (auth_post)."""
    content = content_of(call)
    username = content.get("username") if isinstance(content, dict) else None
    password = content.get("password") if isinstance(content, dict) else None
    if not isinstance(username, str) or not isinstance(password, str):
        raise RequestRejected(422, "Unprocessable Content", "logging in needs the texts `username` and `password`")
    account = call.transaction.get(ACCOUNTS, username)
    if account is None or not password_matches(account, username, password):
        raise refused("username and password do not belong to an account")
    # From here on the password is known to be right, so what else is missing may be told.
    if not account.get("password_login", True):
        raise refused("password login is disabled for this account; log in with one of its WebAuthn credentials")
    if twofactor.is_enabled(call, username):
        otp = content.get("otp")
        if not isinstance(otp, str):
            raise refused("this account has two-factor authentication, so logging in needs `otp`, too")
        if not twofactor.accept_code(call, username, otp):
            raise refused("`otp` is not the account's code now, or was used before")
    return log_in(call, username, account, "password accepted")


def log_in(call: Call, username: str, account: Record, why: str) -> Outcome:
    """Give an account that showed who it is a token, valid from now; it is told the same however it did."""
    if not may_use_api(account):
        raise refused("the account is disabled, or has no access to the API")
    token = issue(call, "auth_token")
    valid_from = int(call.now)
    valid_to = valid_from + TOKEN_SECONDS
    call.transaction.put(
        TOKENS,
        token_key(token),
        {
            "username": username,
            "level": account["level"],
            "valid_from": valid_from,
            "valid_to": valid_to,
            "expires": True,
        },
    )
    _remember_token(call.transaction, username, {**account, "last_login": valid_from}, token_key(token))
    auth = {
        "auth_token": token,
        "message": "Successfully logged in",
        "perm_level": account["level"],
        "status": "success",
        "username": username,
        "valid_from": valid_from,
        "valid_to": valid_to,
    }
    return success({"auth": auth}, why)


def refused(detail: str) -> RequestRejected:
    """Return the refusal to log somebody in."""
    return RequestRejected(401, "Unauthorized", detail, fields={"WWW-Authenticate": BASIC_CHALLENGE})


def describe_token(call: Call) -> Outcome:
    """Tell about the token that the caller showed."""
    token = _own_token(call)
    auth = {
        "message": "Authorization valid",
        "perm_level": call.caller.level,
        "status": "valid",
        "username": call.caller.username,
        "valid_from": token["valid_from"],
        "valid_to": token["valid_to"],
    }
    return success({"auth": auth}, "token is valid")


def revoke_token(call: Call) -> Outcome:
    """Revoke the token that the caller showed; it gets 401 from now on."""
    _own_token(call)
    call.transaction.delete(TOKENS, call.caller.token_key)
    auth = {"message": "Authorization revoked", "status": "revoked", "username": call.caller.username}
    return success({"auth": auth}, "token revoked")


def _own_token(call: Call) -> Record:
    """Return the record of the caller's token.

    With the door open (`--no-auth`) nobody shows one, so a token that was just issued is made up. Between the check
    of the credentials and now, another call may have revoked it.
    """
    if not call.caller.token_key:
        return {"valid_from": int(call.now), "valid_to": int(call.now) + TOKEN_SECONDS}
    token = call.transaction.get(TOKENS, call.caller.token_key)
    if token is None:
        raise refused("the token was revoked meanwhile")
    return token


def _remember_token(transaction: Transaction, username: str, account: Record, key: str) -> None:
    """Note an issued token at its account, and drop the oldest beyond the most that an account may have."""
    keys = [*account["tokens"], key]
    for oldest in keys[:-MAX_TOKENS]:
        transaction.delete(TOKENS, oldest)
    transaction.put(ACCOUNTS, username, {**account, "tokens": keys[-MAX_TOKENS:]})


HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("auth", "issue"): issue_token,
    ("auth", "describe"): describe_token,
    ("auth", "revoke"): revoke_token,
}
