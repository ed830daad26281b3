"""Mutants whose writes to items are lost, do too much, or ignore conditions; lists that ignore their query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mockserver.contract.resources.shapes import shape_of
from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.interceptors import only_here
from mockserver.selftest.mutants.state.kept_items import CREATE, DELETE, LIST, MERGE, READ, REPLACE, Items, Kept, kept
from mockserver.selftest.mutated_operation import MutatedOperation
from mockserver.selftest.traffic import MutantRequest, MutantResponse
from mockserver.stub.crud.queries import is_filter, is_place, is_size

WRITES = Catalogue("writes")
_SHOWN = "written_items_show_it"


def _write(subject: MutatedOperation, *roles: str) -> Kept | None:
    """Return the kept collection of a write whose content is an object with members that items have, None without."""
    found = kept(subject, *roles)
    if found is None or not isinstance(subject.sample, dict) or not found.collection.identifier:
        return None
    return found if set(subject.sample) & set(_members(found)) else None


def _members(found: Kept) -> tuple[str, ...]:
    """Return the names of the members of an item as reads show it."""
    main = found.subject.other(found.collection.operations[READ]).main
    item = None if main is None else main.value
    for name in found.collection.places.get(READ, "").split("/")[1:]:
        item = item.get(name) if isinstance(item, dict) else None
    return tuple(item) if isinstance(item, dict) else ()


@WRITES.mutant
def item_write_lost(subject: MutatedOperation) -> Mutation | None:
    """Server that responds to a write of an item with the new values and keeps the old ones."""
    found = _write(subject, REPLACE, MERGE)
    if found is None:
        return None

    def act(request: MutantRequest, server: Backend, _items: Items) -> MutantResponse:
        before, response = found.shown(request, server, request.path), server.send(request)
        sent = found.written(request)
        if response.ok and before is not None:
            old = {name: before[name] for name in sent if name in before}
            server.send(_unconditional(request).with_json({**sent, **old}))
        return response

    return Mutation(found.remembering(act), found.signs(_SHOWN))


@WRITES.mutant
def item_write_half_lost(subject: MutatedOperation) -> Mutation | None:
    """Server that stores all members of a write but one: a column is missing in the UPDATE."""
    found = _write(subject, REPLACE, MERGE)
    if found is None:
        return None
    member = subject.pick(_writable(found))
    if member is None:
        return None

    def act(request: MutantRequest, server: Backend, _items: Items) -> MutantResponse:
        before, response = found.shown(request, server, request.path), server.send(request)
        sent = found.written(request)
        if response.ok and before is not None and member in before and member in sent:
            server.send(_unconditional(request).with_json({**sent, member: before[member]}))
        return response

    return Mutation(found.remembering(act), found.signs(_SHOWN))


def _writable(found: Kept) -> Iterator[str]:
    """Yield the members of a write that items show and that do not name the item."""
    names = _members(found)
    for name in found.subject.sample:
        if name in names and name != found.collection.identifier and name not in found.subject.secret_members:
            yield name


def _unconditional(request: MutantRequest) -> MutantRequest:
    kept_fields = {
        name: value for name, value in request.environ.items() if name not in {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"}
    }
    return request._replace(environ=kept_fields)


@WRITES.mutant
def patch_wipes_members(subject: MutatedOperation) -> Mutation | None:
    """Server whose PATCH removes a member that the request does not have."""
    found = _write(subject, MERGE)
    main = None if found is None else subject.other(found.collection.operations[READ]).main
    if found is None or main is None or main.content.schema is None:
        return None
    validator = subject.contract.validator(main.content.schema, "response")
    place = found.collection.places.get(READ, "")

    def without(name: str) -> Callable[[Any], Any]:
        def change(content: Any) -> Any:
            item = content
            for part in place.split("/")[1:]:
                item = item[part]
            item.pop(name, None)
            return content

        return change

    optional = [name for name in _writable(found) if validator.is_valid(without(name)(_copy(main.value)))]
    member = subject.pick(optional)
    if member is None:
        return None
    read = found.collection.operations[READ]

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        response, memory = server.send(request), server.memory(request)
        if request.operation is subject.operation and response.ok:
            memory[request.path] = member not in found.written(request)
        if request.operation is read and response.status == 200 and memory.get(request.path):
            return response.changed(without(member))
        return response

    return Mutation(intercept, found.signs(_SHOWN))


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(member) for name, member in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


@WRITES.mutant
def write_reaches_another(subject: MutatedOperation) -> Mutation | None:
    """Server whose write changes another item, too: an UPDATE whose condition is too wide."""
    found = _write(subject, REPLACE, MERGE)
    if found is None:
        return None

    def act(request: MutantRequest, server: Backend, items: Items) -> MutantResponse:
        response, other = server.send(request), found.beside(request.path, items)
        if response.ok and other is not None:
            identifier = found.collection.identifier
            content = {name: value for name, value in found.written(request).items() if name != identifier}
            server.send(_unconditional(request)._replace(path=other).with_json(content))
        return response

    return Mutation(found.remembering(act), found.signs("writes_leave_other_items_alone"))


@WRITES.mutant
def refused_write_stored_in_part(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses a write of an item after it has stored the valid members."""
    found = _write(subject, REPLACE, MERGE)
    if found is None:
        return None

    def act(request: MutantRequest, server: Backend, items: Items) -> MutantResponse:
        response, sent = server.send(request), found.written(request)
        if response.status not in {400, 422} or not sent:
            return response
        held = items.get(request.path)
        base = {} if found.role == MERGE else held if isinstance(held, dict) else subject.sample
        valid = {name: value for name, value in sent.items() if subject.accepts({**base, name: value})}
        if subject.accepts({**base, **valid}):
            server.send(_unconditional(request).with_json({**base, **valid}))
        return response

    return Mutation(found.remembering(act), found.signs("refused_writes_leave_items_alone"))


