"""Contract as the rules of lint see it, and the findings that they yield."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mockserver.contract.model import Contract
from mockserver.contract.provenance import MARKS, ProvenanceResolver
from mockserver.contract.reading.elements import Element, walk
from mockserver.contract.schema.validator import Schemas
from mockserver.contract.source.loading import Document
from mockserver.contract.source.references import follow
from mockserver.errors import ContractError
from mockserver.http.pointers import child

#: Form of a name in `x-mockserver-reasons`; no reason itself has it.
NAME = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")
#: Messages show the offending value, and one may be a whole document.
_LONGEST_MESSAGE = 400


@dataclass(frozen=True, slots=True, order=True)
class LintFinding:
    """Mistake in a contract: its place, the rule that is broken, what is wrong and the remedy.

    Attributes:
        file: the contract, as the user named it.
        line: 1-based line of the element, or of the nearest one around it.
        pointer: JSON pointer of the element, "" for the whole document.
        rule: name of the check that found it (docs/contract.md lists them).
        message: what is wrong, with the value.
        remedy: what to do about it.
    """

    file: str
    line: int
    pointer: str
    rule: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.pointer or '/'}: {self.message} [{self.rule}]; {self.remedy}"


@dataclass(frozen=True)
class LintedContract:
    """Contract that lint checks: its document, elements, schemas and provenance.

    Attributes:
        document: the file.
        contract: the contract as the stub would serve it, or None if it cannot be served.
        written: the root object as the file has it, where the document was upgraded from OpenAPI 2.0.
    """

    document: Document
    contract: Contract | None
    written: dict[str, Any] | None = None

    @property
    def data(self) -> dict[str, Any]:
        """Root object of the document."""
        return self.document.data

    @cached_property
    def version(self) -> str:
        """Version of OpenAPI that the document states, such as `3.1.0`."""
        return str(self.data.get("openapi", ""))

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """All OpenAPI objects of the document, in the order of the file."""
        return tuple(walk(self.data))

    @cached_property
    def provenance(self) -> ProvenanceResolver:
        """Resolver of the provenance of the document's statements."""
        return ProvenanceResolver(self.data)

    @cached_property
    def named_reasons(self) -> Mapping[str, str]:
        """Names of reasons that marks use, each with the pointer of the first mark that uses it."""
        found: dict[str, str] = {}
        keywords = [keyword for kind, keyword in MARKS if kind != "source"]
        for element in self.elements:
            extensions = (name for name in element.value if name.startswith("x-mockserver-"))
            for path in ((), *((name,) for name in extensions if isinstance(element.value[name], dict))):
                marked = element.value[path[0]] if path else element.value
                for keyword in keywords:
                    for pointer, text in _texts(child(element.pointer, *path, keyword), marked.get(keyword)):
                        if NAME.fullmatch(text):
                            found.setdefault(text, pointer)
        return found

    @cached_property
    def schemas(self) -> Schemas:
        """Schemas of the document in JSON Schema 2020-12, compiled on first use."""
        return Schemas(self.data)

    def of_kind(self, *kinds: str) -> Iterator[Element]:
        """Yield the elements of some kinds, such as `operation`, without those that are only a `$ref`."""
        for element in self.elements:
            if element.kind in kinds and not element.is_reference:
                yield element

    def resolve(self, pointer: str) -> tuple[dict[str, Any], str] | None:
        """Return the object at a pointer and its own pointer after `$ref`s; None if a `$ref` is broken."""
        try:
            value, place = follow(self.data, pointer)
        except ContractError:
            return None  # reported by the rule `reference`
        return (value, place) if isinstance(value, dict) else None

    def finding(self, rule: str, pointer: str, message: str, remedy: str) -> LintFinding:
        """Return a finding about the element at a pointer; a long message is cut in the middle."""
        if len(message) > _LONGEST_MESSAGE:
            message = f"{message[: _LONGEST_MESSAGE // 2]} ... {message[-_LONGEST_MESSAGE // 2 :]}"
        path, line = self.document.where(pointer)
        return LintFinding(str(path), line, pointer, rule, message, remedy)


def _texts(pointer: str, mark: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts of a mark with their pointers."""
    if isinstance(mark, str):
        yield pointer, mark
    elif isinstance(mark, dict):
        for name, inner in mark.items():
            yield from _texts(child(pointer, name), inner)
