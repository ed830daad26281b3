"""What a call does to the state: one handler for each kind and role of `x-mockserver-behaviour`.

A handler works on a transaction and on decoded values; it knows no media type and no bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from mockserver import sources
from mockserver.behaviour.seeding import Seed
from mockserver.behaviour.store import SETTINGS, WORLD, Record, Transaction
from mockserver.contract.model import Behaviour, Operation
from mockserver.credentials import ACCOUNTS, BASIC_CHALLENGE, TOKENS, password_matches, token_key
from mockserver.errors import RequestRejected
from mockserver.messages import Arguments, Caller, Outcome, no_content, success

#: Validity of an issued token in seconds, as the documented login shows it (auth_post).
TOKEN_SECONDS = 86_400
#: Live tokens of one account; one login more revokes the oldest, so that a login loop cannot fill the memory.
MAX_TOKENS = 256
#: The handler of collections and items, and the roles of their operations.
RESOURCE = "resource"
REMOVE = "remove"
RESOURCE_ROLES = ("list", "create", "read", "replace", "merge", "delete", REMOVE)
_ISSUED = "issued"
_CONTAINERS = frozenset({dict, list})


@dataclass(frozen=True, slots=True)
class Rules:
    """What handlers go by, the same for all calls.

    Attributes:
        seed: the seed data, for the secrets to be issued first.
        seed_number: seed of made-up secrets.
        transition_seconds: how long `applying` and `deleting` last, on the world's clock.
    """

    seed: Seed
    seed_number: int
    transition_seconds: float


class Call(NamedTuple):
    """One valid call of an operation.

    Attributes:
        content: decoded content of the request, None where there is none.
        write_only: names of properties that never come back.
        now: UNIX time in seconds on the world's clock.
        arguments: all that the request says, decoded, by location and name.
        operation: what is called.
        template: gives the value that would be answered without state; raises RequestRejected where there is none.
    """

    behaviour: Behaviour
    transaction: Transaction
    caller: Caller
    world: str
    content: Any
    write_only: frozenset[str]
    now: float
    rules: Rules
    arguments: Arguments
    operation: Operation
    template: Callable[[], Any]


Handler = Callable[[Call], Outcome]


def find_handler(operation: Operation) -> Handler | None:
    """Return the handler that an operation's behaviour names, or None where it names none.

    Raises:
        LookupError: there is no such handler; the message lists them.
    """
    behaviour = operation.behaviour
    if behaviour is None:
        return None
    if behaviour.handler == RESOURCE and behaviour.role in RESOURCE_ROLES:
        return None  # made for the operation, from the contract (resources.py)
    handler = HANDLERS.get((behaviour.handler, behaviour.role))
    if handler is None:
        roles = [(RESOURCE, role) for role in RESOURCE_ROLES]
        known = ", ".join(" ".join(key).strip() for key in (*HANDLERS, *roles))
        raise LookupError(f"unknown handler and role {behaviour.handler} {behaviour.role}; known are {known}")
    return handler


def write_setting(call: Call) -> Outcome:
    """Set a setting: `applying`, with the value sent less its secrets, or with one made by the server."""
    behaviour = call.behaviour
    if behaviour.generated:
        value: Any = _issue(call, behaviour.resource)
        withheld: list[str] = []
    else:
        withheld = []
        value = _without(_content(call), call.write_only, withheld)
    call.transaction.put(
        SETTINGS,
        behaviour.resource,
        {
            "phase": "applying",
            "since": call.now,
            "value": value,
            "withheld": withheld,
            "secret": behaviour.generated,
        },
    )
    return _setting(behaviour, "applying", value, "set")


def read_setting(call: Call) -> Outcome:
    """Read a setting: 204 where it was never set or is reset, else its value and how far it is."""
    record = _kept_setting(call)
    if record is None:
        return no_content(204, "never set, or reset")
    if record["phase"] == "deleting":
        return _setting(call.behaviour, "deleting", record["value"], "being reset")
    applied = call.now - record["since"] >= call.rules.transition_seconds
    return _setting(call.behaviour, "applied" if applied else "applying", record["value"], "stored value")


def reset_setting(call: Call) -> Outcome:
    """Reset a setting: `deleting`, and nothing to read once that is over."""
    resource = call.behaviour.resource
    record = _kept_setting(call)
    if record is not None and call.rules.transition_seconds > 0:
        call.transaction.put(SETTINGS, resource, {**record, "phase": "deleting", "since": call.now})
    else:
        call.transaction.delete(SETTINGS, resource)
    content = {"settings": {"name": resource, "status": "deleting"}}
    return success(content, "reset" if record is not None else "was not set")


def _kept_setting(call: Call) -> Record | None:
    """Return a setting's record, or None where it was never set or its deletion is over."""
    record = call.transaction.get(SETTINGS, call.behaviour.resource)
    if record is None or record["phase"] != "deleting":
        return record
    return record if call.now - record["since"] < call.rules.transition_seconds else None


