"""Result of a write to an item: patches, effects of actions, timestamps, and entity tags."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mockserver.contract.model import Contract, Operation
from mockserver.contract.resources.shapes import SchemaShape, Shape
from mockserver.contract.schema.dialect import type_of
from mockserver.errors import RequestRejected
from mockserver.http import json
from mockserver.http.multipart import FileText

Item = dict[str, Any]

_CREATED = re.compile(
    r"^(created|updated|modified)(_?(at|on|date|time))?$|^(date_?)(created|updated|modified)$", re.IGNORECASE
)
#: Members from which an object is more than a pair of values.
_SEVERAL = 3
#: Members whose value says in what state an item is.
_STATES = frozenset({"status", "state", "phase"})
#: Actions that write what their request says.
_WRITING = frozenset({"rename", "update", "edit", "change", "modify", "set"})
#: Names of path parameters that say of no particular thing that it is meant.
_GENERIC = frozenset({"id", "name", "key", "slug", "uuid", "uid", "type", "kind", "version"})
#: Words for the state after an action, where that is no participle of it.
_OUTCOMES = {
    **dict.fromkeys(("start", "resume", "unpause", "restart"), ("running", "active", "on")),
    **dict.fromkeys(("stop", "kill"), ("exited", "inactive", "off")),
    **dict.fromkeys(("activate", "enable"), ("active", "enabled")),
    **dict.fromkeys(("deactivate", "disable"), ("inactive", "disabled")),
    "publish": ("published", "live"),
    "approve": ("approved", "accepted"),
    "reopen": ("open",),
}


def settable(contract: Contract, operation: Operation, envelope: str = "") -> frozenset[str]:
    """Return the members of an item that an operation's request content can set.

    Args:
        contract: of the operation.
        operation: whose requests are looked at.
        envelope: the member around the item in responses, which requests may have, too.
    """
    names: set[str] = set()
    for shape in _taken(contract, operation, envelope):
        names.update(shape.writable)
    return frozenset(names)


def takes_any(contract: Contract, operation: Operation, envelope: str = "") -> bool:
    """Tell whether an operation's request content can set any member of an item."""
    return any(shape.takes_any for shape in _taken(contract, operation, envelope))


def wrapper(contract: Contract, operation: Operation, item: Shape | None) -> str:
    """Return the one member of requests around the members of an item, as in `{"playlist": {...}}`; "" for none."""
    for shape in _taken(contract, operation, ""):
        inner = shape.member(shape.names[0]) if len(shape.names) == 1 else None
        if inner is not None and item is not None and shape.names[0] not in item.names:
            return shape.names[0] if set(inner.names) & set(item.names) else ""
    return ""


def _taken(contract: Contract, operation: Operation, envelope: str) -> Iterator[SchemaShape]:
    """Yield the shapes of an item in the request content of an operation, by media type."""
    for media_type in operation.request_body.content.values() if operation.request_body is not None else ():
        if media_type.schema is not None:
            shape = SchemaShape(contract, [media_type.schema])
            inner = shape.member(envelope) if envelope else None
            yield shape if inner is None else inner


class MemberPlaces:
    """Where members of an operation's requests stand in items one level down: `Image` in its `Config`."""

    def __init__(self, shape: Shape | None, settable: frozenset[str]) -> None:
        """Prepare for requests with some members, and for items of a shape, None if it is unknown."""
        places: dict[str, list[str]] = {}
        for name in shape.names if shape is not None else ():
            member = shape.member(name) if shape is not None else None
            names = member.names if member is not None else ()
            # Most of a request in one member: it is there what was sent, whatever the item has of the same names.
            is_sent = len(names) >= _SEVERAL and 5 * len(settable.intersection(names)) >= 4 * len(names)
            for below in names:
                if is_sent or (shape is not None and below not in shape.names):
                    places.setdefault(below, []).append(name)
        self._places = {name: places[name][0] for name in settable if len(places.get(name, ())) == 1}

    def placed(self, item: Item, body: Item) -> Item:
        """Return an item with the members of a request where the item has them."""
        moved = [name for name in self._places if name in body]
        if not moved:
            return item
        item = dict(item)
        for name in moved:
            place = self._places[name]
            around = item.get(place)
            item[place] = {**(around if isinstance(around, dict) else {}), name: body[name]}
        return item


