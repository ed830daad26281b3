"""Selection of response content: the preferred example, the one that fits the call, the first, or generated content.

::

    Prefer: example=NAME ── dynamic ── the example whose own request is most like the call ── the one with the path's
    identifier ── the first valid one that nothing speaks against ── the first one, mended ── generated

Examples are looked at once, when an operation is first asked for the content of a response; a call costs look-ups.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from threading import RLock
from typing import Any, NamedTuple

from mockserver.contract.model import Contract, DocumentedResponse, Example, MediaType, Operation, Parameter
from mockserver.contract.schema.validator import Validator
from mockserver.contract.values.generator import CannotGenerate, Generator
from mockserver.contract.values.tiny_files import from_base64, is_binary, tiny_file
from mockserver.errors import INVALID_FIELD, MENDED_FIELD, RequestRejected
from mockserver.http import json as documents
from mockserver.http.media_types import concrete, is_json
from mockserver.messages import NO_CONTENT, Arguments, Preferences
from mockserver.stub.examples.mending import Mended, Mender
from mockserver.stub.examples.request_matcher import Likeness, RequestMatcher, key_of
from mockserver.stub.examples.stream_content import StreamItems, is_item, is_sequence

#: Of so many examples the first is taken that says nothing else than the call; with more of them, the first of all.
_LOOKED_AT = 16
#: More places than this are not named in a response field.
_MAX_PLACES = 8
#: Names that examples of different things often share, so that they pair nothing.
_COMMON_NAMES = frozenset({"example", "default", "response", "sample", "success", "error"})
Fields = tuple[tuple[str, str], ...]


class ChosenContent(NamedTuple):
    """Selected response content, the reason for it, whether it is valid against its schema, and fields that say so."""

    value: Any
    why: str
    valid: bool
    fields: Fields = ()


class PreparedExample(NamedTuple):
    """An example of a response, decoded and validated.

    Attributes:
        value: decoded, where the contract has JSON as text.
        broken: where and how it breaks its schema, "" if it does not.
        chosen: what is sent where it is chosen: the value, mended where it is broken; None where that cannot be done.
    """

    example: Example
    value: Any
    broken: str
    chosen: ChosenContent | None = None


class _Prepared(NamedTuple):
    """The examples of one media type, looked at once.

    Attributes:
        all: in the document's order.
        ordered: what can be sent, sound ones first.
        by_name: what is sent for each name.
        by_identifier: what is sent for each value of a member that may be an identifier.
    """

    all: tuple[PreparedExample, ...]
    ordered: tuple[PreparedExample, ...]
    by_name: Mapping[str, ChosenContent]
    by_identifier: Mapping[str, ChosenContent]


class Examples:
    """Selector of content for the responses of one operation."""

    def __init__(self, contract: Contract, operation: Operation, generator: Generator, *, dynamic: bool) -> None:
        self._contract = contract
        self._operation = operation
        self._generator = generator
        self._mender = Mender(contract, generator)
        self._streams = StreamItems(contract, generator)
        self._dynamic = dynamic
        self._matcher = RequestMatcher(operation)
        #: Code and name of examples of responses other than the first success.
        self._elsewhere = dict(_other_responses(operation, self._matcher.names))
        self._prepared: dict[str, _Prepared] = {}
        self._fallen_back: dict[str, ChosenContent] = {}
        self._lock = RLock()

    @property
    def depends_on_call(self) -> bool:
        """Whether a call is answered by its likeness to a request example with another response than the first."""
        return bool(self._elsewhere)

    def elsewhere(self, arguments: Arguments) -> int:
        """Return the status code of the response whose example belongs to exactly this request; 0 for the success.

        An error is answered so only where the examples tell requests apart: its example has a name of its own.
        """
        if not self._elsewhere:
            return 0
        likeness = self._matcher.match(arguments)
        for name in likeness.names:
            code = self._elsewhere.get(name, 0)
            if code and (code < 400 or likeness.is_exact(name)):
                return code
            if not code:
                return 0
        return 0

    def choose(
        self, response: DocumentedResponse, media_type: MediaType, arguments: Arguments, preferences: Preferences
    ) -> ChosenContent:
        """Return the selected content for a documented response: an example, or a generated value.

        Raises:
            RequestRejected: 501, nothing can be made; 404, the preferred example does not exist.
        """
        known = self._prepared.get(media_type.pointer) or self._prepare(media_type)
        if preferences.example:
            return _by_name(known.all, preferences.example)
        if self._dynamic if preferences.dynamic is None else preferences.dynamic:
            return self._generated(response, media_type, _key(arguments))
        if len(known.ordered) > 1:
            return self._by_value(known, arguments)
        if known.ordered:
            chosen = known.ordered[0].chosen
            assert chosen is not None
            return chosen
        made = self._fallen_back.get(media_type.pointer)
        if made is None:
            with self._lock:
                made = self._fallen_back.get(media_type.pointer) or self._without_example(known, response, media_type)
                self._fallen_back[media_type.pointer] = made
        return made

    def prepared(self, media_type: MediaType) -> tuple[PreparedExample, ...]:
        """Return the examples of a media type, decoded, validated and mended."""
        return (self._prepared.get(media_type.pointer) or self._prepare(media_type)).all

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

    def _prepare(self, media_type: MediaType) -> _Prepared:
        with self._lock:
            known = self._prepared.get(media_type.pointer)
            if known is None:
                found = tuple(self._looked_at(media_type, example) for example in media_type.examples.values())
                usable = [one for one in found if one.chosen is not None]
                ordered = tuple(sorted(usable, key=lambda one: bool(one.broken)))
                if len(usable) > 1 and is_sequence(media_type):
                    ordered = self._as_one(media_type, usable) or ordered
                known = _Prepared(found, ordered, _named(ordered), self._identified(ordered))
                self._prepared[media_type.pointer] = known
        return known

    def _as_one(self, media_type: MediaType, usable: list[PreparedExample]) -> tuple[PreparedExample, ...]:
        """Return the examples of single items as one of a sequence; none if they are sequences, or of requests."""
        values = [one.chosen.value for one in usable if one.chosen is not None]
        names = [one.example.name for one in usable]
        if self._matcher.names & set(names) or not all(is_item(media_type, value) for value in values):
            return ()
        broken = next((one.broken for one in usable if one.broken), "")
        chosen = ChosenContent(values, f"examples {', '.join(names)}, an item each", valid=True)
        return (PreparedExample(usable[0].example, values, broken, chosen),)

    def _looked_at(self, media_type: MediaType, example: Example) -> PreparedExample:
        value = example.value
        is_text = isinstance(value, str)
        why = f"example {example.name}"
        if example.content is not None and not is_json(concrete(media_type.name)):
            return PreparedExample(example, value, "", ChosenContent(example.content, why, valid=True))
        if is_text and is_binary(media_type.name):
            content = from_base64(value, told=self._is_base64(media_type))
            if content is not None:
                return PreparedExample(example, value, "", ChosenContent(content, f"{why}, from base64", valid=True))
        if media_type.schema is None or (is_text and not is_json(concrete(media_type.name))):
            # Text of any other media type than JSON is content as it is.
            return PreparedExample(example, value, "", ChosenContent(value, why, valid=True))
        validator = self._contract.validator(media_type.schema, "response")
        if is_text and not validator.is_valid(value):
            try:
                decoded = documents.decode(value.encode())
            except (ValueError, UnicodeEncodeError):
                decoded = value
            value = decoded
        broken = next(iter(self._broken(validator, value)), "")
        if not broken:
            return PreparedExample(example, value, "", ChosenContent(value, why, valid=True))
        return PreparedExample(example, value, broken, self._sent_for(example, value, broken, validator))

    def _broken(self, validator: Validator, value: Any) -> Iterator[str]:
        """Yield where and how an example breaks its schema.

        Where more than one branch of a `oneOf` fits the document's own example, it is the schema that is wrong.
        """
        for broken in validator.violations(value):
            if not broken.several_fit:
                place = "".join(f"/{part}" for part in broken.instance_path)
                yield f"{place or 'the root'}: {broken.message[:200]}"

    def _sent_for(self, example: Example, value: Any, broken: str, validator: Validator) -> ChosenContent | None:
        """Return what is sent for an example that breaks its schema: mended, None if that cannot be done."""
        mended = self._mender.mended(value, validator)
        if mended is None or not mended.places:
            return None
        why = f"example {example.name}, mended, since it breaks its schema at {broken}"
        return ChosenContent(mended.value, why, valid=True, fields=_mended_fields(mended))

    def _is_base64(self, media_type: MediaType) -> bool:
        """Tell whether the schema of binary content says that text of it is base64."""
        if media_type.schema is None:
            return False
        schema = self._contract.schema(media_type.schema)[0]
        return isinstance(schema, dict) and (
            schema.get("format") in ("byte", "base64", "base64url") or schema.get("contentEncoding") is not None
        )

    def _by_value(self, known: _Prepared, arguments: Arguments) -> ChosenContent:
        """Return the example whose own request is most like the call, else the one with the call's identifier."""
        likeness = self._matcher.match(arguments)
        for name in likeness.names:
            found = known.by_name.get(name)
            if found is not None:
                return found
        for value in arguments.path.values():
            found = known.by_identifier.get(value if isinstance(value, str) else key_of(value))
            if found is not None:
                return found
        return self._first(known, likeness)

    def _first(self, known: _Prepared, likeness: Likeness) -> ChosenContent:
        """Return the first example that nothing in the call speaks against, else the first."""
        for one in known.ordered[:_LOOKED_AT]:
            if not likeness.excludes(one.example.name) and one.chosen is not None:
                return one.chosen
        first = known.ordered[0].chosen
        assert first is not None
        return first

    def _identified(self, ordered: tuple[PreparedExample, ...]) -> Mapping[str, ChosenContent]:
        names = [one.name for one in self._operation.parameters if one.location == "path"]
        found: dict[str, ChosenContent] = {}
        for one in ordered if names and len(ordered) > 1 else ():
            for text in _identifying(one.value, names):
                assert one.chosen is not None
                why = f"example {one.example.name}, which has this identifier"
                found.setdefault(text, one.chosen._replace(why=why if not one.broken else one.chosen.why))
        return found

    def _without_example(self, known: _Prepared, response: DocumentedResponse, media_type: MediaType) -> ChosenContent:
        made = self._rebuilt(known.all[0], media_type) if known.all else None
        return made or self._generated(response, media_type, "")

    def _rebuilt(self, broken: PreparedExample, media_type: MediaType) -> ChosenContent | None:
        """Return a generated value with the valid members of an example that cannot be mended; itself if that fails."""
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
        why = f"generated, since example {broken.example.name} breaks its schema at {broken.broken}"
        return ChosenContent(value, why, valid=True, fields=((MENDED_FIELD, "/"),))

    def _generated(self, response: DocumentedResponse, media_type: MediaType, key: str) -> ChosenContent:
        schema = media_type.schema
        made = tiny_file(concrete(media_type.name))
        if made is not None and self._is_any_text(schema):
            return ChosenContent(made, "made up: the smallest file of its media type", valid=True)
        try:
            items = self._streams.make(media_type, key) if is_sequence(media_type) else []
        except CannotGenerate:
            items = []
        if items:
            return ChosenContent(items, "generated, item by item", valid=True)
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

    def _is_any_text(self, schema: str | None) -> bool:
        """Tell whether a schema of binary content says no more than that it is bytes."""
        found = True if schema is None else self._contract.schema(schema)[0]
        if not isinstance(found, dict):
            return True
        named = found.get("type", "string")
        return "string" in ([named] if isinstance(named, str) else named) and found.keys().isdisjoint(_TELLING)


