"""State model of a contract: its collections with their items, and its singletons, with the operations on each.

It is made from `x-mockserver-behaviour` and from what `collections` infers, and goes further where names and methods
tell enough for a reader, though not enough to serve by: the member that names an item may be unknown, the list may have
a sibling path (`/pets` for `/pet/{id}`), and items may be made by PUT alone. Who judges by it has to see first that the
server follows the shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.resources.collections import inferred_behaviours
from mockserver.contract.resources.shapes import Shape, arrays, json_content, objects, shape_of
from mockserver.contract.roles import is_about_tokens, is_undocumented
from mockserver.http.path_templates import PathTemplate, parse_template

__all__ = ["Collection", "Singleton", "StateModel", "state_model"]

LIST, CREATE, READ, REPLACE, MERGE, DELETE = "list", "create", "read", "replace", "merge", "delete"
_ITEM_METHODS = {"GET": READ, "PUT": REPLACE, "PATCH": MERGE, "DELETE": DELETE}
_ITEM_ROLES = frozenset(_ITEM_METHODS.values())
#: Last segments of paths beside a collection that create an item of it, and that list its items.
_CREATING, _LISTING = ("new", "create", "add"), ("list", "all")


@dataclass(frozen=True, slots=True)
class Collection:
    """Collection of items that have paths of their own, with the operations on it and on its items.

    Attributes:
        path: path template of the collection, without the last parameter of `item`.
        item: path template of an item.
        parameter: the last path parameter of `item`.
        identifier: the member of an item that the parameter names, "" if nothing tells.
        operations: by role: `list`, `create`, `read`, `replace`, `merge`, `delete`.
        places: by role, the JSON pointer of the item, or of the items, in the response; without what is unknown.
        parent: path of the collection whose items this one is below, "" for none.
        kept: whether the stub keeps state for it: its behaviours are inferred or written in the contract.
    """

    path: str
    item: str
    parameter: str
    identifier: str
    operations: Mapping[str, Operation]
    places: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    kept: bool = False

    def role_of(self, operation: Operation | None) -> str:
        """Return the role of an operation in the collection, "" if it has none."""
        return next((role for role, one in self.operations.items() if one is operation), "")


@dataclass(frozen=True, slots=True)
class Singleton:
    """Resource that is there once, for all or below an item: it is read and written, and perhaps removed.

    Attributes:
        path: its path template.
        read: GET at the path.
        writes: PUT or else POST, and PATCH, as far as they are there: by role `replace` or `merge`.
        reset: DELETE at the path, None if there is none.
        parent: path of the collection whose item it is below, "" for none.
    """

    path: str
    read: Operation
    writes: Mapping[str, Operation]
    reset: Operation | None = None
    parent: str = ""


@dataclass(frozen=True, slots=True)
class StateModel:
    """The resources of a contract: collections, nested ones included, and singletons.

    Attributes:
        collections: parents before what is below their items.
        singletons: those that no `x-mockserver-behaviour` describes; for these see `singletons`.
    """

    collections: tuple[Collection, ...] = ()
    singletons: tuple[Singleton, ...] = ()

    def collection(self, path: str) -> Collection | None:
        """Return the collection at a path template, None if there is none."""
        return next((one for one in self.collections if one.path == path), None)

    def collection_of(self, operation: Operation | None) -> tuple[Collection, str] | None:
        """Return the collection that an operation acts on, with the operation's role; None if there is none."""
        for one in self.collections if operation is not None else ():
            if role := one.role_of(operation):
                return one, role
        return None

    def holding(self, path: str) -> Collection | None:
        """Return the collection whose item a path template ends in or is below of, the innermost; None without."""
        shape = parse_template(path).nameless
        above = [
            one
            for one in self.collections
            if shape != (own := parse_template(one.item).nameless) and shape.startswith(own.rstrip("/") + "/")
        ]
        return max(above, key=lambda one: len(one.item), default=None)

    def singleton_of(self, operation: Operation | None) -> Singleton | None:
        """Return the singleton that an operation reads, writes or removes, None if there is none."""
        for one in self.singletons if operation is not None else ():
            if operation in (one.read, one.reset, *one.writes.values()):
                return one
        return None


def state_model(contract: Contract) -> StateModel:
    """Return the state model of a contract; it is made once for each contract."""
    if not contract.states:
        contract.states.append(_Reader(contract).model())
    model: StateModel = contract.states[0]
    return model


