"""Create, read, list, update, delete, 404: does the stub keep a labelled resource, as far as its operations go?"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import requests

from tests.breadth.asking import BASE_URL, Asking
from tests.breadth.contracts import RawDocument, RawOperation
from tests.breadth.judging import Answer
from tests.breadth.servers import Send

_METHODS = {
    "create": ("POST",),
    "list": ("GET",),
    "read": ("GET",),
    "replace": ("PUT",),
    "merge": ("PATCH", "POST"),
    "delete": ("DELETE",),
}
_OF_COLLECTION = frozenset({"create", "list"})
_PARAMETER = re.compile(r"\{([^{}]+)\}")


class BrokenError(Exception):
    """A step that went otherwise; says which and how."""


@dataclass(frozen=True, slots=True)
class Label:
    """A row of resources.yaml: pointers are None where it has `-`."""

    item: str
    identifier: str
    items: str | None
    value: str | None
    roles: frozenset[str]


class RoundTrip:
    """The round trip of one resource."""

    def __init__(self, document: RawDocument, asking: Asking, send: Send, label: Label) -> None:
        self._asking = asking
        self._send = send
        self._label = label
        by_place: dict[tuple[str, str], RawOperation] = {}
        for one in document.operations():
            by_place[one.method.upper(), one.path] = one
            by_place.setdefault((one.method.upper(), one.path.rstrip("/")), one)
        collection = label.item.rstrip("/").rpartition("/")[0]
        self._operations: dict[str, RawOperation] = {}
        for role in label.roles:
            path = collection if role in _OF_COLLECTION else label.item.rstrip("/")
            found = next((by_place[method, path] for method in _METHODS[role] if (method, path) in by_place), None)
            if found is not None:
                self._operations[role] = found
        self._values: dict[str, str] = {}

    def run(self) -> None:
        """Go through the steps.

        Raises:
            BrokenError: one went otherwise than it should.
        """
        before = self._listed() if "list" in self._operations else []
        key = self._create(before) if "create" in self._operations else self._known(before)
        if key is None:
            raise BrokenError("no item to go on with")
        self._has(key, {})
        for role in ("replace", "merge"):
            if role in self._operations:
                self._has(key, self._sent(self._ask(role, key)[0]))
        if "delete" in self._operations:
            self._ask("delete", key)
            self._gone(key)

    def _create(self, before: list[str]) -> str | None:
        request, answer = self._ask("create", None)
        key = self._key(answer)
        location = answer.headers.get("Location", "")
        if key is None and location:
            key = unquote(urlsplit(location).path.rpartition("/")[2])
        if key is None and "list" in self._operations:
            key = next((one for one in self._listed() if one not in before), None)
        if key is not None:
            self._has(key, self._sent(request))
        return key

    def _known(self, before: list[str]) -> str | None:
        if before:
            return before[0]
        for role in ("replace", "merge"):  # where nothing is there yet and nothing creates, a write to an item may
            if role in self._operations:
                request = self._ask(role, None)[0]
                return unquote(urlsplit(request.url or "").path.rstrip("/").rpartition("/")[2])
        return self._key(self._ask("read", None)[1]) if "read" in self._operations else None

    def _has(self, key: str, sent: dict[str, Any]) -> None:
        if "read" in self._operations:
            answer = self._ask("read", key)[1]
            if self._key(answer) != key:
                raise BrokenError(f"read shows {self._key(answer)!r} for {key!r}")
            item = self._item(answer)
            for name in item.keys() & sent.keys() - {self._label.identifier}:
                # Documents that take a text and answer a number cannot give back what was sent.
                if type(sent[name]) is type(item[name]) in {str, int, float, bool} and item[name] != sent[name]:
                    raise BrokenError(f"{name} was set to {sent[name]!r:.60}, and is {item[name]!r:.60}")
        elif "list" in self._operations and key not in self._listed():
            raise BrokenError(f"{key!r} is not listed")

    def _gone(self, key: str) -> None:
        if "read" in self._operations:
            status = self._send(self._request("read", key)).status
            if status != 404:
                raise BrokenError(f"read after delete is {status}")
        if "list" in self._operations and key in self._listed():
            raise BrokenError("listed after delete")

    def _listed(self) -> list[str]:
        found = _at(_json(self._ask("list", None)[1]), self._label.items or "")
        keys = (
            [one.get(self._label.identifier) for one in found if isinstance(one, dict)]
            if isinstance(found, list)
            else []
        )
        return [_text(one) for one in keys if one is not None]

    def _item(self, answer: Answer) -> dict[str, Any]:
        found = _at(_json(answer), self._label.value or "")
        return found if isinstance(found, dict) else {}

    def _key(self, answer: Answer) -> str | None:
        key = self._item(answer).get(self._label.identifier)
        return None if key is None else _text(key)

    def _sent(self, request: requests.PreparedRequest) -> dict[str, Any]:
        try:
            sent = json.loads(request.body or b"")
        except ValueError:
            return {}  # a form: as text, it is not compared
        envelope = (self._label.value or "").rpartition("/")[2]
        if isinstance(sent, dict) and envelope and isinstance(sent.get(envelope), dict):
            sent = sent[envelope]
        return sent if isinstance(sent, dict) else {}

    def _ask(self, role: str, key: str | None) -> tuple[requests.PreparedRequest, Answer]:
        request = self._request(role, key)
        answer = self._send(request)
        if not 200 <= answer.status < 300:
            raise BrokenError(f"{role} is {answer.status}: {answer.content[:120]!r}")
        return request, answer

    def _request(self, role: str, key: str | None) -> requests.PreparedRequest:
        """Return a valid request of a role, in the same parents each time, and for one item."""
        operation = self._operations[role]
        request = None
        if role in {"create", "replace", "merge"}:
            try:
                request = self._asking.generated(operation)
            except Exception:  # noqa: BLE001 - whatever schemathesis cannot do is done by hand
                request = None
        request = request if request is not None else self._asking.by_hand(operation)
        parts = urlsplit(request.url or "")
        pattern = "[^/]*".join(re.escape(part) for part in _PARAMETER.split(operation.path)[::2])
        values = re.fullmatch(".*?" + pattern.replace("[^/]*", "([^/]*)"), parts.path)
        names = _PARAMETER.findall(operation.path)
        if values is not None:
            for name, text in zip(names, values.groups(), strict=True):
                self._values.setdefault(name, text)
        last = _PARAMETER.findall(self._label.item)[-1]
        filled = {**self._values, **({last: quote(key, safe="")} if key is not None else {})}
        path = _PARAMETER.sub(lambda found: filled.get(found[1], "1"), operation.path)
        request.url = f"{BASE_URL}{path}" + (f"?{parts.query}" if parts.query else "")
        return request


def _at(value: Any, pointer: str) -> Any:
    for token in pointer.split("/")[1:]:
        if isinstance(value, dict):
            value = value.get(token.replace("~1", "/").replace("~0", "~"))
        elif isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        else:
            return None
    return value


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
