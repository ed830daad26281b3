"""Inference of collections and their items from a contract's paths, methods and schemas.

A **resource** is a collection path with GET or POST, and an item path that is the same with one more parameter. Which
member of an item the parameter names, and where responses hold items, is read from schemas, else from examples. An
operation whose response does not show what its role needs gets no role: it is served from its examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.resources.foreign_keys import ForeignKey, KnownCollection, foreign_keys
from mockserver.contract.resources.identifiers import has_member, identifier, nested_identifier
from mockserver.contract.resources.removals import removals
from mockserver.contract.resources.shapes import (
    SchemaShape,
    Shape,
    arrays,
    json_content,
    objects,
    request_shape,
    shape_of,
)
from mockserver.http.path_templates import parse_template
from mockserver.http.pointers import child

__all__ = ["Inference", "InferredResource", "infer", "inferred_behaviours"]

#: Role of a method on an item. POST on an item changes it, if it has content.
_ITEM_ROLES = {"GET": "read", "PUT": "replace", "PATCH": "merge", "POST": "merge", "DELETE": "delete"}
_COLLECTION_ROLES = {"GET": "list", "POST": "create"}
#: Below this confidence, two members are equally likely, and nothing is inferred.
_SURE_ENOUGH = 0.46


@dataclass(frozen=True, slots=True)
class InferredResource:
    """Resource inferred from a contract: a collection, its items and the behaviours of their operations.

    Attributes:
        collection: path template of the collection.
        item: path template of an item.
        parameter: the last path parameter of the item.
        identifier: the member of an item that the parameter names.
        sure: confidence, 0 to 1.
        why: the reason for the inference, for people.
        behaviours: by `operationId`.
        keys: members of an item that name items of other collections.
    """

    collection: str
    item: str
    parameter: str
    identifier: str
    sure: float
    why: str
    behaviours: Mapping[str, Behaviour]
    keys: tuple[ForeignKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Inference:
    """Result of the inference: resources, behaviours of operations, and pairs of paths that were not understood.

    Attributes:
        behaviours: by `operationId`.
        resources: in the document's order.
        passed_over: collection, item and parameter of the pairs of paths from which nothing was inferred.
    """

    behaviours: Mapping[str, Behaviour]
    resources: tuple[InferredResource, ...] = ()
    passed_over: tuple[tuple[str, str, str], ...] = ()


@dataclass(slots=True)
class _PathPair:
    """Path of a possible collection and path of its items, with the operations on each."""

    collection: str
    item: str
    parameter: str
    of_collection: Mapping[str, Operation] = field(default_factory=dict)
    of_item: Mapping[str, Operation] = field(default_factory=dict)


def inferred_behaviours(contract: Contract) -> Mapping[str, Behaviour]:
    """Return the behaviours inferred from a contract by `operationId`; computed once for each contract."""
    return infer(contract).behaviours


def infer(contract: Contract) -> Inference:
    """Return the resources and behaviours that a contract's paths, methods and schemas imply; computed once."""
    if not contract.inferred:
        contract.inferred.append(_inference(contract))
    found: Inference = contract.inferred[0]
    return found


def _inference(contract: Contract) -> Inference:
    pairs = [(pair, _resource(contract, pair)) for pair in _pairs(contract)]
    resources = tuple(_linked(contract, [(pair, found) for pair, found in pairs if found is not None]))
    passed_over = tuple((pair.collection, pair.item, pair.parameter) for pair, found in pairs if found is None)
    behaviours = {name: behaviour for resource in resources for name, behaviour in resource.behaviours.items()}
    return Inference({**dict(removals(contract)), **behaviours}, resources, passed_over)


def _pairs(contract: Contract) -> Iterator[_PathPair]:
    by_path = contract.by_path
    for path, of_item in by_path.items():
        collection, _, last = path.removesuffix("/").rpartition("/")
        collection, parameter = collection.removesuffix("/"), parse_template(last).name
        if not parameter or collection.endswith(("/", "}")) or not collection.startswith("/"):
            continue
        if collection not in by_path and collection + "/" in by_path:
            collection += "/"
        of_collection = by_path.get(collection, {})
        if of_collection.keys() & _COLLECTION_ROLES.keys() and of_item.keys() & _ITEM_ROLES.keys():
            yield _PathPair(collection, path, parameter, of_collection, of_item)


def _resource(contract: Contract, pair: _PathPair) -> InferredResource | None:
    kinds = _kinds_of_parameter(contract, pair)
    last = pair.collection.rstrip("/").rsplit("/", 1)[-1]
    named, sure, source = "", 0.0, ""
    for operation in _showing_operations(pair):
        is_list = operation.path == pair.collection and operation.method == "GET"
        for place, shape in _candidates(contract, operation, items=is_list):
            name, found = identifier(pair.parameter, shape, kinds, last)
            if found < _SURE_ENOUGH and (is_list or not place):
                name, found = nested_identifier(pair.parameter, shape, kinds, last)
            elif place and not is_list and _is_written_whole(contract, pair, operation, place, name):
                name = place + child("", name)
            if found > sure:
                named, sure, source = name, found, operation.label
            if sure >= _SURE_ENOUGH:
                break  # the whole response comes before its members
        if sure >= _SURE_ENOUGH:
            break
    if sure < _SURE_ENOUGH:
        return None
    behaviours = dict(_behaviours(contract, pair, named))
    roles = {behaviour.role for behaviour in behaviours.values()}
    reads = pair.of_item.get("GET")
    if (reads is not None and reads.id not in behaviours) or len(roles) < 2 or roles <= {"delete", "merge", "replace"}:
        return None
    why = f"{{{pair.parameter}}} names the member `{named}` in the response of {source}"
    return InferredResource(pair.collection, pair.item, pair.parameter, named, round(sure, 2), why, behaviours)


