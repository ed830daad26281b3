"""Seed data files as read from disk: repeated items expanded, validated by JSON Schema, names checked.

The sections for any contract are defined in seed.schema.json; an API adds its own (seed_format.py). docs/seed-data.md
says what each section holds; tests/project/test_generated.py compares that page with the schemas.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mockserver.contract.source import yaml
from mockserver.errors import UsageError
from mockserver.http import json
from mockserver.stub.store.seed_format import SeedFormat

#: Largest number of times that an item is repeated; more is a mistake, and would make each new world slow.
MAX_REPEAT = 10_000
_REPEAT = "repeat"
_NUMBER = "{n}"

Sections = dict[str, Any]


def read_sections(path: Path, form: SeedFormat) -> tuple[Sections, dict[str, Sections]]:
    """Return the sections of a seed data file, and those of each of its overlays.

    Every item is written out and has all members that have a default.

    Raises:
        UsageError: not readable, not YAML, not of the documented form, or a name in it leads nowhere; the message
            names file, place and remedy, and shows no secret.
    """
    try:
        data = yaml.parse(path, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check --seed-data") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    except ValueError as error:
        raise UsageError(str(error)) from error
    return _Reader(path, form).read({} if data is None else data)


class _Reader:
    """Reader of one seed data file: expands repeated items, validates, and checks names."""

    def __init__(self, path: Path, form: SeedFormat) -> None:
        self._path = path
        self._form = form
        # Index of a repeated item in the file, by the place of its copy.
        self._origins: dict[tuple[str | int, ...], int] = {}

    def read(self, data: Any) -> tuple[Sections, dict[str, Sections]]:
        whole = data
        if isinstance(data, dict):
            overlays = data.get("overlays")
            whole = self._written_out(data, ())
            if isinstance(overlays, dict):
                whole["overlays"] = {
                    name: self._written_out(sections, ("overlays", name)) for name, sections in overlays.items()
                }
        self._check_form(whole)
        overlays = whole.pop("overlays", {})
        self._check_keys(whole, ())
        for name, sections in overlays.items():
            self._check_keys(sections, ("overlays", name))
        self._check_names(whole, {section: (section,) for section in whole})
        for name, sections in overlays.items():
            places: dict[str, tuple[str, ...]] = {section: (section,) for section in whole}
            places |= {section: ("overlays", name, section) for section in sections}
            self._check_names(whole | sections, places)
        return whole, overlays

    def _written_out(self, sections: Any, place: tuple[str, ...]) -> Any:
        """Return sections of seed data with repeated items expanded, defaults added and null members left out."""
        if not isinstance(sections, dict):
            return sections
        written: Sections = {}
        for name, items in sections.items():
            if name in self._form.keys and isinstance(items, list):
                written[name] = list(self._items(items, (*place, name)))
            elif items is not None or name not in self._form.names:
                written[name] = items
        return written

    def _items(self, items: list[Any], place: tuple[str, ...]) -> Iterator[Any]:
        defaults = self._form.defaults[place[-1]]
        count = 0
        for index, item in enumerate(items):
            for number in self._numbers(item, (*place, index)):
                self._origins[(*place, count)] = index
                count += 1
                if isinstance(item, dict):
                    own = {name: value for name, value in item.items() if value is not None and name != _REPEAT}
                    yield {**defaults, **(own if number is None else _numbered(own, number))}
                else:
                    yield item

    def _numbers(self, item: Any, place: tuple[str | int, ...]) -> range | tuple[None]:
        if not isinstance(item, dict) or _REPEAT not in item:
            return (None,)
        times = item[_REPEAT]
        if type(times) is not int or not 1 <= times <= MAX_REPEAT:
            raise self._error((*place, _REPEAT), f"must be a whole number from 1 to {MAX_REPEAT}")
        return range(1, times + 1)

    def _check_form(self, data: Any) -> None:
        errors = list(self._form.validator.iter_errors(data))
        if errors:
            raise self._error(*_described_violation(min(errors, key=_in_order), self._form.schema))

    def _check_keys(self, sections: Sections, place: tuple[str, ...]) -> None:
        for section, names in self._form.keys.items():
            seen: set[tuple[Any, ...]] = set()
            for index, item in enumerate(sections.get(section, ())):
                key = tuple(item[name] for name in names)
                if key in seen:
                    raise self._error(
                        (*place, section, index, names[-1]),
                        f"is a duplicate; another item has the same {' and '.join(names)}",
                    )
                seen.add(key)

    def _check_names(self, sections: Sections, places: Mapping[str, tuple[str, ...]]) -> None:
        for section in self._form.sections:
            items = sections.get(section.name, ()) if section.references else ()
            if not items:
                continue
            known = [(member, one, one.known(sections)) for member, one in section.references.items()]
            for index, item in enumerate(items):
                for member, reference, leads in known:
                    for name in _names(item.get(member)):
                        if not leads(name):
                            place: tuple[str | int, ...] = (*places[section.name], index, member)
                            raise self._error(place, f"{json.text(name)} {reference.remedy}")

    def _error(self, place: tuple[str | int, ...], message: str) -> UsageError:
        parts = [
            f"[{self._origins.get(place[: end + 1], part)}]" if isinstance(part, int) else f".{part}"
            for end, part in enumerate(place)
        ]
        return UsageError(f"{self._path}: {''.join(parts).removeprefix('.') or 'the file'}: {message}")


def _names(value: Any) -> Iterable[str]:
    if isinstance(value, list):
        return value
    return () if value is None else (value,)


def _numbered(value: Any, number: int) -> Any:
    """Return a value with `{n}` in its texts replaced by a number; the text `{n}` alone becomes the number itself."""
    if isinstance(value, str):
        return number if value == _NUMBER else value.replace(_NUMBER, str(number))
    if isinstance(value, dict):
        return {name: _numbered(item, number) for name, item in value.items()}
    return [_numbered(item, number) for item in value] if isinstance(value, list) else value


_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text; put it in quotes",
    "integer": "a whole number",
    "boolean": "true or false",
}
_BOUNDS = {"minimum": "be at least", "maximum": "be at most", "minItems": "have a length of at least"}


def _described_violation(error: Any, schema: Any) -> tuple[tuple[str | int, ...], str]:
    """Return place and message of a schema violation, without any values, as these may be secret."""
    place = tuple(error.instance_path)
    *way, keyword = error.schema_path
    found: Any = schema
    for step in way:
        found = found[step]
    if keyword == "additionalProperties":
        known = ", ".join(sorted(found["properties"]))
        return (*place, min(error.kind.unexpected)), f"is not known; known are {known}"
    if keyword == "required":
        return (*place, error.kind.property), "is missing"
    if keyword == "type":
        kinds = found["type"] if isinstance(found["type"], list) else [found["type"]]
        return place, f"must be {' or '.join(_KINDS[kind] for kind in kinds)}"
    if keyword == "enum":
        return place, f"must be one of {', '.join(str(value) for value in found['enum'])}"
    if "x-remedy" in found:
        return place, found["x-remedy"]
    return place, f"must {_BOUNDS[keyword]} {found[keyword]}"


def _in_order(error: Any) -> list[tuple[bool, int, str]]:
    """Return the sort key of a schema violation, so that the same file always gives the same message."""
    return [(False, part, "") if isinstance(part, int) else (True, 0, part) for part in error.instance_path]
