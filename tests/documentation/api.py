"""docs/api.md: every documented operation, who may call it, what is assumed of it, and what the stub does."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from mockserver.contract.exchanges import pairs_of
from mockserver.contract.model import Contract, Operation
from mockserver.contract.provenance import Reasons
from mockserver.contract.reading.document import load_contract
from mockserver.contract.reading.elements import walk
from mockserver.contract.source.references import follow
from mockserver.http.pointers import split
from mockserver.plugins import DEFAULT, find
from mockserver.stub.behaviour.bindings import bind_api
from mockserver.stub.behaviour.handlers import AUTH, SETTING, find_handler
from mockserver.stub.behaviour.login import LoginHandler
from mockserver.stub.behaviour.setting import SettingHandler
from tests import defaults
from tests.documentation.facts import operations_of
from tests.documentation.record import Page, Record, read_record

_URL = re.compile(r"https?://\S+")
_BINDINGS = bind_api(find(DEFAULT), load_contract(defaults.CONTRACT))
_MADE = {SETTING: SettingHandler, AUTH: LoginHandler}
_OWN = {"self": "own account", "account": "own account and those below", "name": "own names"}


def page() -> str:
    """Return the generated part of the page."""
    contract, record = load_contract(defaults.CONTRACT), read_record()
    sections = [
        (section, list(pages)) for section, pages in groupby(record.pages.values(), lambda one: str(one.get("section")))
    ]
    levels = list(contract.levels)
    parts = [_matrix(contract, record, levels), _shared(contract)]
    assumed = _Assumed(contract)
    for section, pages in sections:
        parts.append(f"## {section}")
        parts.append(_about(contract, section))
        for one in pages:
            parts += [
                _operation(contract, assumed, one, operation)
                for *_, operation in operations_of(contract, one)
                if operation
            ]
    return "\n\n".join(filter(None, parts))


def _matrix(contract: Contract, record: Record, levels: list[str]) -> str:
    """Return the table of all operations: what each level may do."""
    lines = [
        "## Who may what",
        "",
        "`all`: on everybody's objects. `own ...`: on those. `yes`: no one else has such objects. `open`: anybody.",
        "",
        f"| operation | {' | '.join(levels)} |",
        f"|---|{'---|' * len(levels)}",
    ]
    for one in record.pages.values():
        for *_, operation in operations_of(contract, one):
            if operation is not None:
                cells = " | ".join(_cell(operation, level, is_last=level == levels[-1]) for level in levels)
                lines.append(f"| [{operation.id}](#{_anchor(operation)}) | {cells} |")
    return "\n".join(lines)


def _cell(operation: Operation, level: str, *, is_last: bool) -> str:
    if not operation.security:
        return "open"
    if level not in (operation.levels or (level,)):
        return "no"
    if operation.objects is None:
        return "yes"
    if level in operation.objects.foreign:
        return "all"
    # Below the last level there is nobody.
    return _OWN["self" if operation.objects.own == "account" and is_last else operation.objects.own]


def _anchor(operation: Operation) -> str:
    """Return the anchor that a renderer makes of an operation's heading."""
    return operation.id.lower()


def _about(contract: Contract, section: str) -> str:
    tags = contract.document.data.get("tags", ())
    return next((tag["description"].strip() for tag in tags if tag["name"] == section and "description" in tag), "")


def _shared(contract: Contract) -> str:
    """Return what is assumed of the responses that many operations have."""
    lines = ["## What many operations may answer", "", "| response | assumed |", "|---|---|"]
    reasons = Reasons(contract.document.data)
    for name, response in contract.at("/components/responses").items():
        for reason in _reasons(response.get("x-assumed")):
            said = reasons.text("assumed", reason)
            lines.append(f"| {name}: {_inline(response['description'])} | {_inline(said)} |")
    return "\n".join(lines)


def _operation(contract: Contract, assumptions: _Assumed, one: Page, operation: Operation) -> str:
    raw = contract.at(operation.pointer)
    url = _URL.search(str(one.get("source")))
    lines = [
        f"### {operation.id}",
        "",
        f"`{operation.method} {operation.path}`: {raw.get('summary', one.get('title'))}.",
        "",
        f"- Documented: [{one.get('title')}]({url[0].rstrip('/;') if url else ''})"
        + ("" if one.get("complete") else f"; the copy is cut: {one.get('missing')}"),
        f"- {_access(contract, operation)}",
    ]
    does = _does(operation)
    if does:
        lines.append(f"- The stub: {does}")
    lines += _examples(operation)
    lines.append(f"- Answers: {', '.join(operation.responses)}.")
    assumed = list(assumptions.of(operation))
    if assumed:
        lines += ["", f"<details><summary>{len(assumed)} assumptions</summary>", "", "| of | why |", "|---|---|"]
        lines += [f"| {place} | {_inline(reason)} |" for place, reason in assumed]
        lines += ["", "</details>"]
    return "\n".join(lines)


