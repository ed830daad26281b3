"""Selection of response content: the preferred example, the one that fits the call, the first, or generated content.

::

    Prefer: example=NAME ── dynamic ── the example whose own request is most like the call ── the one with the path's
    identifier ── the first valid one ── the first one, mended ── generated ── the closest that can be had

Examples are looked at once, when an operation is first asked for the content of a response.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mockserver.contract.model import Contract, DocumentedResponse, Example, MediaType, Operation, Parameter
from mockserver.contract.values.generator import CannotGenerate, Generator
from mockserver.errors import INVALID_FIELD, RequestRejected
from mockserver.http import json as documents
from mockserver.http.media_types import concrete, is_json, is_json_lines
from mockserver.messages import NO_CONTENT, Arguments, Preferences


class ChosenContent(NamedTuple):
    """Selected response content, the reason for it, and whether it is valid against its schema."""

    value: Any
    why: str
    valid: bool


class PreparedExample(NamedTuple):
    """An example of a response, decoded and validated.

    Attributes:
        value: decoded, where the contract has JSON as text.
        broken: where and how it breaks its schema, "" if it does not.
    """

    example: Example
    value: Any
    broken: str


class Examples:
    """Selector of content for the responses of one operation."""

    def __init__(self, contract: Contract, operation: Operation, generator: Generator, *, dynamic: bool) -> None:
        self._contract = contract
        self._operation = operation
        self._generator = generator
        self._dynamic = dynamic
        self._prepared: dict[str, tuple[PreparedExample, ...]] = {}
        self._fallen_back: dict[str, ChosenContent] = {}

    def choose(
        self, response: DocumentedResponse, media_type: MediaType, arguments: Arguments, preferences: Preferences
    ) -> ChosenContent:
        """Return the selected content for a documented response: an example, or a generated value.

        Raises:
            RequestRejected: 501, nothing can be made; 404, the preferred example does not exist.
        """
        examples = self.prepared(media_type)
        if preferences.example:
            return _by_name(examples, preferences.example)
        if self._dynamic if preferences.dynamic is None else preferences.dynamic:
            return self._generated(response, media_type, _key(arguments))
        sound = [one for one in examples if not one.broken]
        if len(sound) > 1:
            found = self._by_value(sound, arguments)
            if found is not None:
                return found
        if sound:
            return ChosenContent(sound[0].value, f"example {sound[0].example.name}", valid=True)
        known = self._fallen_back.get(media_type.pointer)
        if known is None:
            made = self._mended(examples[0], media_type) if examples else None
            known = self._fallen_back[media_type.pointer] = made or self._generated(response, media_type, "")
        return known

    def prepared(self, media_type: MediaType) -> tuple[PreparedExample, ...]:
        """Return the examples of a media type, decoded and validated."""
        found = self._prepared.get(media_type.pointer)
        if found is None:
            found = tuple(self._prepare(media_type, example) for example in media_type.examples.values())
            self._prepared[media_type.pointer] = found
        return found

    def header_value(self, header: Parameter) -> Any:
        """Return a value for a response header: its first valid example, else a generated value, else None."""
        schema = header.content.schema if header.content is not None else header.schema
        is_valid = self._contract.validator(schema, "response").is_valid if schema is not None else None
        examples = [*header.examples.values(), *(header.content.examples.values() if header.content else ())]
        for example in examples:
            if is_valid is None or is_valid(example.value):
                return example.value
        try:
            return self._generator.generate(schema, "response", header.name) if schema is not None else None
        except CannotGenerate:
            return None

    def _prepare(self, media_type: MediaType, example: Example) -> PreparedExample:
        value = example.value
        is_text = isinstance(value, str)
        if media_type.schema is None or (is_text and not is_json(concrete(media_type.name))):
            return PreparedExample(example, value, "")  # text of any other media type is content as it is
        validator = self._contract.validator(media_type.schema, "response")
        if is_text and not validator.is_valid(value):
            try:
                decoded = documents.decode(value.encode())
            except (ValueError, UnicodeEncodeError):
                decoded = value
            value = decoded
        for broken in validator.violations(value):
            place = "".join(f"/{part}" for part in broken.instance_path)
            return PreparedExample(example, value, f"{place or 'the root'}: {broken.message[:200]}")
        return PreparedExample(example, value, "")

    def _by_value(self, examples: list[PreparedExample], arguments: Arguments) -> ChosenContent | None:
        """Return the example whose own request is most like the call, else the example with the call's identifier."""
        scores = [(_likeness(self._operation, one.example.name, arguments), one) for one in examples]
        best, chosen = max(scores, key=lambda scored: scored[0])
        if best > 0:
            return ChosenContent(
                chosen.value, f"example {chosen.example.name}, whose request is like this one", valid=True
            )
        identifiers = {_text(value) for value in arguments.path.values()}
        if not identifiers:
            return None
        for one in examples:
            if identifiers & set(_identifying(one.value, arguments.path)):
                return ChosenContent(one.value, f"example {one.example.name}, which has this identifier", valid=True)
        return None

    def _mended(self, broken: PreparedExample, media_type: MediaType) -> ChosenContent | None:
        """Return a generated value with the valid members of a broken example; the example itself if that fails."""
        assert media_type.schema is not None
        try:
            value = self._generator.generate(media_type.schema, "response")
        except CannotGenerate:
            return ChosenContent(
                broken.value, f"example {broken.example.name}, which breaks its schema at {broken.broken}", valid=False
            )
        is_valid = self._contract.validator(media_type.schema, "response").is_valid
        if isinstance(value, dict) and isinstance(broken.value, dict):
            for name, item in broken.value.items():
                changed = {**value, name: item}
                if is_valid(changed):
                    value = changed
        return ChosenContent(
            value, f"generated, since example {broken.example.name} breaks its schema at {broken.broken}", valid=True
        )

    def _generated(self, response: DocumentedResponse, media_type: MediaType, key: str) -> ChosenContent:
        schema = media_type.schema
        if schema is None and is_json_lines(media_type.name):
            schema = media_type.item_schema  # one line; the contract does not say how many there are
        if schema is None:
            return ChosenContent(
                {} if is_json(concrete(media_type.name)) else "", "documented without example and schema", valid=True
            )
        try:
            return ChosenContent(self._generator.generate(schema, "response", key), "generated", valid=True)
        except CannotGenerate as failed:
            if failed.closest is not NO_CONTENT:
                return ChosenContent(failed.closest, f"generated, and not valid: {failed.reason}", valid=False)
            detail = f"the contract has no example of the {response.status} response of {self._operation.label}"
            detail = f"{detail}; add one ({failed.reason})"
            raise RequestRejected(501, "Not Implemented", detail, fields={INVALID_FIELD: "true"}) from failed


