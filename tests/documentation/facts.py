"""What the documentation states, fact by fact, and whether it stands in the contract, marked as stated.

The other direction, that nothing is marked as stated that is not, is statements.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mockserver.contract.exchanges import ExamplePair, pairs_of
from mockserver.contract.model import Contract, Example, Operation
from mockserver.contract.source.references import follow
from mockserver.http.pointers import blanked, child
from tests.documentation.record import (
    ANY_ONE,
    BAD_PASSWORDS,
    GOOD_PASSWORD,
    MOST,
    ZERO_OR_ONE,
    Page,
    Record,
    Row,
    arguments_of,
    nulls,
    same,
    table_types,
    words,
)

JSON = "application/json"
#: Who calls where an example does not say.
_DEFAULT_CALLER = "admin"


@dataclass(frozen=True)
class Fact:
    """One thing that a page states; `missing` says what the contract lacks of it, "" for nothing."""

    page: str
    missing: str

    @property
    def covered(self) -> bool:
        """Whether the contract has it."""
        return not self.missing


@dataclass(frozen=True)
class Subject:
    """A page and the operation that it describes.

    Attributes:
        value: the value of the path parameter that the operation is for, where a page has several operations.
    """

    contract: Contract
    record: Record
    page: Page
    operation: Operation
    value: str | None

    def is_stated(self, pointer: str) -> bool:
        """Tell whether an element is marked with the page."""
        known = self.contract.provenance(pointer)
        return (known.kind, known.reason) == ("source", self.page.id)

    def is_documented(self, pointer: str) -> bool:
        """Tell whether an element is marked with a page; that it is stated there is for statements.py to judge."""
        return self.contract.provenance(pointer).kind == "source"

    def pairs(self) -> list[ExamplePair]:
        """Return the documented exchanges of the operation."""
        return list(pairs_of(self.operation))


def facts(contract: Contract, record: Record, seed: Any) -> Iterator[Fact]:
    """Yield every fact of every page, and those for all pages."""
    for page in record.pages.values():
        yield from page_facts(contract, record, page)
        yield from (Fact(page.id, f"{page.id}: {text}" if text else "") for text in _identities(page, seed))
    yield from (Fact("general", text) for text in _general(contract, record))


def page_facts(contract: Contract, record: Record, page: Page) -> Iterator[Fact]:
    """Yield every fact of one page about its operations."""
    found = operations_of(contract, page)
    if not found:
        yield Fact(page.id, f"{page.id}: there is no {page.get('method')} {page.get('path')}")
    for value, path, operation in found:
        if operation is None:
            yield Fact(page.id, f"{page.id}: there is no {page.get('method')} {path}")
            continue
        subject = Subject(contract, record, page, operation, value)
        for check in (_access, _interface, _parameters, _requests, _answers, _tables, _rules):
            yield from (Fact(page.id, f"{operation.id}: {text}" if text else "") for text in check(subject))


def operations_of(contract: Contract, page: Page) -> list[tuple[str | None, str, Operation | None]]:
    """Return the operations of a page, with the value of the parameter and the path that each is for.

    One for each value of its parameter, as with settings, which differ too much, or else one with the page's own path.
    """
    known = {(operation.method, operation.path): operation for operation in contract.operations}
    (_, template), *others = page.paths()
    operations = [(value, path, known.get((page.get("method"), path))) for value, path in others]
    if any(operation for *_, operation in operations):
        return operations
    found = known.get((page.get("method"), template))
    return [] if found is None else [(None, template, found)]


def missing_pages(contract: Contract, record: Record) -> set[str]:
    """Return the ids of the pages whose operation the contract does not have."""
    return {page.id for page in record.pages.values() if not operations_of(contract, page)}


def _claim(holds: object, otherwise: str) -> str:
    return "" if holds else otherwise


# Each of these yields a text for each fact: what is missing of it, "" for nothing.


def _access(subject: Subject) -> Iterator[str]:
    operation, page = subject.operation, subject.page
    yield _claim(subject.is_stated(operation.pointer), f"is not marked x-source: {page.id}")
    yield _claim(bool(operation.security) == page.get("auth"), f"authentication: documented is {page.get('auth')}")
    documented = subject.record.general["auth"]["scheme"]
    for requirement in operation.security:
        for scheme in (subject.contract.security_schemes[name] for name in requirement):
            yield _claim(
                f"{scheme.type} {scheme.scheme}" in documented.lower(),
                f"security scheme {scheme.type} {scheme.scheme}: documented is {documented}",
            )
    levels, permission = list(operation.levels or ()), page.get("permission")
    # Some pages say in words, or are cut before they say, that other levels may call, too, for some of it.
    more = bool(page.get("permission_note")) and set(permission) < set(levels)
    yield _claim(levels == permission or more, f"levels {operation.levels}: documented are {permission}")


def _interface(subject: Subject) -> Iterator[str]:
    operation, page, general = subject.operation, subject.page, subject.record.general
    tags = subject.contract.at(operation.pointer).get("tags")
    yield _claim(tags == [page.get("section")], f"is not in the section {page.get('section')!r}")
    if operation.request_body is not None:
        taken = sorted(operation.request_body.content)
        yield _claim(taken == [JSON], f"takes {taken}, documented is {JSON}")
    for status, text in (page.get("status_codes") or {}).items():
        response = operation.responses.get(status)
        yield _claim(
            response is not None and subject.is_stated(response.pointer),
            f"status {status} ({text}) is not there, or not marked x-source: {page.id}",
        )
    for status, response in operation.responses.items():
        expected = general["no_content_204"]["mimetype"] if status == "204" else JSON
        if status.startswith("2"):
            yield _claim(
                set(response.content) == {expected},
                f"answers {status} with {sorted(response.content)}, documented is {expected}",
            )


def _parameters(subject: Subject) -> Iterator[str]:
    operation, page = subject.operation, subject.page
    documented = [(location, row) for location, row in page.parameters if subject.value is None or location != "path"]
    known = {(str(parameter.location), parameter.name): parameter for parameter in operation.parameters}
    names = {(location, row["name"]) for location, row in documented}
    yield _claim(known.keys() == names, f"parameters {sorted(known)}: documented are {sorted(names)}")
    for location, row in documented:
        parameter = known.get((location, row["name"]))
        if parameter is None or parameter.schema is None:
            yield f"{location} parameter {row['name']} is missing"
            continue
        yield _claim(subject.is_documented(parameter.pointer), f"{location} parameter {row['name']} is not marked")
        yield _claim(
            parameter.required == row["required"],
            f"{location} parameter {row['name']}: documented is required {row['required']}",
        )
        yield from _value(subject, f"{location} parameter {row['name']}", row, parameter.schema)


def _requests(subject: Subject) -> Iterator[str]:
    """Yield the request examples that are not there, and bodies where the page shows none."""
    operation, page = subject.operation, subject.page
    examples = operation.request_body.content[JSON].examples if operation.request_body else {}
    for recorded in _recorded(subject):
        name, body = recorded["name"], recorded["body"]
        sent = arguments_of(operation.path, recorded["url"])
        yield _claim(sent is not None, f"request example {name} goes to {recorded['url']}")
        if sent:
            yield from _sent(subject, name, sent)
        if body is None:
            yield _claim(operation.request_body is None, f"request example {name} has no body")
            continue
        example = examples.get(name)
        yield _claim(example is not None and _shows(example, body), f"request example {name} is not {body}")
        if example is not None:
            marked = subject.is_stated(example.pointer)
            yield _claim(marked, f"request example {name} is not marked x-source: {page.id}")


def _sent(subject: Subject, name: str, sent: dict[str, str]) -> Iterator[str]:
    """Yield the parameters of a request example that the contract's example of it does not have."""
    pair = _pair(subject, name)
    if pair is None:
        return  # the page shows no answer to it, so nothing is there to come out
    values = {parameter: str(example.value) for (_, parameter), example in pair.arguments.items()}
    for parameter in subject.operation.parameters:
        place, _ = follow(subject.contract.document.data, parameter.schema or "")
        if parameter.required and parameter.name not in values and place.get("examples"):
            values[parameter.name] = str(place["examples"][0])
    yield _claim(values == sent, f"request example {name} is sent with {values}, documented is {sent}")


