"""What the contract marks as stated by a page, and whether that page states it.

Its other direction, that nothing stated is missing, is facts.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from mockserver.contract.model import Contract
from mockserver.contract.provenance import ProvenanceResolver
from mockserver.contract.reading.elements import CHILDREN, Element, walk
from mockserver.contract.source.references import follow
from mockserver.http.pointers import blanked, child
from tests.documentation.facts import operations_of
from tests.documentation.record import (
    ANY_ONE,
    BAD_PASSWORDS,
    GOOD_PASSWORD,
    Page,
    Record,
    arguments_of,
    json_type,
    members,
    nulls,
    same,
    table_types,
    words,
)

#: Keywords that a page can state, because names, types and values are what pages show.
STATABLE = ("type", "required", "const", "enum", "writeOnly", "x-secret")
SILENT = frozenset({"description", "title", "properties", "items", "examples", "$ref", "allOf"})


class Statement(NamedTuple):
    """One thing that the contract says: an element as a whole (keyword "") or one keyword of it."""

    element: Element
    keyword: str
    page: Page
    names: set[str]
    contract: Contract
    record: Record

    @property
    def value(self) -> Any:
        """The value of the keyword."""
        return self.element.value.get(self.keyword)

    @property
    def last(self) -> str:
        """The name or index that the element stands under."""
        return self.element.pointer.rsplit("/", 1)[1].replace("~1", "/")


def unstated(contract: Contract, record: Record) -> Iterator[str]:
    """Yield every statement that is marked with a page which does not make it."""
    data = contract.document.data
    resolver = ProvenanceResolver(data)
    names = names_in_use(data)

    def page_of(pointer: str) -> str | None:
        kind, reason = resolver.mark(pointer) or ("none", "")
        return reason if kind == "source" else None

    for element in walk(data):
        if element.is_reference and element.kind != "schema":
            continue  # what it leads to carries its own marks
        for keyword in ("", *element.value):
            if keyword in CHILDREN.get(element.kind, {}) and element.kind != "schema":
                continue  # elements themselves
            pointer = child(element.pointer, keyword) if keyword else element.pointer
            page = page_of(pointer)
            if page is None:
                continue
            if page != "general" and page not in record.pages:
                yield f"{pointer}: there is no page {page}"
                continue
            found = record.pages.get(page) or Page({"id": page})
            if not is_on_page(Statement(element, keyword, found, names.get(element.pointer, set()), contract, record)):
                yield f"{pointer}: {page} does not state {element.kind} {keyword or 'as a whole'}"


def names_in_use(data: Any) -> dict[str, set[str]]:
    """Return the names that elements are used under, by pointer.

    For a schema those of the properties and parameters that it describes, `list[]` for the items of a list; for a
    response the statuses.
    """
    names: dict[str, set[str]] = {}

    def note(pointer: str, name: str) -> None:
        for place in {pointer, follow(data, pointer)[1]}:
            names.setdefault(place, set()).add(name)

    elements = list(walk(data))
    for element in elements:
        holder, _, name = element.pointer.rpartition("/")
        if holder.endswith("/properties") or (element.kind == "response" and name.isdecimal()):
            note(element.pointer, name.replace("~1", "/"))
        if element.kind == "parameter" and "schema" in element.value:
            note(child(element.pointer, "schema"), element.value["name"])
    # Schemas within schemas that describe the same value, or its items.
    for _ in range(3):
        for element in elements:
            own = set(names.get(element.pointer, ()))
            if element.kind != "schema" or not own:
                continue
            for keyword in ("anyOf", "oneOf", "allOf"):
                for index in range(len(element.value.get(keyword, ()))):
                    for name in own:
                        note(child(element.pointer, keyword, str(index)), name)
            if isinstance(element.value.get("items"), dict):
                for name in own:
                    note(child(element.pointer, "items"), f"{name}[]")
            if "$ref" in element.value:
                for name in own:
                    note(element.pointer, name)
    return names


def is_on_page(statement: Statement) -> bool:
    """Tell whether a page makes a statement; of a kind of statement that no page can make, none does."""
    element, keyword = statement.element, statement.keyword
    if element.kind == "schema":
        return _schema(statement)
    rule = RULES.get((element.kind, keyword))
    if rule is not None:
        return rule(statement)
    return keyword in UNJUDGED.get(element.kind, set()) or keyword.startswith("x-")


def _operation(statement: Statement) -> bool:
    found = operations_of(statement.contract, statement.page) if statement.page.get("path") else []
    return any(operation and operation.pointer == statement.element.pointer for *_, operation in found)


def _levels(statement: Statement) -> bool:
    permission = statement.page.get("permission")
    noted = {level for level in statement.value if level in words(statement.page.get("permission_note"))}
    every = "every level" in (statement.page.get("permission_note") or "")
    return statement.value == permission or every or set(statement.value) == {*(permission or ()), *noted}


def _objects(statement: Statement) -> bool:
    """Tell whether the page says on whose objects a call may act."""
    texts = [statement.page.get("summary"), statement.page.get("permission_note")]
    texts += [
        *(row.get("note") for row in statement.page.rows),
        *(statement.page.get("permission_levels") or {}).values(),
    ]
    administering = {"administer", "administers", "administered"}
    return any(words(text) & {"authenticated", "your", "own", *administering} for text in texts)


def _example(statement: Statement) -> bool:
    value, direction = statement.element.value.get("value"), str(statement.element.direction)
    if value == "" and "empty string" in (statement.page.get("status_codes") or {}).get("204", ""):
        return True
    stripped = statement.element.value.get("x-mockserver-stripped", [])
    return any(
        same(blanked(value, stripped), body) and set(stripped) <= set(nulls(body))
        for body in statement.page.bodies(direction)
    ) or _argument(statement)


def _argument(statement: Statement) -> bool:
    """Tell whether an example is the value of a parameter in a URL that its page shows."""
    if statement.page.get("path") is None:
        return False
    for recorded in statement.page.examples("request"):
        sent = arguments_of(statement.page.get("path"), recorded["url"]) or {}
        if str(statement.element.value.get("value")) in sent.values():
            return True
    return False


def _media_type(statement: Statement) -> bool:
    types = statement.record.general["content_types"]
    exceptions = {exception["mimetype"] for exception in types["exceptions"]}
    direction = statement.element.direction
    known = {types[direction]["mimetype"]} if direction else {types[way]["mimetype"] for way in ("request", "response")}
    return statement.page.id == "general" and statement.last in exceptions | known


def _request_body(statement: Statement) -> bool:
    required = any(row["required"] is True for row in statement.page.request_rows)
    required |= bool(ANY_ONE.search(statement.page.get("request_params_note") or ""))
    shown = bool(statement.page.bodies("request") or statement.page.request_rows)
    return required if statement.keyword == "required" else shown


def _parameter(statement: Statement) -> bool:
    location, name = statement.element.value.get("in"), statement.element.value.get("name")
    rows = [row for place, row in statement.page.parameters if (place, row["name"]) == (location, name)]
    return any(statement.keyword != "required" or row["required"] == statement.value for row in rows)


#: Kind of element and keyword -> does the page state it? The keyword "" asks for the element as a whole.
RULES: dict[tuple[str, str], Callable[[Statement], bool]] = {
    ("document", "security"): lambda s: s.page.id == "general" and "auth" in s.record.general,
    ("document", "x-mockserver-levels"): lambda s: set(s.value) == set(s.page.get("permission_levels") or ()),
    ("info", "version"): lambda s: s.value == s.record.general["version"],
    ("server", ""): lambda s: s.page.id == "general" and "base_url_placeholder" in s.record.general,
    ("tag", ""): lambda s: s.element.value["name"] == s.page.get("section"),
    ("operation", ""): _operation,
    ("operation", "security"): lambda s: s.value == [] and s.page.get("auth") is False,
    ("operation", "tags"): lambda s: s.value == [s.page.get("section")],
    ("operation", "x-mockserver-levels"): _levels,
    ("operation", "x-mockserver-objects"): _objects,
    ("parameter", ""): _parameter,
    ("parameter", "required"): _parameter,
    ("request body", ""): _request_body,
    ("request body", "required"): _request_body,
    ("response", ""): lambda s: bool(s.names) and s.names <= set(s.page.get("status_codes") or ()),
    ("media type", ""): _media_type,
    ("example", ""): _example,
    ("security scheme", ""): lambda s: s.page.id == "general" and "auth" in s.record.general,
}
#: Keywords that state nothing, or only hold what is judged by itself.
UNJUDGED: dict[str, set[str]] = {
    "server": {"url", "description", "variables"},
    "tag": {"name", "description"},
    "operation": {"operationId", "summary", "description"},
    "parameter": {"name", "in", "description"},
    "request body": {"description"},
    "response": {"description"},
    "example": {"summary", "description", "value"},
    "security scheme": {"type", "scheme", "description"},
}


def _schema(statement: Statement) -> bool:
    keyword = statement.keyword
    if keyword in SILENT or (keyword.startswith("x-") and keyword not in STATABLE):
        return True
    if keyword == "":
        within = "/properties/" in statement.element.pointer
        return not within or not statement.names or statement.names & known_names(statement.page) != set()
    if statement.page.id == "general":
        empty = statement.record.general["no_content_204"]["body"] == "empty string"
        return empty and statement.element.value == {"x-source": "general", "type": "string", "const": ""}
    rule = SCHEMA_RULES.get(keyword)
    return rule is not None and rule(statement)


def known_names(page: Page) -> set[str]:
    """Return every name of a member that a page's tables and examples have."""
    return {row["name"] for row in page.rows} | {name for body in page.bodies() for name, _ in members(body)}


