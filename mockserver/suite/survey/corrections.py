"""Corrections: a request as a refusal asks for it, as far as the contract allows."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mockserver import sources
from mockserver.contract.model import Contract, Operation, Parameter
from mockserver.contract.resources.identifiers import words
from mockserver.contract.values.texts import FORMATS, typical_text
from mockserver.suite.cases.sample_values import sample_value
from mockserver.suite.survey.drafts import MADE, Draft
from mockserver.suite.survey.known_items import KnownItems
from mockserver.suite.survey.refusals import (
    Complaint,
    affixes,
    allowed_patterns,
    bounds,
    choices,
    complaints,
    is_about_characters,
    is_about_time,
    kinds,
    wanted_formats,
)
from mockserver.suite.survey.schema_members import (
    ITEM,
    MISSING,
    Place,
    described,
    is_read_only,
    places,
    value_at,
    with_descriptions,
    with_member,
    without_member,
)
from mockserver.suite.target.exchange import WireResponse, same_json
from mockserver.suite.verdicts.failures import NotRun

#: So many complaints are answered at a time.
_MOST = 6
#: How much surer a value in quotes is than one without, in letters.
_IN_QUOTES = 1000
_TYPES: Mapping[str, tuple[Any, ...]] = {
    "integer": (1,),
    "number": (1, 1.5),
    "boolean": (True,),
    "array": ([],),
    "object": ({},),
    "string": ("sample",),
}


class Corrector:
    """Corrects the requests of one operation by the refusals that they get."""

    def __init__(self, contract: Contract, operation: Operation, items: KnownItems) -> None:
        self._contract = contract
        self._items = items
        self._path = operation.path
        self._parameters = {parameter.name: parameter for parameter in operation.parameters}

    def corrected(self, draft: Draft, response: WireResponse, attempt: int) -> Draft | None:
        """Return a draft changed as a refusal asks for, None if nothing that it says can be done.

        Args:
            draft: what was refused.
            response: the refusal.
            attempt: how many were refused before; another one gives other values.
        """
        schema = draft.media_type.schema if draft.media_type is not None else None
        known = list(places(self._contract, schema)) if schema is not None else []
        names = {place[-1] for place, _ in known} | self._parameters.keys()
        if isinstance(draft.value, dict):
            names |= draft.value.keys()
        changed = draft
        for complaint in complaints(response, names)[:_MOST]:
            if (better := self._of_quoted_value(changed, known, complaint, attempt)) is not changed:
                changed = better
                continue
            if (better := self._of_unknown_member(changed, known, complaint, attempt)) is not changed:
                changed = better
                continue
            for name in _named(complaint, names):
                before = changed
                if name in self._parameters:
                    changed = self._parameter(changed, self._parameters[name], complaint, attempt)
                if changed is before:
                    changed = self._member(changed, known, name, complaint, attempt)
                if changed is not before:
                    break
        return None if changed is draft else changed

    def _of_quoted_value(
        self, draft: Draft, known: list[tuple[Place, str]], complaint: Complaint, attempt: int
    ) -> Draft:
        """Return a draft with another value in place of one that a complaint quotes: `unknown kind 'cedar'`."""
        if complaint.place:
            return draft
        for parameter in self._parameters.values():
            path = parameter.location == "path"
            key: Any = parameter.name if path else (parameter.location, parameter.name)
            held = (draft.path_values if path else draft.arguments).get(key)
            if draft.origins.get(parameter.name) == MADE and _quoted(complaint.text, held):
                return self._parameter(draft, parameter, complaint, attempt)
        quoted = [(_quoted(complaint.text, value_at(draft.value, place)), place, pointer) for place, pointer in known]
        for length, place, pointer in sorted(quoted, key=lambda one: -one[0]):
            if length:
                return self._member(draft, [(place, pointer)], place[-1], complaint, attempt)
        return draft

    def _of_unknown_member(
        self, draft: Draft, known: list[tuple[Place, str]], complaint: Complaint, attempt: int
    ) -> Draft:
        """Return a draft with a member that a server requires and no schema describes, where the contract allows it."""
        place = complaint.place
        schema = draft.media_type.schema if draft.media_type is not None else None
        if schema is None or not place or "missing" not in kinds(complaint) or place[-1] in self._parameters:
            return draft
        if any(_plain(one)[-len(place) :] == place for one, _ in known) or value_at(draft.value, place) is not MISSING:
            return draft
        is_valid = self._contract.validator(schema, "request").is_valid
        options: tuple[Any, ...] = (typical_text(place[-1], sources.chance(*place, attempt)), 1, {}, [])
        for option in options:
            value = with_member(draft.value, place, option)
            if value is not MISSING and is_valid(value):
                return replace(draft, value=value, corrected=True)
        return draft

    def _parameter(self, draft: Draft, parameter: Parameter, complaint: Complaint, attempt: int) -> Draft:
        path = parameter.location == "path"
        held: Mapping[Any, Any] = draft.path_values if path else draft.arguments
        key: Any = parameter.name if path else (parameter.location, parameter.name)
        current = held.get(key, MISSING)
        is_valid = (
            self._contract.validator(parameter.schema, "request").is_valid if parameter.schema is not None else None
        )
        if "unknown" in kinds(complaint) and current is not MISSING and not parameter.required:
            return replace(draft, arguments={name: value for name, value in held.items() if name != key})
        for value in self._options(parameter.schema, parameter.name, current, complaint, attempt):
            if (is_valid is None or is_valid(value)) and (current is MISSING or not same_json(value, current)):
                origins = {**draft.origins, parameter.name: MADE}
                changed = {**held, key: value}
                if path:
                    return replace(draft, path_values=changed, origins=origins)
                return replace(draft, arguments=changed, origins=origins)
        return draft

    def _member(
        self, draft: Draft, known: list[tuple[Place, str]], name: str, complaint: Complaint, attempt: int
    ) -> Draft:
        schema = draft.media_type.schema if draft.media_type is not None else None
        if schema is None or isinstance(draft.value, bytes):
            return draft
        is_valid = self._contract.validator(schema, "request").is_valid
        meant = [(place, pointer) for place, pointer in known if place[-1] == name]
        wanted = tuple(part for part in complaint.place if part != ITEM)
        lacking = "missing" in kinds(complaint)

        def unlikeliness(one: tuple[Place, str]) -> tuple[bool, bool, int]:
            is_there = value_at(draft.value, one[0]) is not MISSING
            return _plain(one[0])[-len(wanted) :] != wanted, is_there == lacking, len(one[0])

        meant.sort(key=unlikeliness)
        for place, pointer in meant[:4]:
            current = value_at(draft.value, place)
            if "unknown" in kinds(complaint) and "missing" not in kinds(complaint) and current is not MISSING:
                value = without_member(draft.value, place)
                if is_valid(value):
                    return replace(draft, value=value, corrected=True)
                continue
            if is_read_only(self._contract, pointer):
                continue
            for option in self._options(pointer, name, current, complaint, attempt):
                if current is not MISSING and same_json(option, current):
                    continue
                value = with_member(draft.value, place, option)
                if value is not MISSING and is_valid(value):
                    return replace(draft, value=value, corrected=True)
        return draft

    def _options(
        self, pointer: str | None, name: str, current: Any, complaint: Complaint, attempt: int
    ) -> Iterator[Any]:
        """Yield values that may be what a complaint asks for, the likeliest first."""
        contract = self._contract
        found = kinds(complaint)
        if "choice" in found:
            for value in choices(complaint):
                yield value
                yield from _numbers(value)
        when = is_about_time(complaint)
        if when and isinstance(current, str):
            yield from _moments(current, when)
        start, end = affixes(complaint)
        if start or end:
            yield from _with_affixes(current if current is not MISSING else "sample", start, end)
        low, high = bounds(complaint)
        if low is not None or high is not None:
            yield from _within(current, low, high)
        if current is MISSING and pointer is not None:
            yield from _made(contract, pointer, attempt)
        if isinstance(current, str):
            yield from _plain_words(complaint, current, attempt)
        formats = wanted_formats(complaint)
        for form in formats:
            if form in FORMATS:
                yield FORMATS[form](sources.chance(name, attempt))
        if isinstance(current, str | int) and not isinstance(current, bool):
            yield from self._items.seen(name, self._path)
        if isinstance(current, list) and not current and pointer is not None:
            yield from _made(contract, pointer, attempt)
        for form in formats:
            yield from _TYPES.get(form, ())
        if pointer is not None:
            yield from _made(contract, pointer, attempt)


def _named(complaint: Complaint, names: set[str]) -> list[str]:
    """Return the members and parameters that a complaint is about, the likeliest first."""
    by_words = {tuple(words(name)): name for name in names}
    found = [
        by_words.get(tuple(words(part)), part)
        for part in reversed(complaint.place)
        if part in names or tuple(words(part)) in by_words
    ]
    if found:
        return [one for one in dict.fromkeys(found) if one in names]
    text = complaint.text
    told = []
    for name in names:
        for quote in ("'", '"', "`", "\u201c", "\u2018", "["):
            if f"{quote}{name}" in text:
                told.append((0, text.index(f"{quote}{name}"), name))
                break
        else:
            position = _as_word(text, name)
            if position >= 0:
                told.append((1, position, name))
    return [name for _, _, name in sorted(told)][:3]


def _quoted(text: str, value: Any) -> int:
    """Return how surely a text names a value of a request, as in `unknown kind 'cedar'`; 0 if it does not."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return 0
    written = str(value)
    named = len(written) > 1 and written in text and _as_word(text, written) >= 0
    in_quotes = any(f"{quote}{written}" in text for quote in ("'", '"', "`", "\u201c", "\u2018"))
    return (len(written) + _IN_QUOTES * in_quotes) if named else 0