@WRITES.mutant
def refused_creation_stored(subject: MutatedOperation) -> Mutation | None:
    """Server that refuses to create an item after it has stored it with defaults."""
    found = kept(subject, CREATE)
    if (
        found is None
        or subject.body is None
        or subject.operation.method != "POST"
        or LIST not in found.collection.places
    ):
        return None

    def act(request: MutantRequest, server: Backend, _items: Items) -> MutantResponse:
        response, sent = server.send(request), request.json
        if response.status in {400, 422} and isinstance(sent, dict) and isinstance(subject.sample, dict):
            valid = {name: value for name, value in sent.items() if subject.accepts({**subject.sample, name: value})}
            server.send(request.with_json({**subject.sample, **valid}))
        return response

    return Mutation(found.remembering(act), found.signs("refused_creations_make_nothing"))


@WRITES.mutant
def read_changes_the_item(subject: MutatedOperation) -> Mutation | None:
    """Server that changes an item when it is read."""
    found = kept(subject, READ)
    member = None if found is None else _free_text(found)
    if found is None or member is None:
        return None
    place = found.collection.places.get(READ, "").split("/")[1:]

    def act(request: MutantRequest, server: Backend, _items: Items) -> MutantResponse:
        response, seen = server.send(request), server.memory(request).setdefault("reads", {})
        if response.status != 200:
            return response
        count = seen.get(request.path, 0)
        seen[request.path] = count + 1

        def change(content: Any) -> Any:
            item = content
            for part in place:
                item = item[part]
            item[member] = f"{item[member]} {count}" if count > 1 else item[member]
            return content

        return response.changed(change)

    return Mutation(found.remembering(act), found.signs("reads_leave_items_alone"))


def _free_text(found: Kept) -> str | None:
    """Return a member of items that creations set and that may be any text, None if there is none."""
    create = found.subject.other(found.collection.operations[CREATE])
    main = found.subject.other(found.collection.operations[READ]).main
    if main is None or create.body is None or create.body.schema is None or not isinstance(create.sample, dict):
        return None
    shape = shape_of(found.subject.contract, create.body)
    names = set() if shape is None else set(shape.names)
    sample: dict[str, Any] = create.sample
    for name, value in sample.items():
        if name in names & set(_members(found)) and name != found.collection.identifier and isinstance(value, str):
            longer = {**sample, name: f"{value} 1"}
            if create.accepts(longer) and name not in create.secret_members:
                return name
    return None


@WRITES.mutant
def condition_ignored(subject: MutatedOperation) -> Mutation | None:
    """Server that ignores If-Match, so that a write overwrites what another client has written."""
    found = kept(subject, REPLACE, MERGE, DELETE)
    if found is None or "412" not in subject.operation.responses or not _takes(subject, "if-match"):
        return None

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        return server.send(_unconditional(request))

    return Mutation(only_here(subject, act), found.signs("stale_writes_are_refused") | _stale(found))


def _takes(subject: MutatedOperation, field: str) -> bool:
    return any(one.location == "header" and one.name.lower() == field for one in subject.operation.parameters)


def _stale(found: Kept) -> Any:
    """Return the finding where the contract documents the 412 in place of a success."""
    operation = found.subject.operation
    return found.subject.stated(operation.responses["412"].pointer, "stale_writes_are_refused")


@WRITES.mutant
def unchanged_item_sent_again(subject: MutatedOperation) -> Mutation | None:
    """Server that ignores If-None-Match and sends what the client has already."""
    found = kept(subject, READ)
    documented = subject.operation.responses.get("304")
    if found is None or documented is None or not _takes(subject, "if-none-match"):
        return None
    check = "unchanged_items_are_not_sent_again"

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        return server.send(_unconditional(request))

    signs = subject.stated(documented.pointer, check) | subject.silent(check)
    return Mutation(only_here(subject, act), signs)


def _query_ignored(subject: MutatedOperation, ignored: Callable[[str], bool], check: str) -> Mutation | None:
    """Return a mutation of a list that ignores some of its query parameters, None if it has none of them."""
    found = kept(subject, LIST)
    parameters = [one for one in subject.operation.parameters if one.location == "query" and ignored(one.name)]
    if found is None or not parameters:
        return None
    names = {one.name for one in parameters}

    def act(request: MutantRequest, server: Backend) -> MutantResponse:
        pairs = parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True)
        query = urlencode([pair for pair in pairs if pair[0] not in names])
        return server.send(request._replace(environ={**request.environ, "QUERY_STRING": query}))

    signs = found.signs(check)
    for one in parameters:
        signs |= subject.stated(one.pointer, check)
    return Mutation(only_here(subject, act), signs | subject.silent(check))


@WRITES.mutant
def page_size_ignored(subject: MutatedOperation) -> Mutation | None:
    """Server that sends all items, whatever number was asked for."""
    return _query_ignored(subject, is_size, "lists_neither_repeat_nor_lose_items")


@WRITES.mutant
def page_ignored(subject: MutatedOperation) -> Mutation | None:
    """Server that sends the first page of a list, whichever was asked for."""
    if not any(is_size(one.name) for one in subject.operation.parameters if one.location == "query"):
        return None
    return _query_ignored(subject, is_place, "lists_neither_repeat_nor_lose_items")


@WRITES.mutant
def filter_ignored(subject: MutatedOperation) -> Mutation | None:
    """Server that lists all items, whatever values were asked for."""
    found = kept(subject, LIST)
    if found is None:
        return None
    names = set(_members(found))
    return _query_ignored(subject, lambda name: is_filter(name) and name in names, "filters_are_kept")
