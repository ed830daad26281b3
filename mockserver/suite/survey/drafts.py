"""Drafts: requests of the survey as values, each with where its values come from, the most promising first."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from mockserver.contract.model import Contract, MediaType, Operation, Parameter
from mockserver.contract.resources.identifiers import words
from mockserver.http.media_types import is_json
from mockserver.http.path_templates import parse_template
from mockserver.messages import NO_CONTENT
from mockserver.suite.cases.contents import encoded, file_of, is_file, preferred
from mockserver.suite.cases.requests import is_refused
from mockserver.suite.cases.sample_values import sample_argument, sample_value
from mockserver.suite.survey.knowledge import Knowledge, readings, typed
from mockserver.suite.survey.known_items import IDENTIFYING, nameless, names_of, singulars
from mockserver.suite.survey.schema_members import (
    is_read_only,
    members,
    schema_at,
    shown_in,
    with_descriptions,
)
from mockserver.suite.target.exchange import same_json
from mockserver.suite.target.paths import UNDECLARED
from mockserver.suite.verdicts.failures import NotRun

#: Where a value comes from: `--values`, the contract's own examples, what the target showed, or our generator.
Origin = Literal["given", "example", "learned", "made"]
GIVEN: Final = "given"
EXAMPLE: Final = "example"
LEARNED: Final = "learned"
MADE: Final = "made"
#: Name of the content among the origins.
BODY: Final = ""
_GIVING = ("example", "default", "const")
#: How many items of a path, and examples of a body, are tried.
_MOST_ITEMS, _MOST_EXAMPLES = 3, 3


@dataclass(frozen=True, slots=True)
class Draft:
    """A request as values.

    Attributes:
        path_values: of the path's parameters.
        arguments: of the other parameters, by location and name.
        media_type: of the content, None for none.
        value: of the content, NO_CONTENT for none.
        origins: where values come from, by name of the parameter; "" for the content.
        corrected: whether the content was changed as a refusal asked for.
        from_list: whether the last item in the path was shown by the list of its own collection.
    """

    path_values: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    media_type: MediaType | None = None
    value: Any = NO_CONTENT
    origins: Mapping[str, Origin] = field(default_factory=dict)
    corrected: bool = False
    from_list: bool = False


@dataclass(frozen=True, slots=True)
class PathChoice:
    """Values of a path's parameters, with their origins, and whether its item was seen in its list."""

    values: Mapping[str, Any]
    origins: Mapping[str, Origin]
    from_list: bool = False


