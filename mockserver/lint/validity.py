"""Lint rules `reference` and `openapi`: broken `$ref`s, and errors that openapi-spec-validator finds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema_rs

from mockserver.contract.schema.violation_messages import python_message, rust_message
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http.json import excerpt
from mockserver.http.pointers import child, lookup, split
from mockserver.lint.linted_contract import LintedContract, LintFinding

#: Messages of openapi-spec-validator, and the words of ours for them; groups are shown as JSON.
_MESSAGES = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        ("Path parameter '(.*)' for '.*' operation in '.*' was not resolved", "the path parameter {} is not declared"),
        ("Operation ID '(.*)' for '.*' in '.*' is not unique", "the operationId {} is used twice"),
        ("Duplicate parameter '(.*)'", "the parameter {} occurs twice"),
        ("Duplicate tag name '(.*)'", "the tag {} occurs twice"),
        ("Tag '(.*)' references unknown parent tag '(.*)'", "the tag {} names the unknown parent tag {}"),
        ("Required list has not defined properties: (.*)", "`required` names properties that are not defined: {}"),
    )
)


def check_references(subject: LintedContract) -> Iterator[LintFinding]:
    """Yield a finding for each `$ref` that is remote, dangling, circular or does not lead to an object."""
    for element in subject.elements:
        if not element.is_reference:
            continue
        place = child(element.pointer, "$ref")
        try:
            value, target = follow(subject.data, element.pointer)
        except ContractError as error:
            yield subject.finding(
                "reference",
                place,
                f"{excerpt(element.value['$ref'])} cannot be followed ({error})",
                "name an element of this document: `#/components/...`",
            )
            continue
        if not isinstance(value, dict | bool):
            message = f"expected an object at {target}; got {excerpt(value)}"
            yield subject.finding("reference", place, message, "name the element that is meant")


def check_openapi(subject: LintedContract) -> Iterator[LintFinding]:
    """Yield a finding for each error that openapi-spec-validator finds: structure first, then meaning."""
    # Imported late: the stub also imports this folder, and this import alone takes longer than its start-up.
    import openapi_spec_validator as osv
    from openapi_spec_validator import schemas

    versions: dict[str, tuple[Any, Any]] = {
        "2.0": (schemas.schema_v2, osv.OpenAPIV2SpecValidator),
        "3.0": (schemas.schema_v30, osv.OpenAPIV30SpecValidator),
        "3.1": (schemas.schema_v31, osv.OpenAPIV31SpecValidator),
        "3.2": (schemas.schema_v32, osv.OpenAPIV32SpecValidator),
    }
    written = subject.written or subject.data
    version = str(written.get("openapi", written.get("swagger", "")))
    known = versions.get(".".join(version.split(".")[:2]))
    if known is None:
        message = f"version {excerpt(version)} of OpenAPI is not known"
        yield subject.finding("openapi", "/openapi", message, "write `openapi: 3.1.0`")
        return
    structure = list(_check_structure(subject, dict(known[0])))
    yield from structure
    # The second pass follows references and relies on the structure; what is broken there makes it raise.
    if not structure and not any(check_references(subject)):
        yield from _check_meaning(subject, known[1])


def _check_structure(subject: LintedContract, openapi: dict[str, Any]) -> Iterator[LintFinding]:
    """Yield a finding for each violation of the JSON Schema of the document's OpenAPI version."""
    written = subject.written or subject.data
    # openapi-spec-validator runs the same validator, and drops what would tell which branch was nearly right.
    for error in jsonschema_rs.validator_for(openapi).iter_errors(written):
        deepest = _deepest(error)
        yield _finding(subject, deepest.instance_path, rust_message(deepest))


def _deepest(error: Any) -> Any:
    """Return the most specific cause of a validation error, instead of the failure of `oneOf` or `anyOf` as a whole."""
    branches = getattr(error.kind, "context", None) or ()
    causes = [_deepest(inner) for branch in branches for inner in branch]
    return max(causes, key=lambda cause: len(cause.instance_path), default=error)


def _check_meaning(subject: LintedContract, base: Any) -> Iterator[LintFinding]:
    """Yield a finding for each error beyond the JSON Schema: path parameters, operation ids, invalid schemas."""
    from jsonschema.exceptions import best_match

    keywords = {name: _located(cls) for name, cls in base.keyword_validators.items()}
    # Values are checked by the rule `example`, and no handler means that nothing is fetched from anywhere.
    keywords["default"] = _silent(base.keyword_validators["default"])
    located: Any = type("Validator", (base,), {"keyword_validators": keywords, "resolver_handlers": {}})
    validator = located(subject.written or subject.data)
    for error in validator.root_validator(validator.schema_path):
        deepest = best_match([error]) if error.context else error
        if subject.written is not subject.data and deepest.message.startswith("'file' is not valid"):
            continue  # OpenAPI 2.0 allows it for responses (its section "Response Object"); the validator does not know
        yield _finding(subject, deepest.absolute_path, _reworded(python_message(deepest)))


def _reworded(message: str) -> str:
    """Return a message of openapi-spec-validator in the words of the other findings; any other message unchanged."""
    for pattern, words in _MESSAGES:
        found = pattern.fullmatch(message)
        if found is not None:
            return words.format(*map(excerpt, found.groups()))
    return message


def _finding(subject: LintedContract, path: Iterable[str | int], message: str) -> LintFinding:
    place = _across_references(subject, child("", *map(str, path)))
    return subject.finding("openapi", place, message, "see the OpenAPI Specification for this object")


def _across_references(subject: LintedContract, pointer: str) -> str:
    """Return the pointer of an element itself, for a pointer that leads through `$ref`s."""
    value: Any = subject.written or subject.data
    place = ""
    for token in split(pointer):
        if isinstance(value, dict) and "$ref" in value and token not in value:
            value, place = follow(subject.data, place)
        value, place = lookup(value, child("", token)), child(place, token)
    return place


def _located(base: Any) -> Any:
    """Return a subclass of a keyword validator whose errors have a path, which openapi-spec-validator's lack."""

    def call(self: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
        parts = next(argument.parts for argument in arguments if hasattr(argument, "parts"))
        for error in base.__call__(self, *arguments, **options):
            if not hasattr(error, "located"):  # the innermost validator knows best
                error.path.extendleft(reversed(parts))
                error.located = True
            yield error

    return type(base.__name__, (base,), {"__call__": call})


def _silent(base: Any) -> Any:
    """Return a subclass of a keyword validator that reports no error."""

    def call(_self: Any, *_arguments: Any) -> Iterator[Any]:
        return iter(())

    return type(base.__name__, (base,), {"__call__": call})