def _type(statement: Statement) -> bool:
    kinds = set(statement.value) if isinstance(statement.value, list) else {statement.value}
    if kinds == {"object"} and known_names(statement.page) & set(statement.element.value.get("properties", ())):
        return True  # the page has members of it
    if not statement.names:
        bodies = statement.page.bodies()
        return all(kinds == {json_type(body)} for body in _of_its_kind(statement, bodies)) and kinds <= {
            "object",
            "array",
        }
    known = statement.names & known_names(statement.page)
    return bool(known) and all(kinds <= types_on_page(statement.page, name) for name in known)


def _of_its_kind(statement: Statement, bodies: list[Any]) -> list[Any]:
    """Return the bodies that a schema of no name may be of; a list of objects is shown with its items."""
    items = [item for body in bodies if isinstance(body, list) for item in body]
    return items if statement.value == "object" and items else bodies


def types_on_page(page: Page, name: str) -> set[str]:
    """Return the types of a member by a page's tables, or, where they do not have it, by its examples."""
    documented = set().union(*(table_types(row["type"]) for row in page.rows_of(name)))
    shown = (value for body in page.bodies() for member, value in members(body) if member == name)
    return documented or {json_type(value) for value in shown}


def assumed_though_shown(contract: Contract, record: Record) -> Iterator[str]:
    """Yield every `required` that is only assumed though each example of its response shows these members.

    Left out are schemas of requests, too, and members that a request may leave out: the examples show them because
    their requests have them.
    """
    data = contract.document.data
    resolver, names = ProvenanceResolver(data), names_in_use(data)
    for element in walk(data):
        required = element.value.get("required") if element.kind == "schema" else None
        if not isinstance(required, list) or "properties" not in element.value:
            continue
        pointer = child(element.pointer, "required")
        (kind, _), (around, page) = (resolver.mark(place) or ("none", "") for place in (pointer, element.pointer))
        found = record.pages.get(page)
        if kind == "source" or around != "source" or found is None:
            continue
        statement = Statement(element, "required", found, names.get(element.pointer, set()), contract, record)
        optional = {row["name"] for row in found.request_rows if row["required"] is not True}
        sent = [body.keys() for body in found.bodies("request") if isinstance(body, dict)]
        if set(required) not in sent and optional.isdisjoint(required) and _in_every_example(statement):
            yield f"{pointer}: all examples of {page} show it, so it is documented"


