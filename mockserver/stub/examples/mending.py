"""Mending of examples that break their schema: the smallest broken parts are replaced, all else stays as written.

A broken part is converted where it is clear what was meant (a date for a date-time, a number as text), left out where
nothing was meant (null, a member that the schema does not know), and made from its schema otherwise.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockserver.contract.model import Contract
from mockserver.contract.schema.validator import SchemaViolation, Validator
from mockserver.contract.values.generator import CannotGenerate, Generator
from mockserver.errors import ContractError
from mockserver.http.pointers import child

#: So many broken parts are mended in one round, and so many rounds are made: what was mended may be broken elsewhere.
_MOST = 100
_ROUNDS = 20
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)? ?(Z|[+-]\d{2}:?\d{2})?", re.IGNORECASE)
_NONE: Any = object()


class Mended(NamedTuple):
    """Mended value, and the JSON pointers of the parts that were changed."""

    value: Any
    places: tuple[str, ...]


class Mender:
    """Mender of examples of responses."""

    def __init__(self, contract: Contract, generator: Generator) -> None:
        self._contract = contract
        self._generator = generator

    def mended(self, value: Any, validator: Validator) -> Mended | None:
        """Return a value with its smallest broken parts mended, None if that leads to no valid value."""
        made = [copy.deepcopy(value)]
        places: dict[str, None] = {}
        for _ in range(_ROUNDS):
            found = _nearest(validator, made[0])
            if not found:
                return Mended(made[0], tuple(places))
            if not self._mend_all(made, found, places):
                return None
        return None

    def _mend_all(self, made: list[Any], found: list[SchemaViolation], places: dict[str, None]) -> bool:
        """Mend a value at each of its innermost broken places, and note these; tell whether anything could be done."""
        changed: list[tuple[str | int, ...]] = []
        for broken in sorted(found, key=lambda one: -len(one.instance_path)):
            path = broken.instance_path
            of_members = broken.missing or broken.unknown
            if not of_members and any(other[: len(path)] == path for other in changed):
                continue  # what is inside it was broken, too; the next round looks again
            place = child("", *map(str, path))
            try:
                done = self._mend(made, broken, again=place in places)
            except (LookupError, TypeError):  # gone with what was mended before
                continue
            if done:
                changed.append(path)
                places[place] = None
        return bool(changed)

    def _mend(self, made: list[Any], broken: SchemaViolation, *, again: bool) -> bool:
        """Change a value where it is broken; `made` holds it. Tell whether anything could be done."""
        holder: Any = made
        key: Any = 0
        for step in broken.instance_path:
            holder, key = holder[key], step
        value = holder[key]
        schema = broken.keyword_pointer.rpartition("/")[0]
        place = child("", *map(str, broken.instance_path))
        if broken.missing and isinstance(value, dict):
            return self._add(value, broken.missing, schema)
        if broken.unknown and isinstance(value, dict):
            for name in broken.unknown:
                value.pop(name, None)
            return True
        found = _NONE if again else self._converted(value, broken)
        if found is _NONE and value is None and isinstance(holder, dict):
            del holder[key]  # null says that there is nothing; if it is required, the next round adds it
            return True
        if found is _NONE:
            found = self._made(
                schema, place if any(isinstance(step, int) and step for step in broken.instance_path) else ""
            )
        if found is _NONE or found == value:
            return False
        holder[key] = found
        return True

    def _add(self, value: dict[str, Any], names: tuple[str, ...], schema: str) -> bool:
        whole = _NONE
        for name in names:
            made = self._made(child(schema, "properties", name))
            if made is _NONE:
                whole = self._made(schema) if whole is _NONE else whole
                made = whole.get(name, _NONE) if isinstance(whole, dict) else _NONE
            if made is _NONE:
                return False
            value[name] = made
        return True

    def _made(self, schema: str, key: str = "") -> Any:
        """Return a value made from the schema at a pointer, another one for each key; _NONE if there is none."""
        try:
            self._contract.at(schema)
            return copy.deepcopy(self._generator.generate(schema, "response", key))
        except (LookupError, ValueError, ContractError, CannotGenerate):
            return _NONE

    def _converted(self, value: Any, broken: SchemaViolation) -> Any:
        """Return what was probably meant by a value that breaks a keyword, _NONE where that is not clear."""
        convert = _CONVERSIONS.get(broken.keyword)
        try:
            limit = self._contract.at(broken.keyword_pointer)
            return _NONE if convert is None else convert(value, limit)
        except (LookupError, ValueError, TypeError, OverflowError):
            return _NONE


def _nearest(validator: Validator, value: Any) -> list[SchemaViolation]:
    found = []
    for violation in validator.nearest_violations(value):
        found.append(violation)
        if len(found) >= _MOST:
            break
    return found


def _to_type(value: Any, named: Any) -> Any:
    for kind in [named] if isinstance(named, str) else named:
        found = _to_one_type(value, kind)
        if found is not _NONE:
            return found
    return _NONE


def _to_one_type(value: Any, kind: str) -> Any:
    if kind == "string" and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind in {"integer", "number"} and isinstance(value, str):
        number = float(value) if kind == "number" or "." in value else int(value)
        return _NONE if not math.isfinite(number) else int(number) if kind == "integer" else number
    if kind == "integer" and isinstance(value, float) and math.isfinite(value):
        return round(value)
    if kind == "boolean" and value in ("true", "false", 0, 1):
        return value in ("true", 1)
    if kind == "object" and isinstance(value, list) and value and isinstance(value[0], dict):
        return value[0]
    if kind == "array" and value is not None and not isinstance(value, list):
        return [value]
    return _NONE


def _to_format(value: Any, named: Any) -> Any:
    if not isinstance(value, str):
        return _NONE
    found = _MOMENT.fullmatch(value.strip())
    if named == "date-time" and _DATE.fullmatch(value):
        return f"{value}T00:00:00Z"
    if named == "date-time" and found is not None:
        day, minutes, seconds, zone = found.groups()
        zone = (zone or "Z").upper()
        zone = zone if zone == "Z" or ":" in zone else f"{zone[:3]}:{zone[3:]}"
        return f"{day}T{minutes}{seconds or ':00'}{zone}"
    if named == "date" and found is not None:
        return found[1]
    return _NONE


def _to_enum(value: Any, allowed: Any) -> Any:
    plain = str(value).strip().casefold()
    return next((one for one in allowed if str(one).casefold() == plain), _NONE)


#: Keyword to the function that converts a value which breaks it, given the keyword's value in the contract.
_CONVERSIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "type": _to_type,
    "format": _to_format,
    "enum": _to_enum,
    "const": lambda _value, wanted: wanted,
    "maxLength": lambda value, most: value[: int(most)],
    "maxItems": lambda value, most: value[: int(most)],
    "minimum": lambda _value, least: least,
    "maximum": lambda _value, most: most,
}
