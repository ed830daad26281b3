"""Schema Objects flattened to one table of keywords: `$ref` followed, `allOf` merged, branches of `oneOf` chosen.

A value that meets the flat table usually meets the schema; whether it does is for the validator to say, so what cannot
be merged (two patterns) is left at the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mockserver.contract.model import Contract
from mockserver.contract.schema.dialect import usable_keywords
from mockserver.contract.source.references import target
from mockserver.errors import ContractError
from mockserver.http.pointers import lookup

Flat = dict[str, Any]
#: Takes the schemas of some branches, returns the chosen one.
Choose = Callable[[Sequence[Any]], Any]

_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"})
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"})
_MARKS = ("readOnly", "writeOnly", "uniqueItems")
#: In a flat table: the names that all of the merged schemas allow which take no others.
ALLOWED = "x-allowed"
#: References that one value may pass through; more is a circle.
_MAX_REFERENCES = 64


class Impossible(Exception):  # noqa: N818 - no error: the way out of a branch that has no value
    """Error: with the chosen branches of `oneOf` and `anyOf` a schema has no value."""


class Flattener:
    """Flattener of one contract's schemas; a function that is passed in chooses branches of `oneOf` and `anyOf`."""

    def __init__(self, contract: Contract) -> None:
        self._data = contract.document.data
        self._legacy = str(self._data.get("openapi", "")).startswith("3.0")
        # By identity: the document lives as long as the contract does.
        self._translated: dict[int, tuple[Any, Flat]] = {}

    def flat(self, schema: Any, choose: Choose) -> tuple[Flat, tuple[str, ...]]:
        """Return the flat table of keywords of a schema, and the references that were followed.

        Raises:
            Impossible: no value meets it, as far as can be seen.
        """
        merged: Flat = {}
        references: list[str] = []
        self._merge_in(merged, schema, choose, references)
        required = merged.get("required") or ()
        if ALLOWED in merged and not merged[ALLOWED].issuperset(required):
            # Closed each by itself they leave no value: they are closed together, or not at all
            # (contract/schema/translation.py).
            known = set(merged.get("properties") or ())
            if known.issuperset(required):
                merged[ALLOWED] = known
            else:
                del merged[ALLOWED]
                merged["additionalProperties"] = True
        return merged, tuple(references)

    def at(self, pointer: str) -> Any:
        """Return the Schema Object at a JSON pointer of the contract, unchanged."""
        return lookup(self._data, pointer)

    def keywords(self, schema: Any) -> Flat:
        """Return the keywords of one Schema Object in terms of JSON Schema 2020-12.

        Raises:
            Impossible: it is `false`.
        """
        if schema is False:
            raise Impossible("the schema is false")
        if not isinstance(schema, dict):
            return {}
        known = self._translated.get(id(schema))
        if known is None:
            translated = usable_keywords(schema, "", lambda *_told: None, legacy=self._legacy)
            known = self._translated[id(schema)] = (schema, translated)
        return known[1]

    def behind(self, schema: Any) -> tuple[Any, str]:
        """Return the schema that a reference leads to, and its pointer; any other schema itself, and ""."""
        if not (isinstance(schema, dict) and "$ref" in schema):
            return schema, ""
        try:
            pointer = target(schema["$ref"])
            return lookup(self._data, pointer), pointer
        except (ContractError, LookupError, ValueError):
            return {}, ""

    def _merge_in(self, merged: Flat, schema: Any, choose: Choose, references: list[str]) -> None:
        keywords = self.keywords(schema)
        if "$ref" in keywords:
            behind, pointer = self.behind(keywords)
            if pointer and pointer in references:
                return  # `allOf` in a circle says nothing new
            if len(references) > _MAX_REFERENCES:
                raise Impossible("too many references")
            if pointer:
                references.append(pointer)
            self._merge_in(merged, behind, choose, references)
        if keywords.get("additionalProperties") is False and "patternProperties" not in keywords:
            closed = set(keywords.get("properties") or ())
            merged[ALLOWED] = merged[ALLOWED] & closed if ALLOWED in merged else closed
        branches = []
        for keyword, value in keywords.items():
            if keyword == "allOf":
                for part in value:
                    self._merge_in(merged, part, choose, references)
            elif keyword in {"oneOf", "anyOf"}:
                branches.append(value)
            elif keyword != "$ref":
                _merge_keyword(merged, keyword, value)
        for group in branches:
            branch = choose(group)
            start = len(references)
            self._merge_in(merged, branch, choose, references)
            _discriminate(merged, keywords, references[start : start + 1])


def _discriminate(merged: Flat, keywords: Flat, references: Sequence[str]) -> None:
    """Set the discriminator property to the value of the chosen branch (OpenAPI 3.1, section 4.8.25)."""
    discriminator = keywords.get("discriminator")
    if not isinstance(discriminator, dict) or not references:
        return
    force_discriminator(merged, discriminator, references[0])


def force_discriminator(merged: Flat, discriminator: Mapping[str, Any], reference: str) -> None:
    """Make a flat schema's discriminator property require the value that names a referenced schema."""
    name = discriminator.get("propertyName")
    if not isinstance(name, str):
        return
    mapping = discriminator.get("mapping")
    last = reference.rsplit("/", 1)[-1]
    values = [
        value
        for value, meant in (mapping.items() if isinstance(mapping, dict) else ())
        if isinstance(meant, str) and meant in {f"#{reference}", last}
    ]
    if not values and discriminator.get("defaultMapping") in {f"#{reference}", last}:
        return  # what no value is mapped to
    value = values[0] if values else last
    properties = dict(merged.get("properties") or {})
    properties[name] = {"allOf": [properties[name], {"x-wanted": value}]} if name in properties else {"const": value}
    merged["properties"] = properties


def _merge_keyword(merged: Flat, keyword: str, value: Any) -> None:
    if keyword not in merged:
        merged[keyword] = value
        return
    known = merged[keyword]
    if keyword == "type":
        merged[keyword] = _types_of_both(known, value)
    elif keyword == "properties":
        both = {name: {"allOf": [known[name], value[name]]} for name in known.keys() & value.keys()}
        merged[keyword] = {**known, **value, **both}
    elif keyword in {"patternProperties", "dependentRequired", "dependentSchemas"}:
        merged[keyword] = {**value, **known}
    elif keyword == "required":
        merged[keyword] = list(dict.fromkeys([*known, *value]))
    elif keyword == "enum":
        merged[keyword] = [item for item in known if item in value]
        if not merged[keyword]:
            raise Impossible("two enums have nothing in common")
    elif keyword in _LOWER:
        merged[keyword] = max(known, value)
    elif keyword in _UPPER:
        merged[keyword] = min(known, value)
    elif keyword in {"items", "additionalProperties"}:
        merged[keyword] = False if False in (known, value) else {"allOf": [known, value]}
    elif keyword in _MARKS:
        merged[keyword] = known is True or value is True


def _types_of_both(known: Any, value: Any) -> list[str]:
    first = known if isinstance(known, list) else [known]
    second = value if isinstance(value, list) else [value]
    both = [name for name in first if name in second or (name == "integer" and "number" in second)]
    both += [name for name in second if name == "integer" and "number" in first and name not in both]
    if not both:
        raise Impossible("two types have nothing in common")
    return both
