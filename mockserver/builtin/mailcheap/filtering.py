"""Behaviours of a MailUser's sieve filters and vacation autoreply.

Pages sieve_filter_get, sieve_filter_post, sieve_filter_put, vacation_autoreply_post, vacation_autoreply_put. All of it
is the caller's own; no request names an account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.builtin.mailcheap.records import AUTOREPLIES, SIEVE_FILTERS, conflict, not_found, unprocessable
from mockserver.plugins import Call, Outcome, Record, behaviour, content_of, success

#: Most actions that forward, over all filters of an account (sieve_filter_post).
MAX_FORWARDS = 4
_FORWARDING = frozenset({"forward", "keep_and_forward"})


@behaviour("filtering", "list_filters", trusted=True)
def list_filters(call: Call) -> Outcome:
    """List the caller's sieve filters by position (sieve_filter_get)."""
    filters = sorted(_own_filters(call), key=_position)
    return success({"sieve_filters": [_filter(record) for record in filters]}, f"{len(filters)} filters")


@behaviour("filtering", "create_filter", trusted=True)
def create_filter(call: Call) -> Outcome:
    """Create a sieve filter at a free position (sieve_filter_post).

    Raises:
        RequestRejected: 409, the position is taken, or the account would have more than `MAX_FORWARDS` forwards.
    """
    sent = content_of(call)
    position = _position(sent)
    if call.transaction.get(SIEVE_FILTERS, _filter_key(call, position)) is not None:
        raise conflict(f"there is a filter at position {position} already; PUT replaces it")
    return _keep_filter(call, sent, "created")


@behaviour("filtering", "replace_filter", trusted=True)
def replace_filter(call: Call) -> Outcome:
    """Replace the sieve filter at a position (sieve_filter_put).

    Raises:
        RequestRejected: 404, there is none; 409, the account would have more than `MAX_FORWARDS` forwards.
    """
    sent = content_of(call)
    position = _position(sent)
    if call.transaction.get(SIEVE_FILTERS, _filter_key(call, position)) is None:
        raise not_found(f"there is no filter at position {position}; POST creates one")
    return _keep_filter(call, sent, "replaced")


@behaviour("filtering", "create_autoreply", trusted=True)
def create_autoreply(call: Call) -> Outcome:
    """Create the caller's vacation autoreply (vacation_autoreply_post).

    Raises:
        RequestRejected: 409, there is one; 422, it would end before it starts.
    """
    sent = _autoreply(call)
    if call.transaction.get(AUTOREPLIES, call.caller.username) is not None:
        raise conflict(f"{call.caller.username} has an autoreply already; PUT replaces it")
    return _keep_autoreply(call, sent, "generating")


@behaviour("filtering", "replace_autoreply", trusted=True)
def replace_autoreply(call: Call) -> Outcome:
    """Replace the caller's vacation autoreply; times that are left out are removed (vacation_autoreply_put).

    Raises:
        RequestRejected: 404, there is none; 422, it would end before it starts.
    """
    sent = _autoreply(call)
    if call.transaction.get(AUTOREPLIES, call.caller.username) is None:
        raise not_found(f"{call.caller.username} has no autoreply; POST creates one")
    return _keep_autoreply(call, sent, "re-generating")


def _own_filters(call: Call) -> list[Record]:
    records = call.transaction.items(SIEVE_FILTERS).values()
    return [record for record in records if record["username"] == call.caller.username]


def _position(record: Mapping[str, Any]) -> int:
    return int(record["filter_position"])  # JSON has one kind of number: 1.0 is an integer, too


def _filter_key(call: Call, position: int) -> str:
    return f"{call.caller.username}/{position}"


def _filter(record: Record) -> dict[str, Any]:
    """Return a sieve filter in the form that responses show."""
    return {name: value for name, value in record.items() if name != "username"}


def _keep_filter(call: Call, sent: dict[str, Any], why: str) -> Outcome:
    position = _position(sent)
    others = sum(_forwards(record) for record in _own_filters(call) if record["filter_position"] != position)
    if _forwards(sent) and others + _forwards(sent) > MAX_FORWARDS:
        raise conflict(
            f"an account has at most {MAX_FORWARDS} forwards; this filter has {_forwards(sent)}, the others {others}"
        )
    # `enabled` is the only status that any page shows.
    record = {"rules": [], **sent, "username": call.caller.username, "status": "enabled"}
    call.transaction.put(SIEVE_FILTERS, _filter_key(call, position), record)
    return success(_filter(record), why)


def _forwards(record: Mapping[str, Any]) -> int:
    return sum(action["perform_action"] in _FORWARDING for action in record["actions"])


def _autoreply(call: Call) -> dict[str, Any]:
    """Return the vacation autoreply in a request; raise RequestRejected (422) if it ends before it starts."""
    sent: dict[str, Any] = content_of(call)
    if "start_time" in sent and sent.get("end_time", sent["start_time"]) < sent["start_time"]:
        raise unprocessable("the autoreply ends before it starts", "/end_time", "not before start_time")
    return sent


def _keep_autoreply(call: Call, sent: dict[str, Any], status: str) -> Outcome:
    call.transaction.put(AUTOREPLIES, call.caller.username, sent)
    return success({**sent, "status": status}, status)
