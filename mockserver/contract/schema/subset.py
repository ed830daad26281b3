"""The part of a document's schemas that one schema refers to, so that only these are compiled."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from mockserver.contract.schema.dialect import LISTED, NAMED, SINGLE
from mockserver.contract.schema.translation import ANNOTATIONS, Translation, pointer_of
from mockserver.http.pointers import child

#: In a name of `$defs`, separates the pointer of the schema from the number of its copy.
SEPARATOR = "\x1f"

_PROPERTIES = frozenset({"properties", "patternProperties"})
_DIRECTIONS = frozenset({"readOnly", "writeOnly"})
#: What a schema's `$dynamicRef`s mean, by the name of the anchor: the outermost schema that has it.
_Scope = tuple[tuple[str, str], ...]


class SchemaSubset:
    """Collector of the schemas that are reachable from a schema, each in `$defs` under its pointer.

    `readOnly` and `writeOnly` count only at properties (OpenAPI 3.1, section 4.8.24.3): marks behind a `$ref` are
    brought to the property, and those elsewhere are left out. A property that must not be there is not required.
    """

    def __init__(self, translation: Translation, mark: str) -> None:
        """Start an empty collection; `mark` is `readOnly` or `writeOnly`, as forbidden in this direction."""
        self._translation = translation
        self._mark = mark
        self._found: dict[str, Any] = {}
        self._scopes: dict[_Scope, int] = {(): 0}
        self._pending: list[tuple[str, str, _Scope]] = []

    def add(self, pointer: str, scope: _Scope = ()) -> str:
        """Return a `$ref` to the schema at a pointer, and add that schema to the subset."""
        own = self._translation.at(pointer)
        if isinstance(own, dict):
            scope = self._entered(own, pointer, scope)
        number = self._scopes.setdefault(scope, len(self._scopes))
        name = f"{pointer}{SEPARATOR}{number}" if number else pointer
        if name not in self._found:
            self._found[name] = True
            self._pending.append((name, pointer, scope))
        return "#" + quote(child("/$defs", name))

    def definitions(self) -> dict[str, Any]:
        """Return `$defs` with all schemas that were added and those that they refer to."""
        while self._pending:
            name, pointer, scope = self._pending.pop()
            self._found[name] = self._copy(self._translation.at(pointer), pointer, scope, frozenset())
        return self._found

    def _entered(self, schema: dict[str, Any], pointer: str, scope: _Scope) -> _Scope:
        anchors = dict(_dynamic_anchors(schema, pointer))
        return tuple(sorted((anchors | dict(scope)).items())) if anchors else scope

    def _copy(self, schema: Any, pointer: str, scope: _Scope, absent: frozenset[str]) -> Any:
        """Return a schema without annotations; the names in `absent` are removed from `required`."""
        if not isinstance(schema, dict):
            return schema
        absent |= self._absent(schema)
        copied: dict[str, Any] = {}
        for keyword, held in schema.items():
            if keyword in ANNOTATIONS or keyword in _DIRECTIONS or keyword.startswith("x-"):
                continue
            place = child(pointer, keyword)
            if keyword == "$ref":
                copied[keyword] = self.add(pointer_of(held), scope)
            elif keyword == "$dynamicRef":
                copied["$ref"] = self._dynamic(held, pointer, scope)
            elif keyword == "required":
                copied[keyword] = [name for name in held if name not in absent]
            elif keyword in _PROPERTIES:
                copied[keyword] = {name: self._property(one, child(place, name), scope) for name, one in held.items()}
            elif keyword in NAMED:
                copied[keyword] = {
                    name: self._copy(one, child(place, name), scope, absent) for name, one in held.items()
                }
            elif keyword in LISTED:
                copied[keyword] = [
                    self._copy(one, child(place, str(index)), scope, absent) for index, one in enumerate(held)
                ]
            elif keyword in SINGLE:
                is_property = keyword in {"additionalProperties", "unevaluatedProperties"}
                copied[keyword] = (
                    self._property(held, place, scope) if is_property else self._copy(held, place, scope, frozenset())
                )
            else:
                copied[keyword] = held
        self._discriminate(schema, pointer, copied, scope)
        return copied

    def _property(self, schema: Any, pointer: str, scope: _Scope) -> Any:
        copied = self._copy(schema, pointer, scope, frozenset())
        if isinstance(copied, dict) and self._is_marked(schema):
            copied[self._mark] = True
        return copied

    def _is_marked(self, schema: Any) -> bool:
        return any(part.get(self._mark) is True for part in self._parts(schema))

    def _absent(self, schema: dict[str, Any]) -> frozenset[str]:
        return frozenset(
            name
            for part in self._parts(schema)
            for name, one in part.get("properties", {}).items()
            if self._is_marked(one)
        )

    def _parts(self, schema: Any) -> list[dict[str, Any]]:
        """Return a schema and all schemas that apply to the same value, through `$ref` and `allOf`."""
        found: list[dict[str, Any]] = []
        pending = [schema]
        while pending:
            one = pending.pop()
            if isinstance(one, dict) and not any(one is known for known in found):
                found.append(one)
                pending.extend(one.get("allOf", ()))
                if "$ref" in one:
                    pending.append(self._translation.at(pointer_of(one["$ref"])))
        return found

    def _dynamic(self, reference: str, pointer: str, scope: _Scope) -> str:
        outermost = dict(scope).get(reference.rpartition("#")[2])
        place = outermost or self._translation.identifiers.resolve(reference, pointer)
        assert place is not None  # a broken one was left out by the translation
        return self.add(place, scope)

    def _discriminate(self, schema: dict[str, Any], pointer: str, copied: dict[str, Any], scope: _Scope) -> None:
        """Add rules to a copied schema that select a branch by its discriminator (OpenAPI 3.1, 4.8.25)."""
        discriminator = schema.get("discriminator")
        if not isinstance(discriminator, dict) or not ("oneOf" in schema or "anyOf" in schema):
            return
        name, mapping = discriminator.get("propertyName"), discriminator.get("mapping")
        if not isinstance(name, str) or not isinstance(mapping, dict) or not mapping:
            return
        known = {value: place for value, one in mapping.items() if (place := self._mapped(one, pointer)) is not None}
        if len(known) < len(mapping):
            return  # a mapping that is broken refuses nothing
        branches = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
        implicit = [pointer_of(one["$ref"]) for one in branches if isinstance(one, dict) and "$ref" in one]
        mapped = set(known.values())
        known.update({place.rpartition("/")[2]: place for place in implicit if place not in mapped})
        if set(known.values()) - set(implicit):
            return  # a mapping names a schema that is no branch: no sound rule
        rules = [
            {
                "if": {"type": "object", "required": [name], "properties": {name: {"const": value}}},
                "then": {"$ref": self.add(place, scope)},
            }
            for value, place in known.items()
        ]
        default = self._mapped(discriminator.get("defaultMapping"), pointer)
        if default in implicit:
            # Values that nothing is mapped to, and objects without one, are of this schema (OpenAPI 3.2, section 4.25).
            known_value = {"type": "object", "required": [name], "properties": {name: {"enum": list(known)}}}
            rule = {
                "if": {"anyOf": [known_value, {"not": {"type": "object"}}]},
                "else": {"$ref": self.add(default, scope)},
            }
            copied["allOf"] = [*copied.get("allOf", ()), rule, *rules]
            return
        allowed = {"properties": {name: {"enum": [*known, None]}}}
        copied["allOf"] = [*copied.get("allOf", ()), allowed, *rules]
        if "oneOf" in copied and self._mark == "readOnly":
            # The discriminator selects the branch, even if the value would be valid against another one as well.
            # Responses of the stub are validated as written all the same, because other tools judge them so.
            named = {"type": "object", "required": [name], "properties": {name: {"enum": list(known)}}}
            copied["allOf"].append({"if": named, "else": {"oneOf": copied.pop("oneOf")}})

    def _mapped(self, value: Any, pointer: str) -> str | None:
        if not isinstance(value, str):
            return None
        found = self._translation.identifiers.resolve(f"#/components/schemas/{value}", "")
        return found or self._translation.identifiers.resolve(value, pointer)


def _dynamic_anchors(schema: dict[str, Any], pointer: str) -> list[tuple[str, str]]:
    """Return name and pointer of the `$dynamicAnchor`s in a schema and in its `$defs`."""
    places = [(pointer, schema)]
    for keyword in ("$defs", "definitions"):
        places.extend((child(pointer, keyword, name), one) for name, one in schema.get(keyword, {}).items())
    return [
        (one["$dynamicAnchor"], place)
        for place, one in places
        if isinstance(one, dict) and isinstance(one.get("$dynamicAnchor"), str)
    ]
