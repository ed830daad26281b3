"""Lint rules `provenance` and `mark`: statements without provenance, and malformed or contradictory marks."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from mockserver.contract.provenance import MARKS, REASONS
from mockserver.contract.reading.elements import Element
from mockserver.http.json import excerpt
from mockserver.http.pointers import child
from mockserver.lint.linted_contract import LintedContract, LintFinding

_MARKS = tuple(keyword for _, keyword in MARKS)
_REMEDY = "add `x-source: <page>`, `x-assumed: <reason>` or `x-observed: <when, where>`"
#: Kinds of elements that state something about the API. The others only hold such, or are words for people.
_STATEMENTS = (
    *("operation", "parameter", "request body", "media type", "response", "header", "encoding"),
    *("example", "link", "security scheme", "server"),
)
#: Members of a schema that state nothing about values, or only hold schemas that are elements themselves.
_SILENT = frozenset(
    (
        *("title", "description", "$comment", "examples", "example", "deprecated", "externalDocs", "xml"),
        *("$ref", "$schema", "$id", "$anchor", "$dynamicAnchor", "$vocabulary"),
        *("$defs", "definitions", "properties"),
    )
)


def check_provenance(subject: LintedContract) -> Iterator[LintFinding]:
    """Yield a finding for each statement without provenance, in a contract that has any mark at all."""
    resolver = subject.provenance
    if not resolver.marked:
        return
    if "security" in subject.data and resolver.mark("/security") is None:
        yield subject.finding("provenance", "/security", "does not say how it is known", _REMEDY)
    for element in subject.of_kind(*_STATEMENTS):
        if resolver.mark(element.pointer) is None:
            yield subject.finding(
                "provenance", element.pointer, f"this {element.kind} does not say how it is known", _REMEDY
            )
    for element in subject.elements:
        if element.kind == "schema":
            yield from _check_schema(subject, element)


def check_marks(subject: LintedContract) -> Iterator[LintFinding]:
    """Yield a finding for each mark that is malformed or contradicts another mark."""
    for element in subject.elements:
        marks = {keyword: element.value[keyword] for keyword in _MARKS if keyword in element.value}
        for keyword, mark in marks.items():
            yield from _check_mark(subject, child(element.pointer, keyword), mark, element.value)
        yield from _check_contradictions(subject, element, marks)


def check_named_reasons(subject: LintedContract) -> Iterator[LintFinding]:
    """Yield a finding for each mark that names a reason missing in `x-mockserver-reasons`."""
    known = subject.data.get(REASONS)
    if not isinstance(known, dict):
        return  # without named reasons, a mark of one word is the reason itself
    for name, pointer in subject.named_reasons.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            remedy = (
                f"did you mean {excerpt(close[0])}?"
                if close
                else f"add it to {REASONS}, or write more than one word here"
            )
            yield subject.finding("mark", pointer, f"names the unknown reason {excerpt(name)}", remedy)


def _check_schema(subject: LintedContract, element: Element) -> Iterator[LintFinding]:
    """Yield one finding for all keywords of a schema that lack provenance."""
    names = [name for name in element.value if name not in _SILENT and not name.startswith("x-")]
    unmarked = [name for name in names if subject.provenance.mark(child(element.pointer, name)) is None]
    if unmarked:
        message = f"this schema does not say how its {', '.join(unmarked)} is known"
        yield subject.finding("provenance", element.pointer, message, _REMEDY)
    elif _is_property(element) and subject.provenance.mark(element.pointer) is None:
        # A property without any keyword still states that there is such a property.
        message = "this property does not say how it is known"
        yield subject.finding("provenance", element.pointer, message, _REMEDY)


def _is_property(element: Element) -> bool:
    return element.pointer.split("/")[-2:-1] == ["properties"]


def _check_mark(subject: LintedContract, pointer: str, mark: Any, marked: Any) -> Iterator[LintFinding]:
    """Yield a finding for each mistake in a mark, and in the parts of a mark that is a map."""
    if isinstance(mark, str):
        if not mark.strip():
            yield subject.finding("mark", pointer, "is empty", "name the source of the statement")
        return
    if not isinstance(mark, dict) or not mark:
        yield subject.finding(
            "mark",
            pointer,
            f"expected text or an object of keywords and texts; got {excerpt(mark)}",
            "write text for the whole object, or an object such as {maximum: a reason}",
        )
        return
    for name, inner in mark.items():
        place = child(pointer, name)
        if not isinstance(marked, dict) or name not in marked:
            message = f"there is no member {excerpt(name)} beside the mark"
            yield subject.finding("mark", place, message, "name a member of the marked object")
        else:
            yield from _check_mark(subject, place, inner, marked[name])


def _check_contradictions(subject: LintedContract, element: Element, marks: dict[str, Any]) -> Iterator[LintFinding]:
    """Yield a finding for each statement that is marked as documented and also as assumed or observed.

    An observation beside an assumption is no contradiction: it shows whether the assumption was right.
    """
    source = marks.get("x-source")
    for keyword, mark in marks.items():
        if keyword == "x-source":
            continue
        if isinstance(mark, str) and isinstance(source, str):
            yield subject.finding(
                "mark",
                child(element.pointer, keyword),
                "the object is already marked x-source as a whole",
                "make one of the two an object of the keywords that it is about",
            )
        documented = source if isinstance(source, dict) else {}
        for name in mark if isinstance(mark, dict) else ():
            if isinstance(mark[name], str) and isinstance(documented.get(name), str):
                yield subject.finding(
                    "mark",
                    child(element.pointer, keyword, name),
                    f"{excerpt(name)} is already marked x-source",
                    "keep the one that is true",
                )
