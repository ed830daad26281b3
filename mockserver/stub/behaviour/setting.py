"""The handler `setting`: one value that clients set, read and reset, with delayed effect (docs/stub.md, "Behaviours").

::

    absent ── write ──▶ applying ── transition over ──▶ applied ── reset ──▶ deleting ── transition over ──▶ absent

A response is the operation's example with the value and its status at the places that the contract names.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from mockserver.contract.model import Contract, Operation
from mockserver.contract.resources.singletons import READ, RESET, WRITE, Transitions, shows_value, transitions
from mockserver.errors import RequestRejected
from mockserver.messages import NO_CONTENT, Outcome, Representation, no_content, success
from mockserver.plugins.calls import Call, Handler, content_of, issue, kept, under_way
from mockserver.plugins.transactions import SETTINGS, Record
from mockserver.stub.behaviour.response_form import Fill, compile_form

ROLES = (WRITE, READ, RESET)
_CONTAINERS = frozenset({dict, list})


class SettingHandler:
    """Behaviour of an operation on one setting: write, read or reset, by the role of the operation."""

    def __init__(self, contract: Contract, operation: Operation, representations: Mapping[str, Representation]) -> None:
        """Prepare for an operation; `representations` holds the responses without state by `operationId`."""
        behaviour = operation.behaviour
        assert behaviour is not None
        self._contract = contract
        self._operation = operation
        self._representations = representations
        self._resource = behaviour.resource
        self._generated = behaviour.generated
        self._value, self._status = behaviour.value, behaviour.status
        #: The method for the role.
        self.run: Handler = {WRITE: self.write, READ: self.read, RESET: self.reset}[behaviour.role]

    def write(self, call: Call) -> Outcome:
        """Store a setting's new value without its secrets, or a value that the server makes, as `applying`."""
        withheld: list[str] = []
        if self._generated:
            value: Any = issue(call, self._resource)
        else:
            value = _without(content_of(call), call.write_only, withheld)
        call.transaction.put(
            SETTINGS,
            self._resource,
            {
                "phase": "applying",
                "since": call.now,
                "value": value,
                "withheld": withheld,
                "secret": self._generated,
            },
        )
        return success(self._content((self._statuses.applying, value)), "set")

    def read(self, call: Call) -> Outcome:
        """Return a setting's value and status; 204 or 404 if it was never set or is reset."""
        record = kept(call, SETTINGS, self._resource)
        if record is None:
            return self._absent()
        if record["phase"] == "deleting":
            return success(self._content((self._statuses.deleting, record["value"])), "being reset")
        status = self._statuses.applying if under_way(call, record["since"]) else self._statuses.applied
        return success(self._content((status, record["value"])), "stored value")

    def reset(self, call: Call) -> Outcome:
        """Reset a setting: its status is `deleting` until the transition is over, then it is absent."""
        record: Record | None = kept(call, SETTINGS, self._resource)
        if record is not None and call.rules.transition_seconds > 0:
            call.transaction.put(SETTINGS, self._resource, {**record, "phase": "deleting", "since": call.now})
        else:
            call.transaction.delete(SETTINGS, self._resource)
        return success(
            self._status_content((self._statuses.deleting,)), "reset" if record is not None else "was not set"
        )

    def _absent(self) -> Outcome:
        listed = self._operation.responses
        if "204" not in listed and "404" in listed:
            raise RequestRejected(404, "Not Found", f"{self._resource} was never set, or was reset")
        return no_content(204, "never set, or reset")

    @cached_property
    def _content(self) -> Fill:
        """Function that makes the content of a response that shows a setting's status and value."""
        shown = self._representations[self._operation.id]
        if not shown.media_type or not shows_value(self._operation):
            return self._status_content
        if self._value and self._status:
            return compile_form(shown.value, (self._status, self._value))
        if self._value:
            form = compile_form(shown.value, (self._value,))
            return lambda values: form(values[1:])
        if self._status:
            return lambda values: compile_form(values[1], (self._status,))(values)
        return lambda values: values[1]

    @cached_property
    def _status_content(self) -> Fill:
        """Function that makes the content of a response that shows a setting's status only."""
        shown = self._representations[self._operation.id]
        if not shown.media_type:
            return lambda _values: NO_CONTENT
        return compile_form(shown.value, (self._status,) if self._status else ())

    @cached_property
    def _statuses(self) -> Transitions:
        return transitions(self._contract, self._resource)


def _without(value: Any, names: frozenset[str], withheld: list[str]) -> Any:
    """Return a JSON value without the members of given names at any depth; removed names are added to `withheld`."""
    if isinstance(value, dict):
        found = {}
        for name, item in value.items():
            if name in names:
                withheld.append(name)
            else:
                # Most members are plain values; a call for each would double the cost of a write.
                found[name] = _without(item, names, withheld) if type(item) in _CONTAINERS else item
        return found
    if isinstance(value, list):
        return [_without(item, names, withheld) for item in value]
    return value
