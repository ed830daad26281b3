"""Is an answer what the document promises? Judged by plain jsonschema, apart from the stub's code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from jsonschema.exceptions import best_match
from referencing.exceptions import Unresolvable

from tests.breadth.contracts import Place, RawDocument, RawOperation
from tests.breadth.dialects import FORMATS, validator_class

#: What says that the request was at fault, which it is not: it came from the contract.
_REJECTIONS = frozenset({400, 401, 403, 405, 406, 411, 413, 414, 415, 416, 422})
_WITHOUT_CONTENT = frozenset({204, 205, 304})
_REFUSED = 501


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """`right`, `wrong` or `refused`, and why."""

    kind: str
    why: str = ""


def judge(document: RawDocument, operation: RawOperation, answer: Answer) -> Verdict:
    """Return whether an answer to a valid request is documented, and its content valid."""
    responses = document.responses(operation)
    stated = {str(answer.status), f"{answer.status // 100}XX", f"{answer.status // 100}xx"}
    response = next((responses[key] for key in responses if key in stated), responses.get("default"))
    succeeds = any(key[:1] in "23" for key in responses) or "default" in responses
    if answer.status == _REFUSED and str(_REFUSED) not in responses:
        return Verdict("refused", _detail(answer))
    if answer.status >= 500 and (succeeds or response is None):
        return Verdict("wrong", f"status {answer.status}: {_detail(answer)}")
    if answer.status in _REJECTIONS and succeeds:
        return Verdict("wrong", f"a valid request is rejected with {answer.status}: {_detail(answer)}")
    if not responses:
        return Verdict("right")
    if response is None:
        return Verdict("wrong", f"status {answer.status} is not documented: {_detail(answer)}")
    why = _missing_header(document, response, answer) or _content(document, operation, response, answer)
    return Verdict("wrong", why) if why else Verdict("right")


def _missing_header(document: RawDocument, response: Place, answer: Answer) -> str:
    present = {name.lower() for name in answer.headers}
    for name in response.value.get("headers") or {}:
        header = document.follow(response.child("headers", name))
        required = header is not None and isinstance(header.value, dict) and header.value.get("required") is True
        if required and name.lower() not in present and name.lower() != "content-type":
            return f"required header is missing: {name}"
    return ""


def _content(document: RawDocument, operation: RawOperation, response: Place, answer: Answer) -> str:
    content = document.content(operation, response)
    if operation.method == "HEAD" or answer.status in _WITHOUT_CONTENT:
        return "content where there is none by HTTP" if answer.content else ""
    if not content:
        # Problem details are the answer of last resort where an error has no documented content.
        return "content where none is documented" if answer.content and answer.status < 400 else ""
    given = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not given:
        return "no Content-Type" if answer.content else _emptiness(content)
    matches = [name for name in content if _matches(name, given)]
    if not matches:
        return f"media type {given} is not documented: {', '.join(content)}"
    found = [_validity(document, content[name], given, answer.content) for name in matches]
    return "" if "" in found else found[0]


def _emptiness(content: Mapping[str, Place | None]) -> str:
    return "no content" if any(schema is not None for schema in content.values()) else ""


def _matches(stated: str, given: str) -> bool:
    """Tell whether a media type is in a documented range (RFC 9110, section 12.5.1)."""
    outer, _, inner = stated.partition(";")[0].strip().lower().partition("/")
    given_outer, _, given_inner = given.partition("/")
    return outer in {"*", given_outer} and inner in {"*", "", given_inner}


def _validity(document: RawDocument, schema: Place | None, given: str, content: bytes) -> str:
    if given.endswith(("/json", "+json")):
        try:
            value = json.loads(content)
        except ValueError as error:
            return f"content is not JSON: {error}"
        return _violation(document, schema, value)
    if given.endswith(("/xml", "+xml")):
        try:
            ElementTree.fromstring(content)
        except ElementTree.ParseError as error:
            return f"content is not XML: {error}"
        return ""
    if given.startswith("text/"):
        text = content.decode("utf-8", "replace")
        try:
            return _violation(document, schema, text) and _violation(document, schema, json.loads(text))
        except ValueError:
            return _violation(document, schema, text)
    return ""


def _violation(document: RawDocument, schema: Place | None, value: Any) -> str:
    if schema is None:
        return ""
    validator = validator_class(document.version)(
        {"$ref": schema.reference},
        registry=document.registry,
        format_checker=FORMATS,
    )
    try:
        error = best_match(validator.iter_errors(value))
    except Unresolvable as unresolvable:
        return f"schema has a broken reference: {unresolvable}"
    except RecursionError:
        return "schema is a circle"
    if error is None:
        return ""
    where = "/".join(map(str, error.absolute_path))
    return f"content breaks its schema by `{error.validator}` at /{where}: {error.message[:160]}"


def _detail(answer: Answer) -> str:
    """Return what problem details say (RFC 9457), else the content's beginning."""
    if answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        try:
            return str(json.loads(answer.content)["detail"])
        except (ValueError, KeyError, TypeError):
            pass
    return answer.content[:400].decode("utf-8", "replace").replace("\n", " ")
