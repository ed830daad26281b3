"""Conversion of text to the types that a schema allows, collected from all parts of the schema."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mockserver.contract.model import Contract
from mockserver.errors import ContractError
from mockserver.http.pointers import child
from mockserver.http.styles import Texts

# Numbers as JSON writes them; Python's int() would take `1_0` and Arabic digits as well.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,999})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")
_LITERALS = {"true": True, "false": False}
_TRUTH = frozenset({"boolean", "null"})
#: Other texts that clients send for truth values.
_OTHER_LITERALS = {"True": True, "False": False, "1": True, "0": False}
_PARTS = ("allOf", "oneOf", "anyOf")
_CHOICES = ("oneOf", "anyOf")
_MAX_BRANCHES = 64
_BY_TYPE = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


class ValueShape(NamedTuple):
    """Shape of a schema's values: types, items and properties, collected from all parts of the schema.

    Attributes:
        types: names of types, empty if any is allowed.
        items: pointer of an array's items, or None.
        properties: pointers of an object's properties by name.
        default: the value of an absent parameter, or None.
        pointer: JSON pointer of the schema, None for no schema.
        required: names that an object must have by all branches of the schema.
        kinds: which of `array` and `object` its values may be.
    """

    types: frozenset[str]
    items: str | None
    properties: Mapping[str, str]
    default: Any
    pointer: str | None
    required: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    @property
    def is_array(self) -> bool:
        """Whether values of the schema may be arrays."""
        return "array" in self.kinds

    @property
    def is_object(self) -> bool:
        """Whether values of the schema may be objects."""
        return "object" in self.kinds

    @property
    def is_read(self) -> bool:
        """Whether there is more to read than null."""
        return self.types != {"null"}


ANY = ValueShape(frozenset(), None, {}, None, None)


class ValueShapes:
    """Shapes (types, items, properties) of a contract's schemas, each computed on first use."""

    def __init__(self, contract: Contract, *, lenient: bool = False) -> None:
        """Prepare to read texts by the schemas of a contract; `lenient` takes other texts for truth values, too."""
        self._contract = contract
        self._others = _OTHER_LITERALS if lenient else {}
        self._known: dict[str | None, ValueShape] = {None: ANY}
        self._judges: dict[str, Callable[[Any], bool]] = {}

    def at(self, pointer: str | None) -> ValueShape:
        """Return the shape of the values of the schema at a pointer; a broken schema allows any type."""
        try:
            return self._known[pointer]
        except KeyError:
            assert pointer is not None
            found = self._known[pointer] = _shape(self._contract, pointer)
            return found

    def judge(self, pointer: str) -> Callable[[Any], bool]:
        """Return the function that tells whether a value in a request is valid by the schema at a pointer."""
        try:
            return self._judges[pointer]
        except KeyError:
            is_valid: Callable[[Any], bool] = self._contract.validator(pointer, "request").is_valid
            return self._judges.setdefault(pointer, is_valid)

    def typed(self, text: str, wanted: ValueShape) -> Any:
        """Return text converted to a type that its schema allows: the first valid conversion, else the first one."""
        candidates = list(_readings(text, wanted.types, self._others))
        if len(candidates) == 1 or wanted.pointer is None:
            return candidates[0]
        is_valid = self.judge(wanted.pointer)
        return next((value for value in candidates if is_valid(value)), candidates[0])

    def read(self, texts: Texts, wanted: ValueShape) -> Any:
        """Return the texts of a parameter converted to the types that its schema allows."""
        if isinstance(texts, str):
            return self.typed(texts, wanted)
        if isinstance(texts, list):
            return self._array(texts, wanted)
        if all(isinstance(inner, str) for inner in texts.values()):
            return {name: self.typed(text, self._member(wanted, name)) for name, text in texts.items()}
        return self._deep(texts, wanted)

    def first_valid(self, readings: Sequence[Texts], wanted: ValueShape) -> Any:
        """Return the first of several readings of a parameter's text that is valid by its schema, else the first."""
        values = [self.read(texts, wanted) for texts in readings]
        if len(values) == 1 or wanted.pointer is None:
            return values[0]
        is_valid = self.judge(wanted.pointer)
        return next((value for value in values if is_valid(value)), values[0])

    def alternatives(self, wanted: ValueShape) -> tuple[ValueShape, ...]:
        """Return the shapes of the branches of `oneOf` and `anyOf` where text is read in more than one way.

        Scalars come first, then arrays, then objects; a schema whose text is read in one way is its own only one.
        """
        if wanted.pointer is None or not wanted.kinds:
            return (wanted,)
        found = {(one.kinds, one.items): one for one in map(self.at, self._branches(wanted.pointer)) if one.is_read}
        if len(found) < 2:
            return (wanted,)
        return tuple(sorted(found.values(), key=lambda one: (one.is_object, one.is_array)))

    def _branches(self, pointer: str) -> list[str]:
        """Return the pointers of the innermost branches of a schema's `oneOf` and `anyOf`, nested ones included."""
        found: list[str] = []
        pending, seen = [pointer], set[str]()
        while pending and len(seen) < _MAX_BRANCHES:
            asked = pending.pop(0)
            try:
                raw, place = self._contract.schema(asked)
            except ContractError:
                continue
            if place in seen or not isinstance(raw, dict):
                continue
            seen.add(place)
            below = [child(place, part, str(index)) for part in _CHOICES for index in range(len(raw.get(part) or ()))]
            pending += below
            if not below:
                found.append(asked)
        return found

    def _deep(self, texts: Mapping[str, Any], wanted: ValueShape) -> Any:
        """Return the members of a `deepObject` parameter; `a[]=1&a[]=2` gives an array of two items."""
        values: dict[str, Any] = {}
        for name, inner in texts.items():
            shape = self.at(wanted.items) if wanted.is_array else self._member(wanted, name)
            if isinstance(inner, dict) or (shape.is_array and not wanted.is_array):
                values[name] = self.read(inner, shape)
            else:
                found = {str(place): text for place, text in enumerate(inner)} if name == "" else {name: inner[-1]}
                values |= {key: self.typed(text, shape) for key, text in found.items()}
        return list(values.values()) if wanted.is_array else values

    def _member(self, wanted: ValueShape, name: str) -> ValueShape:
        return self.at(wanted.properties.get(name))

    def _array(self, texts: Sequence[str], wanted: ValueShape) -> list[Any]:
        items = self.at(wanted.items)
        blanks = not items.types or "string" in items.types
        values = [self.typed(text if blanks else text.strip(), items) for text in texts]
        if list(texts) == [""] and wanted.pointer is not None:
            # Nothing at all is an empty array, or one empty text; whichever the schema allows.
            return values if self.judge(wanted.pointer)(values) else []
        return values