def _by_name(examples: tuple[PreparedExample, ...], name: str) -> ChosenContent:
    for one in examples:
        if one.example.name == name:
            return ChosenContent(one.value, f"example {name}", valid=not one.broken)
    known = ", ".join(one.example.name for one in examples) or "none"
    raise RequestRejected(404, "Not Found", f"there is no example {documents.text(name)}; known are {known}")


def _likeness(operation: Operation, name: str, arguments: Arguments) -> float:
    """Return a score of how much a call resembles the request of an example with a given name.

    A parameter that the example has otherwise is a request of another example.
    """
    score = 0.0
    sent: Mapping[str, Mapping[str, Any]] = {
        "path": arguments.path,
        "query": arguments.query,
        "header": arguments.header,
        "cookie": arguments.cookie,
    }
    for parameter in operation.parameters:
        example = parameter.examples.get(name)
        if example is not None and len(parameter.examples) > 1:
            equal = _same(sent[parameter.location].get(parameter.name), example.value)
            score += 1 if equal else -1
    if operation.request_body is None:
        return score
    for media_type in operation.request_body.content.values():
        for request in media_type.examples.values():
            if request.response_name == name:
                score = max(score, score + _equal_share(request.value, arguments.content))
    return score


def _equal_share(wanted: Any, sent: Any) -> float:
    """Return 2 for equal content, else the share of equal members if it is more than half, else 0."""
    if _same(wanted, sent):
        return 2.0
    if not isinstance(wanted, dict) or not isinstance(sent, dict) or not wanted:
        return 0.0
    equal = sum(_same(value, sent.get(name)) for name, value in wanted.items())
    return equal / len(wanted) if 2 * equal > len(wanted) else 0.0


def _same(first: Any, second: Any) -> bool:
    return bool(first == second) or _text(first) == _text(second)


def _identifying(value: Any, path: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of an example's members that may be its identifier: `id`, or named like a path parameter."""
    names = {"id", *path, *(name.rpartition("_")[2] for name in path)}
    levels = [value, *(value.values() if isinstance(value, dict) else ())]
    for level in levels:
        for name, item in level.items() if isinstance(level, dict) else ():
            if name in names and not isinstance(item, dict | list):
                yield _text(item)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _key(arguments: Arguments) -> str:
    """Return a text that differs between calls with different arguments, as the key of generated content."""
    return json.dumps([arguments.path, arguments.query, arguments.content], sort_keys=True, default=str)