class Drafter:
    """Makes the drafts of one operation from what is known."""

    def __init__(self, contract: Contract, knowledge: Knowledge, operation: Operation, world: str | None) -> None:
        self._contract = contract
        self._knowledge = knowledge
        self._operation = operation
        self._world = world
        self._declared = {one.name: one for one in operation.parameters if one.location == "path"}

    def paths(self, *, strangers: bool) -> Iterator[PathChoice]:
        """Yield values for the parameters of the path, the most promising first.

        Args:
            strangers: whether items that were there before the run may be changed.
        """
        operation, names = self._operation, parse_template(self._operation.path).parameters
        if not names:
            yield PathChoice({}, {})
            return
        changes = not operation.safe
        own = list(self._known(own=True))
        if changes:
            yield from own
        given = self._each(names, "given")
        if given is not None:
            yield given
        shown = self._each(names, "example")
        if shown is not None and (strangers or not changes or not self._is_strangers(shown)):
            yield shown
        others = [choice for choice in self._known(own=False) if choice not in own]
        if not changes:
            # One of our own, and two that others made: what one of them lacks, another may have.
            yield from [*own[:1], *others[:2], *own[1:2], *others[2:]]
        elif strangers or not self._is_about_the_item():
            yield from others
        elif not own:
            yield from self._known(own=False, last=False)
        if not own and not others:
            made = self._each(names, "made")
            if made is not None and (strangers or not changes or not self._is_strangers(made)):
                yield made

    def arguments(self) -> tuple[dict[tuple[str, str], Any], dict[str, Origin]]:
        """Return the parameters that are required or given, those of the path apart, and where their values come from.

        Raises:
            NotRun: a required one has no value.
        """
        found: dict[tuple[str, str], Any] = {}
        origins: dict[str, Origin] = {}
        for parameter in self._operation.parameters:
            if parameter.location == "path":
                continue
            value, origin = self._value(parameter)
            if parameter.required or origin == GIVEN:
                if origin == MADE and value is NO_CONTENT:
                    raise NotRun(f"no valid value could be made for its parameter {parameter.name}")
                found[parameter.location, parameter.name] = value
                origins[parameter.name] = origin
        return found, origins

    def bodies(self, shown: Any = NO_CONTENT) -> Iterator[tuple[MediaType | None, Any, Origin]]:
        """Yield media type, value and origin of contents, the most promising first; (None, NO_CONTENT) for none.

        Args:
            shown: what a read of the same path showed, NO_CONTENT for nothing; written again, it changes nothing.
        """
        body = self._operation.request_body
        if body is None or not body.content:
            yield None, NO_CONTENT, EXAMPLE
            return
        media_types = preferred(body.content)
        first = media_types[0]
        if self._operation.id in self._knowledge.given.bodies:
            yield first, self._knowledge.given.bodies[self._operation.id], GIVEN
        if shown is not NO_CONTENT and first.schema is not None:
            value = self._only_writable(first.schema, shown)
            if value is not NO_CONTENT:
                yield first, value, LEARNED
        for media_type in media_types[:2]:
            for example in list(media_type.examples.values())[:_MOST_EXAMPLES]:
                if not is_refused(self._operation, example):
                    yield media_type, self._linked(media_type, example.value), EXAMPLE
        if not first.examples and first.schema is not None and self._has_example(first.schema):
            yield from self._generated(first, EXAMPLE, whole=False)
        yield from self._generated(first, MADE, whole=False)
        yield from self._generated(first, MADE, whole=True)
        if not body.required:
            yield None, NO_CONTENT, MADE

    def other_bodies(self) -> Iterator[tuple[MediaType, Any, Origin]]:
        """Yield a content for each media type but the first, so that each is sent once."""
        body = self._operation.request_body
        for media_type in preferred(body.content)[1:4] if body is not None else ():
            example = next((one for one in media_type.examples.values() if not is_refused(self._operation, one)), None)
            if example is not None:
                yield media_type, example.value, EXAMPLE
                continue
            yield from (
                (media_type, value, origin) for _, value, origin in self._generated(media_type, MADE, whole=False)
            )

    def _generated(
        self, media_type: MediaType, origin: Origin, *, whole: bool
    ) -> Iterator[tuple[MediaType, Any, Origin]]:
        if is_file(self._contract, media_type):
            yield media_type, file_of(media_type.name), MADE
            return
        if media_type.schema is None:
            if media_type.item_schema is not None:
                yield media_type, [sample_value(self._contract, media_type.item_schema)], MADE
            elif not is_json(media_type.name):
                yield media_type, UNDECLARED, MADE
            return
        try:
            value = sample_value(self._contract, media_type.schema, whole=whole)
        except NotRun:
            return
        yield media_type, self._linked(media_type, with_descriptions(self._contract, media_type.schema, value)), origin

    def _has_example(self, schema: str) -> bool:
        """Tell whether a schema has an example of the whole content."""
        raw, _ = schema_at(self._contract, schema)
        return "example" in raw or bool(raw.get("examples"))

    def _linked(self, media_type: MediaType, value: Any) -> Any:
        """Return content whose members that name other things, such as `customer_id`, name some that are there."""
        if media_type.schema is None or not isinstance(value, dict | list):
            return value
        is_valid = self._contract.validator(media_type.schema, "request").is_valid
        if not is_valid(value):
            return value
        changed = copy.deepcopy(value)
        pending: list[tuple[Any, str]] = [(changed, "")]
        while pending:
            holder, around = pending.pop()
            if isinstance(holder, list):
                pending.extend((item, around) for item in holder)
                continue
            for name, member in list(holder.items()) if isinstance(holder, dict) else ():
                if isinstance(member, dict | list) and not _is_list_of_scalars(member):
                    pending.append((member, name))
                    continue
                for known in self._named(name, member, around)[:3]:
                    holder[name] = [known] if isinstance(member, list) else known
                    if is_valid(changed):
                        break
                    holder[name] = member
        return changed

    def _named(self, name: str, member: Any, around: str) -> list[Any]:
        """Return known values for a member that names another thing, [] if it names none."""
        told = tuple(words(name))
        if not told or isinstance(member, bool):
            return []
        last = told[-1].removesuffix("s") if told[-1] in {"ids", "uuids", "guids", "keys"} else told[-1]
        items = self._knowledge.items
        if last in {"id", "uuid", "guid"} and len(told) > 1:
            return items.named((*told[:-1], last), self._world) or items.named((*told[:-1], "id"), self._world)
        if last in {"id", "uuid", "guid"} and around:
            return [value for thing in singulars(around) for value in items.named((*thing, last), self._world)]
        if isinstance(member, int):  # `author: 3`
            return items.named((*told, "id"), self._world)
        return []

    def _only_writable(self, schema: str, shown: Any) -> Any:
        """Return what a read showed as content of a write, without what is read-only; NO_CONTENT if it is invalid."""
        is_valid = self._contract.validator(schema, "request").is_valid
        for value in (shown, *(shown.values() if isinstance(shown, dict) and len(shown) == 1 else ())):
            if not isinstance(value, dict):
                continue
            known = members(self._contract, schema)
            kept = {
                name: member
                for name, member in value.items()
                if name in known and not is_read_only(self._contract, known[name]) and member is not None
            }
            if kept and is_valid(kept):
                return kept
        return NO_CONTENT

    # Parameters.

    def _known(self, *, own: bool, last: bool = True) -> Iterator[PathChoice]:
        """Yield choices that name known items; without `last` the path's own item is a made-up one below them."""
        names = parse_template(self._operation.path).parameters
        seen: list[Mapping[str, Any]] = []
        count = 0
        best = 0
        for values, item in self._knowledge.items.candidates(self._operation, self._world, own=own):
            if len(values) < best or count >= _MOST_ITEMS:
                continue  # fewer parameters are known of a shorter template
            if not last and len(values) == len(names):
                values = {name: value for name, value in values.items() if name != names[-1]}
            best = max(best, len(values))
            whole = dict(values)
            origins: dict[str, Origin] = dict.fromkeys(whole, LEARNED)
            for name in names:
                if name not in whole:
                    whole[name], origins[name] = self._of_path(name, made=not last)
            typed = {name: self._typed(name, value) for name, value in whole.items()}
            if any(value is NO_CONTENT for value in typed.values()) or typed in seen:
                continue
            seen.append(typed)
            count += 1
            listed = item.template == nameless(self._operation.path) and item.listed
            yield PathChoice(typed, origins, from_list=listed)

    def _each(self, names: tuple[str, ...], kind: str) -> PathChoice | None:
        """Return a choice in which at least one value is of a kind, None if there is none of that kind."""
        values: dict[str, Any] = {}
        origins: dict[str, Origin] = {}
        for name in names:
            for value, origin in self._options(name):
                if kind == "made" and origin != MADE:
                    continue
                values[name], origins[name] = value, origin
                break
            if name not in values:
                return None
        wanted = {"given": GIVEN, "example": EXAMPLE, "made": MADE}[kind]
        if wanted not in origins.values():
            return None
        return PathChoice(values, origins)

    def _options(self, name: str) -> Iterator[tuple[Any, Origin]]:
        parameter = self._declared.get(name)
        if parameter is None:
            yield from ((value, GIVEN) for value in self._knowledge.given.of(self._operation, name))
            yield UNDECLARED, MADE
            return
        yield from self._values(parameter)

    def _of_path(self, name: str, *, made: bool) -> tuple[Any, Origin]:
        """Return a value for a parameter of the path, a made-up one where examples may be somebody's items."""
        found = (one for one in self._options(name) if not made or one[1] == MADE)
        return next(found, (NO_CONTENT, MADE))

    def _value(self, parameter: Parameter) -> tuple[Any, Origin]:
        return next(iter(self._values(parameter)), (NO_CONTENT, MADE))

    def _values(self, parameter: Parameter) -> Iterator[tuple[Any, Origin]]:
        """Yield values for a parameter with their origins, in the order in which they are tried."""
        schema, content = parameter.schema, parameter.content
        if schema is None:
            yield from ((value, GIVEN) for value in self._knowledge.given.of(self._operation, parameter.name))
            if content is not None and content.schema is not None:
                value = next(iter(one.value for one in content.examples.values()), None)
                made = sample_value(self._contract, content.schema) if value is None else value
                text = encoded(self._contract, content, made)[0].decode("utf-8", "replace")
                yield text, MADE if value is None else EXAMPLE
                return
            shown = next((example.value for example in parameter.examples.values()), None)
            yield (UNDECLARED, MADE) if shown is None else (shown, EXAMPLE)
            return
        is_valid = self._contract.validator(schema, "request").is_valid
        yield from ((value, GIVEN) for value in self._knowledge.given.of(self._operation, parameter.name, is_valid))
        examples = [example.value for example in parameter.examples.values()]
        raw, _ = schema_at(self._contract, schema)
        examples += [raw[keyword] for keyword in _GIVING if keyword in raw]
        examples += [*_listed(raw.get("examples")), *_listed(raw.get("enum"))]
        yield from ((value, EXAMPLE) for value in examples if is_valid(value))
        for value in self._learned(parameter):
            if is_valid(value):
                yield value, LEARNED
        told = self._contract.at(parameter.pointer)
        description = told.get("description") if isinstance(told, dict) else None
        if isinstance(description, str) and not {"format", "pattern", "enum"} & raw.keys():
            shown = shown_in(description)
            if shown is not None and is_valid(shown):
                yield shown, MADE
        with suppress(NotRun):
            yield sample_argument(self._contract, schema, examples=False), MADE

    def _learned(self, parameter: Parameter) -> Iterator[Any]:
        """Yield values that responses showed under the name of a parameter, as they fit its type."""
        told = tuple(words(parameter.name))
        if not told:
            return
        names = [told] if len(told) > 1 else [] if told[0] in IDENTIFYING else [(*told, "id")]
        for name in names:
            for value in self._knowledge.items.named(name, self._world):
                yield from readings(value)

    def _typed(self, name: str, value: Any) -> Any:
        """Return a value as a path parameter's schema takes it, NO_CONTENT if it takes it in no way."""
        return typed(self._contract, self._declared.get(name), value)

    def _is_about_the_item(self) -> bool:
        """Tell whether a call would change the item that its path names, not only something below it."""
        return bool(parse_template(self._operation.path.rstrip("/").rpartition("/")[2]).name)

    def _is_strangers(self, choice: PathChoice) -> bool:
        """Tell whether a path names an item that was there before the run."""
        for values, item in self._knowledge.items.candidates(self._operation, self._world):
            if not item.own and all(
                same_json(choice.values.get(name), value) or str(choice.values.get(name)) == str(value)
                for name, value in values.items()
            ):
                return True
        return False


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_list_of_scalars(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and not any(isinstance(one, dict | list) for one in value)


__all__ = ["BODY", "EXAMPLE", "GIVEN", "LEARNED", "MADE", "Draft", "Drafter", "Origin", "PathChoice", "names_of"]
