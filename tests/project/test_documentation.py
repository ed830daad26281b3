"""The contract says all that the documentation says of its six operations, and claims nothing beyond it.

Both directions yield disagreements as lines of text. The built-in contract has none; each mutation of it, or
of the record, has the one that it is made for.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml

from mockserver.contract.building import load_contract
from mockserver.contract.lint.elements import CHILDREN, Element, walk
from mockserver.contract.model import Contract, Operation
from mockserver.contract.provenance import ProvenanceResolver
from mockserver.contract.references import follow, lookup
from mockserver.defaults import CONTRACT, SEED_DATA
from mockserver.pointers import child

RECORD_FILE = Path(__file__).parents[1] / "documentation.yaml"
MUTATIONS_FILE = Path(__file__).with_name("documentation_mutations.yaml")
OPERATION_PAGES = ("setting_get", "setting_post", "setting_delete", "auth_post", "auth_get", "auth_delete")
#: Words of the documentation's tables for types of JSON Schema.
TYPES = {"str": "string", "int": "integer", "dict": "object", "list": "array", "bool": "boolean"}
JSON = "application/json"
#: Keywords that a page can state, because names, types and values are what pages show. A page shows no limit.
STATABLE = ("type", "required", "const", "enum", "writeOnly", "x-secret")
SILENT = frozenset({"description", "properties", "examples", "$ref"})


class Record(NamedTuple):
    """The record of the documentation: the part for all pages, and the pages by their ids."""

    general: dict[str, Any]
    pages: dict[str, dict[str, Any]]


def read_record(data: Any) -> Record:
    return Record(data["general"], {page["id"]: page for page in data["endpoints"]})


def json_type(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array"}
    return kinds.get(type(value), "null")


def table_types(text: str) -> set[str]:
    """Return the JSON types that a table's `str / dict` means."""
    return {TYPES[word.strip()] for word in text.split("/")}


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every member of every object in a value."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield name, inner
        yield from members(inner)
    for inner in value if isinstance(value, list) else ():
        yield from members(inner)


def bodies(page: dict[str, Any], *directions: str) -> list[Any]:
    """Return the contents of a page's examples: `request`, `response`, or both."""
    found = [example["body"] for way in directions or ("request", "response") for example in page[f"{way}_examples"]]
    return [body for body in found if body is not None]


# ---- one direction: what the documentation states stands in the contract, marked as stated


def missing_facts(contract: Contract, record: Record, seed: Any) -> Iterator[str]:
    """Yield every fact of the six pages that is not in the contract, or not marked with its page."""
    for page_id in OPERATION_PAGES:
        page = record.pages[page_id]
        for name, path in documented_paths(page):
            operation = find(contract, page["method"], path)
            if operation is None:
                yield f"{page_id}: there is no {page['method']} {path}"
                continue
            for check in (check_access, check_interface, check_requests, check_answers, check_members):
                yield from (f"{operation.id}: {text}" for text in check(contract, operation, page, record, name))
        yield from (f"{page_id}: {text}" for text in check_identities(page, seed))
    yield from check_base(contract, record)


def documented_paths(page: dict[str, Any]) -> list[tuple[str | None, str]]:
    """Return the paths that a page speaks of, each with the name that its `{parameter}` stands for."""
    if not page["path_params"]:
        return [(None, page["path"])]
    (parameter,) = page["path_params"]
    return [(name, page["path"].replace(f"{{{parameter['name']}}}", name)) for name in parameter["enum"]]


def find(contract: Contract, method: str, path: str) -> Operation | None:
    return next((o for o in contract.operations if (o.method, o.path) == (method, path)), None)


def is_stated(contract: Contract, pointer: str, page: str) -> bool:
    known = contract.provenance(pointer)
    return (known.kind, known.reason) == ("source", page)


def check_access(
    contract: Contract, operation: Operation, page: dict[str, Any], record: Record, _name: str | None
) -> Iterator[str]:
    if not is_stated(contract, operation.pointer, page["id"]):
        yield f"is not marked x-source: {page['id']}"
    if bool(operation.security) != page["auth"]:
        yield f"authentication: documented is {page['auth']}"
    for requirement in operation.security:
        for scheme in (contract.security_schemes[name] for name in requirement):
            documented = record.general["auth"]["scheme"]
            if f"{scheme.type} {scheme.scheme}" not in documented.lower():
                yield f"security scheme {scheme.type} {scheme.scheme}: documented is {documented}"
    if list(operation.levels or ()) != page["permission"]:
        yield f"levels {operation.levels}: documented are {page['permission']}"


