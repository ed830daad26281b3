"""Item restorer: deletes the items that a run created, writes earlier content back, and verifies both."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any, Literal
from urllib.parse import unquote

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import MERGE, REPLACE, Collection, state_model
from mockserver.contract.schema.marks import same_value
from mockserver.errors import MockServerError
from mockserver.http.media_types import json_content
from mockserver.http.path_templates import parse_template
from mockserver.http.pointers import lookup
from mockserver.suite.cases.setting_states import shows
from mockserver.suite.run.interrupts import interruptible
from mockserver.suite.run.session import MAX_SILENCES, Run, Session
from mockserver.suite.safety.ledger import DONE, CreatedItem, HeldContent
from mockserver.suite.safety.policy import never_given_back
from mockserver.suite.safety.poller import POLL_SECONDS
from mockserver.suite.state import item_paths
from mockserver.suite.target.exchange import GONE, WireRequest, WireResponse, json_or_none, same_json
from mockserver.suite.target.paths import read_off
from mockserver.suite.verdicts.failures import NotRun

_NOTHING_READS = "no documented operation reads it"
#: Whether an item exists; any other text says why that is not known.
_THERE: Literal["there"] = "there"
_ABSENT: Literal["gone"] = "gone"
#: How deep an item's name is looked for in the response of a list.
_LIST_DEPTH = 4

Send = Callable[[Operation, WireRequest], WireResponse]


class ItemRestorer:
    """Reads, deletes and writes items by the operations that the contract documents at their paths."""

    def __init__(self, run: Run, session: Session, send: Send) -> None:
        """Create a restorer for a run that sends its requests through the given function."""
        self._run = run
        self._session = session
        self._send = send
        self._operations = {(one.method, parse_template(one.path).nameless): one for one in run.contract.operations}
        self._silences: Counter[str] = Counter()
        self._lists: dict[str, str | frozenset[str]] = {}
        self._listed_before: dict[str, bool] = {}

    def look(self, template: str, path: str) -> HeldContent:
        """Read an item and return its current content, or that it does not exist."""
        read = self._operation("GET", template)
        if read is None or self._run.policy.changes("GET", read):
            return HeldContent(path, template, "unknown", why=_NOTHING_READS)
        try:
            response = self._ask(read, path)
        except (NotRun, MockServerError) as reason:
            return HeldContent(path, template, "unknown", why=str(reason))
        if response.status in GONE:
            return HeldContent(path, template, "never set")
        value = json_or_none(response) if response.successful else None
        if value is None:
            why = f"{read.label} was answered with {response.status}" + (" and no JSON" * response.successful)
            return HeldContent(path, template, "unknown", why=why)
        text = json.dumps(value, ensure_ascii=False)
        if self._run.secrets.mask(text) != text:
            return HeldContent(path, template, "value", why="what it held is a secret, and not kept")
        return HeldContent(path, template, "value", value)

    def is_there(self, template: str, path: str) -> bool:
        """Tell whether an item exists, by its read or else by its list; not if neither can be asked."""
        read = self._operation("GET", template)
        if read is None:
            return self._presence_in_list(CreatedItem(path, template)) == _THERE
        if self._run.policy.changes("GET", read):
            return False
        try:
            return self._ask(read, path).successful
        except (NotRun, MockServerError):
            return False

    def delete(self, items: Iterable[CreatedItem]) -> Iterator[tuple[CreatedItem, str]]:
        """Delete items that the run created; yield each with `DONE` once it is gone, or with why it is left.

        All DELETE requests are sent first and the results read then, so that slow deletions run at the same time.
        """
        asked: list[tuple[CreatedItem, str]] = []
        self._lists.clear()
        for item in items:
            said, outcome = self._ask_to_delete(item)
            if outcome is None:
                asked.append((item, said))
            else:
                yield item, outcome
        deadline = time.monotonic() + self._run.settle_seconds
        while asked:
            self._lists.clear()
            remaining = []
            for item, said in asked:
                presence = self._presence(item)
                if presence == _THERE:
                    remaining.append((item, said))
                else:
                    yield item, DONE if presence == _ABSENT else f"deleted, not verified: {presence}"
            asked = remaining
            if time.monotonic() >= deadline:
                break
            if asked:
                with interruptible:
                    time.sleep(POLL_SECONDS)
        yield from ((item, f"{said}, but it still exists") for item, said in asked)

    def note_listed(self, item: CreatedItem) -> None:
        """Note whether a list shows an item that is about to be deleted, where nothing else will tell that it is gone.

        A list that never showed it proves nothing by its absence: it may be on another page.
        """
        self._lists.clear()
        self._note_listed(item)

    def _note_listed(self, item: CreatedItem) -> None:
        if self._operation("GET", item.template) is None and not self._listed_before.get(item.path):
            self._listed_before[item.path] = self._presence(item) == _THERE

    def write_back(self, held: HeldContent, own: Container[str] = ()) -> str:
        """Write what a path held before the run; return `DONE`, or why it could not be restored.

        Args:
            held: what it held.
            own: paths of items that the run created, which need not be there again.
        """
        if held.before == "unknown" or held.value is None:
            return f"what it held is not known ({held.why})" if held.before == "unknown" else held.why
        now = self.look(held.template, held.path)
        if now.before == "value" and same_json(now.value, held.value):
            return DONE
        items = self._items_of(held)
        if items is not None:
            return self._write_items_back(items, held, own)
        write = self._operation("PUT", held.template)
        if write is None and now.before == "value":
            write = self._operation("PATCH", held.template)
        if write is None and (post := self._operation("POST", held.template)) is not None:
            write = post if state_model(self._run.contract).singleton_of(post) is not None else None
        if write is None:
            return "no documented operation writes what it held"
        secret = never_given_back(self._run.contract, write)
        if secret is not None:
            return secret
        try:
            return self._write(write, held)
        except (NotRun, MockServerError) as reason:
            return f"could not be put back: {reason}"

    def _items_of(self, held: HeldContent) -> Collection | None:
        """Return the collection whose list a path held, None if it is none or its items cannot be written."""
        collection = state_model(self._run.contract).collection(held.template)
        if collection is None:
            return None
        return collection if collection.operations.keys() & {REPLACE, MERGE} else None

    def _write_items_back(self, collection: Collection, held: HeldContent, own: Container[str]) -> str:
        """Write back each item of a list that a write to the whole collection changed."""
        write = collection.operations.get(REPLACE) or collection.operations[MERGE]
        left = []
        for entry in item_paths.entries(collection, held.value):
            name = next(item_paths.names(collection, entry), None)
            if name is None:
                left.append(f"{held.path}: nothing names its items")
                break
            path = item_paths.joined(collection, held.path, name)
            if path.rstrip("/") in own:
                continue
            now = self.look(collection.item, path)
            if now.before == "value" and any(same_json(reading, entry) for reading in _readings(now.value)):
                continue
            if now.before != "value":
                left.append(f"{path}: it is gone")
                continue
            try:
                self._write(write, HeldContent(path, collection.item, "value", entry))
            except (NotRun, MockServerError) as reason:
                left.append(f"{path}: {reason}")
        return f"could not be put back: {'; '.join(left[:3])}" if left else DONE

    def _ask_to_delete(self, item: CreatedItem) -> tuple[str, str | None]:
        """Send a DELETE for an item; return the result in words, and the outcome if it is final, else None."""
        known = self._presence(item) if item.deleted or not item.certain else _THERE
        if known == _ABSENT:
            return "", DONE
        if item.deleted and known != _THERE:
            return "", f"deleted, not verified: {known}"
        delete = self._operation("DELETE", item.template)
        if delete is None:
            return "", DONE if self._presence(item) == _ABSENT else "no documented operation deletes it"
        self._note_listed(item)
        try:
            response = self._ask(delete, item.path)
        except (NotRun, MockServerError) as reason:
            return "", f"could not be deleted: {reason}"
        if response.successful or response.status in GONE:
            return f"DELETE was answered with {response.status}", None
        return "", f"could not be deleted: answered with {response.status}"

    def _presence(self, item: CreatedItem) -> str:
        if self._operation("GET", item.template) is None:
            return self._presence_in_list(item)
        now = self.look(item.template, item.path)
        return now.why if now.before == "unknown" else _ABSENT if now.before == "never set" else _THERE

    def _presence_in_list(self, item: CreatedItem) -> str:
        """Return whether a list shows an item, as `there`, `gone`, or why that is not known."""
        parent, _, name = item.path.rstrip("/").rpartition("/")
        names = self._names_in_list(item.template.rstrip("/").rpartition("/")[0], parent)
        if isinstance(names, str):
            return names
        if unquote(name) in names:
            return _THERE
        values = tuple(read_off(item.template, item.path).values())
        known = item.path.rstrip("/") in self._run.listed
        listed = known or self._listed_before.get(item.path) or self._run.known.items.was_listed(item.template, values)
        return _ABSENT if listed else f"{_NOTHING_READS}, and no list showed it before"

    def _names_in_list(self, template: str, path: str) -> str | frozenset[str]:
        """Return every text and number in the response of a list, or why there is none."""
        read = self._operation("GET", template) or self._operation("GET", f"{template}/")
        if read is None or self._run.policy.changes("GET", read):
            return _NOTHING_READS
        if path not in self._lists:
            try:
                response = self._ask(read, path + "/" * read.path.endswith("/"))
            except (NotRun, MockServerError) as reason:
                self._lists[path] = str(reason)
            else:
                found = frozenset(_names(json_or_none(response), _LIST_DEPTH))
                failed = f"{read.label} was answered with {response.status}"
                self._lists[path] = found if response.successful else failed
        return self._lists[path]

    def _write(self, write: Operation, held: HeldContent) -> str:
        media_type, body = self._body(write, held.value)
        response = self._ask(write, held.path, body=json.dumps(body).encode(), media_type=media_type)
        if not response.successful:
            raise NotRun(f"{write.label} was answered with {response.status}")
        deadline = time.monotonic() + self._run.settle_seconds
        while not self._holds(held, body):
            if time.monotonic() >= deadline:
                return "it was written, and still shows another value"
            with interruptible:
                time.sleep(POLL_SECONDS)
        return DONE

    def _holds(self, held: HeldContent, body: Any) -> bool:
        now = self.look(held.template, held.path)
        return now.before == "value" and any(shows(shown, body) for shown in _readings(now.value))

    def _body(self, write: Operation, value: Any) -> tuple[str, Any]:
        """Return media type and content of a request that writes a value, without members no request may have.

        Raises:
            NotRun: it takes no JSON.
        """
        content = write.request_body.content if write.request_body else {}
        found = json_content(content)
        if found is None:
            raise NotRun(f"{write.label} takes no JSON")
        media_type, schema = found[0], found[1].schema
        if schema is None:
            return media_type, value
        data = self._run.contract.document.data
        names = {name for place in same_value(data, schema) for name in _properties(lookup(data, place))}
        bodies = [_only(reading, names) for reading in _readings(value)]
        is_valid = self._run.contract.validator(schema, "request").is_valid
        return media_type, next(filter(is_valid, bodies), bodies[0])

    def _ask(
        self, operation: Operation, path: str, *, body: bytes | None = None, media_type: str | None = None
    ) -> WireResponse:
        """Return the response to a call of an operation at a path.

        Raises:
            NotRun: no identity may make the call, or there is no response.
        """
        if self._silences[operation.label] >= MAX_SILENCES:
            raise NotRun(f"{operation.label} sent no response before")
        values = read_off(operation.path, path)
        caller = self._run.allowed(operation)
        request = self._session.request(operation, caller, body=body, media_type=media_type, path_values=values)
        _, mark, query = request.path.partition("?")
        sent = WireRequest(request.method, f"{path}{mark}{query}", request.fields, request.body)
        try:
            return self._send(operation, sent)
        except NotRun:
            self._silences[operation.label] += 1  # each costs a timeout, and there may be hundreds of items
            raise

    def _operation(self, method: str, template: str) -> Operation | None:
        return self._operations.get((method, parse_template(template).nameless))


def _names(value: Any, depth: int) -> Iterator[str]:
    """Yield each text and number in a JSON value, as text."""
    if isinstance(value, str | int):
        yield str(value)
    elif depth and isinstance(value, list | dict):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _names(member, depth - 1)


def _readings(value: Any) -> list[Any]:
    """Return a value, and the object in it if it is a wrapper such as `{"thing": {...}}`."""
    inner = list(value.values()) if isinstance(value, dict) and len(value) == 1 else []
    return [value, *(one for one in inner if isinstance(one, dict))]


def _properties(schema: Any) -> Iterable[str]:
    """Return the names of a schema's properties that are not `readOnly`."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return ()
    return [name for name, one in properties.items() if not (isinstance(one, dict) and one.get("readOnly") is True)]


def _only(value: Any, names: set[str]) -> Any:
    if not names or not isinstance(value, dict):
        return value
    return {name: member for name, member in value.items() if name in names}
