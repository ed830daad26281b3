"""XML encoding and decoding by a schema's `xml` hints (OpenAPI 3.1, section 4.8.26).

Documents with a DTD are refused: nothing that OpenAPI describes needs one, and entities are how small documents become
large ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from mockserver.http import json
from mockserver.http.pointers import child, split

#: Returns the Schema Object at a pointer and its own pointer, after its `$ref`s were followed.
SchemaAt = Callable[[str], tuple[Any, str]]

_NOT_IN_NAMES = re.compile(r"[^\w.-]", re.ASCII)
_NOT_IN_TEXT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,1000}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_LITERALS = {"true": True, "1": True, "false": False, "0": False}
_ROOT = "root"
_PARTS = ("allOf", "oneOf", "anyOf")
_NODES = frozenset({"element", "attribute", "text", "cdata", "none"})


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    children: list[_Element] = field(default_factory=list)
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Schema:
    """Schema as XML needs it: hints, properties, items and types, with those of its `allOf` and the like.

    Attributes:
        properties: pointers by name.
        items: pointer of an array's items, "" for none.
        types: names of the types that it allows, empty for any.
    """

    pointer: str
    xml: Mapping[str, Any]
    properties: Mapping[str, str]
    items: str
    types: frozenset[str]

    def name(self, otherwise: str) -> str:
        """Return the local name of the schema's XML element, `otherwise` if no hint names it."""
        return str(self.xml.get("name") or otherwise)

    @property
    def node(self) -> str:
        """What it is in XML: `element`, `attribute`, `text`, `cdata`, or `none`, whose members are the parent's.

        `nodeType` (OpenAPI 3.2, section 4.26) replaces `attribute` and `wrapped`.
        """
        told = self.xml.get("nodeType")
        if told in _NODES:
            return str(told)
        if self.xml.get("attribute") is True:
            return "attribute"
        is_list = (self.items or "array" in self.types) and self.xml.get("wrapped") is not True
        return "none" if is_list else "element"


_ANY = _Schema("", {}, {}, "", frozenset())


def encode(value: Any, schema_at: SchemaAt, pointer: str) -> bytes:
    """Return the XML text of a value in UTF-8; `pointer` is that of its schema, "" for none."""
    schema = _read(schema_at, pointer)
    parts = ['<?xml version="1.0" encoding="UTF-8"?>']
    name = schema.name(_component(schema.pointer) or _ROOT)
    if isinstance(value, list):  # a document has one root, so a list is wrapped whatever the hint says
        items = _read(schema_at, schema.items)
        parts += _start(name, schema, {})
        parts += [
            part
            for item in value
            for part in _element(items.name(_component(items.pointer) or "item"), item, items, schema_at)
        ]
        parts.append(f"</{_qualified(name, schema)}>")
    else:
        parts += _element(name, value, schema, schema_at)
    return "".join(parts).encode()


def decode(content: bytes, schema_at: SchemaAt, pointer: str, charset: str | None = None) -> Any:
    """Return the value of XML content, in the types of the schema at a pointer ("" for no schema).

    A charset that its media type names wins over the one that the content itself does (RFC 7303, section 3).

    Raises:
        ValueError: not in that charset, not well-formed, with a DTD, or nested beyond `documents.MAX_DEPTH`.
    """
    return _value(_parse(content, charset), _read(schema_at, pointer), schema_at)


def _read(schema_at: SchemaAt, pointer: str) -> _Schema:
    if not pointer:
        return _ANY
    xml: dict[str, Any] = {}
    properties: dict[str, str] = {}
    types: set[str] = set()
    items = real = ""
    pending, seen = [pointer], set[str]()
    while pending:
        raw, place = schema_at(pending.pop(0))
        real = real or place
        if not isinstance(raw, dict) or place in seen:
            continue
        seen.add(place)
        hints = raw.get("xml")
        xml = {**(hints if isinstance(hints, dict) else {}), **xml}
        wanted = raw.get("type", [])
        types |= {wanted} if isinstance(wanted, str) else set(wanted)
        for name in raw.get("properties") or {}:
            properties.setdefault(name, child(place, "properties", name))
        items = items or (child(place, "items") if "items" in raw else "")
        for keyword in _PARTS:
            pending += [child(place, keyword, str(index)) for index in range(len(raw.get(keyword) or ()))]
    return _Schema(real, xml, properties, items, frozenset(types))


