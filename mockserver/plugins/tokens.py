"""Tokens that a login issues: stored as digests, valid for a day, the oldest revoked beyond a limit per account."""

from __future__ import annotations

from typing import NamedTuple

from mockserver.errors import RequestRejected
from mockserver.plugins.account_records import ACCOUNTS, BASIC_CHALLENGE, TOKENS, token_key
from mockserver.plugins.calls import Call, issue
from mockserver.plugins.transactions import Record, Transaction

#: Validity of an issued token in seconds.
TOKEN_SECONDS = 86_400
#: Live tokens of one account; one login more revokes the oldest, so that a login loop cannot fill the memory.
MAX_TOKENS = 256
#: The purpose of tokens that have no other name: which secrets of the seed data are issued first (`issue`).
PURPOSE = "token"


class IssuedToken(NamedTuple):
    """A token that was just issued, with the start and end of its validity in UNIX seconds."""

    token: str
    valid_from: int
    valid_to: int


def issue_token(call: Call, username: str, account: Record, purpose: str = PURPOSE) -> IssuedToken:
    """Issue a new token, valid from now, to an account whose credentials were verified.

    The `purpose` is that of the seed data's `issue`; of a login by the handler `auth` it is the name of the member that
    shows the token.
    """
    token = issue(call, purpose)
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
    return IssuedToken(token, valid_from, valid_to)


def login_refused(detail: str) -> RequestRejected:
    """Return the rejection (401 with a Basic challenge) of a login."""
    return RequestRejected(401, "Unauthorized", detail, fields={"WWW-Authenticate": BASIC_CHALLENGE})


def _remember_token(transaction: Transaction, username: str, account: Record, key: str) -> None:
    """Store an issued token in its account's record, and revoke the account's oldest tokens beyond the limit."""
    keys = [*account["tokens"], key]
    for oldest in keys[:-MAX_TOKENS]:
        transaction.delete(TOKENS, oldest)
    transaction.put(ACCOUNTS, username, {**account, "tokens": keys[-MAX_TOKENS:]})
