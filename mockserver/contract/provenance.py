"""Provenance of each statement of the contract, from its marks (docs/contract.md, "Provenance")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from mockserver.http.pointers import split

#: Prefix of our extensions. No documentation states them, so a mark around one is not about the extension.
_EXTENSION = "x-mockserver-"
#: Key of the reasons that many marks share: name to text.
REASONS = "x-mockserver-reasons"
#: How a contract without any marks knows each of its statements.
UNMARKED = "a contract without marks is documented throughout"
Kind = Literal["source", "assumed", "observed"]

#: In order of precedence where several are about the same element: an observation replaces an assumption.
MARKS: tuple[tuple[Kind, str], ...] = (
    ("source", "x-source"),
    ("observed", "x-observed"),
    ("assumed", "x-assumed"),
)
#: Objects that map free names to elements: their keys are names, so none of them is a mark or a keyword.
NAME_MAPS = frozenset(
    [
        "paths",
        "components",
        "schemas",
        "responses",
        "parameters",
        "examples",
        "requestBodies",
        "headers",
        "securitySchemes",
        "links",
        "callbacks",
        "pathItems",
        "webhooks",
        "content",
        "encoding",
        "properties",
        "patternProperties",
        "dependentSchemas",
        "$defs",
        "definitions",
        "variables",
    ]
)


class Reasons:
    """Reasons in a document's `x-mockserver-reasons`, by the names that marks use for them.

    Only `x-assumed` and `x-observed` have such reasons; `x-source` names a page.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        found = data.get(REASONS)
        self._texts = found if isinstance(found, dict) else {}

    def text(self, kind: Kind, mark: str) -> str:
        """Return the reason in a mark: the text of `x-mockserver-reasons` that it names, else the mark itself."""
        named = self._texts.get(mark) if kind != "source" else None
        return named if isinstance(named, str) else mark


@dataclass(frozen=True, slots=True)
class Provenance:
    """Provenance of a statement of the contract: documented, assumed or observed, and the reason given for it.

    Attributes:
        kind: `source` (documented), `assumed` (our guess) or `observed` (seen on a real server).
        reason: page id, reason in full, or time and place, as given in the mark.
        pointer: JSON pointer of the statement that was asked about.
    """

    kind: Kind
    reason: str
    pointer: str

    @property
    def documented(self) -> bool:
        """Whether the statement is documented, so that contradicting it is a violation and not only drift."""
        return self.kind == "source"


def schema_root(tokens: list[str]) -> int | None:
    """Return the number of tokens that lead to the outermost Schema Object around an element, None outside of any."""
    if tokens[:2] == ["components", "schemas"]:
        return 3
    if tokens[:1] == ["definitions"]:
        return 2
    for index, name in enumerate(tokens):
        named = index > 0 and tokens[index - 1] in NAME_MAPS
        if name == "schema" and not named:
            return index + 1
    return None


class ProvenanceResolver:
    """Finds the provenance of any element of a document."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self._reasons = Reasons(data)

    @cached_property
    def marked(self) -> bool:
        """Whether the document has any mark (`x-source` and the like) outside of `x-mockserver-*` extensions.

        Computed on first use, because the whole document is walked.
        """
        return _has_marks(self._data)

    def of(self, pointer: str) -> Provenance:
        """Return the provenance of the element or keyword at a pointer, without following a `$ref` there."""
        tokens = split(pointer)
        own = self._extension(tokens, self._objects(tokens)) is not None
        if not self.marked and not own:
            return Provenance("source", UNMARKED, pointer)
        found = self.mark(pointer)
        if found is not None:
            kind, text = found
            return Provenance(kind, self._reasons.text(kind, text), pointer)
        if own:
            return Provenance("assumed", "a mockserver extension that has no mark itself", pointer)
        return Provenance("assumed", "the contract does not say how this is known", pointer)

    def mark(self, pointer: str) -> tuple[Kind, str] | None:
        """Return kind and text of the mark that covers an element, reasons by their names; None if no mark does."""
        tokens = split(pointer)
        objects = self._objects(tokens)
        root = schema_root(tokens)
        outermost = 0 if root is None or root > len(tokens) else root
        extension = self._extension(tokens, objects)
        for depth in range(len(objects) - 1, outermost - 1, -1):
            holder = objects[depth]
            if isinstance(holder, dict) and not self._is_name_map(tokens, depth):
                # A mark outside of an extension of ours has to name it.
                named = 0 if extension is None else max(0, extension + 1 - depth)
                found = _mark_in(holder, tokens[depth:], named)
                if found is not None:
                    return found
        return None

    def _extension(self, tokens: list[str], objects: list[Any]) -> int | None:
        """Return the index of the last token that is an `x-mockserver-*` extension's name, None if there is none."""
        for depth in range(min(len(tokens), len(objects)) - 1, -1, -1):
            if tokens[depth].startswith(_EXTENSION) and isinstance(objects[depth], dict):
                return None if self._is_name_map(tokens, depth) else depth
        return None

    def _objects(self, tokens: list[str]) -> list[Any]:
        """Return the values along a path of tokens, from the document's root as far as the path exists."""
        values: list[Any] = [self._data]
        for token in tokens:
            value = values[-1]
            if isinstance(value, dict) and token in value:
                values.append(value[token])
            elif isinstance(value, list) and token.isdecimal() and int(token) < len(value):
                values.append(value[int(token)])
            else:
                break
        return values

    def _is_name_map(self, tokens: list[str], depth: int) -> bool:
        """Tell whether the object at a depth maps free names (as `properties` does), so that its keys are no marks."""
        if depth == 0 or tokens[depth - 1] not in NAME_MAPS:
            return False
        return depth < 2 or not self._is_name_map(tokens, depth - 1)


def _mark_in(holder: dict[str, Any], below: list[str], named: int) -> tuple[Kind, str] | None:
    """Return the mark that an object's own keywords give to an element below it: from a map first, then a string.

    A map counts if it names at least so many of the steps to the element, and a string, which names none, only for 0.
    """
    for kind, keyword in MARKS:
        mark = holder.get(keyword)
        for steps, token in enumerate(below, 1):
            if not isinstance(mark, dict):
                break
            mark = mark.get(token)
            if isinstance(mark, str) and steps >= named:
                return kind, mark
    for kind, keyword in MARKS:
        mark = holder.get(keyword)
        if isinstance(mark, str) and not named:
            return kind, mark
    return None


def _has_marks(value: Any) -> bool:
    stack = [value]
    seen: set[int] = set()  # aliases of YAML let one object stand in many places
    while stack:
        item = stack.pop()
        if id(item) in seen:
            continue
        if isinstance(item, dict | list):
            seen.add(id(item))
        if isinstance(item, dict):
            if any(_speaks(item[keyword]) for _, keyword in MARKS if keyword in item):
                return True
            # How sure somebody is of an extension of ours says nothing about the contract around it.
            stack.extend(member for name, member in item.items() if not str(name).startswith(_EXTENSION))
        elif isinstance(item, list):
            stack.extend(item)
    return False


def _speaks(mark: Any) -> bool:
    """Tell whether a mark is about anything other than `x-mockserver-*` extensions."""
    if not isinstance(mark, dict) or not mark:
        return True
    return any(not str(name).startswith(_EXTENSION) and _speaks(inner) for name, inner in mark.items())