def _setting(behaviour: Behaviour, status: str, value: Any, why: str) -> Outcome:
    content = {"settings": {"name": behaviour.resource, "status": status, "value": value}}
    return success(content, why)


def issue_token(call: Call) -> Outcome:
    """Log in: a token for username and password, valid from now."""
    content = _content(call)
    username = content.get("username") if isinstance(content, dict) else None
    password = content.get("password") if isinstance(content, dict) else None
    if not isinstance(username, str) or not isinstance(password, str):
        raise RequestRejected(422, "Unprocessable Content", "logging in needs the texts `username` and `password`")
    account = call.transaction.get(ACCOUNTS, username)
    if account is None or not password_matches(account, username, password):
        raise RequestRejected(
            401,
            "Unauthorized",
            "username and password do not belong to an account",
            fields={"WWW-Authenticate": BASIC_CHALLENGE},
        )
    token = _issue(call, "auth_token")
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
    _remember_token(call.transaction, username, account, token_key(token))
    auth = {
        "auth_token": token,
        "message": "Successfully logged in",
        "perm_level": account["level"],
        "status": "success",
        "username": username,
        "valid_from": valid_from,
        "valid_to": valid_to,
    }
    return success({"auth": auth}, "password accepted")


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


def refuse_absent(_call: Call) -> NoReturn:
    """Stand for everything that a server with this contract does not have."""
    raise RequestRejected(404, "Not Found", "there is nothing of this name")


HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("setting", "write"): write_setting,
    ("setting", "read"): read_setting,
    ("setting", "reset"): reset_setting,
    ("auth", "issue"): issue_token,
    ("auth", "describe"): describe_token,
    ("auth", "revoke"): revoke_token,
    ("absent", ""): refuse_absent,
}


def _content(call: Call) -> Any:
    """Return the request's content, which a contract may leave optional and this operation cannot do without."""
    if call.content is None:
        raise RequestRejected(400, "Bad Request", "the request has no content, and the operation needs some")
    return call.content


def _without(value: Any, names: frozenset[str], withheld: list[str]) -> Any:
    """Return a value without the members of some names at any depth; what was left out is noted."""
    if isinstance(value, dict):
        kept = {}
        for name, item in value.items():
            if name in names:
                withheld.append(name)
            else:
                # Most members are plain values; a call for each would double the cost of a write.
                kept[name] = _without(item, names, withheld) if type(item) in _CONTAINERS else item
        return kept
    if isinstance(value, list):
        return [_without(item, names, withheld) for item in value]
    return value


def _own_token(call: Call) -> Record:
    """Return the record of the caller's token.

    With the door open (`--no-auth`) nobody shows one, so a token that was just issued is made up. Between the check
    of the credentials and now, another call may have revoked it.
    """
    if not call.caller.token_key:
        return {"valid_from": int(call.now), "valid_to": int(call.now) + TOKEN_SECONDS}
    token = call.transaction.get(TOKENS, call.caller.token_key)
    if token is None:
        raise RequestRejected(
            401,
            "Unauthorized",
            "the token was revoked meanwhile",
            fields={"WWW-Authenticate": BASIC_CHALLENGE},
        )
    return token


def _issue(call: Call, purpose: str) -> str:
    """Return the next secret of a purpose: those of the seed data first, then made-up ones."""
    counters = call.transaction.get(WORLD, _ISSUED) or {}
    number = counters.get(purpose, 0)
    call.transaction.put(WORLD, _ISSUED, {**counters, purpose: number + 1})
    first = call.rules.seed.issue.get(purpose, ())
    if number < len(first):
        return first[number]
    return sources.make_secret(call.rules.seed_number, call.world, purpose, number)


def _remember_token(transaction: Transaction, username: str, account: Record, key: str) -> None:
    """Note an issued token at its account, and drop the oldest beyond the most that an account may have."""
    keys = [*account["tokens"], key]
    for oldest in keys[:-MAX_TOKENS]:
        transaction.delete(TOKENS, oldest)
    transaction.put(ACCOUNTS, username, {**account, "tokens": keys[-MAX_TOKENS:]})
