"""Knowledge of a run about its target: values that the user gave, items that are there, and requests that succeeded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.contract.model import Contract, MediaType, Operation, Parameter
from mockserver.http.path_templates import parse_template
from mockserver.messages import NO_CONTENT
from mockserver.suite.survey.fresh_values import fresh
from mockserver.suite.survey.given_values import GivenValues
from mockserver.suite.survey.identifier_reader import IdentifierReader
from mockserver.suite.survey.known_items import KnownItem, KnownItems, item_templates, nameless
from mockserver.suite.target.exchange import WireRequest, WireResponse

#: So many items are created for calls after the survey in one collection.
MAX_CREATED = 40
_MOST_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that succeeded, as values.

    Attributes:
        path_values: of the path's parameters.
        arguments: of the others, by location and name.
        media_type: of its content, None for no content.
        value: of its content, NO_CONTENT for none.
        world: the world whose items it names, None if it names none that the run created.
    """

    path_values: Mapping[str, Any]
    arguments: Mapping[tuple[str, str], Any]
    media_type: MediaType | None = None
    value: Any = NO_CONTENT
    world: str | None = None


def readings(value: Any) -> Iterator[Any]:
    """Yield a value, and the number or text that it may stand for in a path."""
    yield value
    if isinstance(value, str) and value.lstrip("-").isdigit() and len(value) < _MOST_DIGITS:
        yield int(value)
    elif isinstance(value, int):
        yield str(value)


def typed(contract: Contract, parameter: Parameter | None, value: Any) -> Any:
    """Return a value as a parameter's schema takes it, NO_CONTENT if it takes it in no way."""
    if parameter is None or parameter.schema is None:
        return value
    is_valid = contract.validator(parameter.schema, "request").is_valid
    return next((one for one in readings(value) if is_valid(one)), NO_CONTENT)


@dataclass(slots=True)
class Knowledge:
    """What a run knows of its target.

    Attributes:
        given: values of `--values`.
        items: identifiers that responses showed.
        accepted: the request that succeeded in the survey, by label of the operation.
        creations: operations that create items, by item template; only those that did.
        uniques: labels of creations that refuse the same names a second time.
        surveying: whether the survey is under way, so that every response is read.
    """

    contract: Contract
    given: GivenValues = field(default_factory=GivenValues)
    base_path: str = ""
    accepted: dict[str, Accepted] = field(default_factory=dict)
    creations: dict[str, Operation] = field(default_factory=dict)
    uniques: set[str] = field(default_factory=set)
    surveying: bool = False
    items: KnownItems = field(init=False)
    reader: IdentifierReader = field(init=False)
    _numbers: Counter[str] = field(default_factory=Counter)
    _created: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.items = KnownItems(self.contract)
        self.reader = IdentifierReader(self.contract, self.items, self.base_path)

    def take_over(self, other: Knowledge) -> None:
        """Take over what another run found out of the same target: requests that succeed, and what creates items."""
        self.accepted |= other.accepted
        self.creations |= other.creations
        self.uniques |= other.uniques

    def observe(
        self, operation: Operation, request: WireRequest, response: WireResponse, world: str | None
    ) -> list[KnownItem]:
        """Note what a successful exchange shows; return the items that it created.

        After the survey only what changes the state of the target is read: the items of reads are known by then.
        """
        if operation.safe and not self.surveying:
            return []
        return self.reader.read(operation, request, response, world)

    def path_values(
        self, operation: Operation, world: str | None, fixed: Mapping[str, Any], *, own: bool
    ) -> dict[str, Any]:
        """Return values for the path parameters of an operation that have none yet, as far as something is known.

        Args:
            operation: what is called.
            world: where.
            fixed: parameters that have a value.
            own: only about an item that the run created, so that nobody else's is changed.
        """
        names = [name for name in parse_template(operation.path).parameters if name not in fixed]
        if not names:
            return {}
        accepted = self.accepted.get(operation.label)
        usable = accepted is not None and self._is_usable(operation, accepted, world, fixed)
        if own:
            for values in self._candidates(operation, world, fixed, own=True):
                if all(name in values for name in names):
                    return {name: values[name] for name in names}
        if usable and accepted is not None:
            return {name: accepted.path_values[name] for name in names}
        found: dict[str, Any] = {}
        for name in names:
            if not own and (given := self.given.of(operation, name)):
                found[name] = given[0]
        for values in () if own else self._candidates(operation, world, {**fixed, **found}, own=False):
            return {**{name: value for name, value in values.items() if name in names}, **found}
        return found

    def _candidates(
        self, operation: Operation, world: str | None, fixed: Mapping[str, Any], *, own: bool
    ) -> Iterator[dict[str, Any]]:
        """Yield path parameters that name known items, as the contract takes them."""
        declared = {one.name: one for one in operation.parameters if one.location == "path"}
        for values, _ in self.items.candidates(operation, world, own=own, fixed=fixed):
            found = {name: typed(self.contract, declared.get(name), value) for name, value in values.items()}
            if all(value is not NO_CONTENT for value in found.values()):
                yield found

    def lacks(self, operation: Operation, world: str | None, fixed: Mapping[str, Any]) -> Operation | None:
        """Return the operation that creates an item for a call, None if there is one, or none can be made."""
        template = next(item_templates(operation.path), "")
        creation = self.creations.get(nameless(template)) if template else None
        if creation is None or creation.label == operation.label or self._created[template] >= MAX_CREATED:
            return None
        if any(parameter in fixed for parameter in parse_template(template).parameters[-1:]):
            return None
        if any(
            item.template == nameless(template)
            for _, item in self.items.candidates(operation, world, own=not operation.safe, fixed=fixed)
        ):
            return None
        self._created[template] += 1
        return creation

    def body(self, operation: Operation) -> tuple[Any, MediaType] | None:
        """Return content that was accepted before, with fresh names where the target wants them, and its media type."""
        accepted = self.accepted.get(operation.label)
        if accepted is None or accepted.media_type is None or accepted.value is NO_CONTENT:
            return None
        if operation.label not in self.uniques:
            return accepted.value, accepted.media_type
        return self.fresh(operation, accepted.value, accepted.media_type), accepted.media_type

    def fresh(self, operation: Operation, value: Any, media_type: MediaType) -> Any:
        """Return content like another one, whose names were not sent before."""
        self._numbers[operation.label] += 1
        schema = media_type.schema
        validator = self.contract.validator(schema, "request") if schema is not None else None
        return fresh(value, validator, self._numbers[operation.label])

    def arguments(self, operation: Operation) -> Mapping[tuple[str, str], Any]:
        """Return the parameters, those of the path apart, with which an operation succeeded; {} if it did not."""
        accepted = self.accepted.get(operation.label)
        return accepted.arguments if accepted is not None else {}

    def _is_usable(self, operation: Operation, accepted: Accepted, world: str | None, fixed: Mapping[str, Any]) -> bool:
        if accepted.world not in {None, world} or any(
            str(accepted.path_values.get(name)) != str(value) for name, value in fixed.items()
        ):
            return False
        for template in item_templates(operation.path):
            parameters = parse_template(template).parameters
            values = tuple(accepted.path_values.get(name) for name in parameters)
            if self.items.is_gone(template, values, world):
                return False
        return True