def _in_every_example(statement: Statement) -> bool:
    """Tell whether each example of a response shows these members, wherever it has an object of this schema."""
    bodies = statement.page.bodies("response")
    if statement.names:
        found = [value for body in bodies for name, value in members(body) if name in statement.names]
    else:
        found = [item for body in bodies for item in (body if isinstance(body, list) else [body])]
    known = set(statement.element.value["properties"])
    objects = [value for value in found if isinstance(value, dict) and value.keys() <= known]
    return bool(objects) and all(set(statement.value) <= value.keys() for value in objects)


def _required(statement: Statement) -> bool:
    """Tell whether the page's table requires just these of the members, or each example of a response shows them."""
    rows = {row["name"]: row["required"] for row in statement.page.request_rows}
    own = statement.element.value.get("properties")
    if own is not None:
        documented = {name for name, required in rows.items() if required is True and name in own}
        if set(statement.value) == documented or _in_every_example(statement):
            return True
    # A branch: one of several is required, or it is under some condition.
    any_one = bool(ANY_ONE.search(statement.page.get("request_params_note") or ""))
    return all(rows.get(name) == "conditional" or (any_one and rows.get(name) is False) for name in statement.value)


def _any_one(statement: Statement) -> bool:
    """Tell whether the page says that any one of its optional members is required, or of several kinds one."""
    data = statement.contract.document.data
    places = (child(statement.element.pointer, statement.keyword, str(index)) for index in range(len(statement.value)))
    branches = [follow(data, place)[0] for place in places]
    if all(set(branch) - {"x-source", "x-assumed"} == {"required"} for branch in branches):
        named = {name for branch in branches for name in branch["required"]}
        optional = {row["name"] for row in statement.page.request_rows if row["required"] is False}
        return named == optional and bool(ANY_ONE.search(statement.page.get("request_params_note") or ""))
    if all("properties" in branch for branch in branches):
        return statement.page.has_conditions()  # what they are is judged branch by branch
    kinds = [branch.get("type") for branch in branches]
    names = statement.names & known_names(statement.page)
    return bool(names) and all(set(kinds) <= types_on_page(statement.page, name) for name in names)


