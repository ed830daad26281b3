"""Restorer: writes the earlier values of settings back, resets them, revokes tokens, and verifies the result."""

from __future__ import annotations

import json
import time
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.roles import is_revocation
from mockserver.errors import MockServerError
from mockserver.http.media_types import json_content
from mockserver.suite.cases.setting_states import NEVER_SET, SettingResource, resources, shown_by, strip_secrets
from mockserver.suite.identities.identities import Identity
from mockserver.suite.run.interrupts import interruptible
from mockserver.suite.run.session import Run, Session
from mockserver.suite.safety.item_restorer import ItemRestorer
from mockserver.suite.safety.ledger import DONE, LastingCall, SavedSetting
from mockserver.suite.safety.original_values import OriginalValues
from mockserver.suite.safety.policy import cannot_be_undone
from mockserver.suite.safety.poller import POLL_SECONDS
from mockserver.suite.secrets.known_secrets import marked
from mockserver.suite.target.exchange import WireRequest, WireResponse, same_json
from mockserver.suite.verdicts.failures import NotRun

_OTHERWISE = "it was written, and still shows another value"
#: Pauses in seconds before requests to a failing server are repeated, taken from the end.
_PAUSES = (8.0, 4.0, 2.0, 1.0)
#: A failure of the server (RFC 9110, section 15.6).
_FAILURE = 500


def may_change(run: Run, resource: SettingResource) -> bool:
    """Tell whether a run may change a resource by an allowed write or reset, or by probes at its paths."""
    of_it = [one for one in (resource.read, resource.write, resource.reset) if one is not None]
    if run.policy.probes:
        return any(run.has_selected(operation) for operation in of_it)
    return any(not one.safe and run.policy.refusal(one.method, one) is None for one in of_it)