def _is_written_whole(contract: Contract, pair: _PathPair, shown: Operation, place: str, named: str) -> bool:
    """Tell whether a member of a response that has the identifier is a part of the item, and not an envelope around it.

    The items of the list tell, by having the member, too; without a list, a request with other members of the response.
    """
    member = place.removeprefix("/")
    whole = _shape(contract, shown)
    if "/" in member or whole is None or whole.item is not None or member not in whole.names:
        return False
    listing = pair.of_collection.get("GET")
    if listing is not None:
        found = [shape for _, shape in _candidates(contract, listing, items=True)]
        if found:
            return any(has_member(shape, place + child("", named)) for shape in found)
    for operation in (*pair.of_collection.values(), *pair.of_item.values()):
        taken = request_shape(contract, operation)
        if taken is not None and has_member(taken, place + child("", named)):
            return len(set(taken.names) & set(whole.names)) > 1
    return False


def _showing_operations(pair: _PathPair) -> Iterator[Operation]:
    """Yield the operations whose responses may show an item, the most reliable first."""
    for method, operations in (
        ("GET", pair.of_item),
        ("GET", pair.of_collection),
        ("POST", pair.of_collection),
        ("PUT", pair.of_item),
        ("PATCH", pair.of_item),
    ):
        if method in operations:
            yield operations[method]


def _kinds_of_parameter(contract: Contract, pair: _PathPair) -> frozenset[str]:
    for operation in pair.of_item.values():
        for parameter in operation.parameters:
            if parameter.location == "path" and parameter.name == pair.parameter and parameter.schema is not None:
                return _kinds(contract, parameter.schema)
    return frozenset()


def _kinds(contract: Contract, pointer: str) -> frozenset[str]:
    return SchemaShape(contract, [pointer]).kinds


def _shape(contract: Contract, operation: Operation) -> Shape | None:
    """Return the shape of the JSON content of an operation's success, None if it has none."""
    media_type = json_content(operation)
    return None if media_type is None else shape_of(contract, media_type)


def _candidates(contract: Contract, operation: Operation, *, items: bool) -> Iterator[tuple[str, Shape]]:
    shape = _shape(contract, operation)
    if shape is not None:
        yield from arrays(shape) if items else objects(shape)


def _behaviours(contract: Contract, pair: _PathPair, named: str) -> Iterator[tuple[str, Behaviour]]:
    """Yield the `operationId` and the inferred behaviour of each operation on a collection or its items."""
    members = _members(contract, pair, named)
    for roles, operations in ((_COLLECTION_ROLES, pair.of_collection), (_ITEM_ROLES, pair.of_item)):
        for method, operation in operations.items():
            role = roles.get(method)
            place = None if role is None else _place(contract, operation, role, named, members)
            if role is None or (place is None and not _may_be_silent(contract, operation, role)):
                continue
            yield (
                operation.id,
                Behaviour(
                    "resource",
                    role=role,
                    resource=pair.collection,
                    value=place or "" if role != "list" else "",
                    items=place or "" if role == "list" else "",
                    identifier=named,
                    parameter=pair.parameter,
                    item=pair.item,
                    answers=place is not None,
                ),
            )


def _item(contract: Contract, pair: _PathPair, named: str) -> Shape | None:
    """Return the shape of an item, as GET on the item or on the collection shows it; None if neither does."""
    for operation, is_list in ((pair.of_item.get("GET"), False), (pair.of_collection.get("GET"), True)):
        if operation is not None:
            for _, shape in _candidates(contract, operation, items=is_list):
                if has_member(shape, named):
                    return shape
    return None


def _members(contract: Contract, pair: _PathPair, named: str) -> frozenset[str]:
    shape = _item(contract, pair, named)
    return frozenset(() if shape is None else shape.names)


def _linked(contract: Contract, found: list[tuple[_PathPair, InferredResource]]) -> Iterator[InferredResource]:
    """Yield resources with their foreign keys added, also to the behaviours whose responses show items."""
    shapes = ((resource, _item(contract, pair, resource.identifier)) for pair, resource in found)
    keys = foreign_keys(
        KnownCollection(resource.collection, resource.identifier, shape)
        for resource, shape in shapes
        if shape is not None
    )
    for _, resource in found:
        own = keys.get(resource.collection, ())
        named = tuple((key.member, key.collection) for key in own)
        behaviours = {
            name: replace(one, keys=named) if named and one.answers and one.role != "delete" else one
            for name, one in resource.behaviours.items()
        }
        yield replace(resource, keys=own, behaviours=behaviours)


def _place(contract: Contract, operation: Operation, role: str, named: str, members: frozenset[str]) -> str | None:
    """Return the pointer of the item, or of the list of items, in an operation's response; None if there is none.

    Several members of a response may have an `id` (`{"action": {...}, "server": {...}}`): the one is chosen that has
    most members in common with the item that reads show. The whole response comes before its members.
    """
    shape = _shape(contract, operation)
    if shape is None:
        return None
    found = [place for place in (arrays(shape) if role == "list" else objects(shape)) if has_member(place[1], named)]
    if role == "list" or not found or found[0][0] == "":
        return found[0][0] if found else None
    return max(found, key=lambda place: len(members.intersection(place[1].names)))[0]  # the first of equals


def _may_be_silent(contract: Contract, operation: Operation, role: str) -> bool:
    """Tell whether an operation can have a role although its response does not show the item."""
    if role in {"list", "read"}:
        return False
    if role == "delete":
        return True
    if operation.request_body is None:
        return role == "replace" and operation.method == "PUT"
    shape = _shape(contract, operation)
    return shape is None or not shape.names
