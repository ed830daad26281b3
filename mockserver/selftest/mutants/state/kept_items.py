"""Collections that the stub keeps, and what a mutant remembers of their items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mockserver.contract.model import Operation
from mockserver.contract.resources.state_model import (
    CREATE,
    DELETE,
    LIST,
    MERGE,
    READ,
    REPLACE,
    Collection,
    state_model,
)
from mockserver.http.path_templates import parse_template
from mockserver.selftest.catalogue import Backend, Interceptor
from mockserver.selftest.mutated_operation import MutatedOperation, Sign, at
from mockserver.selftest.traffic import MutantRequest, MutantResponse

#: Content that each item was created with, by its path, in the order of creation.
Items = dict[str, Any]
#: Behaves for a request to the mutated operation, given the items that are there.
Act = Callable[[MutantRequest, Backend, Items], MutantResponse]


@dataclass(frozen=True, slots=True)
class Kept:
    """Collection whose items the stub keeps, seen from the operation that is mutated.

    Attributes:
        role: of the mutated operation.
    """

    subject: MutatedOperation
    collection: Collection
    role: str

    def operation(self, role: str) -> Operation | None:
        """Return the operation with a role in the collection, None if there is none."""
        return self.collection.operations.get(role)

    def signs(self, check: str, *roles: str) -> frozenset[Sign]:
        """Return the findings of a check of state on the operations with some roles, on the mutated one by default."""
        found: set[Sign] = set()
        for role in roles or (self.role,):
            operation = self.operation(role)
            success = operation.success() if operation is not None else None
            if operation is not None and success is not None:
                found |= self.subject.stated(success.pointer, check, label=operation.label)
                if "202" in operation.responses or check == "written_items_show_it":
                    # What is accepted for later need not show; a member that never showed a write proves little.
                    found |= self.subject.silent(check, label=operation.label)
        return frozenset(found)

    def new_path(self, request: MutantRequest, response: MutantResponse) -> str | None:
        """Return the path of the item that a creation made, None if the response does not tell."""
        create = self.collection.operations[CREATE]
        item = at(response.json, self.collection.places.get(CREATE, ""))
        if not isinstance(item, dict) or self.collection.identifier not in item:
            item = request.json  # the response shows nothing, so that the client gave the name
        name = item.get(self.collection.identifier) if isinstance(item, dict) else None
        if create.method == "PUT":
            return request.path
        above = parse_template(create.path).match(request.path)
        template = parse_template(self.collection.item)
        if name is None or above is None or len(above) + 1 != len(template.parameters):
            return None
        return template.expand(dict(zip(template.parameters, [*above.values(), str(name)], strict=True)))

    def to(self, request: MutantRequest, role: str, path: str) -> MutantRequest:
        """Return a request by the same caller for the operation with a role, without content."""
        operation = self.collection.operations[role]
        environ = {**request.environ, "QUERY_STRING": ""}
        for field in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"):
            environ.pop(field, None)
        return request._replace(
            method=operation.method, path=path, operation=operation, body=b"", content_type=None, environ=environ
        )

    def shown(self, request: MutantRequest, server: Backend, path: str) -> dict[str, Any] | None:
        """Return the item at a path as the clean stub shows it, None if there is none."""
        response = server.send(self.to(request, READ, path))
        item = at(response.json, self.collection.places.get(READ, "")) if response.ok else None
        return item if isinstance(item, dict) else None

    def entries(self, response: MutantResponse) -> list[Any]:
        """Return the items in the response to a list; [] if it shows none."""
        found = at(response.json, self.collection.places.get(LIST, ""))
        return found if isinstance(found, list) else []

    def with_entries(self, response: MutantResponse, entries: list[Any]) -> MutantResponse:
        """Return the response to a list with other items in it."""
        place = self.collection.places.get(LIST, "")

        def change(content: Any) -> Any:
            if not place:
                return entries
            above, _, name = place.rpartition("/")
            at(content, above)[name] = entries
            return content

        return response.changed(change)

    def name(self, path: str) -> str:
        """Return the name of an item in its path."""
        found = parse_template(self.collection.item).match(path)
        return "" if found is None else list(found.values())[-1]

    def is_named(self, entry: Any, path: str) -> bool:
        """Tell whether a list's entry is the item at a path."""
        return isinstance(entry, dict) and str(entry.get(self.collection.identifier)) == self.name(path)

    def written(self, request: MutantRequest) -> dict[str, Any]:
        """Return the members in the content of a write, {} if it is no object."""
        return request.json if isinstance(request.json, dict) else {}

    def beside(self, path: str, items: Items) -> str | None:
        """Return the path of the item that was created last beside the one at a path, None if there is none."""
        above = path.rpartition("/")[0]
        return next((other for other in reversed(items) if other != path and other.rpartition("/")[0] == above), None)

    def remembering(self, act: Act) -> Interceptor:
        """Return the interceptor that remembers the items of each world and acts on the mutated operation."""
        create, delete = self.operation(CREATE), self.operation(DELETE)

        def intercept(request: MutantRequest, server: Backend) -> MutantResponse:
            items: Items = server.memory(request).setdefault("items", {})
            is_here = request.operation is self.subject.operation
            response = act(request, server, items) if is_here else server.send(request)
            if response.ok and request.operation is create:
                path = self.new_path(request, response)
                if path is not None:
                    items[path] = request.json
            elif response.ok and request.operation is delete:
                items.pop(request.path, None)
            return response

        return intercept


def kept(subject: MutatedOperation, *roles: str) -> Kept | None:
    """Return the kept collection in which an operation has one of some roles, None if there is none."""
    for collection in state_model(subject.contract).collections:
        role = collection.role_of(subject.operation)
        if role in roles and collection.kept and {CREATE, READ} <= collection.operations.keys():
            return Kept(subject, collection, role)
    return None


__all__ = ["CREATE", "DELETE", "LIST", "MERGE", "READ", "REPLACE", "Items", "Kept", "kept"]