def _component(pointer: str) -> str:
    """Return the name of the schema at a pointer in `components/schemas`, "" for any other pointer."""
    tokens = split(pointer) if pointer else ()
    return tokens[2] if len(tokens) == 3 and tuple(tokens[:2]) == ("components", "schemas") else ""


def _element(name: str, value: Any, schema: _Schema, schema_at: SchemaAt) -> Iterator[str]:
    attributes: dict[str, str] = {}
    inner: list[str] = []
    if isinstance(value, Mapping):
        _members(value, schema, schema_at, attributes, inner)
    if isinstance(value, list):
        inner += _list("item", value, schema, schema_at)
    yield from _start(name, schema, attributes)
    yield from inner
    if not isinstance(value, dict | list):
        yield escape(_text(value))
    yield f"</{_qualified(name, schema)}>"


def _members(
    value: Mapping[str, Any], schema: _Schema, schema_at: SchemaAt, attributes: dict[str, str], inner: list[str]
) -> None:
    """Add the attributes and the content of an element for the members of an object."""
    for key, item in value.items():
        below = _read(schema_at, schema.properties.get(key, ""))
        is_plain = not isinstance(item, dict | list)
        if below.node == "attribute" and is_plain:
            attributes[_legal(below.name(key))] = _text(item)
        elif below.node == "text" and is_plain:
            inner.append(escape(_text(item)))
        elif below.node == "cdata" and is_plain:
            inner.append("<![CDATA[" + _text(item).replace("]]>", "]]]]><![CDATA[>") + "]]>")
        elif below.node == "none" and isinstance(item, dict):
            _members(item, below, schema_at, attributes, inner)
        elif isinstance(item, list):
            inner += _list(key, item, below, schema_at)
        else:
            inner += _element(below.name(key), item, below, schema_at)


def _list(key: str, values: list[Any], schema: _Schema, schema_at: SchemaAt) -> Iterator[str]:
    items = _read(schema_at, schema.items)
    wrapped = schema.xml.get("nodeType") == "element" or (schema.xml.get("wrapped") is True and schema.node != "none")
    name = items.name(schema.name(key) if wrapped else key)
    if wrapped:
        yield from _start(schema.name(key), schema, {})
    for value in values:
        yield from _element(name, value, items, schema_at)
    if wrapped:
        yield f"</{_qualified(schema.name(key), schema)}>"


def _start(name: str, schema: _Schema, attributes: Mapping[str, str]) -> Iterator[str]:
    yield f"<{_qualified(name, schema)}"
    if isinstance(schema.xml.get("namespace"), str):
        prefix = schema.xml.get("prefix")
        yield f" xmlns{f':{_legal(str(prefix))}' if prefix else ''}={quoteattr(_clean(schema.xml['namespace']))}"
    for key, text in attributes.items():
        yield f" {key}={quoteattr(text)}"
    yield ">"


def _qualified(name: str, schema: _Schema) -> str:
    """Return an element's name with the schema's namespace prefix, if its hints have a namespace."""
    prefix = schema.xml.get("prefix") if isinstance(schema.xml.get("namespace"), str) else None
    return f"{_legal(str(prefix))}:{_legal(name)}" if prefix else _legal(name)


def _legal(name: str) -> str:
    """Return text as a legal XML name, with underscores for characters that are not allowed."""
    legal = _NOT_IN_NAMES.sub("_", name)
    return legal if legal[:1].isalpha() or legal[:1] == "_" else f"_{legal}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return _clean(value if isinstance(value, str) else json.encode(value).decode())


