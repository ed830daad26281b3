"""Preconditions (RFC 9110, section 13) and idempotency keys, where the contract declares their request fields."""

from __future__ import annotations

import re
from typing import Any

from mockserver.contract.model import Operation
from mockserver.errors import RequestRejected
from mockserver.plugins.calls import Call
from mockserver.stub.crud.queries import as_text

_TAG = re.compile(r'(W/)?("[^"]*")')
_REPEATED = "idempotency:"
_CONDITIONS = frozenset({"if-match", "if-none-match"})
_IDEMPOTENCY = frozenset({"idempotency-key", "x-idempotency-key"})


def declares_conditions(operation: Operation) -> bool:
    """Tell whether an operation declares a request field with a precondition."""
    return _declares(operation, _CONDITIONS)


def declares_repetition(operation: Operation) -> bool:
    """Tell whether an operation declares a request field with an idempotency key."""
    return _declares(operation, _IDEMPOTENCY)


def _declares(operation: Operation, fields: frozenset[str]) -> bool:
    return any(one.location == "header" and one.name.lower() in fields for one in operation.parameters)


def require_preconditions(call: Call, tag: str | None) -> None:
    """Raise RequestRejected (412) if `If-Match` or `If-None-Match` of a changing call is not fulfilled.

    Args:
        call: what is asked.
        tag: entity tag of the present state, None where there is nothing.

    Raises:
        RequestRejected: 412.
    """
    wanted = _field_value(call, "if-match")
    if wanted is not None and not _matches_tag(wanted, tag, weak=False):
        raise RequestRejected(412, "Precondition Failed", "If-Match does not match the current entity tag")
    if _field_value(call, "if-none-match") is not None and is_unmodified(call, tag):
        raise RequestRejected(412, "Precondition Failed", "If-None-Match matches the current entity tag")


def is_unmodified(call: Call, tag: str | None) -> bool:
    """Tell whether `If-None-Match` matches the present entity tag, so that a read is answered 304."""
    wanted = _field_value(call, "if-none-match")
    return wanted is not None and _matches_tag(wanted, tag, weak=True)


def key_created_before(call: Call, collection: str) -> str | None:
    """Return the key of the item that an earlier call with the same idempotency key created, None if there is none."""
    key = _idempotency_key(call)
    record = None if key is None else call.transaction.get(_REPEATED + collection, key)
    return None if record is None else str(record["created"])


def remember_created(call: Call, collection: str, created: str) -> None:
    """Store the key of a created item under the call's idempotency key, if the call has one."""
    key = _idempotency_key(call)
    if key is not None:
        call.transaction.put(_REPEATED + collection, key, {"created": created})


def _field_value(call: Call, field: str) -> str | None:
    """Return the value of a request field that the contract declares, None if the request does not have the field."""
    found = (value for name, value in call.arguments.header.items() if name.lower() == field)
    return next((_field_text(value) for value in found), None)


def _field_text(value: Any) -> str:
    """Return the text of a request field whose decoded value may be a list."""
    return ", ".join(map(as_text, value)) if isinstance(value, list) else as_text(value)


def _matches_tag(field: str, tag: str | None, *, weak: bool) -> bool:
    """Tell whether a list of entity tags, or `*`, matches the entity tag of the present state."""
    if tag is None:
        return False
    return field.strip() == "*" or any(found == tag and (weak or not prefix) for prefix, found in _TAG.findall(field))


def _idempotency_key(call: Call) -> str | None:
    found = (value for name, value in call.arguments.header.items() if name.lower() in _IDEMPOTENCY)
    return next((as_text(value) for value in found), None)