def _pair(subject: Subject, name: str) -> ExamplePair | None:
    """Return the exchange of a recorded request example."""
    answers = {recorded["name"] for recorded in subject.page.examples("response")}
    for pair in subject.pairs():
        if name == (pair.request.name if pair.request else None):
            return pair
    # Where names differ, the page has one answer to all of its requests.
    return next((pair for pair in subject.pairs() if pair.request is None and pair.response.name in answers), None)


def _recorded(subject: Subject) -> list[dict[str, Any]]:
    """Return the recorded request examples of the operation, less those of its page's other operations."""
    return [one for one in subject.page.examples("request") if subject.value in (None, one["name"])]


def _shows(example: Example, documented: Any) -> bool:
    """Tell whether an example is what is documented; where the record has a stripped null, it may have any value."""
    stripped = set(example.stripped)
    return stripped <= set(nulls(documented)) and same(blanked(example.value, stripped), documented)


def _answers(subject: Subject) -> Iterator[str]:
    """Yield the response examples that are not there, or do not answer their requests."""
    page = subject.page
    answers = {recorded["name"]: recorded for recorded in page.examples("response")}
    if not answers:
        return
    pairs = {(pair.request.name if pair.request else None, pair.response.name): pair for pair in subject.pairs()}
    for recorded in _recorded(subject):
        name = recorded["name"]
        # Where names differ, the page has one answer to all of its requests.
        answer = answers.get(name) or next(iter(answers.values()))
        pair = pairs.get((None if recorded["body"] is None else name, answer["name"]))
        yield _claim(
            pair is not None and _shows(pair.response, answer["body"]),
            f"request example {name} is not answered by {answer['name']}: {answer['body']}",
        )
        if pair is None:
            continue
        yield _claim(
            subject.is_stated(pair.response.pointer),
            f"response example {answer['name']} is not marked x-source: {page.id}",
        )
        status = answer.get("status")
        yield _claim(status is None or pair.status == str(status), f"response example {answer['name']}: {status}")
        documented = (recorded.get("basic_auth") or {}).get("username")
        caller = pair.response.presumes.identity or _DEFAULT_CALLER
        yield _claim(documented in (None, caller), f"request example {name} is sent by {caller}, not {documented}")


