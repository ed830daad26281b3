"""Seed data as people write it: repetitions written out, checked by seed.schema.json and for names that lead nowhere.

docs/seed-data.md says what each section holds; tests/project/test_generated.py holds it against the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from mockserver.contract.source import yaml as yamltext
from mockserver.errors import UsageError
from mockserver.http import json as documents

SCHEMA_FILE = Path(__file__).parent / "seed.schema.json"
#: An item stands at most so many times; more is a mistake, and would make each new world slow.
MAX_REPEAT = 10_000
_REPEAT = "repeat"
_NUMBER = "{n}"

#: Members of each section that say which item it is: none stands twice.
KEYS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("username",),
    "domains": ("domain",),
    "domain_aliases": ("domain_alias",),
    "relay_domains": ("relay_domain",),
    "aliases": ("alias",),
    "sender_addresses": ("sender_address",),
    "thresholds": ("domain",),
    "wlbl": ("domain", "action"),
    "addressbooks": ("owner", "friendly_name"),
    "calendars": ("owner", "friendly_name"),
    "sieve_filters": ("username", "filter_position"),
    "autoreplies": ("username",),
    "automigration_users": ("username",),
    "twofa": ("username",),
    "device_passwords": ("username", "friendly_name"),
    "webauthn_credentials": ("username", "friendly_name"),
    "webmail_passwords": ("username", "webmail_id"),
}

#: Member of a section -> the kind of name that it must be (`_Names.has`).
_REFERENCES: Mapping[str, Mapping[str, str]] = {
    "accounts": {"owns": "domain", "added_by": "account"},
    "domains": {"added_by": "account"},
    "domain_aliases": {"rcpt_domain": "mail domain", "added_by": "account"},
    "relay_domains": {"added_by": "account"},
    "aliases": {"recipients": "recipient", "added_by": "account"},
    "sender_addresses": {"usernames": "account", "added_by": "account"},
    "thresholds": {"domain": "scope"},
    "wlbl": {"domain": "scope"},
    "addressbooks": {"owner": "account", "recipients": "account"},
    "calendars": {"owner": "account", "recipients": "account"},
    "sieve_filters": {"username": "account"},
    "autoreplies": {"username": "account"},
    "automigration_users": {"username": "account", "added_by": "account"},
    "twofa": {"username": "account"},
    "device_passwords": {"username": "account"},
    "webauthn_credentials": {"username": "account"},
    "webmail_passwords": {"username": "account"},
}
_REMEDIES = {
    "account": "is no account; add it to `accounts`, or correct the name",
    "domain": "is none of our domains; add it to `domains`, or correct the name",
    "scope": "is neither `global` nor one of our domains; add it to `domains`, or correct the name",
    "mail domain": "is not in `domains`; add it there, or correct the name",
    "recipient": "is in a domain of ours, but no account or alias; add it to `accounts`, or correct the name",
}

Sections = dict[str, Any]


def read(path: Path) -> tuple[Sections, dict[str, Sections]]:
    """Return the sections of a file, and those of each of its overlays, which stand in their place.

    Every item is written out and has all members that have a default.

    Raises:
        UsageError: not readable, not YAML, not of the documented form, or a name in it leads nowhere; the message
            names file, place and remedy, and shows no secret.
    """
    try:
        data = yamltext.parse(path, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check --seed-data") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    except ValueError as error:
        raise UsageError(str(error)) from error
    return _Reader(path).read({} if data is None else data)


class _Reader:
    """Checks the data of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Where an item that was written out stands in the file, by the place of its copy.
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
        """Return sections with each item as often as its `repeat` says, and with defaults; what is null is left out."""
        if not isinstance(sections, dict):
            return sections
        written: Sections = {}
        for name, items in sections.items():
            if name in KEYS and isinstance(items, list):
                written[name] = list(self._items(items, (*place, name)))
            elif items is not None or name not in {*KEYS, "issue", "webauthn", "resources"}:
                written[name] = items
        return written

    def _items(self, items: list[Any], place: tuple[str, ...]) -> Iterator[Any]:
        defaults = _defaults()[place[-1]]
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
        errors = list(_validator().iter_errors(data))
        if errors:
            raise self._error(*_told(min(errors, key=_in_order)))

    def _check_keys(self, sections: Sections, place: tuple[str, ...]) -> None:
        for section, names in KEYS.items():
            seen: set[tuple[Any, ...]] = set()
            for index, item in enumerate(sections.get(section, ())):
                key = tuple(item[name] for name in names)
                if key in seen:
                    raise self._error(
                        (*place, section, index, names[-1]), f"stands twice; {' and '.join(names)} name it"
                    )
                seen.add(key)

    def _check_names(self, sections: Sections, places: Mapping[str, tuple[str, ...]]) -> None:
        known = _Names(sections)
        for section, references in _REFERENCES.items():
            for index, item in enumerate(sections.get(section, ())):
                for member, kind in references.items():
                    for name in _names(item.get(member)):
                        if not known.has(kind, name):
                            raise self._error((*places[section], index, member), f"{name!r} {_REMEDIES[kind]}")

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


