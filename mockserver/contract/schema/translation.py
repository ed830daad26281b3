"""Translation of a document's schemas to JSON Schema 2020-12, each when it is first used."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from mockserver.contract.schema.dialect import LISTED, NAMED, SAME_VALUE, SINGLE, usable_keywords
from mockserver.contract.source.references import Identifiers
from mockserver.errors import ContractError
from mockserver.http.json import excerpt
from mockserver.http.pointers import child, lookup, split

#: Keywords that state nothing about the value.
ANNOTATIONS = frozenset(
    {"title", "description", "default", "deprecated", "example", "examples", "externalDocs", "xml", "$comment"}
    | {"$id", "$schema", "$anchor", "$dynamicAnchor", "$vocabulary", "$defs", "definitions", "discriminator"}
)


class Translation:
    """Translator of a document's schemas to JSON Schema 2020-12; each is translated once, on first use.

    A translated schema has the pointer of its original. Its `$ref`s are all `#/...`, percent-encoded, and lead
    to a schema; a `$ref` with siblings that count has moved to the end of `allOf`. Circles of schemas that the very
    same value would have to meet without end are cut.

    Attributes:
        notes: reasons why keywords were ignored so far, by the pointer of the keyword.
        identifiers: resolver of references.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self._legacy = str(data.get("openapi", "")).startswith("3.0")
        self._done: dict[str, Any] = {}
        #: Pointers of the schemas whose translation is not finished yet.
        self._open: set[str] = set()
        self.notes: dict[str, str] = {}
        self.identifiers = Identifiers(data)

    def at(self, pointer: str) -> Any:
        """Return the translated schema at a pointer: an object or a boolean.

        Raises:
            ContractError: there is nothing at the pointer.
        """
        if pointer not in self._done:
            try:
                raw = lookup(self._data, pointer)
            except (LookupError, ValueError):
                self._done[pointer] = self._moved(pointer)
            else:
                self._open.add(pointer)
                self._build(raw, pointer)
                self._open.discard(pointer)
        return self._done[pointer]

    def follow(self, pointer: str) -> tuple[Any, str]:
        """Return the translated schema at a pointer and its own pointer, after its `$ref`s were followed.

        Raises:
            ContractError: there is nothing at the pointer.
        """
        value = self.at(pointer)
        while isinstance(value, dict) and "$ref" in value:  # ends: circles are cut
            pointer = pointer_of(value["$ref"])
            value = self.at(pointer)
        return value, pointer

    def meant(self, pointer: str) -> str:
        """Return the pointer of a schema after following those that are nothing but a `$ref`.

        Raises:
            ContractError: there is nothing at the pointer.
        """
        value = self.at(pointer)
        while _only_refers(value):  # `$defs` beside it may hold a dynamic anchor
            pointer = pointer_of(value["$ref"])
            value = self.at(pointer)
        return pointer

    def _moved(self, pointer: str) -> Any:
        """Return the schema at a pointer that exists only in the translation, not in the document."""
        tokens = split(pointer)
        for length in range(len(tokens) - 1, 0, -1):
            parent = child("", *tokens[:length])
            try:
                lookup(self._data, parent)
            except (LookupError, ValueError):
                continue
            try:
                return lookup(self.at(parent), child("", *tokens[length:]))
            except (LookupError, ValueError):
                break
        raise ContractError(f"{pointer}: nothing is at this pointer, so the $ref to it is broken")

    def _tell(self, pointer: str, message: str) -> None:
        self.notes.setdefault(pointer, message)

    def _build(self, raw: Any, pointer: str) -> Any:
        if not isinstance(raw, dict):
            if not isinstance(raw, bool):
                self._tell(
                    pointer, f"a schema must be an object or a boolean, not {excerpt(raw)}; any value is accepted"
                )
                raw = True
            self._done[pointer] = raw
            return raw
        known = self._done.get(pointer)
        if known is not None:
            return known
        schema = usable_keywords(raw, pointer, self._tell, legacy=self._legacy)
        if "$ref" in schema or "$dynamicRef" in schema:
            self._references(schema, pointer)
        for keyword in schema.keys() & _HOLDERS:
            held = schema[keyword]
            place = child(pointer, keyword)
            if keyword in SINGLE:
                schema[keyword] = self._build(held, place)
            elif keyword in LISTED:
                schema[keyword] = [self._build(one, child(place, str(index))) for index, one in enumerate(held)]
            else:
                schema[keyword] = {name: self._build(one, child(place, name)) for name, one in held.items()}
        for keyword in ("oneOf", "anyOf", "not"):
            if keyword in schema and self._is_cut(schema[keyword], child(pointer, keyword)):
                del schema[keyword]
        if "allOf" in schema:
            self._join(schema, pointer)
        self._done[pointer] = schema
        return schema

    def _join(self, schema: dict[str, Any], pointer: str) -> None:
        """Replace `additionalProperties: false` in a schema and its `allOf` where together they allow no value.

        `additionalProperties: false` sees only the `properties` beside it. Authors who write it beside
        `allOf`, and require properties from there, mean `unevaluatedProperties: false`.
        """
        branches = [self._behind(branch) for branch in schema["allOf"]]
        if any(_only_refers(branch) for branch in branches):
            return  # to one of which nothing is known yet
        parts = [value for value in (schema, *branches) if isinstance(value, dict)]
        closed = [value for value in parts if _is_closed(value)]
        required = {name for value in parts for name in value.get("required", ())}
        if not closed or all(required <= self._names(value) for value in closed):
            return
        for index, value in enumerate(branches):
            if isinstance(value, dict) and _is_closed(value):
                schema["allOf"][index] = {name: held for name, held in value.items() if name not in _CLOSING}
                self._done[child(pointer, "allOf", str(index))] = schema["allOf"][index]
        schema.pop("additionalProperties", None)
        known: set[str] = set().union(*(self._names(value) for value in parts))
        if required <= known:
            schema["unevaluatedProperties"] = False
        how = "replaced by `unevaluatedProperties: false`" if required <= known else "ignored"
        self._tell(
            child(pointer, "allOf"),
            f"`additionalProperties: false` forbids what `allOf` requires, so no value would be valid; it is {how}",
        )

    def _names(self, schema: dict[str, Any]) -> set[str]:
        """Return the property names that a closed schema allows."""
        names = set(schema.get("properties", {}))
        if "unevaluatedProperties" in schema:  # joined before: it knows the names in its `allOf`, too
            for branch in map(self._behind, schema.get("allOf", ())):
                if isinstance(branch, dict):
                    names |= set(branch.get("properties", {}))
        return names

    def _behind(self, value: Any) -> Any:
        """Return the translated schema that a bare `$ref` leads to, or the `$ref` if that is not translated yet."""
        while _only_refers(value) and pointer_of(value["$ref"]) not in self._open:
            value = self.at(pointer_of(value["$ref"]))
        return value

    def _references(self, schema: dict[str, Any], pointer: str) -> None:
        dynamic = schema.get("$dynamicRef")
        if isinstance(dynamic, str) and "$ref" not in schema:
            place = self.identifiers.resolve(dynamic, pointer)
            if place is None:
                del schema["$dynamicRef"]
                self._tell(
                    child(pointer, "$dynamicRef"), f"$dynamicRef {excerpt(dynamic)} leads nowhere and is ignored"
                )
            return
        reference = schema.pop("$ref")
        place = self.identifiers.resolve(reference, pointer) if isinstance(reference, str) else None
        if place is None:
            self._tell(child(pointer, "$ref"), f"$ref {excerpt(reference)} leads nowhere and is ignored")
        elif self._is_circle(place, pointer):
            self._tell(child(pointer, "$ref"), f"$ref {excerpt(reference)} leads back to itself and is ignored")
        else:
            link = {"$ref": "#" + quote(place)}
            if any(name not in ANNOTATIONS and not name.startswith("x-") for name in schema):
                schema["allOf"] = [*schema.get("allOf", ()), link]
            else:
                schema.update(link)

    def _is_cut(self, held: Any, place: str) -> bool:
        """Tell whether a branch of a keyword was a `$ref` that was removed, so that the keyword must go, too."""
        branches = [child(place, str(index)) for index in range(len(held))] if isinstance(held, list) else [place]
        return any("and is ignored" in self.notes.get(child(one, "$ref"), "") for one in branches)

    def _is_circle(self, target: str, pointer: str) -> bool:
        """Tell whether a `$ref` leads, for the same value, back to the schema that contains it.

        A circle through `oneOf` and the like is cut there, not at the `allOf` that closes it: a parent that lists its
        children, each of which begins with `allOf` of the parent, is common.
        """
        owners, loose = {pointer}, False
        tokens = split(pointer)
        while True:
            depth = next((n for n in (2, 1) if len(tokens) > n and _is_branch(tokens[-n:])), 0)
            if not depth:
                break
            loose = loose or tokens[-depth] != "allOf"
            tokens = tokens[:-depth]
            owners.add(child("", *tokens))
        keywords = SAME_VALUE if loose else {"allOf"}
        seen: set[str] = set()
        pending = [target]
        while pending:
            place = pending.pop()
            if place in owners:
                return True
            if place in seen:
                continue
            seen.add(place)
            try:
                raw = lookup(self._data, place)
            except (LookupError, ValueError):
                continue
            pending.extend(self._same_value(raw, place, keywords))
        return False

    def _same_value(self, raw: Any, place: str, keywords: frozenset[str] | set[str]) -> list[str]:
        if not isinstance(raw, dict):
            return []
        found: list[str] = []
        if isinstance(raw.get("$ref"), str):
            target = self.identifiers.resolve(raw["$ref"], place)
            found.extend([] if target is None else [target])
            if self._legacy:
                return found
        for keyword in raw.keys() & keywords:
            held = raw[keyword]
            if isinstance(held, list):
                found.extend(child(place, keyword, str(index)) for index in range(len(held)))
            elif isinstance(held, dict):
                found.extend(
                    [child(place, keyword, name) for name in held] if keyword in NAMED else [child(place, keyword)]
                )
        return found


def _only_refers(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"$ref"}


_CLOSING = frozenset({"additionalProperties", "unevaluatedProperties"})


def _is_closed(schema: dict[str, Any]) -> bool:
    """Tell whether a schema forbids all properties that it does not name."""
    return any(schema.get(keyword) is False for keyword in _CLOSING) and "patternProperties" not in schema


_HOLDERS = SINGLE | LISTED | NAMED


def _is_branch(tokens: list[str]) -> bool:
    """Tell whether some tokens lead from a schema to one that applies to the same value, such as `allOf/0`."""
    keyword = tokens[0]
    if len(tokens) == 1:
        return keyword in SAME_VALUE & SINGLE
    return (keyword in SAME_VALUE & LISTED and tokens[1].isdecimal()) or keyword == "dependentSchemas"


def pointer_of(reference: str) -> str:
    """Return the JSON pointer in the `$ref` of a translated schema."""
    return unquote(reference[1:])
