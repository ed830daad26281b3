"""Mutants that lose items, list them wrongly, or delete other ones than asked for."""

from __future__ import annotations

from mockserver.contract.resources.state_model import state_model
from mockserver.selftest.catalogue import Backend, Catalogue, Mutation
from mockserver.selftest.mutants.state.kept_items import CREATE, DELETE, LIST, MERGE, READ, REPLACE, Items, Kept, kept
from mockserver.selftest.mutated_operation import MutatedOperation
from mockserver.selftest.traffic import MutantRequest, MutantResponse

ITEMS = Catalogue("items")
_KEPT, _LISTED = "created_items_are_kept", "created_items_are_listed"
_GONE = "deleted_items_are_gone"


@ITEMS.mutant
def creation_lost(subject: MutatedOperation) -> Mutation | None:
    """Server that says it created an item and stores nothing: the transaction is never committed."""
    found = kept(subject, CREATE)
    if found is None or found.operation(DELETE) is None:
        return None

    def act(request: MutantRequest, server: Backend, _items: Items) -> MutantResponse:
        response = server.send(request)
        path = found.new_path(request, response) if response.ok else None
        if path is not None:
            server.send(found.to(request, DELETE, path))
        return response

    return Mutation(found.remembering(act), found.signs(_KEPT))


@ITEMS.mutant
def creation_replaces_the_last(subject: MutatedOperation) -> Mutation | None:
    """Server on which a new item takes the place of the one that was created before."""
    found = kept(subject, CREATE)
    if found is None or found.operation(DELETE) is None:
        return None

    def act(request: MutantRequest, server: Backend, items: Items) -> MutantResponse:
        response = server.send(request)
        path = found.new_path(request, response) if response.ok else None
        other = found.beside(path, items) if path is not None else None
        if other is not None:
            server.send(found.to(request, DELETE, other))
            items.pop(other)
        return response

    return Mutation(found.remembering(act), found.signs(_KEPT))


def _listing(subject: MutatedOperation) -> Kept | None:
    found = kept(subject, LIST)
    return found if found is not None and found.collection.identifier and LIST in found.collection.places else None


@ITEMS.mutant
def list_leaves_out_the_newest(subject: MutatedOperation) -> Mutation | None:
    """Server whose list lacks the item that was created last: an index is not updated."""
    found = _listing(subject)
    if found is None:
        return None

    def act(request: MutantRequest, server: Backend, items: Items) -> MutantResponse:
        response = server.send(request)
        newest = next(reversed(items), None)
        entries = [entry for entry in found.entries(response) if newest is None or not found.is_named(entry, newest)]
        return found.with_entries(response, entries)

    return Mutation(found.remembering(act), found.signs(_LISTED) | subject.silent(_LISTED))


@ITEMS.mutant
def list_shows_an_item_twice(subject: MutatedOperation) -> Mutation | None:
    """Server whose list shows items twice: a join without DISTINCT."""
    found = _listing(subject)
    if found is None:
        return None

    def act(request: MutantRequest, server: Backend, _items: Items) -> MutantResponse:
        response = server.send(request)
        entries = found.entries(response)
        return found.with_entries(response, [*entries, *entries[-1:]])

    return Mutation(found.remembering(act), found.signs(_LISTED))


@ITEMS.mutant
def list_shows_deleted_items(subject: MutatedOperation) -> Mutation | None:
    """Server whose list goes on showing items that were deleted."""
    found = _listing(subject)
    delete = None if found is None else found.operation(DELETE)
    if found is None or delete is None:
        return None

    def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
        memory = server.memory(request)
        if request.operation is delete:
            before = found.shown(request, server, request.path)
            response = server.send(request)
            if response.ok and before is not None:
                memory.setdefault("gone", {})[request.path] = before
            return response
        response = server.send(request)
        if request.operation is not subject.operation or not response.ok:
            return response
        return found.with_entries(response, [*found.entries(response), *memory.get("gone", {}).values()])

    return Mutation(intercept, found.signs(_GONE, DELETE))


@ITEMS.mutant
def deletion_ignored(subject: MutatedOperation) -> Mutation | None:
    """Server that says it deleted an item and leaves it there."""
    found, done = kept(subject, DELETE), subject.samples.response(subject.operation)
    if found is None or done is None:
        return None

    def act(request: MutantRequest, server: Backend, _items: Items) -> MutantResponse:
        return server.send(request) if found.shown(request, server, request.path) is None else done

    return Mutation(found.remembering(act), found.signs(_GONE))


@ITEMS.mutant
def deletion_of_another(subject: MutatedOperation) -> Mutation | None:
    """Server that deletes the newest item in place of the one that is asked for."""
    found, done = kept(subject, DELETE), subject.samples.response(subject.operation)
    if found is None or done is None:
        return None

    def act(request: MutantRequest, server: Backend, items: Items) -> MutantResponse:
        other = found.beside(request.path, items)
        if other is None or found.shown(request, server, request.path) is None:
            return server.send(request)
        return server.send(request._replace(path=other))

    return Mutation(found.remembering(act), found.signs(_GONE))


@ITEMS.mutant
def deletion_of_more(subject: MutatedOperation) -> Mutation | None:
    """Server that deletes another item, too: a DELETE whose condition is too wide."""
    found = kept(subject, DELETE)
    if found is None:
        return None

    def act(request: MutantRequest, server: Backend, items: Items) -> MutantResponse:
        other, response = found.beside(request.path, items), server.send(request)
        if response.ok and other is not None:
            server.send(request._replace(path=other))
        return response

    return Mutation(found.remembering(act), found.signs("writes_leave_other_items_alone"))


@ITEMS.mutant
def item_cached_for_ever(subject: MutatedOperation) -> Mutation | None:
    """Server that shows an item as it was when it was first read: its cache is never cleared."""
    found = kept(subject, READ)
    if found is None:
        return None

    def act(request: MutantRequest, server: Backend, _items: Items) -> MutantResponse:
        response, cached = server.send(request), server.memory(request).setdefault("cached", {})
        if response.status == 200:
            cached.setdefault(request.path, response)
        shown: MutantResponse = cached.get(request.path, response) if response.status in {200, 404, 410} else response
        return shown

    signs = found.signs("written_items_show_it", REPLACE, MERGE) | found.signs(_GONE, DELETE)
    return Mutation(found.remembering(act), signs)


@ITEMS.mutant
def item_below_any_parent(subject: MutatedOperation) -> Mutation | None:
    """Server that finds an item below any parent: the query has the item's name alone."""
    found = kept(subject, READ)
    if found is None or not found.collection.parent:
        return None
    above = state_model(subject.contract).collection(found.collection.parent)
    if above is None or CREATE not in above.operations:
        return None

    def act(request: MutantRequest, server: Backend, items: Items) -> MutantResponse:
        response = server.send(request)
        same = next((path for path in items if found.name(path) == found.name(request.path)), None)
        return server.send(request._replace(path=same)) if response.status == 404 and same is not None else response

    return Mutation(found.remembering(act), found.signs("items_belong_to_their_parent"))