class NamesAbove:
    """Members of a new item that say what it is below: `vector_store_id`, or `namespace` beside its name."""

    def __init__(
        self, operation: Operation, shape: Shape | None, around: str, own: Collection[str], *, single: bool = False
    ) -> None:
        """Find them by the parameters of the operation's path.

        Args:
            operation: that creates items, or shows the one value at its path.
            shape: of an item, None if it is unknown.
            around: the member of an item around its identifier, "" for none.
            own: members by which the item itself is found.
            single: whether it is the one value at its path, so that `name` is that of what it belongs to.
        """
        places: list[tuple[str, str, str, frozenset[str]]] = []
        beside = shape.member(around) if shape is not None and around else None
        for parameter in operation.parameters:
            if parameter.location != "path" or (_plain(parameter.name) in _GENERIC and not single):
                continue
            for place, inner in (("", shape), (around, beside)):
                for name in inner.names if inner is not None else ():
                    member = inner.member(name) if inner is not None else None
                    if member is not None and _plain(name) == _plain(parameter.name) and (place or name not in own):
                        places.append((place, name, parameter.name, member.kinds))
        self._places = tuple(places)

    def __bool__(self) -> bool:
        return bool(self._places)

    def shown_in(self, item: Item, body: Item, path: Mapping[str, Any]) -> Item:
        """Return an item that says what it is below, as far as the request does not say it itself."""
        item = dict(item)
        for place, name, parameter, kinds in self._places:
            sent = body.get(place) if place else body
            value = path.get(parameter)
            if (isinstance(sent, dict) and sent.get(name)) or value is None:
                continue
            if kinds and type_of(value) not in kinds:
                continue
            if not place:
                item[name] = value
            elif isinstance(around := item.get(place), dict):
                item[place] = {**around, name: value}
        return item


def with_files(item: Item, body: Item, shape: Shape | None) -> Item:
    """Return an item with the name, size and type of the file that a request uploads, where items have such members."""
    uploads = [one for one in body.values() if isinstance(one, FileText)]
    if len(uploads) != 1 or shape is None:
        return item
    upload = uploads[0]
    told = {
        **dict.fromkeys(("filename", "originalfilename", "originalname"), upload.filename),
        **dict.fromkeys(("size", "bytes", "filesize", "sizebytes", "bytesize"), upload.size),
        **dict.fromkeys(("mimetype", "contenttype", "mediatype"), upload.content_type),
    }
    named = [name for name in shape.names if name not in body and told.get(_plain(name)) not in {None, ""}]
    changed = dict(item)
    for name in named:
        member = shape.member(name)
        if member is not None and (not member.kinds or type_of(told[_plain(name)]) in member.kinds):
            changed[name] = told[_plain(name)]
    return changed


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def stamped(base: Item) -> tuple[str, ...]:
    """Return the members of an item for the time of its creation and of its last change."""
    return tuple(name for name in base if _CREATED.match(name))


def stamp(item: Item, base: Item, now: float, *, fresh: bool, names: Iterable[str] | None = None) -> None:
    """Set an item's members for the time of creation and last change, in the form of the example.

    Args:
        item: what is changed.
        base: the example.
        now: UNIX time in seconds.
        fresh: whether the item is created now.
        names: `stamped(base)`, where it is known.
    """
    for name in stamped(base) if names is None else names:
        example = base[name]
        if not fresh and name.lower().find("creat") >= 0:
            continue
        if isinstance(example, str) and re.match(r"\d{4}-\d\d-\d\dT", example):
            item[name] = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        elif isinstance(example, int) and not isinstance(example, bool) and example > 10**9:
            item[name] = int(now) * (1000 if example > 10**12 else 1)