def check_interface(
    contract: Contract, operation: Operation, page: dict[str, Any], record: Record, _name: str | None
) -> Iterator[str]:
    if contract.at(operation.pointer).get("tags") != [page["section"]]:
        yield f"is not in the section {page['section']!r}"
    expected = {("query", parameter["name"]) for parameter in page["query_params"]}
    if {(parameter.location, parameter.name) for parameter in operation.parameters} != expected:
        yield f"parameters: documented are {sorted(expected)}"
    if operation.request_body is not None and set(operation.request_body.content) != {JSON}:
        yield f"takes {sorted(operation.request_body.content)}, documented is {JSON}"
    for status, text in (page["status_codes"] or {}).items():
        response = operation.responses.get(status)
        if response is None or not is_stated(contract, response.pointer, page["id"]):
            yield f"status {status} ({text}) is not there, or not marked x-source: {page['id']}"
    for status, response in operation.responses.items():
        expected_type = record.general["no_content_204"]["mimetype"] if status == "204" else JSON
        if status.startswith("2") and set(response.content) != {expected_type}:
            yield f"answers {status} with {sorted(response.content)}, documented is {expected_type}"


def check_requests(
    contract: Contract, operation: Operation, page: dict[str, Any], _record: Record, name: str | None
) -> Iterator[str]:
    """Yield the recorded request examples that are not there, and bodies where the page shows none."""
    examples = operation.request_body.content[JSON].examples if operation.request_body else {}
    for recorded in page["request_examples"]:
        if name not in (None, recorded["name"]):
            continue  # the example of another setting
        if urlsplit(recorded["url"]).path != operation.path:
            yield f"request example {recorded['name']} goes to {recorded['url']}"
        if recorded["body"] is None and operation.request_body is not None:
            yield f"request example {recorded['name']} has no body"
        if recorded["body"] is None:
            continue
        example = examples.get(recorded["name"])
        if example is None or not same(example.value, recorded["body"]):
            yield f"request example {recorded['name']} is not {recorded['body']}"
        elif not is_stated(contract, example.pointer, page["id"]):
            yield f"request example {recorded['name']} is not marked x-source: {page['id']}"


def check_answers(
    contract: Contract, operation: Operation, page: dict[str, Any], _record: Record, name: str | None
) -> Iterator[str]:
    """Yield the recorded response examples that are not there, or do not answer their requests."""
    pairs = {
        (pair.request.name if pair.request else None, pair.response.name): pair.response
        for pair in contract.pairs()
        if pair.operation is operation
    }
    answers = {recorded["name"]: recorded["body"] for recorded in page["response_examples"]}
    for recorded in page["request_examples"]:
        if name not in (None, recorded["name"]):
            continue
        # Where names differ, the page has one answer to all of its requests.
        answer = recorded["name"] if recorded["name"] in answers else next(iter(answers))
        example = pairs.get((None if recorded["body"] is None else recorded["name"], answer))
        if example is None or not same(example.value, answers[answer]):
            yield f"request example {recorded['name']} is not answered by {answer}: {answers[answer]}"
        elif not is_stated(contract, example.pointer, page["id"]):
            yield f"response example {answer} is not marked x-source: {page['id']}"


def check_members(
    contract: Contract, operation: Operation, page: dict[str, Any], _record: Record, _name: str | None
) -> Iterator[str]:
    """Yield the rows of the page's tables that the schemas do not have."""
    success = operation.success()
    for rows, content in (
        (page["request_params"], operation.request_body.content if operation.request_body else {}),
        (page["response_params"], success.content if success else {}),
    ):
        schema = content[JSON].schema if JSON in content else None
        found = dict(properties(contract.document.data, schema)) if schema else {}
        for row in rows:
            if row["name"] not in found:
                yield f"property {row['name']} is missing"
                continue
            holder, pointer = found[row["name"]]
            kind = contract.at(pointer).get("type")
            if kind not in table_types(row["type"]):
                yield f"property {row['name']} has the type {kind}, documented is {row['type']}"
            elif contract.provenance(child(pointer, "type")).kind != "source":
                yield f"the type of property {row['name']} is documented and not marked so"
            required = row["name"] in contract.at(holder).get("required", [])
            if "required" in row and required != row["required"]:
                yield f"property {row['name']}: documented is required {row['required']}"