def _tables(subject: Subject) -> Iterator[str]:
    """Yield the rows of the page's tables that the schemas do not have."""
    operation, page = subject.operation, subject.page
    success = operation.success()
    for rows, content in (
        (page.request_rows, operation.request_body.content if operation.request_body else {}),
        (page.response_rows, success.content if success else {}),
    ):
        schema = content[JSON].schema if JSON in content else None
        found: dict[str, list[Place]] = {}
        for name, place in properties(subject.contract.document.data, schema) if schema else ():
            found.setdefault(name, []).append(place)
        for row in rows:
            yield from _row(subject, row, found.get(row["name"], []))


def _rules(subject: Subject) -> Iterator[str]:
    """Yield what the page says of its requests in words and the schema does not see to."""
    operation, page = subject.operation, subject.page
    content = operation.request_body.content if operation.request_body is not None else {}
    schema = content[JSON].schema if JSON in content else None
    if schema is None:
        return
    if ANY_ONE.search(page.get("request_params_note") or ""):
        required = {row["name"] for row in page.request_rows if row["required"] is True}
        least = [{name: body[name] for name in required} for body in page.bodies("request")] or [{}]
        refused = not any(subject.contract.validator(schema, "request").is_valid(body) for body in least)
        yield _claim(refused, f"a request with none of the optional members: {page.get('request_params_note')}")
    for rule in page.get("password_rules") or ():
        places = [
            place.pointer for name, place in properties(subject.contract.document.data, schema) if name == "password"
        ]
        takes = [subject.contract.validator(place, "request").is_valid for place in places]
        bad = [password for word, password in BAD_PASSWORDS.items() if word in words(rule)]
        kept = takes and all(take(GOOD_PASSWORD) and not any(map(take, bad)) for take in takes)
        yield _claim(kept and bad, f"passwords: {rule}")


def _row(subject: Subject, row: Row, places: list[Place]) -> Iterator[str]:
    """Yield what the places of a property lack of its row; one of them has to have all of it, or all of one choice."""
    name = row["name"]
    if not places:
        yield f"property {name} is missing"
        return
    choices = {place.choice for place in places if place.choice}
    together = [[place for place in places if place.choice == choice] for choice in choices]
    tried = [list(_property(subject, row, found)) for found in (*([place] for place in places), *together)]
    yield from min(tried, key=lambda texts: sum(map(bool, texts)))


def _property(subject: Subject, row: Row, places: list[Place]) -> Iterator[str]:
    name = row["name"]
    yield from _value(subject, f"property {name}", row, *(place.pointer for place in places))
    required = all(name in subject.contract.at(place.holder).get("required", []) for place in places)
    documented = row.get("required", required)
    # `conditional`: its page says in words when; the place that has it says so with another keyword.
    expected = False if documented == "conditional" else documented
    yield _claim(required == expected, f"property {name}: documented is required {documented}")


