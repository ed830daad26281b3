"""Settings of the whole server: set, applied after a while, read, reset (setting_post, setting_get, setting_delete)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.contract.model import Behaviour
from mockserver.messages import Outcome, no_content, success
from mockserver.stub.behaviour.calls import Call, Handler, content_of, issue, kept, under_way
from mockserver.stub.store.store import SETTINGS

_CONTAINERS = frozenset({dict, list})


def write_setting(call: Call) -> Outcome:
    """Set a setting: `applying`, with the value sent less its secrets, or with one made by the server."""
    behaviour = call.behaviour
    if behaviour.generated:
        value: Any = issue(call, behaviour.resource)
        withheld: list[str] = []
    else:
        withheld = []
        value = _without(content_of(call), call.write_only, withheld)
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
    record = kept(call, SETTINGS, call.behaviour.resource)
    if record is None:
        return no_content(204, "never set, or reset")
    if record["phase"] == "deleting":
        return _setting(call.behaviour, "deleting", record["value"], "being reset")
    status = "applying" if under_way(call, record["since"]) else "applied"
    return _setting(call.behaviour, status, record["value"], "stored value")


def reset_setting(call: Call) -> Outcome:
    """Reset a setting: `deleting`, and nothing to read once that is over."""
    resource = call.behaviour.resource
    record = kept(call, SETTINGS, call.behaviour.resource)
    if record is not None and call.rules.transition_seconds > 0:
        call.transaction.put(SETTINGS, resource, {**record, "phase": "deleting", "since": call.now})
    else:
        call.transaction.delete(SETTINGS, resource)
    content = {"settings": {"name": resource, "status": "deleting"}}
    return success(content, "reset" if record is not None else "was not set")


def _setting(behaviour: Behaviour, status: str, value: Any, why: str) -> Outcome:
    content = {"settings": {"name": behaviour.resource, "status": status, "value": value}}
    return success(content, why)


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


HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("setting", "write"): write_setting,
    ("setting", "read"): read_setting,
    ("setting", "reset"): reset_setting,
}
