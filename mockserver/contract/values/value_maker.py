"""One value of a schema, made by recursive descent and validated by the caller (texts and numbers: scalars.py)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from mockserver.contract.schema.dialect import MEANT
from mockserver.contract.schema.direction import Direction
from mockserver.contract.schema.validator import conforms
from mockserver.contract.source.references import target
from mockserver.contract.values import scalars
from mockserver.contract.values.flat_schema import ALLOWED, Flat, Flattener, Impossible, force_discriminator
from mockserver.contract.values.texts import text_matching

#: Members and items that a value may have in all before only what is required is made.
_ENOUGH = 400
#: Beyond this the way is given up.
_TOO_MANY = 20_000
#: Optional objects and arrays deeper than this are left out.
_DEEP = 4
_TOO_DEEP = 60
_FORBIDDEN: Mapping[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
_KINDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("object", frozenset({"properties", "required", "additionalProperties", "patternProperties", "minProperties"})),
    ("array", frozenset({"items", "prefixItems", "minItems", "uniqueItems", "contains"})),
    ("string", frozenset({"pattern", "minLength", "maxLength", "format"})),
    ("number", frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})),
)
#: Members that tell that a thing is at its end.
_ENDED = re.compile(
    r"(delet|archiv|remov|revok|cancell?|trash|terminat|suspend|disabl|bann?|block|expir)ed(at|on|date|time|by|timestamp)?"
    r"|deletion(timestamp|graceperiodseconds|date|time)"
)
#: Members beside the message of an error.
_OF_ERRORS = frozenset({"code", "type", "status", "error", "param"})
_CHEAP = {"null": 0, "boolean": 1, "integer": 1, "number": 1, "string": 1, "array": 2, "object": 3}


@dataclass(frozen=True, slots=True)
class Strategy:
    """Strategy for making a value of a schema: whether to use optional parts and examples, and which branches.

    Attributes:
        optional: what is not required is made, too.
        examples: the schemas' own examples and defaults are taken.
        turn: which branch of `oneOf` and `anyOf` is tried first.
        conditional: which side of `if` is taken, "" for neither.
        lenient: members that one part of `allOf` requires and another forbids are made.
        filled: arrays have an item, also where what is optional is left out.
        variant: which of several examples, or values of an `enum`, is taken.
    """

    optional: bool = True
    examples: bool = True
    turn: int = 0
    conditional: str = ""
    lenient: bool = False
    filled: bool = False
    variant: int = 0


class ValueMaker:
    """Maker of one value of a schema, by one strategy."""

    def __init__(
        self,
        flattener: Flattener,
        direction: Direction,
        strategy: Strategy,
        chance: Random,
        *,
        vary: bool,
        today: date | None = None,
    ) -> None:
        self._flattener = flattener
        self._today = today
        self._forbidden = _FORBIDDEN[direction]
        self._strategy = strategy
        self._chance = chance
        self._vary = vary
        self._made = 0
        self._above: list[str] = []

    def value(self, schema: Any, name: str = "", depth: int = 0) -> Any:
        """Return a generated value of a schema, for an object member of a given name.

        Raises:
            Impossible: there is none on this way.
        """
        self._made += 1
        if depth > _TOO_DEEP or self._made > _TOO_MANY:
            raise Impossible("too deep")
        if self._strategy.examples and self._is_null_by_default(schema):
            return None
        schema = self._mapped(schema)
        flat, references = self._flattener.flat(schema, lambda group: self._branch(group, depth))
        flat = self._conditional(flat)
        if any(self._above.count(reference) > 1 for reference in references):
            raise Impossible("the schema contains itself")
        if references and isinstance(flat.get("discriminator"), dict):
            force_discriminator(flat, flat["discriminator"], references[0])
        self._above.extend(references)
        try:
            return self._of(flat, name, depth)
        finally:
            del self._above[len(self._above) - len(references) :]

    def _is_null_by_default(self, schema: Any) -> bool:
        """Tell whether a schema's `default` is null, null is allowed, and no example says better."""
        behind = self._flattener.behind(schema)[0]
        if not (isinstance(behind, dict) and "default" in behind and behind["default"] is None):
            return False
        keywords = self._flattener.keywords(behind)
        branches = [*keywords.get("anyOf", ()), *keywords.get("oneOf", ())]
        allowed = "null" in scalars.kinds(keywords) or {"type": "null"} in branches
        return allowed and keywords.keys().isdisjoint({"example", "examples"})

    def _mapped(self, schema: Any) -> Any:
        """Return a schema that extends a given one, where a discriminator's mapping names some and there is no `oneOf`.

        The value of the discriminator has to be one that is mapped, and that of the schema itself is not.
        """
        behind, pointer = self._flattener.behind(schema)
        discriminator = behind.get("discriminator") if isinstance(behind, dict) else None
        mapping = discriminator.get("mapping") if isinstance(discriminator, dict) else None
        if not isinstance(mapping, dict) or not pointer or not {"oneOf", "anyOf"}.isdisjoint(behind):
            return schema
        meant = [
            one if "/" in one else f"#/components/schemas/{one}" for one in mapping.values() if isinstance(one, str)
        ]
        own = {f"#{pointer}", f"#/components/schemas/{pointer.rpartition('/')[2]}"}
        if (
            not meant
            or own & set(meant)
            or (discriminator or {}).get("propertyName") not in (behind.get("required") or ())
        ):
            return schema
        found = [one for one in meant if self._flattener.behind({"$ref": one})[0] not in ({}, behind)]
        found = [one for one in found if f"{target(one)}" not in self._above]
        return {"$ref": found[self._strategy.turn % len(found)]} if found else schema

    def _branch(self, group: Sequence[Any], depth: int) -> Any:
        """Return the branch of `oneOf` or `anyOf` to follow: by the strategy's turn, deep down the cheapest one."""
        ordered = [group[(index + self._strategy.turn) % len(group)] for index in range(len(group))]
        usable = [branch for branch in ordered if not self._is_circle(branch)] or ordered
        real = [branch for branch in usable if branch is not False and branch != {"type": "null"}] or usable
        if self._vary and self._strategy.turn == 0 and self._strategy.optional:
            return self._chance.choice(real)
        if depth <= _DEEP and self._made <= _ENOUGH:
            return real[0]
        return min(usable, key=self._cost)

    def _is_circle(self, branch: Any) -> bool:
        pointer = self._flattener.behind(branch)[1]
        return pointer in self._above

    def _cost(self, branch: Any) -> int:
        behind = self._flattener.behind(branch)[0]
        try:
            keywords = self._flattener.keywords(behind)
        except Impossible:
            return 9
        if "enum" in keywords or "const" in keywords:
            return 0
        kinds = keywords.get("type", [])
        return min((_CHEAP[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)), default=4)

    def _conditional(self, flat: Flat) -> Flat:
        side = self._strategy.conditional
        if side not in flat or "if" not in flat:
            return flat
        parts = [flat["if"], flat["then"]] if side == "then" else [{"not": flat["if"]}, flat["else"]]
        rest = {name: value for name, value in flat.items() if name not in {"if", "then", "else"}}
        return self._flattener.flat({"allOf": [rest, *parts]}, lambda group: group[0])[0]

    def _of(self, flat: Flat, name: str, depth: int) -> Any:
        if "const" in flat:
            return flat["const"]
        if "enum" in flat:
            return self._one_of(flat, name)
        if "x-wanted" in flat and conforms(flat, flat["x-wanted"]):
            return flat["x-wanted"]
        kind = self._kind(flat, depth)
        if self._strategy.examples:
            for example in self._examples(flat):
                if scalars.is_of(kind, example) and self._fits(flat, kind, example):
                    return example
        if kind == "object":
            return self._object(flat, depth)
        if kind == "array":
            return self._array(flat, name, depth)
        if kind == "string":
            return scalars.make_text(flat, name, self._chance, self._today)
        if kind == "boolean":
            return not self._vary or self._chance.random() < 0.5
        return None if kind == "null" else scalars.make_number(flat, name, self._chance, whole=kind == "integer")

    def _examples(self, flat: Flat) -> list[Any]:
        """Return the examples of a schema, that of the strategy's variant first."""
        found = scalars.examples(flat)
        first = self._strategy.variant % len(found) if found else 0
        return found[first:] + found[:first]

    def _one_of(self, flat: Flat, name: str) -> Any:
        wanted = flat.get("x-wanted")
        if wanted in flat["enum"]:
            return wanted
        if self._strategy.examples and not self._vary:
            for example in self._examples(flat):
                if example in flat["enum"]:
                    return example
        kinds = scalars.kinds(flat)
        fitting = [item for item in flat["enum"] if not kinds or any(scalars.is_of(kind, item) for kind in kinds)]
        real = [item for item in fitting if item is not None] or fitting
        if not real:
            raise Impossible(f"the enum of {name or 'the value'} has no value of its type")
        return (
            self._chance.choice(real)
            if self._vary
            else real[(self._strategy.turn + self._strategy.variant) % len(real)]
        )

    def _kind(self, flat: Flat, depth: int) -> str:
        kinds = scalars.kinds(flat)
        real = [kind for kind in kinds if kind != "null"]
        if kinds and (depth > _DEEP or self._made > _ENOUGH):
            return min(kinds, key=_CHEAP.__getitem__)
        if real:
            return real[self._strategy.turn % len(real)]
        if kinds:
            return "null"
        for kind, keywords in _KINDS:
            if not keywords.isdisjoint(flat):
                return kind
        for example in scalars.examples(flat):
            found = next((kind for kind in _CHEAP if scalars.is_of(kind, example)), None)
            if found is not None:
                return found
        guesses = ("object", "string", "integer", "array", "boolean", "null")
        return guesses[((depth > 0) + self._strategy.turn) % len(guesses)]

    def _fits(self, flat: Flat, kind: str, example: Any) -> bool:
        """Tell whether an example that is neither object nor array meets its own schema."""
        return kind in {"object", "array"} or conforms(flat, example)

    def _object(self, flat: Flat, depth: int) -> dict[str, Any]:
        properties: Mapping[str, Any] = flat.get("properties") or {}
        required = list(dict.fromkeys(flat.get("required") or ()))
        for trigger, names in (flat.get("dependentRequired") or {}).items():
            if trigger in required:
                required += [one for one in names if one not in required]
        made: dict[str, Any] = {}
        allowed = None if self._strategy.lenient else flat.get(ALLOWED)
        for name, schema in properties.items():
            if self._is_forbidden(schema) or (allowed is not None and name not in allowed):
                continue
            wanted = name in required
            if not wanted and (not self._has_room(schema, depth) or self._misleads(name, schema, properties)):
                continue
            try:
                made[name] = self.value(schema, name, depth + 1)
            except Impossible:
                if wanted:
                    raise
        for name in required:
            if name not in made and not (name in properties and self._is_forbidden(properties[name])):
                made[name] = self.value(self._schema_of(flat, name), name, depth + 1)
        return self._sized(flat, made, required, depth)

    def _is_forbidden(self, schema: Any) -> bool:
        if not isinstance(schema, dict):
            return False
        if self._forbidden in schema and "$ref" not in schema:
            return schema[self._forbidden] is True
        if not ({"$ref", "allOf"} & schema.keys()):
            return False
        try:
            flat, _ = self._flattener.flat(schema, lambda group: group[0])
        except Impossible:
            return False  # whether it may be left out is for the caller to say: a required one is a failure there
        return flat.get(self._forbidden) is True

    def _is_only_meant(self, schema: Any) -> bool:
        """Tell whether a schema's enum has no value in the strict reading, so that the member is better left out."""
        behind = self._flattener.behind(schema)[0]
        return isinstance(behind, dict) and "enum" in behind and MEANT in self._flattener.keywords(behind)

    def _has_room(self, schema: Any, depth: int) -> bool:
        """Tell whether an optional object member is to be generated, by depth and size of the value so far."""
        if not self._strategy.optional or self._made > _ENOUGH or self._is_only_meant(schema):
            return False
        if depth < _DEEP:
            return True
        return self._cost(schema) < 2

    def _misleads(self, name: str, schema: Any, beside: Mapping[str, Any]) -> bool:
        """Tell whether an optional member of made-up content is better left out: it would tell what is not so.

        That is the end of a thing (`deletionTimestamp`, `archived`), and in an error a resource that has nothing to do
        with the request.
        """
        if self._forbidden != _FORBIDDEN["response"]:
            return False
        plain = name.lower().replace("_", "").replace("-", "").removeprefix("is")
        if _ENDED.fullmatch(plain):
            return True
        if "message" in beside and not beside.keys().isdisjoint(_OF_ERRORS):
            behind = self._flattener.behind(schema)[0]
            branches = [behind, *(behind.get("anyOf") or ())] if isinstance(behind, dict) else []
            found = [self._flattener.behind(branch)[0] for branch in branches]
            return any(isinstance(one, dict) and "id" in (one.get("properties") or ()) for one in found)
        return False

    def _schema_of(self, flat: Flat, name: str) -> Any:
        for pattern, schema in (flat.get("patternProperties") or {}).items():
            if conforms({"type": "string", "pattern": pattern}, name):
                return schema
        more = flat.get("additionalProperties", True)
        if more is False and not self._strategy.lenient:
            raise Impossible(f"{name} is required and not allowed")
        return more

    def _sized(self, flat: Flat, made: dict[str, Any], required: Sequence[str], depth: int) -> dict[str, Any]:
        """Return an object with members removed or added to satisfy `minProperties` and `maxProperties`."""
        most = flat.get("maxProperties", len(made))
        for name in reversed(list(made)):
            if len(made) > most and name not in required:
                del made[name]
        least = int(flat.get("minProperties", 0))
        more = flat.get("additionalProperties", True)
        if not made and not flat.get("properties") and isinstance(more, dict) and more and self._strategy.optional:
            least = max(least, 1)  # a map is shown with something in it
        names = flat.get("propertyNames", {"type": "string"})
        for index in range(4 * (least + 1)):
            if len(made) >= least:
                break
            name = self.value(names, f"name{index}", depth + 1)
            name = name if name not in made else f"{name}{index}"
            try:
                made[name] = self.value(self._schema_of(flat, name), name, depth + 1)
            except Impossible:
                if len(made) < int(flat.get("minProperties", 0)) and not flat.get("patternProperties"):
                    raise
                for pattern, schema in (flat.get("patternProperties") or {}).items():
                    name = text_matching(pattern, 0, None, self._chance) or name
                    made[name] = self.value(schema, name, depth + 1)
        return made

    def _array(self, flat: Flat, name: str, depth: int) -> list[Any]:
        first: Sequence[Any] = flat.get("prefixItems") or ()
        items = flat.get("items", True)
        least = int(flat.get("minItems", 0))
        wanted = (self._strategy.optional or self._strategy.filled) and items is not False
        usual = 1 if depth <= _DEEP and self._made <= _ENOUGH and wanted else 0
        if usual and self._vary:
            usual = self._chance.randint(1, 3)
        length = max(least, usual, len(first) if self._strategy.optional else 0)
        length = min(length, int(flat.get("maxItems", length)))
        made: list[Any] = []
        contains = flat.get("contains")
        for index in range(length):
            contained = contains is not None and index < int(flat.get("minContains", 1))
            schema = first[index] if index < len(first) else {"allOf": [items, contains]} if contained else items
            try:
                made.append(self._another(made, schema, name, depth, unique=flat.get("uniqueItems") is True))
            except Impossible:
                if len(made) < least:
                    raise
                break
        return made

    def _another(self, made: list[Any], schema: Any, name: str, depth: int, *, unique: bool) -> Any:
        singular = name[:-1] if name.endswith("s") else name
        item = self.value(schema, singular, depth + 1)
        if not unique or item not in made:
            return item
        fresh = ValueMaker(self._flattener, "response", Strategy(examples=False), self._chance, vary=True)
        fresh._forbidden = self._forbidden
        fresh._above = list(self._above)
        for _ in range(50):
            item = fresh.value(schema, singular, depth + 1)
            if item not in made:
                return item
        raise Impossible("too few different items")