def _shape(contract: Contract, pointer: str) -> ValueShape:
    types: set[str] = set()
    properties: dict[str, str] = {}
    items: str | None = None
    default = None
    required: set[str] = set()
    always = {pointer}
    pending, seen = [pointer], set[str]()
    while pending:
        asked = pending.pop(0)
        try:
            raw, place = contract.schema(asked)
        except ContractError:
            continue
        if not isinstance(raw, dict) or place in seen:
            continue
        seen.add(place)
        types.update(_types(raw))
        properties = {name: child(place, "properties", name) for name in raw.get("properties") or {}} | properties
        if items is None and "items" in raw:
            items = child(place, "items")
        default = raw.get("default") if default is None else default
        if asked in always:
            required.update(raw.get("required") or ())
            always.update(child(place, "allOf", str(index)) for index in range(len(raw.get("allOf") or ())))
        pending += [child(place, part, str(index)) for part in _PARTS for index in range(len(raw.get(part) or ()))]
    kinds = {"array", "object"} & types
    if not types:
        kinds = ({"array"} if items is not None else set()) | ({"object"} if properties else set())
    return ValueShape(frozenset(types), items, properties, default, pointer, frozenset(required), frozenset(kinds))


def _types(raw: Mapping[str, Any]) -> set[str]:
    named = raw.get("type")
    if isinstance(named, str):
        return {named}
    if isinstance(named, list):
        return set(named)
    values = raw["enum"] if isinstance(raw.get("enum"), list) else [raw["const"]] if "const" in raw else []
    return {_BY_TYPE[type(value)] for value in values if type(value) in _BY_TYPE}


def _readings(text: str, types: frozenset[str], others: Mapping[str, bool]) -> Iterator[Any]:
    if types & {"integer", "number"}:
        if _INTEGER.fullmatch(text):
            yield int(text)
        else:
            number = float(text) if _NUMBER.fullmatch(text) else math.nan
            if math.isfinite(number) and ("number" in types or number.is_integer()):
                yield number
    if "boolean" in types and text in _LITERALS:
        yield _LITERALS[text]
    elif text in others and "boolean" in types and types <= _TRUTH:
        yield others[text]
    if "null" in types and text in {"", "null"}:
        yield None
    yield text
    if text in {"True", "False"} and text in others:
        yield text.lower()  # for an enumeration of the texts `true` and `false`