def properties(data: Any, schema: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the name of every property in a schema, with the pointers of its holder and of itself."""
    value, pointer = follow(data, schema)
    for name in value.get("properties", {}):
        place = child(pointer, "properties", name)
        yield name, (pointer, follow(data, place)[1])
        yield from properties(data, place)


def check_identities(page: dict[str, Any], seed: Any) -> Iterator[str]:
    """Yield the credentials of a page's examples that the seed data does not know."""
    tokens = {(a["username"], token["token"]) for a in seed["accounts"] for token in a.get("tokens", ())}
    passwords = {(a["username"], a["password"]) for a in seed["accounts"]}
    for recorded in page["request_examples"]:
        basic = recorded.get("basic_auth")
        if basic is not None and (basic["username"], basic["auth_token"]) not in tokens:
            yield f"seed data has no token {basic}"
        body = recorded["body"] or {}
        if page["id"] == "auth_post" and (body["username"], body["password"]) not in passwords:
            yield f"seed data has no account {body['username']}"


def check_base(contract: Contract, record: Record) -> Iterator[str]:
    (server,) = contract.at("/servers")
    url = server["url"].replace("{hostname}", server["variables"]["hostname"]["default"])
    documented = urlsplit(record.general["base_url_placeholder"])
    if url != f"{documented.scheme}://{documented.netloc}":
        yield f"server {url}: documented is {documented.geturl()}"
    page = record.pages["setting_get"]
    unknown = next(o for o in contract.operations if o.id == "setting_get_unknown")
    pattern = contract.at(str(unknown.parameters[0].schema))["pattern"]
    for name in page["path_params"][0]["enum"]:
        if re.search(pattern, name):
            yield f"the documented setting {name} passes for an unknown one"


def same(left: Any, right: Any) -> bool:
    """Tell whether two JSON values are equal, numbers and booleans apart."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


# ---- the other direction: what the contract marks as stated by a page stands on that page


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
            statement = Statement(element, keyword, page, names.get(element.pointer, set()), contract, record)
            if not is_on_page(statement):
                yield f"{pointer}: {page} does not state {element.kind} {keyword or 'as a whole'}"


class Statement(NamedTuple):
    """One thing that the contract says: an element as a whole (keyword "") or one keyword of it."""

    element: Element
    keyword: str
    page_id: str
    names: set[str]
    contract: Contract
    record: Record

    @property
    def value(self) -> Any:
        return self.element.value.get(self.keyword)

    @property
    def page(self) -> dict[str, Any]:
        empty: dict[str, list[Any]] = {
            "request_examples": [],
            "response_examples": [],
            "request_params": [],
            "response_params": [],
        }
        return self.record.pages.get(self.page_id, {"id": self.page_id, **empty})

    @property
    def last(self) -> str:
        return self.element.pointer.rsplit("/", 1)[1].replace("~1", "/")


def names_in_use(data: Any) -> dict[str, set[str]]:
    """Return for each schema the properties that it describes, for each response the statuses it has."""
    names: dict[str, set[str]] = {}
    for element in walk(data):
        holder, _, name = element.pointer.rpartition("/")
        if holder.endswith("/properties") or (element.kind == "response" and name.isdecimal()):
            names.setdefault(element.pointer, set()).add(name)
            names.setdefault(follow(data, element.pointer)[1], set()).add(name)
    return names


def is_on_page(statement: Statement) -> bool:
    """Tell whether a page makes a statement; of a kind of statement that no page can make, none does."""
    element, keyword = statement.element, statement.keyword
    if element.kind == "schema":
        return schema_is_on_page(statement)
    rule = RULES.get((element.kind, keyword))
    if rule is not None:
        return rule(statement)
    return keyword in UNJUDGED.get(element.kind, set()) or keyword.startswith("x-")


def operation_is_on_page(statement: Statement) -> bool:
    path, method = (part.replace("~1", "/") for part in statement.element.pointer.split("/")[2:4])
    documented = [path for _, path in documented_paths(statement.page)] if "path" in statement.page else []
    return path in documented and method.upper() == statement.page["method"]


def example_is_on_page(statement: Statement) -> bool:
    value, direction = statement.element.value.get("value"), str(statement.element.direction)
    if value == "" and "empty string" in (statement.page.get("status_codes") or {}).get("204", ""):
        return True
    return any(same(value, body) for body in bodies(statement.page, direction))


def media_type_is_on_page(statement: Statement) -> bool:
    types = statement.record.general["content_types"]
    exceptions = {exception["mimetype"] for exception in types["exceptions"]}
    direction = str(statement.element.direction)
    return statement.page_id == "general" and statement.last in exceptions | {types[direction]["mimetype"]}


def request_body_is_on_page(statement: Statement) -> bool:
    required = any(row["required"] for row in statement.page["request_params"])
    return required if statement.keyword == "required" else bool(bodies(statement.page, "request"))


#: Kind of element and keyword -> does the page state it? The keyword "" asks for the element as a whole.
RULES: dict[tuple[str, str], Callable[[Statement], bool]] = {
    ("document", "security"): lambda s: s.page_id == "general" and "auth" in s.record.general,
    ("document", "x-mockserver-levels"): lambda s: set(s.value) == set(s.page.get("permission_levels", ())),
    ("info", "version"): lambda s: s.value == s.record.general["version"],
    ("server", ""): lambda s: s.page_id == "general" and "base_url_placeholder" in s.record.general,
    ("tag", ""): lambda s: s.element.value["name"] == s.page.get("section"),
    ("operation", ""): operation_is_on_page,
    ("operation", "security"): lambda s: s.value == [] and s.page.get("auth") is False,
    ("operation", "tags"): lambda s: s.value == [s.page.get("section")],
    ("operation", "x-mockserver-levels"): lambda s: s.value == s.page.get("permission"),
    ("request body", ""): request_body_is_on_page,
    ("request body", "required"): request_body_is_on_page,
    ("response", ""): lambda s: bool(s.names) and s.names <= set(s.page.get("status_codes") or ()),
    ("media type", ""): media_type_is_on_page,
    ("example", ""): example_is_on_page,
    ("security scheme", ""): lambda s: s.page_id == "general" and "auth" in s.record.general,
}
#: Keywords that state nothing, or only hold what is judged by itself.
UNJUDGED: dict[str, set[str]] = {
    "server": {"url", "description", "variables"},
    "tag": {"name", "description"},
    "operation": {"operationId", "summary"},
    "request body": {"description"},
    "response": {"description"},
    "example": {"summary", "value"},
    "security scheme": {"type", "scheme", "description"},
}


def schema_is_on_page(statement: Statement) -> bool:
    keyword = statement.keyword
    if keyword in SILENT or (keyword.startswith("x-") and keyword not in STATABLE):
        return True
    if keyword == "":
        name = statement.last if "/properties/" in statement.element.pointer else None
        return name is None or name in known_names(statement.page)
    if statement.page_id == "general":
        empty = statement.record.general["no_content_204"]["body"] == "empty string"
        return empty and statement.element.value == {"x-source": "general", "type": "string", "const": ""}
    rule = SCHEMA_RULES.get(keyword)
    return rule is not None and rule(statement)


def known_names(page: dict[str, Any]) -> set[str]:
    """Return every name of a member that a page's tables and examples have."""
    rows = {row["name"] for row in page["request_params"] + page["response_params"]}
    return rows | {name for body in bodies(page) for name, _ in members(body)}


def type_is_on_page(statement: Statement) -> bool:
    if not statement.names:
        return statement.value == "object" and all(isinstance(body, dict) for body in bodies(statement.page))
    return all(statement.value in types_on_page(statement.page, name) for name in statement.names)


def types_on_page(page: dict[str, Any], name: str) -> set[str]:
    """Return the types of a member by a page's tables, or, where they do not have it, by its examples."""
    rows = [row for row in page["request_params"] + page["response_params"] if row["name"] == name]
    if rows:
        return set().union(*(table_types(row["type"]) for row in rows))
    return {json_type(value) for body in bodies(page) for member, value in members(body) if member == name}


def required_is_on_page(statement: Statement) -> bool:
    documented = {row["name"] for row in statement.page["request_params"] if row["required"]}
    return set(statement.value) == documented


def values_are_on_page(statement: Statement) -> bool:
    values = statement.value if statement.keyword == "enum" else [statement.value]
    names = [parameter["enum"] for parameter in statement.page.get("path_params", ()) if "enum" in parameter]
    listed = {value for enum in [*names, statement.page.get("permission", [])] for value in enum}
    return bool(statement.names) and all(value in listed for value in values)


def is_sent_only(statement: Statement) -> bool:
    """Tell whether a page shows a member in its requests and in none of its answers."""
    sent = {name for body in bodies(statement.page, "request") for name, _ in members(body)}
    shown = {name for body in bodies(statement.page, "response") for name, _ in members(body)}
    return bool(statement.names) and statement.names <= sent - shown


def is_shown(statement: Statement) -> bool:
    return statement.names <= {n for body in bodies(statement.page, "response") for n, _ in members(body)}


SCHEMA_RULES: dict[str, Callable[[Statement], bool]] = {
    "type": type_is_on_page,
    "required": required_is_on_page,
    "const": values_are_on_page,
    "enum": values_are_on_page,
    "writeOnly": is_sent_only,
    "x-secret": is_shown,
}


# ---- the tests


def disagreements(contract_data: Any, record_data: Any, folder: Path) -> list[str]:
    """Return every disagreement of a contract with a record, in both directions."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(contract_data), encoding="utf-8")
    contract, record = load_contract(path), read_record(record_data)
    seed = yaml.safe_load(SEED_DATA.read_text(encoding="utf-8"))
    return [*missing_facts(contract, record, seed), *unstated(contract, record)]


@pytest.fixture(scope="module")
def recorded() -> Any:
    return yaml.safe_load(RECORD_FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def written() -> Any:
    return load_contract(CONTRACT).document.data


def test_the_contract_says_what_the_documentation_says(written: Any, recorded: Any, tmp_path: Path) -> None:
    assert disagreements(written, recorded, tmp_path) == []


def test_the_record_has_the_six_pages(recorded: Any) -> None:
    assert set(OPERATION_PAGES) <= set(read_record(recorded).pages)


def read_mutations(part: str) -> list[Any]:
    mutations = yaml.safe_load(MUTATIONS_FILE.read_text(encoding="utf-8"))[part]
    return [pytest.param(mutation, id=mutation["name"]) for mutation in mutations]


def mutate(data: Any, mutation: dict[str, Any], pointer: str) -> Any:
    """Return a copy of the data with one member put or taken away."""
    mutated = copy.deepcopy(data)
    holder_pointer, _, name = pointer.rpartition("/")
    holder = lookup(mutated, holder_pointer)
    name = name.replace("~1", "/")
    if isinstance(holder, list):
        holder[int(name) : int(name) + 1] = [mutation["put"]]
    elif "put" in mutation:
        holder[name] = mutation["put"]
    else:
        del holder[name]
    return mutated


@pytest.mark.parametrize("mutation", read_mutations("contract"))
def test_a_contract_that_says_otherwise_is_caught(
    written: Any, recorded: Any, tmp_path: Path, mutation: dict[str, Any]
) -> None:
    found = disagreements(mutate(written, mutation, mutation["at"]), recorded, tmp_path)
    assert any(mutation["finds"] in line for line in found), found


@pytest.mark.parametrize("mutation", read_mutations("record"))
def test_documentation_that_says_more_is_caught(
    written: Any, recorded: Any, tmp_path: Path, mutation: dict[str, Any]
) -> None:
    page, _, below = mutation["at"].partition("/")
    index = [endpoint["id"] for endpoint in recorded["endpoints"]].index(page)
    mutated = mutate(recorded, mutation, f"/endpoints/{index}/{below}")
    found = disagreements(written, mutated, tmp_path)
    assert any(mutation["finds"] in line for line in found), found