def _as_word(text: str, name: str) -> int:
    """Return where a name stands as a word of its own in a text, whatever its case; -1 if nowhere."""
    lower, wanted, start = text.lower(), name.lower(), 0
    while (position := lower.find(wanted, start)) >= 0:
        before = lower[position - 1] if position else " "
        behind = lower[position + len(wanted)] if position + len(wanted) < len(lower) else " "
        if not (before.isalnum() or before == "_" or behind.isalnum() or behind == "_"):
            return position
        start = position + 1
    return -1


def _made(contract: Contract, pointer: str, attempt: int) -> Iterator[Any]:
    shown = described(contract, pointer)
    if shown is not None:
        yield shown
    for key in ("", f"again {attempt}"):
        try:
            yield with_descriptions(contract, pointer, sample_value(contract, pointer, whole=bool(key), key=key))
        except NotRun:
            continue


def _numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        if value.lstrip("-").isdigit() and len(value) < 20:
            yield int(value)
        if value.lower() in {"true", "false"}:
            yield value.lower() == "true"


def _moments(current: str, when: str) -> Iterator[str]:
    now = datetime.fromtimestamp(sources.wall_clock(), UTC)
    for days in (3, 30, 400):
        moment = now + timedelta(days=days if when == "future" else -days)
        yield (
            moment.strftime("%Y-%m-%d") if len(current) <= len("2020-02-24") else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        )


