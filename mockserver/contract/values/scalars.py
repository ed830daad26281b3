"""Texts and numbers generated for a schema (for objects and arrays: value_maker.py)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any

from mockserver.contract.schema.validator import conforms
from mockserver.contract.values.flat_schema import Flat, Impossible
from mockserver.contract.values.texts import (
    FORMATS,
    moment_of_length,
    planned_moment,
    text_matching,
    text_of_length,
    typical_text,
)
from mockserver.http import json


def make_text(flat: Flat, name: str, chance: Random, today: date | None = None) -> str:
    """Return a text for a schema without `const` and `enum`: by its format, pattern, or the property's name.

    Args:
        flat: the schema.
        name: name of the property.
        chance: where choices come from.
        today: the date from which beginnings and ends are planned; None for any dates.

    Raises:
        Impossible: no text was found for the pattern.
    """
    shortest = int(flat.get("minLength", 0))
    longest = None if "maxLength" not in flat else int(flat["maxLength"])
    form = flat.get("format", "")
    planned = None if today is None else planned_moment(form, name, today, chance)
    if planned is not None and conforms(flat, planned):
        return planned
    known = FORMATS.get(form)
    if known is not None:
        found = known(chance)
        if "pattern" not in flat or conforms(flat, found):
            if form == "date-time" and not shortest <= len(found) <= (longest or len(found)):
                return moment_of_length(found, shortest, longest)
            sized = text_of_length(found, shortest, longest, chance)
            return sized if conforms(flat, sized) else found
    if "pattern" in flat:
        hinted = text_of_length(typical_text(name, chance), shortest, longest, chance)
        if conforms(flat, hinted):
            return hinted
        built = text_matching(flat["pattern"], shortest, longest, chance)
        if built is None:
            raise Impossible(f"no text was found for the pattern {json.text(flat['pattern'][:60])}")
        return built
    return text_of_length(typical_text(name, chance), shortest, longest, chance)


def make_number(flat: Flat, name: str, chance: Random, *, whole: bool) -> float:
    """Return a number within the bounds of a schema, a multiple of its `multipleOf` if it has one.

    Raises:
        Impossible: there is none.
    """
    low, high = _bounds(flat, whole=whole)
    if low > high:
        raise Impossible(f"{name or 'the number'} has contradictory bounds")
    step = flat.get("multipleOf", 1 if whole else None)
    if whole and step is not None and step < 1:
        step = 1
    usual = _usual(name, low, high, chance)
    if step is None:
        return usual
    made = math.ceil(max(low, min(usual, high)) / step) * step
    if made > high:
        made = math.floor(high / step) * step
    if made < low:
        raise Impossible(f"no multiple of {step} lies between {low} and {high}")
    return int(made) if whole or (isinstance(made, float) and made.is_integer()) else made


def _usual(name: str, low: float, high: float, chance: Random) -> float:
    start = 1.0 if low <= 1 <= high else low if math.isfinite(low) else high
    width = min(high - start, 99.0) if math.isfinite(high) else 99.0
    if width <= 0:
        return start
    number = start + chance.randrange(max(1, int(width) + 1))
    if low <= 1_577_836_800 <= high and name.endswith(("_at", "timestamp", "_time", "created", "updated")):
        return 1_704_067_200 + chance.randrange(31_536_000)
    if number == low and number + width / 2 <= high:
        number += width / 2 if width < 1 else 0
    return min(number, high)


def _bounds(flat: Flat, *, whole: bool) -> tuple[float, float]:
    low = flat.get("minimum", -math.inf)
    high = flat.get("maximum", math.inf)
    tick = 1 if whole else 1e-6
    if "exclusiveMinimum" in flat:
        above = flat["exclusiveMinimum"]
        low = max(low, math.floor(above) + 1 if whole else above + max(tick, abs(above) * 1e-9))
    if "exclusiveMaximum" in flat:
        below = flat["exclusiveMaximum"]
        high = min(high, math.ceil(below) - 1 if whole else below - max(tick, abs(below) * 1e-9))
    if whole:
        low = math.ceil(low) if math.isfinite(low) else low
        high = math.floor(high) if math.isfinite(high) else high
    return low, high


def kinds(flat: Flat) -> list[str]:
    """Return the types that a schema allows, empty if it allows any."""
    named = flat.get("type", [])
    return [named] if isinstance(named, str) else list(named)


def examples(flat: Flat) -> list[Any]:
    """Return the examples and the default in a schema, best first."""
    found = [flat["example"]] if "example" in flat else []
    if isinstance(flat.get("examples"), list):
        found += flat["examples"]
    if "default" in flat and flat["default"] is not None:
        found.append(flat["default"])
    return found


def is_of(kind: str, value: Any) -> bool:
    """Tell whether a value is of a type of JSON Schema."""
    if isinstance(value, bool) or value is None:
        return kind == ("null" if value is None else "boolean")
    if isinstance(value, int | float):
        return kind == "number" or (kind == "integer" and float(value).is_integer())
    shapes: Mapping[type, str] = {str: "string", list: "array", dict: "object"}
    return kind == shapes.get(type(value))