def _access(contract: Contract, operation: Operation) -> str:
    if not operation.security:
        return "Open to everybody, without credentials."
    levels = [(level, _cell(operation, level, is_last=level == contract.levels[-1])) for level in contract.levels]
    may = [f"{level}{'' if cell == 'yes' else f' ({cell})'}" for level, cell in levels if cell != "no"]
    named = f"; the object: `{operation.objects.at}`" if operation.objects is not None else ""
    return f"Levels: {', '.join(may)}{named}."


def _does(operation: Operation) -> str:
    """Return the first paragraph of what the code says of the operation's handler."""
    behaviour = operation.behaviour
    if behaviour is None:
        return ""
    handler = find_handler(behaviour, _BINDINGS.handlers) or getattr(_MADE[behaviour.handler], behaviour.role)
    text = inspect.getdoc(handler)
    return " ".join((text or "").partition("\n\n")[0].split())


def _examples(operation: Operation) -> Iterator[str]:
    shown = []
    for pair in pairs_of(operation):
        asked = f"`{pair.request.name}` → " if pair.request is not None else ""
        presumes = pair.response.presumes
        after = [f"after `{call}`" for call in presumes.calls]
        after += [f"by {presumes.identity}"] if presumes.identity else []
        after += [f"at {presumes.clock}"] if presumes.clock is not None else []
        after += [f"from the overlay `{presumes.seed}`"] if presumes.seed else []
        told = f" ({', '.join(after)})" if after else ""
        shown.append(f"{asked}{pair.status} `{pair.response.name}`{told}")
    if shown:
        yield f"- Examples: {'; '.join(shown)}."


class _Assumed:
    """Finds what is assumed of an operation and of all that it refers to; shared responses are told once, above all."""

    def __init__(self, contract: Contract) -> None:
        self._data = contract.document.data
        self._reasons = Reasons(self._data)
        self._elements = {element.pointer: element for element in walk(self._data)}
        self._within: dict[str, list[str]] = {}
        for pointer in self._elements:
            around = pointer.rpartition("/")[0]
            while around and around not in self._elements:
                around = around.rpartition("/")[0]
            self._within.setdefault(around, []).append(pointer)

    def of(self, operation: Operation) -> Iterator[tuple[str, str]]:
        """Yield each place with the reason of the assumption."""
        for place, reason in self._marks(operation):
            yield place, self._reasons.text("assumed", reason)

    def _marks(self, operation: Operation) -> Iterator[tuple[str, str]]:
        pending = [("", operation.pointer), *((one.name, one.pointer) for one in operation.parameters)][::-1]
        seen = set()
        while pending:
            place, pointer = pending.pop()
            if pointer in seen or pointer.startswith("/components/responses/"):
                continue
            seen.add(pointer)
            element = self._elements[pointer]
            for keyword, reason in _keywords(element.value.get("x-assumed")):
                yield " ".join(filter(None, (place, f"`{keyword}`" if keyword else ""))) or "the operation", reason
            for reason in _reasons(element.value.get("x-mockserver-objects", {}).get("x-assumed")):
                yield "whose object it is", reason
            pending += [(_place(place, pointer, one), one) for one in self._within.get(pointer, ())][::-1]
            if element.is_reference:
                pending.append((place, follow(self._data, pointer)[1]))


def _place(place: str, outer: str, inner: str) -> str:
    """Return a short name of where an element is: the status, the direction, names of properties."""
    names = split(inner[len(outer) :])
    if names[0] in {"properties", "responses", "links"}:
        own = names[-1]
    else:
        own = {"requestBody": "request", "items": "items", "examples": f"example {names[-1]}"}.get(names[0], "")
    if names[0] == "properties":
        return f"{place}.{own}" if place else own
    return f"{place} {own}".strip()


def _keywords(mark: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(mark, dict):
        for key, inner in mark.items():
            yield from _keywords(inner, f"{name} {key}".strip())
    elif mark is not None:
        yield name, str(mark)


def _reasons(mark: Any) -> list[str]:
    return [reason for _, reason in _keywords(mark)]


def _inline(text: str) -> str:
    """Return text as it may stand in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