def _one_at_least(statement: Statement) -> bool:
    least = 1 + len(statement.element.value.get("required", ()))
    return statement.value == least and bool(ANY_ONE.search(statement.page.get("request_params_note") or ""))


def _values(statement: Statement) -> bool:
    values = statement.value if statement.keyword == "enum" else [statement.value]
    parameters = [row["enum"] for _, row in statement.page.parameters if "enum" in row]
    levels = [statement.page.get("permission") or [], list(statement.page.get("permission_levels") or ())]
    listed = [value for enum in [*parameters, *levels] for value in enum]
    return bool(statement.names) and all(
        any(same(value, one) for one in listed) or any(statement.page.says(name, value) for name in statement.names)
        for value in values
    )


def _bound(statement: Statement) -> bool:
    rows = [row for name in statement.names for row in statement.page.rows_of(name)]
    return any(
        row.get(statement.keyword) == statement.value or str(statement.value) in words(row.get("note")) for row in rows
    )


def _password_rule(statement: Statement) -> bool:
    """Tell whether a length or a pattern of passwords is that of a rule on the page: it refuses what breaks one."""
    rules = {word for rule in statement.page.get("password_rules") or () for word in words(rule)}
    if "password" not in statement.names or not rules:
        return False
    if statement.keyword == "minLength":
        return str(statement.value) in rules
    takes = re.compile(statement.value).search
    bad = [password for word, password in BAD_PASSWORDS.items() if word in rules]
    if "SHA512-Crypt" in {word for row in statement.page.rows_of("password") for word in words(row.get("note"))}:
        bad.append("{MD5-CRYPT}$1$" + GOOD_PASSWORD)
    return bool(takes(GOOD_PASSWORD)) and not all(map(takes, bad))


def _sent_only(statement: Statement) -> bool:
    """Tell whether a page has a member in its requests and in none of its answers."""
    return (
        bool(statement.names)
        and bool(statement.names & (_named(statement.page, "request")))
        and not (statement.names & _named(statement.page, "response"))
    )


def _shown(statement: Statement) -> bool:
    return bool(statement.names) and statement.names <= _named(statement.page, "response")


def _named(page: Page, direction: str) -> set[str]:
    rows = page.request_rows if direction == "request" else page.response_rows
    return {row["name"] for row in rows} | {name for body in page.bodies(direction) for name, _ in members(body)}


SCHEMA_RULES: dict[str, Callable[[Statement], bool]] = {
    # What is under a condition is judged by itself.
    **dict.fromkeys(("if", "then", "else", "discriminator"), lambda s: s.page.has_conditions()),
    "type": _type,
    "required": _required,
    "anyOf": _any_one,
    "oneOf": _any_one,
    "minProperties": _one_at_least,
    "const": _values,
    "enum": _values,
    "minimum": _bound,
    "maximum": _bound,
    "minLength": _password_rule,
    "pattern": _password_rule,
    "writeOnly": _sent_only,
    "x-secret": _shown,
}