#: Keywords of a schema of text that say what stands in it.
_TELLING = frozenset({"enum", "const", "pattern", "example", "examples", "default", "properties"})


def _by_name(examples: tuple[PreparedExample, ...], name: str) -> ChosenContent:
    for one in examples:
        if one.example.name == name:
            if one.broken or one.chosen is None:  # as it was asked for, slips included
                return ChosenContent(one.value, f"example {name}", valid=not one.broken)
            return one.chosen
    known = ", ".join(one.example.name for one in examples) or "none"
    raise RequestRejected(404, "Not Found", f"there is no example {documents.text(name)}; known are {known}")


def _named(ordered: tuple[PreparedExample, ...]) -> Mapping[str, ChosenContent]:
    """Return what is sent for the example of each name, with the reason that its request is like the call."""
    found = {}
    for one in ordered:
        assert one.chosen is not None
        name = one.example.name
        why = f"example {name}, whose request is like this one" if not one.broken else one.chosen.why
        found[name] = one.chosen._replace(why=why)
    return found


def _mended_fields(mended: Mended) -> Fields:
    """Return the response field that names what was mended in an example."""
    shown = mended.places[:_MAX_PLACES]
    text = ", ".join((place or "/") if place.isascii() and place.isprintable() else "/..." for place in shown)
    more = len(mended.places) - len(shown)
    return ((MENDED_FIELD, f"{text} and {more} more" if more else text),)


