"""The record of the public documentation, `tests/documentation.yaml`, and how its tables and examples are read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml

RECORD_FILE = Path(__file__).parents[1] / "documentation.yaml"
#: Words of the documentation's tables for types of JSON Schema.
TYPES = {"str": "string", "int": "integer", "dict": "object", "list": "array", "bool": "boolean"}
#: How a page says that one of several optional members has to be there.
ANY_ONE = re.compile(r"\bany one of\b")
#: How the note of a row states the greatest value, and that a member is 0 or 1.
MOST = re.compile(r"\(max (\d+)\)")
ZERO_OR_ONE = re.compile(r"\b0 or 1\b|\(1\).*\(0\)")
#: Passwords that break one rule alone, by a word of the rule, and one that breaks none.
BAD_PASSWORDS = {
    "characters": "Abcdefghij1",
    "uppercase": "abcdefghijk1",
    "lowercase": "ABCDEFGHIJK1",
    "digit": "Abcdefghijkl",
}
GOOD_PASSWORD = "Abcdefghijk1"
_WORD = re.compile(r"[\w.@-]+")

Row = Mapping[str, Any]


class Page:
    """One page of the documentation, which describes one operation."""

    def __init__(self, data: dict[str, Any]) -> None:
        """Take what the record says of a page, or `{"id": "general"}`, which makes no statement of an operation."""
        self.data = data
        self.id: str = data["id"]
        #: Rows of the tables, those of each level after another where the page has one for each.
        self.request_rows = _rows(data, "request_params")
        self.response_rows = _rows(data, "response_params")
        self.parameters: list[tuple[str, Row]] = [
            *(("path", row) for row in data.get("path_params", ())),
            *(("query", row) for row in data.get("query_params", ())),
        ]

    def get(self, name: str) -> Any:
        """Return what the record says under a name, None where it says nothing."""
        return self.data.get(name)

    @property
    def rows(self) -> list[Row]:
        """All rows of all tables."""
        return [*self.request_rows, *self.response_rows, *(row for _, row in self.parameters)]

    def rows_of(self, name: str) -> list[Row]:
        """Return the rows of a member or parameter."""
        return [row for row in self.rows if row["name"] == name]

    def examples(self, direction: str) -> list[dict[str, Any]]:
        """Return the recorded examples of `request` or `response`."""
        found: list[dict[str, Any]] = self.data.get(f"{direction}_examples", [])
        return found

    def bodies(self, *directions: str) -> list[Any]:
        """Return the contents of the examples of `request`, `response`, or both."""
        found = [one["body"] for way in directions or ("request", "response") for one in self.examples(way)]
        return [body for body in found if body is not None]

    def paths(self) -> list[tuple[str | None, str]]:
        """Return the paths that the page may mean: its own, and one for each value that its parameter can have."""
        path = self.data["path"]
        found: list[tuple[str | None, str]] = [(None, path)]
        for row in self.data["path_params"]:
            found += [(str(value), path.replace(f"{{{row['name']}}}", str(value))) for value in row.get("enum", ())]
        return found

    def says(self, name: str, value: Any) -> bool:
        """Tell whether the rows of a member list a value, or name it in words."""
        word = "empty string" if value == "" else str(value)
        notes = (row.get("note") or "" for row in self.rows_of(name))
        listed = any(value in row.get("enum", ()) for row in self.rows_of(name))
        return listed or any(word in note if value == "" else word in words(note) for note in notes)

    def has_conditions(self) -> bool:
        """Tell whether a row says that what holds for a member depends on another one."""
        return any(words(row.get("note")) & {"if", "when", "for"} for row in self.rows)


class Record(NamedTuple):
    """The record of the documentation: the part for all pages, and the pages by their ids."""

    general: dict[str, Any]
    pages: dict[str, Page]


def read_record(data: Any = None) -> Record:
    """Return the record, from its file unless its data are given."""
    if data is None:
        data = yaml.safe_load(RECORD_FILE.read_text(encoding="utf-8"))
    return Record(data["general"], {page["id"]: Page(page) for page in data["endpoints"]})


def _rows(data: dict[str, Any], table: str) -> list[Row]:
    by_level = data.get(f"{table}_by_level", {})
    return [*data.get(table, ()), *(row for rows in by_level.values() for row in rows)]


def words(text: str | None) -> set[str]:
    """Return the words of a note, numbers too."""
    return {word.strip(".") for word in _WORD.findall(text or "")}


def table_types(text: str | None) -> set[str]:
    """Return the JSON types that a table's `str / dict` means; none where the row is cut."""
    return {TYPES[word.strip()] for word in text.split("/")} if text else set()


def json_type(value: Any) -> str:
    """Return the JSON type of a value."""
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array"}
    return kinds.get(type(value), "null")


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every member of every object in a value, and each item of a list under the name `list[]`."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield name, inner
        yield from ((f"{name}[]", item) for item in (inner if isinstance(inner, list) else ()))
        yield from members(inner)
    for inner in value if isinstance(value, list) else ():
        yield from members(inner)


def same(left: Any, right: Any) -> bool:
    """Tell whether two JSON values are equal, numbers and booleans apart."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def nulls(value: Any, pointer: str = "") -> Iterator[str]:
    """Yield the JSON pointers of each null in a value."""
    if value is None:
        yield pointer
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield from nulls(item, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")


def arguments_of(template: str, url: str) -> dict[str, str] | None:
    """Return the values of parameters in a URL of an example by name, None where it is of another path."""
    parts = urlsplit(url)
    pattern = re.sub(r"\\\{([^}]*)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    found = re.fullmatch(pattern, parts.path)
    return (
        None
        if found is None
        else {name: unquote(value) for name, value in found.groupdict().items()} | dict(parse_qsl(parts.query))
    )
