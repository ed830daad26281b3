"""Is it OpenAPI? References first, then openapi-spec-validator's judgement with the place of each error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from mockserver.contract.lint.subject import LintFinding, Subject
from mockserver.contract.references import child, follow
from mockserver.errors import ContractError

_LONGEST_MESSAGE = 300
_OBJECT_OPENED = re.compile(r"^[\[{]")


def check_references(subject: Subject) -> Iterator[LintFinding]:
    """Yield a finding for each `$ref` that is remote, dangling, a circle, or leads to no object."""
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
                f"{element.value['$ref']!r} cannot be followed ({error})",
                "name an element of this document: `#/components/...`",
            )
            continue
        if not isinstance(value, dict | bool):
            message = f"{target} is no object but {value!r:.60}"
            yield subject.finding("reference", place, message, "name the element that is meant")


def check_openapi(subject: Subject) -> Iterator[LintFinding]:
    """Yield a finding for each error that openapi-spec-validator sees: structure first, then meaning."""
    validator = _validator(subject)
    if validator is None:
        yield subject.finding(
            "openapi",
            "/openapi",
            f"version {subject.version!r} of OpenAPI is not known",
            "write `openapi: 3.1.0`",
        )
        return
    structure = list(_findings(subject, validator.schema_validator.iter_errors(subject.data)))
    yield from structure
    # The second pass follows references and relies on the structure; what is broken there makes it raise.
    if not structure and not any(check_references(subject)):
        yield from _findings(subject, validator.root_validator(validator.schema_path))


def _findings(subject: Subject, errors: Iterable[Any]) -> Iterator[LintFinding]:
    from jsonschema.exceptions import best_match

    for error in errors:
        # "... is not valid under any of the given schemas" helps nobody: the branch that fits best does.
        deepest = best_match([error]) if error.context else error
        place = child("", *map(str, deepest.absolute_path))
        yield subject.finding(
            "openapi", place, _shortened(deepest), "see the OpenAPI Specification for this object"
        )


def _shortened(error: Any) -> str:
    message = str(error.message)
    if len(message) <= _LONGEST_MESSAGE:
        return message
    # The message starts with the whole offending object, and says at its end what is wrong with it.
    if _OBJECT_OPENED.match(message):
        return f"... {message[-_LONGEST_MESSAGE:]}"
    return f"{message[:_LONGEST_MESSAGE]} ..."


def _validator(subject: Subject) -> Any:
    """Return openapi-spec-validator's validator for the document's version, or None for an unknown one."""
    # Imported late: the stub also imports this folder, and this import alone takes longer than its start-up.
    import openapi_spec_validator as osv

    versions: dict[str, Any] = {
        "3.0": osv.OpenAPIV30SpecValidator,
        "3.1": osv.OpenAPIV31SpecValidator,
        "3.2": osv.OpenAPIV32SpecValidator,
    }
    base = versions.get(".".join(subject.version.split(".")[:2]))
    if base is None:
        return None
    keywords = {name: _located(cls) for name, cls in base.keyword_validators.items()}
    # Values are checked by the rule `example`, and no handler means that nothing is fetched from anywhere.
    keywords["default"] = _silent(base.keyword_validators["default"])
    validator: Any = type("Validator", (base,), {"keyword_validators": keywords, "resolver_handlers": {}})
    return validator(subject.data)


def _located(base: Any) -> Any:
    """Return a keyword validator whose errors know their place: openapi-spec-validator's own have none."""

    def call(self: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
        parts = next((argument.parts for argument in arguments if hasattr(argument, "parts")), ())
        for error in base.__call__(self, *arguments, **options):
            if not hasattr(error, "located"):  # the innermost validator knows best
                error.path.extendleft(reversed(parts))
                error.located = True
            yield error

    return type(base.__name__, (base,), {"__call__": call})


def _silent(base: Any) -> Any:
    def call(_self: Any, *_arguments: Any) -> Iterator[Any]:
        return iter(())

    return type(base.__name__, (base,), {"__call__": call})