def _clean(text: str) -> str:
    return _NOT_IN_TEXT.sub("\ufffd", text)


def _parse(content: bytes, charset: str | None) -> _Element:
    top = _Element("", {})
    open_elements = [top]
    # expat itself reads four charsets and asks Python for the table of any other of one byte.
    if charset is not None:
        content = content.decode(charset).encode()
    parser = expat.ParserCreate(charset and "utf-8", namespace_separator=None)

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_elements) > json.MAX_DEPTH:
            raise ValueError(f"nested deeper than {json.MAX_DEPTH} levels")
        kept = {_local(key): text for key, text in attributes.items() if key.partition(":")[0] != "xmlns"}
        element = _Element(_local(name), kept)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_name: str) -> None:
        open_elements.pop()

    def text(data: str) -> None:
        open_elements[-1].text += data

    def refuse(*_arguments: Any) -> None:
        raise ValueError("XML with a DTD is not accepted")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat takes no keywords
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(f"not well-formed XML: {error}") from error
    return top.children[0]


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _value(element: _Element, schema: _Schema, schema_at: SchemaAt) -> Any:
    if schema.properties or "object" in schema.types:
        return _object(element, schema, schema_at)
    if schema.items or "array" in schema.types:
        items = _read(schema_at, schema.items)
        return [_value(one, items, schema_at) for one in element.children]
    if element.children or element.attributes:
        return _object(element, schema, schema_at)
    return _typed(element.text, schema.types)


def _object(element: _Element, schema: _Schema, schema_at: SchemaAt) -> dict[str, Any]:
    found: dict[str, Any] = {}
    known: set[str] = set()
    by_name: dict[str, list[_Element]] = {}
    for one in element.children:
        by_name.setdefault(one.name, []).append(one)
    for key, pointer in schema.properties.items():
        below = _read(schema_at, pointer)
        name = _legal(below.name(key))
        if below.node == "attribute":
            known.add(name)
            if name in element.attributes:
                found[key] = _typed(element.attributes[name], below.types)
            continue
        if below.node in {"text", "cdata"}:
            found[key] = _typed(element.text, below.types)
            continue
        items = _read(schema_at, below.items) if below.items or "array" in below.types else None
        if items is None and below.node == "none":
            own = _Element(
                "", element.attributes, [one for one in element.children if one.name not in known], element.text
            )
            held = _object(own, below, schema_at)
            found[key] = {member: item for member, item in held.items() if member in below.properties}
            known |= {_legal(_read(schema_at, place).name(member)) for member, place in below.properties.items()}
            continue
        wrapped = below.node == "element"
        if items is not None and not wrapped:
            name = _legal(items.name(key))
        known.add(name)
        same = by_name.get(name)
        if not same:
            continue
        if items is None or wrapped:
            found[key] = _value(same[0], below, schema_at)
        else:
            found[key] = [_value(one, items, schema_at) for one in same]
    for name, text in element.attributes.items():
        if name not in known:
            found.setdefault(name, text)
    for name, same in by_name.items():
        if name in known:
            continue
        values = [_value(one, _ANY, schema_at) for one in same]
        found.setdefault(name, values[0] if len(values) == 1 else values)
    return found


def _typed(text: str, types: frozenset[str]) -> Any:
    """Return text converted to one of some JSON types, unchanged if it fits none."""
    stripped = text.strip()
    if "null" in types and not stripped and "string" not in types:
        return None
    if "string" in types or not types:
        return text
    if "boolean" in types and stripped in _LITERALS:
        return _LITERALS[stripped]
    if "integer" in types and _INTEGER.fullmatch(stripped):
        return int(stripped)
    if "number" in types and _NUMBER.fullmatch(stripped):
        number = float(stripped)
        return int(number) if number.is_integer() and _INTEGER.fullmatch(stripped) else number
    return text