class Restorer:
    """Saves settings before a run and restores them from the ledger afterwards.

    Attributes:
        items: restores the items of collections, and other resources by their paths.
    """

    def __init__(self, run: Run, originals: OriginalValues) -> None:
        self._run = run
        self._originals = originals
        self._session = Session(run, fresh=False)
        self.items = ItemRestorer(run, self._session, self._send)
        self._pauses: list[float] = []
        self._resources = {resource.name: resource for resource in resources(run.contract)}

    def save(self) -> list[SavedSetting]:
        """Return the current state of every setting that the run may change."""
        return [self._now(resource) for resource in self._resources.values() if may_change(self._run, resource)]

    def wait_for_trouble_to_pass(self) -> None:
        """From now on repeat requests that fail, after pauses, a few times in all."""
        self._pauses = list(_PAUSES) if self._run.target.foreign else []

    def setting(self, setting: SavedSetting) -> str:
        """Restore a setting; return `DONE`, or why it could not be restored."""
        resource = self._resources.get(setting.resource)
        if resource is None:
            return "the contract does not define it any more"
        try:
            outcome = self._restore(setting, resource)
            # A request that was on its way when the run was interrupted may have come through after the first write.
            return self._restore(setting, resource) if outcome == _OTHERWISE else outcome
        except (NotRun, MockServerError) as reason:
            return f"could not be put back: {reason}"

    def call(self, call: LastingCall) -> str:
        """Call an operation again with its original value; return `DONE`, or why its effect is left."""
        operation = next((one for one in self._run.contract.operations if one.label == call.label), None)
        if operation is None or operation.id not in self._originals.values:
            doubt = "" if call.answer == "accepted" else "no response told whether it changed something; "
            return f"{doubt}{call.why}"
        try:
            self._write(operation, self._originals.values[operation.id])
        except (NotRun, MockServerError) as reason:
            return f"could not be put back: {reason}"
        return DONE

    def revoke(self, owner: Identity) -> bool:
        """Revoke a token that the run obtained; return whether the token is now invalid."""
        operation = next(filter(is_revocation, self._run.contract.operations), None)
        if operation is None or self._run.policy.refusal(operation.method, operation) is not None:
            return False
        try:
            response = self._send(operation, self._session.request(operation, owner))
        except (NotRun, MockServerError):
            return False
        return response.successful or response.status == 401

    def _now(self, resource: SettingResource) -> SavedSetting:
        try:
            response = self._read(resource)
        except (NotRun, MockServerError) as reason:
            return SavedSetting(resource.name, "unknown", why=str(reason))
        shown = shown_by(resource, response)
        if shown == NEVER_SET:
            return SavedSetting(resource.name, "never set")
        if not response.successful or shown is None:
            return SavedSetting(
                resource.name, "unknown", why=f"its read, answered with {response.status}, shows no value"
            )
        if resource.generated or self._is_secret(resource, shown):
            return SavedSetting(resource.name, "value", why="its value is a secret, and not kept")
        return SavedSetting(resource.name, "value", shown)

    def _is_secret(self, resource: SettingResource, value: Any) -> bool:
        """Tell whether a value contains a secret, so that it must not be written to the ledger file."""
        text = json.dumps(value, ensure_ascii=False)
        success = resource.read.success()
        schemas = [content.schema for content in success.content.values()] if success is not None else []
        issued = any(True for schema in schemas for _ in marked(self._run.contract, schema, "x-secret"))
        return issued or self._run.secrets.mask(text) != text

    def _restore(self, setting: SavedSetting, resource: SettingResource) -> str:
        given = self._originals.values.get(resource.name)
        if given is not None:
            self._write(resource.write, given)
            return self._verify(resource, strip_secrets(self._run.contract, resource.write, given))
        if setting.before == "never set":
            return self._unset(resource)
        if setting.before == "unknown":
            return f"what it held is not known ({setting.why})"
        why = setting.why if setting.value is None else cannot_be_undone(self._run.contract, resource.write)
        # A request that was refused may have changed nothing; what cannot be written is at least looked at.
        if not setting.accepted and setting.value is not None and self._holds(resource, setting.value):
            return DONE
        if why:
            return f"{why}; set it again, or give it with --restore-values"
        self._write(resource.write, setting.value)
        return self._verify(resource, setting.value)

    def _unset(self, resource: SettingResource) -> str:
        if self._holds(resource, NEVER_SET):
            return DONE
        if resource.reset is None:
            return "it was never set, and no documented operation resets it"
        self._write(resource.reset, None)
        return self._verify(resource, NEVER_SET)

    def _verify(self, resource: SettingResource, expected: Any) -> str:
        """Read a setting until it shows a value; return `DONE`, or that it does not after the time of `--settle`."""
        deadline = time.monotonic() + self._run.settle_seconds
        while not self._holds(resource, expected):
            if time.monotonic() >= deadline:
                return _OTHERWISE
            with interruptible:
                time.sleep(POLL_SECONDS)
        return DONE

    def _holds(self, resource: SettingResource, expected: Any) -> bool:
        return same_json(shown_by(resource, self._read(resource)), expected)

    def _read(self, resource: SettingResource) -> WireResponse:
        caller = self._run.allowed(resource.read)
        return self._send(resource.read, self._session.valid_request(resource.read, caller))

    def _write(self, operation: Operation, value: Any) -> None:
        """Send a value to an operation that writes or resets a setting.

        Raises:
            NotRun: it is not accepted.
        """
        content = operation.request_body.content if operation.request_body else {}
        media_type, _ = json_content(content) or (None, None)
        body = None if media_type is None else json.dumps(value).encode()
        request = self._session.request(operation, self._run.allowed(operation), body=body, media_type=media_type)
        response = self._send(operation, request)
        if not response.successful:
            raise NotRun(f"{operation.label} was answered with {response.status}")

    def _send(self, operation: Operation, request: WireRequest) -> WireResponse:
        """Send a request, repeatedly if the server fails, and return the response.

        Raises:
            NotRun: there is none.
        """
        exchange = self._run.target.send(request, operation.label)
        while self._pauses and _failed(exchange.response):
            # A run is often stopped because the server is in trouble; what is not put back now is left to a person.
            with interruptible:
                time.sleep(self._pauses.pop())
            exchange = self._run.target.send(request, operation.label)
        if exchange.response is None:
            raise NotRun(exchange.problem)
        return exchange.response


def _failed(response: WireResponse | None) -> bool:
    return response is None or response.status >= _FAILURE
