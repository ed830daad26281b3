"""Roles of operations by which the stub keeps state: inferred collections, completed by what the state model tells.

The state model (state_model.py) knows more than `collections` infers: sibling paths, items made by PUT alone,
singletons. Here these get behaviours as well, where their messages show what a behaviour needs. Collections whose items
have no path, values that are written and read as a whole, and actions on items are added. Operations whose messages
tell nothing are served from their examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.resources.collections import Inference, InferredResource, infer
from mockserver.contract.resources.identifiers import has_member, identifier, natural_keys, nested_identifier, words
from mockserver.contract.resources.shapes import (
    SchemaShape,
    Shape,
    arrays,
    json_content,
    objects,
    open_parts,
    request_shape,
    shape_of,
)
from mockserver.contract.resources.state_model import (
    CREATE,
    DELETE,
    LIST,
    MERGE,
    READ,
    REPLACE,
    Collection,
    Singleton,
    state_model,
)
from mockserver.contract.roles import is_about_tokens, is_undocumented, looks_like_a_login
from mockserver.http.path_templates import parse_template
from mockserver.http.pointers import split

#: Roles beside those of collections: an action on an item, deleting several, reading and writing what is no object.
ACT, CLEAR, SHOW, STORE = "act", "clear", "show", "store"
_WRITES = (CREATE, REPLACE, MERGE)
#: Below this confidence a member is not taken for the identifier.
_SURE_ENOUGH = 0.46
#: Confidence of what is inferred from shapes alone: a singleton, a list without paths of its items.
_BY_SHAPE = 0.7
#: What the members in common with an item count in a whole response, against one for those in a member of it.
_WHOLE_FIRST = 1.5
#: Tokens in the pointer of a schema that has a name: `/components/schemas/Pet`.
_NAMED = 3
#: Members that an object is taken to have whose schema names none and takes any.
_ASSUMED = frozenset({"id", "uuid", "key", "name", "slug"})
#: Confidence from which a member of items without paths is taken for their identifier.
_SURE_BY_NAME = 0.8
#: Last segments of paths beside a collection that list its items, and of paths below an item that show it.
_LISTING, _SHOWING = ("json", "list", "all"), ("json", "get", "info", "details", "show")


def served(contract: Contract) -> Inference:
    """Return the resources and behaviours by which the stub keeps state; they are worked out once for each contract."""
    if not contract.served:
        contract.served.append(_Reader(contract).inference())
    found: Inference = contract.served[0]
    return found


def served_behaviours(contract: Contract) -> Mapping[str, Behaviour]:
    """Return the behaviours by which the stub keeps state, by `operationId`."""
    return served(contract).behaviours


class _Reader:
    """Reads the behaviours of a contract's operations."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._inferred = infer(contract)
        self._model = state_model(contract)
        self._found: dict[str, Behaviour] = dict(self._inferred.behaviours)
        self._sure = {one.collection: one for one in self._inferred.resources}
        self._in_model = {one.id for collection in self._model.collections for one in collection.operations.values()}
        for single in self._model.singletons:
            self._in_model |= {single.read.id, *(one.id for one in single.writes.values())}
        self._of_items: dict[str, InferredResource] = {}
        #: Operations by what their paths begin with, their last segment, and method.
        self._last_words: dict[str, dict[str, dict[str, Operation]]] = {}
        self._by_path: dict[str, dict[str, Operation]] = {}
        for operation in contract.operations:
            if not is_undocumented(operation) and not is_about_tokens(operation):
                shape = parse_template(operation.path).nameless.rstrip("/")
                self._by_path.setdefault(shape, {}).setdefault(operation.method, operation)
        for path, methods in self._by_path.items():
            start, _, word = path.rpartition("/")
            self._last_words.setdefault(start, {})[word] = methods

    def inference(self) -> Inference:
        resources: list[InferredResource] = []
        for collection in self._model.collections:
            resources.extend(self._collection(collection))
        found = {name for one in resources for name in one.behaviours}
        resources += [one for one in self._inferred.resources if found.isdisjoint(one.behaviours)]
        self._of_items = {parse_template(one.item).nameless.rstrip("/"): one for one in resources if one.identifier}
        for found_one in self._singletons():
            if found_one.parameter:  # another way to the items of a collection
                same = next(number for number, one in enumerate(resources) if one.item == found_one.item)
                more = {**resources[same].behaviours, **found_one.behaviours}
                resources[same] = replace(resources[same], behaviours=more)
            else:
                resources.append(found_one)
        resources += self._lists(resources)
        taken = {name for one in resources for name in one.behaviours}
        resources += [one for one in self._containers(resources) if taken.isdisjoint(one.behaviours)]
        order = {path: number for number, path in enumerate(self._contract.by_path)}
        resources.sort(key=lambda one: order.get(one.collection, order.get(one.item, len(order))))
        resources = [self._with_actions(one) for one in resources]
        behaviours = {name: behaviour for one in resources for name, behaviour in one.behaviours.items()}
        # A path whose items have state is no path of which nothing was understood.
        items = {one.item for one in resources}
        passed = tuple(one for one in self._inferred.passed_over if one[1] not in items)
        return Inference({**self._inferred.behaviours, **behaviours}, tuple(resources), passed)

    # collections

    def _collection(self, one: Collection) -> Iterator[InferredResource]:
        if any(operation.behaviour is not None for operation in one.operations.values()):
            return
        operations = {**self._beside(one), **one.operations}
        told = {role: self._told(operation) for role, operation in operations.items()}
        known = next((behaviour for behaviour in told.values() if behaviour is not None), None)
        kinds = self._kinds(one)
        if known is not None:
            named, sure, resource, parameter = known.identifier, 1.0, known.resource, known.parameter
            why = f"{{{parameter}}} names the member `{named}`"
        else:
            named, sure = self._identify(one, operations, kinds)
            resource, parameter = one.path, one.parameter
            why = (
                f"{{{parameter}}} names the member `{named}`" if named else f"items are found by {{{parameter}}} alone"
            )
        if known is not None and resource in self._sure:
            sure, why = self._sure[resource].sure, self._sure[resource].why
        item = self._item(operations, named)
        behaviours: dict[str, Behaviour] = {}
        for role, operation in operations.items():
            if role == CREATE and operation is operations.get(REPLACE):
                continue  # PUT creates what is not there
            behaviour = told[role] or self._behaviour(operation, role, named, resource, parameter, item)
            if behaviour is not None:
                behaviours[operation.id] = replace(behaviour, item=one.item)
        if not self._is_kept(operations, behaviours, named):
            return
        clear = self._clear(operations.get(LIST))
        if clear is not None and named:
            behaviours[clear.id] = Behaviour(
                "resource", role=CLEAR, resource=resource, identifier=named, parameter=parameter, item=one.item,
                answers=False,
            )  # fmt: skip
        names = tuple(dict.fromkeys(self._names(one, operations, named)))
        behaviours = {name: replace(behaviour, names=names) for name, behaviour in behaviours.items()}
        keys = self._sure[resource].keys if resource in self._sure else ()
        yield InferredResource(resource, one.item, parameter, named, round(sure, 2), why, behaviours, keys)

    def _clear(self, listing: Operation | None) -> Operation | None:
        """Return the DELETE at the path of a list, which deletes its items; None if there is none."""
        if listing is None:
            return None
        found = self._by_path.get(parse_template(listing.path).nameless.rstrip("/"), {}).get("DELETE")
        return found if found is not None and found.behaviour is None and found.id not in self._found else None

    def _told(self, operation: Operation) -> Behaviour | None:
        found = self._inferred.behaviours.get(operation.id)
        return found if found is not None and found.role != "remove" else None

    def _beside(self, one: Collection) -> dict[str, Operation]:
        """Return the operations on a collection at paths below it or below its items, such as `/things/{id}/json`."""
        found: dict[str, Operation] = {}
        above = parse_template(one.item).nameless.rstrip("/").rpartition("/")[0]
        for role, last_words, start in ((LIST, _LISTING, above), (READ, _SHOWING, parse_template(one.item).nameless)):
            for word in last_words if role not in one.operations else ():
                operation = self._by_path.get(f"{start}/{word}", {}).get("GET")
                if operation is not None and operation.behaviour is None:
                    found.setdefault(role, operation)
        return found

    def _kinds(self, one: Collection) -> frozenset[str]:
        for operation in one.operations.values():
            for parameter in operation.parameters:
                if parameter.location == "path" and parameter.name == one.parameter and parameter.schema is not None:
                    return SchemaShape(self._contract, [parameter.schema]).kinds
        return frozenset()

    def _identify(
        self, one: Collection, operations: Mapping[str, Operation], kinds: frozenset[str]
    ) -> tuple[str, float]:
        """Return the member that names an item, and a confidence; "" and that of the shape alone if nothing tells."""
        last = one.path.rstrip("/").rpartition("/")[2]
        for role in (READ, LIST, CREATE, REPLACE, MERGE):
            for place, shape in self._shapes(operations.get(role), role):
                if place.count("/") > 1 and role != LIST:
                    continue
                for find in (identifier, nested_identifier):
                    named, sure = find(one.parameter, shape, kinds, last)
                    if sure >= _SURE_ENOUGH:
                        return named, sure
        member = words(one.parameter)[-1:]
        if (
            member
            and member[0] in _ASSUMED
            and any(True for role in (READ, CREATE) for _ in self._open(operations, role))
        ):
            return member[0], _SURE_ENOUGH  # an object that may have any members has this one
        return "", _BY_SHAPE

    def _open(self, operations: Mapping[str, Operation], role: str) -> Iterator[tuple[str, Shape]]:
        operation = operations.get(role)
        media_type = None if operation is None else json_content(operation)
        shape = None if media_type is None else shape_of(self._contract, media_type)
        if shape is not None:
            yield from open_parts(shape, items=role == LIST)

    def _shapes(self, operation: Operation | None, role: str) -> Iterator[tuple[str, Shape]]:
        media_type = None if operation is None else json_content(operation)
        shape = None if media_type is None else shape_of(self._contract, media_type)
        if shape is not None:
            yield from arrays(shape) if role == LIST else objects(shape)

    def _item(self, operations: Mapping[str, Operation], named: str) -> frozenset[str]:
        """Return the members of an item as responses, else requests, show it."""
        for role in (READ, LIST, CREATE, REPLACE, MERGE):
            for _, shape in self._shapes(operations.get(role), role):
                if not named or has_member(shape, named):
                    return frozenset(shape.names)
        for role in _WRITES:
            taken = request_shape(self._contract, operations[role]) if role in operations else None
            if taken is not None:
                return frozenset(taken.names)
        return frozenset()

    def _behaviour(
        self, operation: Operation, role: str, named: str, resource: str, parameter: str, item: frozenset[str]
    ) -> Behaviour | None:
        """Return the behaviour of an operation in a role, None if its messages do not show what the role needs."""
        place = self._place(operation, role, named, item)
        if place is None and role in {LIST, READ}:
            return None
        if role == CREATE and place is None and not item & self._taken(operation):
            return None  # what it takes has nothing to do with the items
        if role in {REPLACE, MERGE} and place is None and operation.request_body is None:
            return None
        return Behaviour(
            "resource",
            role=role,
            resource=resource,
            value=place or "" if role != LIST else "",
            items=place or "" if role == LIST else "",
            identifier=named,
            parameter=parameter,
            answers=place is not None,
        )

    def _place(self, operation: Operation, role: str, named: str, item: frozenset[str]) -> str | None:
        """Return where a response shows the item, or the items of a list; None if it does not."""
        found = list(self._shapes(operation, role))
        certain = [(place, shape) for place, shape in found if named and has_member(shape, named)]
        if not certain and named in _ASSUMED:
            opened = next(self._open({role: operation}, role), None)
            if opened is not None:
                return opened[0]
        alike = [
            (place, shape)
            for place, shape in found
            if role != DELETE and 2 * len(item & set(shape.names)) >= max(len(shape.names), 1)
        ]
        likely = certain if role == LIST else sorted(certain, key=lambda one: -_likeness(one[0], one[1], item))
        for place, shape in [*likely, *alike]:
            if shape.names:
                return place
        return None

    def _taken(self, operation: Operation) -> frozenset[str]:
        shape = request_shape(self._contract, operation)
        if shape is None:
            return frozenset()
        if shape.item is not None:
            shape = shape.item
        inner = [member.names for name in shape.names if (member := shape.member(name)) is not None]
        return frozenset(shape.names).union(*inner)

    def _is_kept(self, operations: Mapping[str, Operation], behaviours: Mapping[str, Behaviour], named: str) -> bool:
        """Tell whether the behaviours make a resource: something is written, and something shows it."""
        roles = {behaviour.role: behaviour for behaviour in behaviours.values()}
        if READ in operations and READ not in roles and not (named and LIST in roles):
            return False
        if not roles.keys() & {READ, LIST}:
            return False
        if not roles.keys() & {CREATE, REPLACE, MERGE, DELETE}:
            return bool(named) and len(roles) > 1  # list and read show the same items
        return bool(named) or CREATE not in roles

    def _names(self, one: Collection, operations: Mapping[str, Operation], named: str) -> Iterator[str]:
        """Yield the members by which items of a collection are found besides the identifier."""
        last = one.path.rstrip("/").rpartition("/")[2]
        shapes: list[Shape] = []
        for role in (READ, LIST, CREATE):
            shapes += [
                shape for _, shape in self._shapes(operations.get(role), role) if not named or has_member(shape, named)
            ][:1]
        if CREATE in operations and (taken := request_shape(self._contract, operations[CREATE])) is not None:
            shapes.append(taken)
        for shape in shapes:
            yield from (name for name in natural_keys(one.parameter, shape, last) if name != named)

    # singletons

    def _singletons(self) -> Iterator[InferredResource]:
        for one in self._model.singletons:
            found = self._singleton(one)
            if found is not None:
                yield found
        yield from self._whole_values()

    def _singleton(self, one: Singleton) -> InferredResource | None:
        shown = list(self._shapes(one.read, READ))
        first = next(iter(one.writes.values()))
        taken = request_shape(self._contract, first)
        if taken is None or not shown or looks_like_a_login(first):
            return None
        if first.method == "POST" and f"{parse_template(one.path).nameless.rstrip('/')}/{{}}" in self._by_path:
            return None  # a list that its schema does not show as one
        wanted = set(taken.names)
        # The whole is the item where a request has most of its members in it, else a member that has more of them.
        place, inner = shown[0]
        if 2 * len(wanted & set(inner.names)) < len(wanted):
            place, inner = max(shown, key=lambda each: len(wanted & set(each[1].names)))
            if not wanted & set(inner.names):
                return None
        item = frozenset(inner.names)
        views = self._views(one, inner)
        if views is not None:
            return views
        operations = {READ: one.read, **one.writes, **({DELETE: one.reset} if one.reset is not None else {})}
        behaviours = {}
        for role, operation in operations.items():
            behaviour = self._behaviour(operation, role, "", one.path, "", item)
            if behaviour is not None and operation.behaviour is None:
                behaviour = replace(behaviour, item=one.path)
                behaviours[operation.id] = replace(behaviour, value=place) if role == READ else behaviour
        why = "what is written at its path is what a GET there shows"
        return InferredResource(one.path, one.path, "", "", _BY_SHAPE, why, behaviours)

    def _views(self, one: Singleton, shown: Shape) -> InferredResource | None:
        """Return the operations below an item that show and change the item itself, as at `/pods/{name}/status`."""
        above = self._of_items.get(parse_template(one.path).nameless.rstrip("/").rpartition("/")[0])
        read = None if above is None else next((b for b in above.behaviours.values() if b.role == READ), None)
        if above is None or read is None or not above.identifier:
            return None
        item = self._shape_at(self._contract.by_id[_id_of(above, read)], read.value)
        if item is None or not _is_same(item, shown):
            return None
        behaviours = {}
        for role, operation in {READ: one.read, **one.writes}.items():
            place = self._place_of_same(operation, item)
            if place is not None or role != READ:
                role = MERGE if role == REPLACE else role  # a part of the item is written
                behaviours[operation.id] = replace(read, role=role, value=place or "", answers=place is not None)
        return replace(above, behaviours=behaviours)  # of its own alone; the caller adds those of the item

    def _whole_values(self) -> Iterator[InferredResource]:
        """Yield the singletons whose value is a list or a scalar, which PUT replaces and GET shows."""
        for methods in self._by_path.values():
            read, write = methods.get("GET"), methods.get("PUT")
            if read is None or write is None or {read.id, write.id} & (self._in_model | self._found.keys()):
                continue
            if read.behaviour is not None or write.behaviour is not None:
                continue
            one, other = self._response_kinds(read), self._request_kinds(write)
            if one is None or other is None or not one & other or "object" in one | other:
                continue
            behaviours = {
                operation.id: Behaviour(
                    "resource", role=role, resource=operation.path, item=operation.path,
                    answers=self._response_kinds(operation) == one,
                )
                for operation, role in ((read, SHOW), (write, STORE))
            }  # fmt: skip
            why = "what is PUT at its path is what a GET there shows"
            yield InferredResource(read.path, read.path, "", "", _BY_SHAPE, why, behaviours)

    def _response_kinds(self, operation: Operation) -> frozenset[str] | None:
        media_type = json_content(operation)
        if media_type is None or media_type.schema is None:
            return None
        return SchemaShape(self._contract, [media_type.schema]).kinds or None

    def _request_kinds(self, operation: Operation) -> frozenset[str] | None:
        content = operation.request_body.content if operation.request_body is not None else {}
        for media_type in content.values():
            if media_type.schema is not None and "json" in media_type.name:
                return SchemaShape(self._contract, [media_type.schema]).kinds or None
        return None

    # lists whose items have no path

    def _lists(self, resources: list[InferredResource]) -> Iterator[InferredResource]:
        for methods in self._by_path.values():
            listing, create = methods.get("GET"), methods.get("POST")
            if listing is None or create is None or create.request_body is None:
                continue
            if listing.behaviour is not None or create.behaviour is not None or looks_like_a_login(create):
                continue
            if not {listing.id, create.id}.isdisjoint(self._in_model | self._found.keys()):
                continue
            found = self._list_of(listing, create)
            if found is not None:
                home = self._home(resources, listing, found)
                yield (
                    found
                    if home is None
                    else replace(
                        found,
                        behaviours={name: replace(one, home=home.collection) for name, one in found.behaviours.items()},
                        why=f"{found.why} but {home.item}",
                    )
                )

    def _home(
        self, resources: list[InferredResource], listing: Operation, found: InferredResource
    ) -> InferredResource | None:
        """Return the resource at whose paths the items of a list are found, as `/teams/{id}` of `/orgs/{org}/teams`."""
        place = found.behaviours[listing.id].items
        shown = next((shape for pointer, shape in self._shapes(listing, LIST) if pointer == place), None)
        for one in resources:
            roles = {behaviour.role: name for name, behaviour in one.behaviours.items()}
            if CREATE in roles or READ not in roles or one.item.count("{") != 1 or one.identifier != found.identifier:
                continue
            read = self._contract.by_id[roles[READ]]
            item = self._shape_at(read, one.behaviours[roles[READ]].value)
            if item is not None and shown is not None and _is_same(item, shown):
                return one
        return None

    def _list_of(self, listing: Operation, create: Operation) -> InferredResource | None:
        taken = request_shape(self._contract, create)
        taken = taken.item if taken is not None and taken.item is not None else taken
        if taken is None or not taken.names:
            return None
        last = listing.path.rstrip("/").rpartition("/")[2]
        for place, shape in self._shapes(listing, LIST):
            common = set(taken.names) & set(shape.names)
            if not common or 2 * len(common) < len(set(taken.names)):
                continue
            named, sure = identifier("id", shape, frozenset(), last)
            named = named if sure >= _SURE_BY_NAME else ""
            item = frozenset(shape.names)
            behaviours = {
                listing.id: Behaviour("resource", role=LIST, resource=listing.path, items=place, identifier=named),
            }
            behaviour = self._behaviour(create, CREATE, named, listing.path, "", item)
            if behaviour is None:
                return None
            behaviours[create.id] = behaviour
            names = tuple(name for name in natural_keys("id", shape, last) if name != named)
            behaviours = {name: replace(each, names=names) for name, each in behaviours.items()}
            why = "what POST takes is what the list shows; its items have no path"
            return InferredResource(listing.path, "", "", named, _BY_SHAPE, why, behaviours)
        return None

    # containers

    def _containers(self, resources: list[InferredResource]) -> Iterator[InferredResource]:
        """Yield what is only read, and shows the items of a collection below it: `/cart` with `/cart/items`."""
        seen: set[str] = set()
        for one in resources:
            above, _, word = parse_template(one.collection).nameless.rstrip("/").rpartition("/")
            read = self._by_path.get(above, {}).get("GET")
            if read is None or read.id in seen or read.id in self._in_model or read.behaviour is not None:
                continue
            for place, shape in self._shapes(read, READ):
                member = shape.member(word) if word in shape.names else None
                if member is not None and member.item is not None:
                    seen.add(read.id)
                    behaviour = Behaviour("resource", role=READ, resource=read.path, value=place, item=read.path)
                    why = f"`{word}` shows the items of {one.collection}"
                    yield InferredResource(read.path, read.path, "", "", _BY_SHAPE, why, {read.id: behaviour})
                    break

    # actions

    def _with_actions(self, one: InferredResource) -> InferredResource:
        """Return a resource with the actions on its items, `POST /things/{id}/archive`, that respond with the item."""
        reads = [behaviour for behaviour in one.behaviours.values() if behaviour.role == READ]
        if not one.parameter or not reads or not one.identifier:
            return one
        shown = {
            name: self._contract.by_id[name] for name, behaviour in one.behaviours.items() if behaviour.role == READ
        }
        item = self._shape_at(next(iter(shown.values())), reads[0].value)
        found = dict(one.behaviours)
        for operation in self._below(one.item):
            if operation.id in self._found or operation.id in found or operation.behaviour is not None:
                continue
            place = None if item is None else self._place_of_same(operation, item)
            if place is not None or (json_content(operation) is None and operation.method == "POST"):
                found[operation.id] = replace(reads[0], role=ACT, value=place or "", answers=place is not None)
        return replace(one, behaviours=found)

    def _below(self, item: str) -> Iterator[Operation]:
        """Yield the operations with POST or PUT at an item's path and one more, literal segment."""
        start = parse_template(item).nameless.rstrip("/")
        for word, methods in self._last_words.get(start, {}).items():
            if word and "{" not in word:
                yield from (methods[method] for method in ("POST", "PUT") if method in methods and "GET" not in methods)

    def _shape_at(self, operation: Operation, place: str) -> Shape | None:
        return next((shape for pointer, shape in self._shapes(operation, READ) if pointer == place), None)

    def _place_of_same(self, operation: Operation, item: Shape) -> str | None:
        """Return where a response shows an item of a kind, None if it does not."""
        return next((place for place, shape in self._shapes(operation, READ) if _is_same(item, shape)), None)


def _is_same(item: Shape, shown: Shape) -> bool:
    """Tell whether two shapes are of one kind of item: by one schema, else with the same members but for a few."""
    if isinstance(item, SchemaShape) and isinstance(shown, SchemaShape):
        one, other = item.pointers[:1], shown.pointers[:1]
        if one == other or all(len(split(pointer)) <= _NAMED for pointer in (*one, *other)):
            return one == other
    names = set(item.names)
    return 10 * len(names.intersection(shown.names)) >= 8 * max(len(names), len(shown.names))


def _id_of(resource: InferredResource, behaviour: Behaviour) -> str:
    return next(name for name, one in resource.behaviours.items() if one is behaviour)


def _likeness(place: str, shape: Shape, item: frozenset[str]) -> float:
    """Return how many members an object in a response has in common with an item.

    A whole that is about as alike as one of its members comes first: a repository has the template that it was made
    of, which shows all that a list shows, beside a few members of other names.
    """
    return len(item & set(shape.names)) * (1 if place else _WHOLE_FIRST)