def entity_tag(item: Item) -> str:
    """Return the entity tag of an item (RFC 9110, section 8.8.3)."""
    return f'"{hashlib.sha256(json.encode(item)).hexdigest()[:16]}"'


def merge_patched(value: Any, patch: Any) -> Any:
    """Return a value with a JSON Merge Patch applied (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for name, item in patch.items():
        if item is None:
            result.pop(name, None)
        else:
            result[name] = merge_patched(result.get(name), item)
    return result


def json_patched(item: Item, patch: Any) -> Item:
    """Return an item with a JSON Patch applied (RFC 6902).

    Raises:
        RequestRejected: it cannot be applied.
    """
    import jsonpatch  # loaded by those who patch alone

    try:
        result = jsonpatch.apply_patch(item, patch)
    except (
        jsonpatch.JsonPatchException,
        jsonpatch.JsonPointerException,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise RequestRejected(422, "Unprocessable Content", f"the patch cannot be applied: {error}"[:300]) from error
    if not isinstance(result, dict):
        raise RequestRejected(422, "Unprocessable Content", "the patched item is not an object")
    return result


class Effect:
    """Change that an action makes to an item, read from the name of the action and the schema of the item.

    `POST /things/{id}/archive` sets `archived`, or `status` to a value such as `archived`, where its response has that.

    Attributes:
        word: the last segment of the path: the name of the action.
    """

    def __init__(self, operation: Operation, shape: Shape | None, *, shows: bool) -> None:
        """Read the effect of an action on items of a shape; `shows` tells whether its response is the item."""
        self.word = operation.path.rstrip("/").rpartition("/")[2].lower()
        self._sets = dict(_changes(self.word, shape)) if isinstance(shape, SchemaShape) else {}
        self._names = frozenset(shape.names if shape is not None and (shows or self.word in _WRITING) else ())

    def on(self, item: Item, body: Item, query: Item) -> Item:
        """Return an item as it is after the action; members of the request that the item has are set."""
        sent = {name: value for name, value in body.items() if name in self._names}
        if self.word in _WRITING:
            given = {name.lower(): value for name, value in query.items()}
            sent |= {name: given[name.lower()] for name in self._names if name.lower() in given}
        changed = {**item, **sent}
        for way, value in self._sets.items():
            inner = changed.get(way[0])
            if len(way) == 1:
                changed[way[0]] = value
            elif isinstance(inner, dict):
                changed[way[0]] = {**inner, way[1]: value}
        return changed


def _changes(word: str, shape: SchemaShape, depth: int = 2) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield way and value of what an action sets: `archived: true`, or a `status` that is named like the action."""
    done = {*_participles(word), *_OUTCOMES.get(word, ())}
    undone = set(_participles(word[2:])) if word.startswith("un") else set()
    for name in shape.names:
        member = shape.member(name)
        if member is None:
            continue
        plain = name.lower().removeprefix("is_").removeprefix("is")
        if "boolean" in member.kinds and plain in done | undone:
            yield (name,), plain in done
        elif name.lower() in _STATES and not member.names:
            for value in (value for schema in member.schemas for value in schema.get("enum") or ()):
                if isinstance(value, str) and value.lower() in done:
                    yield (name,), value
                    break
        elif depth > 1 and name.lower() in _STATES:
            yield from (((name, *way), value) for way, value in _changes(word, member, depth - 1))


def _participles(word: str) -> Iterator[str]:
    """Yield a verb and its usual past participles: close, closed; stop, stopped; cancel, canceled and cancelled."""
    yield from (word, f"{word}ed", f"{word}d", f"{word}{word[-1:]}ed")
    if word.endswith("y"):
        yield f"{word[:-1]}ied"