class _Reader:
    """Reads the resources of a contract from its operations by path and method."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._behaviours = {**inferred_behaviours(contract)}
        self._behaviours |= {one.id: one.behaviour for one in contract.operations if one.behaviour is not None}
        self._by_path: dict[str, dict[str, Operation]] = {}
        for operation in contract.operations:
            if not is_undocumented(operation) and not is_about_tokens(operation) and operation.effect is None:
                shape = parse_template(operation.path).nameless
                self._by_path.setdefault(shape, {})[operation.method] = operation

    def model(self) -> StateModel:
        found = list(self._collections())
        # A collection is below the innermost item that its path goes through.
        bare = StateModel(tuple(found))
        linked = []
        for one in found:
            above = bare.holding(one.path)
            linked.append(
                Collection(
                    one.path, one.item, one.parameter, one.identifier, one.operations, one.places,
                    above.path if above is not None else "", one.kept,
                )
            )  # fmt: skip
        linked.sort(key=lambda one: one.path.count("{"))
        return StateModel(tuple(linked), tuple(self._singletons(linked)))

    def _collections(self) -> Iterator[Collection]:
        taken: set[str] = set()
        for shape, methods in self._by_path.items():
            template = parse_template(next(iter(methods.values())).path)
            above = _above(template)
            if above is None or not methods.keys() & _ITEM_METHODS.keys():
                continue
            item = {role: methods[method] for method, role in _ITEM_METHODS.items() if method in methods}
            if READ in item and self._finds(item[READ], item):
                del item[READ]
            if MERGE not in item and (post := methods.get("POST")) is not None and self._role(post) == MERGE:
                item[MERGE] = post
            operations = {**self._around(above, item), **item}
            operations = {role: one for role, one in operations.items() if self._may_be(one, role)}
            if not operations.keys() & _ITEM_ROLES or shape in taken:
                continue
            taken.add(shape)
            yield self._collection(above, template, operations)

    def _finds(self, read: Operation, item: Mapping[str, Operation]) -> bool:
        """Tell whether a read at an item's path is a search: it shows a list, by another value than the rest takes."""
        names = {parse_template(one.path).parameters[-1:] for role, one in item.items() if role != READ}
        return bool(names) and parse_template(read.path).parameters[-1:] not in names and self._shows_list(read)

    def _shows_list(self, read: Operation) -> bool:
        media_type = json_content(read)
        shape = None if media_type is None else shape_of(self._contract, media_type)
        if shape is None:
            return False
        inner = shape.member(shape.names[0]) if len(shape.names) == 1 else None
        return shape.item is not None or (inner is not None and inner.item is not None)

    def _around(self, above: str, item: Mapping[str, Operation]) -> dict[str, Operation]:
        """Return the operations that list and create items at the path of a collection, or beside it."""
        found: dict[str, Operation] = {}
        for path in _siblings(above):
            methods = self._by_path.get(parse_template(path).nameless, {})
            if "GET" in methods:
                found.setdefault(LIST, methods["GET"])
            if "POST" in methods:
                found.setdefault(CREATE, methods["POST"])
        for words, method, role in ((_LISTING, "GET", LIST), (_CREATING, "POST", CREATE)):
            for word in words if role not in found else ():
                one = self._by_path.get(parse_template(f"{above.rstrip('/')}/{word}").nameless, {}).get(method)
                if one is not None:
                    found.setdefault(role, one)
        put = item.get(REPLACE)
        if CREATE not in found and put is not None and put.request_body is not None and "201" in put.responses:
            found[CREATE] = put  # the client gives the identifier
        return found

    def _may_be(self, operation: Operation, role: str) -> bool:
        """Tell whether nothing in the contract speaks against the role of an operation."""
        told = self._behaviours.get(operation.id)
        if operation.behaviour is not None:
            return told is not None and (told.handler != "resource" or told.role in {role, "remove"})
        if role == LIST:
            return self._may_list(operation)
        return role != CREATE or operation.request_body is not None

    def _may_list(self, operation: Operation) -> bool:
        media_type = json_content(operation)
        if media_type is None:
            return False
        shape = shape_of(self._contract, media_type)
        return shape is None or _holds_list(shape) or not shape.names

    def _collection(self, above: str, item: PathTemplate, operations: Mapping[str, Operation]) -> Collection:
        told = {role: self._behaviours.get(one.id) for role, one in operations.items()}
        known = {role: one for role, one in told.items() if one is not None and one.handler == "resource"}
        # Who judges looks for members of an item, so an identifier below one of them is as good as unknown.
        named = next((one.identifier for one in known.values() if one.identifier), "")
        identifier = "" if named.startswith("/") else named
        shown = {role: _place(role, one) for role, one in known.items() if role != DELETE}
        places = {role: place for role, place in shown.items() if place is not None}
        listing = operations.get(LIST)
        return Collection(
            listing.path if listing is not None and listing.path.count("{") < len(item.parameters) else above,
            item.text,
            item.parameters[-1],
            identifier,
            operations,
            places,
            kept=bool(identifier) and CREATE in known and READ in known,
        )

    def _role(self, operation: Operation) -> str:
        told = self._behaviours.get(operation.id)
        return told.role if told is not None and told.handler == "resource" else ""

    def _singletons(self, collections: list[Collection]) -> Iterator[Singleton]:
        of_collections = {one.id for collection in collections for one in collection.operations.values()}
        model = StateModel(tuple(collections))
        for methods in self._by_path.values():
            read = methods.get("GET")
            if read is None or read.id in of_collections or read.behaviour is not None:
                continue
            template = parse_template(read.path)
            if template.segments[-1].parameters or self._lists(read):
                continue
            writes = {
                role: methods[method] for method, role in (("PUT", REPLACE), ("PATCH", MERGE)) if method in methods
            }
            if not writes and (post := methods.get("POST")) is not None and self._is_alike(read, post):
                writes = {MERGE: post}
            writes = {
                role: one for role, one in writes.items() if one.behaviour is None and one.request_body is not None
            }
            if not writes:
                continue
            above = model.holding(read.path)
            reset = methods.get("DELETE")
            yield Singleton(read.path, read, writes, reset, above.path if above is not None else "")

    def _lists(self, read: Operation) -> bool:
        media_type = json_content(read)
        shape = None if media_type is None else shape_of(self._contract, media_type)
        return media_type is None or (shape is not None and shape.item is not None)

    def _is_alike(self, read: Operation, write: Operation) -> bool:
        """Tell whether what a POST takes has only members that the GET at its path shows, so that it updates them."""
        shown = json_content(read)
        content = write.request_body.content.values() if write.request_body is not None else ()
        taken = next((one for one in content if one.schema is not None), None)
        if shown is None or taken is None:
            return False
        one, other = shape_of(self._contract, shown), shape_of(self._contract, taken)
        return one is not None and other is not None and bool(other.names) and set(other.names) <= set(one.names)