def _value(subject: Subject, what: str, row: Row, *schemas: str) -> Iterator[str]:
    """Yield what schemas, of a choice all together, lack of the type, the values and the bounds of a row."""
    contract = subject.contract
    found = [follow(contract.document.data, schema) for schema in schemas]
    kinds, documented = set().union(*(_types(place) for place, _ in found)), table_types(row["type"])
    if documented:
        # Where a page has several operations, each is about one of the values that its tables speak of.
        fits = kinds and kinds <= documented if subject.value is not None else kinds == documented
        yield _claim(fits, f"{what} has the type {sorted(kinds)}, documented is {row['type']}")
        if fits:
            stated = all(subject.is_documented(one) for two in found for one in _type_places(*two))
            yield _claim(stated, f"the type of {what} is documented and not marked so")
    note = row.get("note") or ""
    listed = row.get("enum", [0, 1] if ZERO_OR_ONE.search(note) else None)
    if listed is not None:
        allowed = [
            value for place, _ in found for value in place.get("enum", [place["const"]] if "const" in place else [])
        ]
        yield _claim(same(sorted(allowed, key=str), sorted(listed, key=str)), f"{what}: values are {listed}")
        stated = all(
            subject.is_documented(child(pointer, "enum" if "enum" in place else "const")) for place, pointer in found
        )
        yield _claim(stated, f"the values of {what} are documented")
    most = MOST.search(note)
    bounds = {bound: row[bound] for bound in ("minimum", "maximum") if bound in row}
    for bound, value in (bounds | ({"maximum": int(most[1])} if most else {})).items():
        yield _claim(all(place.get(bound) == value for place, _ in found), f"{what}: {bound} is {value}")
        stated = all(subject.is_documented(child(pointer, bound)) for _, pointer in found)
        yield _claim(stated, f"the {bound} of {what} is documented")


def _types(schema: dict[str, Any]) -> set[str]:
    """Return the types of a schema, or of its alternatives."""
    if "type" in schema:
        return set(schema["type"]) if isinstance(schema["type"], list) else {schema["type"]}
    return {one for keyword in ("anyOf", "oneOf") for branch in schema.get(keyword, ()) for one in _types(branch)}


def _type_places(schema: dict[str, Any], pointer: str) -> Iterator[str]:
    if "type" in schema:
        yield child(pointer, "type")
        return
    for keyword in ("anyOf", "oneOf"):
        for index, branch in enumerate(schema.get(keyword, ())):
            yield from _type_places(branch, child(pointer, keyword, str(index)))


class Place(NamedTuple):
    """Where a property stands: pointers of its holder, of itself, and of the choice that its holder is a branch of."""

    holder: str
    pointer: str
    choice: str


def properties(
    data: Any, schema: str, seen: frozenset[str] = frozenset(), choice: str = ""
) -> Iterator[tuple[str, Place]]:
    """Yield the name of every property in a schema, with its place."""
    value, pointer = follow(data, schema)
    if pointer in seen:
        return
    seen |= {pointer}
    for name in value.get("properties", {}):
        place = child(pointer, "properties", name)
        yield name, Place(pointer, follow(data, place)[1], choice)
        yield from properties(data, place, seen)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index in range(len(value.get(keyword, ()))):
            branch = child(pointer, keyword)
            yield from properties(data, child(branch, str(index)), seen, branch if keyword == "oneOf" else choice)
    if isinstance(value.get("items"), dict):
        yield from properties(data, child(pointer, "items"), seen)


def _identities(page: Page, seed: Any) -> Iterator[str]:
    """Yield the credentials of a page's examples that the seed data do not know."""
    tokens = {(a["username"], token["token"]) for a in seed["accounts"] for token in a.get("tokens", ())}
    passwords = {(a["username"], a.get("password")) for a in seed["accounts"]}
    for recorded in page.examples("request"):
        basic = recorded.get("basic_auth")
        if basic is not None and basic["username"] is not None:
            known = (basic["username"], basic["auth_token"]) in tokens
            yield _claim(known, f"seed data has no token {basic}")
        if page.id == "auth_post":
            body = recorded["body"]
            known = (body["username"], body["password"]) in passwords
            yield _claim(known, f"seed data has no account {body['username']}")


def _general(contract: Contract, record: Record) -> Iterator[str]:
    """Yield what is missing of the facts for all pages."""
    (server,) = contract.at("/servers")
    url = server["url"].replace("{hostname}", server["variables"]["hostname"]["default"])
    documented = urlsplit(record.general["base_url_placeholder"])
    expected = f"{documented.scheme}://{documented.netloc}"
    yield _claim(url == expected, f"server {url}: documented is {documented.geturl()}")
