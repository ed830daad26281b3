"""Walk over every OpenAPI object of a document, with its kind and pointer.

The walk reads the tree as it is written: a `$ref` is an element of the kind that its place demands, and is
not followed, so cycles end here and shared parts come once, under `components`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from mockserver.contract.reading.document import METHODS
from mockserver.contract.reading.extensions import ERRORS
from mockserver.contract.schema.direction import Direction
from mockserver.http.pointers import child

#: How a keyword holds elements: as its value, in a list, or in an object under free names.
Arity = Literal["one", "list", "map"]


@dataclass(frozen=True, slots=True)
class Element:
    """One OpenAPI object of a document: kind, pointer, members, and whether it is part of a request or a response.

    Attributes:
        kind: its kind, in the words of OpenAPI 3.1: `operation`, `media type`, `schema` ...
        pointer: its JSON pointer.
        value: its members; must not be changed.
        direction: whether it is part of a request or of a response, or None where it may be either.
        turned: whether it is inside a callback or webhook, where client and server change roles.
    """

    kind: str
    pointer: str
    value: dict[str, Any]
    direction: Direction | None = None
    turned: bool = False

    @property
    def is_reference(self) -> bool:
        """Whether the element is a Reference Object, which only points to another element."""
        return "$ref" in self.value


_SCHEMA: dict[str, tuple[Arity, str]] = {
    **dict.fromkeys(("properties", "patternProperties", "dependentSchemas"), ("map", "schema")),
    **dict.fromkeys(("$defs", "definitions"), ("map", "schema")),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), ("list", "schema")),
    **dict.fromkeys(
        (
            *("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else"),
            *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
        ),
        ("one", "schema"),
    ),
}
_PARAMETER: dict[str, tuple[Arity, str]] = {
    "schema": ("one", "schema"),
    "examples": ("map", "example"),
    "content": ("map", "media type"),
}
#: Kind of element -> keyword -> how it holds elements, and of which kind (OpenAPI 3.1, section 4.8).
CHILDREN: dict[str, dict[str, tuple[Arity, str]]] = {
    "document": {
        "info": ("one", "info"),
        "servers": ("list", "server"),
        "paths": ("map", "path item"),
        "webhooks": ("map", "webhook"),
        "components": ("one", "components"),
        "tags": ("list", "tag"),
        ERRORS: ("map", "response"),
    },
    "components": {
        "schemas": ("map", "schema"),
        "responses": ("map", "response"),
        "parameters": ("map", "parameter"),
        "examples": ("map", "example"),
        "requestBodies": ("map", "request body"),
        "headers": ("map", "header"),
        "securitySchemes": ("map", "security scheme"),
        "links": ("map", "link"),
        "callbacks": ("map", "callback"),
        "pathItems": ("map", "path item"),
    },
    "path item": {
        **dict.fromkeys(METHODS, ("one", "operation")),
        "parameters": ("list", "parameter"),
        "servers": ("list", "server"),
    },
    "operation": {
        "parameters": ("list", "parameter"),
        "requestBody": ("one", "request body"),
        "responses": ("map", "response"),
        "callbacks": ("map", "callback"),
        "servers": ("list", "server"),
    },
    "parameter": _PARAMETER,
    "header": _PARAMETER,
    "request body": {"content": ("map", "media type")},
    "response": {"headers": ("map", "header"), "content": ("map", "media type"), "links": ("map", "link")},
    "media type": {
        "schema": ("one", "schema"),
        "examples": ("map", "example"),
        "encoding": ("map", "encoding"),
    },
    "encoding": {"headers": ("map", "header")},
    "schema": _SCHEMA,
}
#: Kinds that settle the direction of all below them, except where client and server have changed roles.
_DIRECTIONS: dict[str, Direction] = {
    "parameter": "request",
    "request body": "request",
    "response": "response",
    "header": "response",
}


def walk(data: dict[str, Any]) -> Iterator[Element]:
    """Yield every element of a document, the document itself first; parts of the wrong type are skipped."""
    seen: set[int] = set()
    stack = [Element("document", "", data)]
    while stack:
        element = stack.pop()
        # What YAML anchors put in many places is one element: chains of anchors multiply without bound.
        if id(element.value) in seen:
            continue
        seen.add(id(element.value))
        yield element
        below = [_below(element, kind, pointer, value) for kind, pointer, value in _children(element)]
        stack.extend(reversed(below))


def _below(parent: Element, kind: str, pointer: str, value: dict[str, Any]) -> Element:
    turned = parent.turned or kind in {"callback", "webhook"}
    direction = None if turned else parent.direction or _DIRECTIONS.get(kind)
    # A webhook is a path item that the server calls; only the roles are different.
    return Element("path item" if kind == "webhook" else kind, pointer, value, direction, turned)


def _children(element: Element) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield kind, pointer and members of each OpenAPI object directly inside an element."""
    if element.kind == "callback":
        for name, value in element.value.items():
            if isinstance(value, dict) and not name.startswith("x-"):
                yield "path item", child(element.pointer, name), value
        return
    for keyword, (shape, kind) in CHILDREN.get(element.kind, {}).items():
        held = element.value.get(keyword)
        pointer = child(element.pointer, keyword)
        if shape == "one" and isinstance(held, dict):
            yield kind, pointer, held
        elif shape == "map" and isinstance(held, dict):
            yield from ((kind, child(pointer, name), value) for name, value in _named(kind, held))
        elif shape == "list" and isinstance(held, list):
            numbered = ((child(pointer, str(index)), value) for index, value in enumerate(held))
            yield from ((kind, place, value) for place, value in numbered if isinstance(value, dict))


def _named(kind: str, held: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the named elements of an object; among paths and responses, names with `x-` are extensions and left out."""
    for name, value in held.items():
        if isinstance(value, dict) and not (kind in {"path item", "response"} and name.startswith("x-")):
            yield name, value