def _above(template: PathTemplate) -> str | None:
    """Return the path of the collection that an item's path belongs to, None if the path names no item.

    `/pets/{id}` and `/pets/{id}/` belong to `/pets`, `/Products({key})` (OData) to `/Products`.
    """
    path = template.text.rstrip("/")
    head, _, last = path.rpartition("/")
    segment = parse_template(last)
    if segment.name:
        return head or None
    if len(segment.parameters) == 1 and segment.literals[1] == ")" and segment.literals[0].endswith("("):
        return f"{head}/{segment.literals[0][:-1]}"
    return None


def _siblings(path: str) -> Iterator[str]:
    """Yield a collection's path, with and without a last slash, and its plural and singular."""
    yield path
    yield f"{path}/"
    head, _, last = path.rpartition("/")
    if not last or "{" in last:
        return
    others = [f"{last}s", f"{last}es", f"{last[:-1]}ies" if last.endswith("y") else ""]
    others += [last[:-1] if last.endswith("s") else "", f"{last[:-3]}y" if last.endswith("ies") else ""]
    for other in others:
        if other:
            yield f"{head}/{other}"


def _holds_list(shape: Shape) -> bool:
    """Tell whether a value is a list or has one in it, of whatever items."""
    if shape.item is not None or "array" in shape.kinds or any(True for _ in arrays(shape)):
        return True
    inner = [member for _, member in objects(shape)]
    members = [member for one in (shape, *inner) for name in one.names if (member := one.member(name)) is not None]
    return any("array" in member.kinds or member.item is not None for member in members)


def _place(role: str, behaviour: Behaviour) -> str | None:
    """Return where a response holds the item, or the items of a list; None if it does not."""
    return None if not behaviour.answers else behaviour.items if role == LIST else behaviour.value