class _Names:
    """What the sections of a file give names to."""

    def __init__(self, sections: Sections) -> None:
        self._accounts = {item["username"] for item in sections.get("accounts", ())}
        # Other contracts have accounts, too, and they own other things than domains.
        self._knows_domains = "domains" in sections
        self._domains = {item["domain"] for item in sections.get("domains", ())}
        self._others = {item["domain_alias"] for item in sections.get("domain_aliases", ())}
        self._others |= {item["relay_domain"] for item in sections.get("relay_domains", ())}
        self._aliases = {item["alias"] for item in sections.get("aliases", ())}

    def has(self, kind: str, name: str) -> bool:
        """Tell whether a name of a kind leads somewhere."""
        if kind == "account":
            return name in self._accounts
        if kind == "recipient":
            ours = name.rpartition("@")[2] in self._domains
            return not ours or name in self._accounts or name in self._aliases
        if not self._knows_domains or name in self._domains:
            return True
        return (kind == "scope" and name == "global") or (kind == "domain" and name in self._others)


def _numbered(value: Any, number: int) -> Any:
    """Return a value with `{n}` in its texts replaced; a text that is nothing else becomes the number."""
    if isinstance(value, str):
        return number if value == _NUMBER else value.replace(_NUMBER, str(number))
    if isinstance(value, dict):
        return {name: _numbered(item, number) for name, item in value.items()}
    return [_numbered(item, number) for item in value] if isinstance(value, list) else value


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of seed data."""
    loaded: dict[str, Any] = documents.decode(SCHEMA_FILE.read_bytes())
    return loaded


@cache
def _validator() -> Any:
    return jsonschema_rs.validator_for(schema())


@cache
def _defaults() -> Mapping[str, Mapping[str, Any]]:
    """Return for each section the members that an item has where nothing else is said.

    Accounts of any contract are told apart by what they do not have; what reads them knows their defaults.
    """
    found: dict[str, Mapping[str, Any]] = {"accounts": {}}
    return found | {
        section: {
            name: member["default"]
            for name, member in schema()["$defs"][section]["items"]["properties"].items()
            if "default" in member
        }
        for section in KEYS
        if section != "accounts"
    }


_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text; put it in quotes",
    "integer": "a whole number",
    "boolean": "true or false",
}
_BOUNDS = {"minimum": "be at least", "maximum": "be at most", "minItems": "have a length of at least"}


def _told(error: Any) -> tuple[tuple[str | int, ...], str]:
    """Return place and message of a violation; values, which may be secret, stay out of both."""
    place = tuple(error.instance_path)
    *way, keyword = error.schema_path
    found: Any = schema()
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
    """Return what violations are sorted by, so that the same file gives the same message."""
    return [(False, part, "") if isinstance(part, int) else (True, 0, part) for part in error.instance_path]