def _with_affixes(current: Any, start: str, end: str) -> Iterator[Any]:
    if isinstance(current, list):
        yield [next(_with_affixes(item, start, end), item) for item in current]
    elif isinstance(current, dict):
        yield {name: next(_with_affixes(member, start, end), member) for name, member in current.items()}
    elif isinstance(current, str):
        text = current if current.startswith(start) else start + current
        text = text if text.endswith(end) else text + end
        yield text
        if end == "." and "." not in text[:-1]:
            yield f"{text[:-1]}.example."


def _within(current: Any, low: float | None, high: float | None) -> Iterator[Any]:
    least = low if low is not None else min(high or 0, 1)
    if isinstance(current, bool) or not (low is None or math.isfinite(low)):
        return
    if isinstance(current, str):
        size, most = int(least), int(high) if high is not None else max(int(least), len(current))
        text = (current or "sample").ljust(size, "x")[: max(most, 0)]
        yield text
        for number in (least, high):
            if number is not None:
                yield str(int(number))
    elif isinstance(current, list):
        item = current[0] if current else "sample"
        yield [copy.deepcopy(item) for _ in range(max(int(least), 0))]
        yield current[: int(high)] if high is not None else current
    for number in (low, high):
        if number is not None:
            yield int(number) if float(number).is_integer() else number
            yield number


def _plain_words(complaint: Complaint, current: str, attempt: int) -> Iterator[str]:
    """Yield words without blanks and signs for a complaint about characters: `letters, digits and dashes only`."""
    if not is_about_characters(complaint):
        return
    candidates = (f"sample{attempt}", "sample", f"SAMPLE{attempt}", f"Sample{attempt}", "SAMPLE", f"{attempt}01")
    patterns = allowed_patterns(complaint)
    fitting = [one for one in candidates if all(pattern.search(one) for pattern in patterns)]
    yield from (one for one in (fitting or candidates) if one != current)


def _plain(place: Place) -> Place:
    return tuple(part for part in place if part != ITEM)