def _other_responses(operation: Operation, requests: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Yield each name of an example of another response than the first success, and that one's status code.

    A name that the success has, too, belongs to that. Names of examples that stand for anything pair nothing.
    """
    usual = operation.success()
    taken = {name for media_type in usual.content.values() for name in media_type.examples} if usual else set()
    for response in operation.responses.values():
        code = _code_of(operation, response)
        if response is usual or not code:
            continue
        for media_type in response.content.values():
            for name in media_type.examples.keys() & requests:
                told = code < 400 or (len(requests) > 1 and name.lower() not in _COMMON_NAMES)
                if told and name not in taken:
                    taken.add(name)
                    yield name, code


def _code_of(operation: Operation, response: DocumentedResponse) -> int:
    """Return a status code for which a response is the documented one, 0 if there is none or it is informational."""
    if response.status.isdecimal():
        code = int(response.status)
    elif response.status == "default":
        code = 500 if any(key.startswith(("2", "3")) for key in operation.responses) else 200
    else:
        code = int(response.status[0]) * 100
    return code if code >= 200 else 0


def _identifying(value: Any, path: list[str]) -> Iterator[str]:
    """Yield the values of an example's members that may be its identifier: `id`, or named like a path parameter."""
    names = {"id", *path, *(name.rpartition("_")[2] for name in path)}
    levels = [value, *(value.values() if isinstance(value, dict) else ())]
    for level in levels:
        for name, item in level.items() if isinstance(level, dict) else ():
            if name in names and not isinstance(item, dict | list):
                yield key_of(item)


def _key(arguments: Arguments) -> str:
    """Return a text that differs between calls with different arguments, as the key of generated content."""
    return json.dumps([arguments.path, arguments.query, arguments.content], sort_keys=True, default=str)
