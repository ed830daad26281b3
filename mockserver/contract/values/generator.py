"""Content generated from schemas: the same contract, seed, pointer and key give the same value.

A value is made from the top down (value_maker.py), several ways in turn, until one is valid by the contract's own
validator. No value is returned that was not validated.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from threading import RLock
from typing import Any

from mockserver import sources
from mockserver.contract.model import Contract
from mockserver.contract.schema.direction import Direction
from mockserver.contract.values.flat_schema import Flattener, Impossible
from mockserver.contract.values.value_maker import Strategy, ValueMaker
from mockserver.errors import MockServerError
from mockserver.messages import NO_CONTENT

#: The ways in which a value is tried to be made: all that is known first, then less and less, branch by branch.
_STRATEGIES = (
    Strategy(),
    Strategy(optional=False),
    Strategy(examples=False),
    Strategy(optional=False, examples=False),
    Strategy(conditional="then"),
    Strategy(conditional="else"),
    Strategy(optional=False, conditional="then"),
    Strategy(optional=False, conditional="else"),
    *(Strategy(optional=optional, turn=turn) for turn in range(1, 6) for optional in (True, False)),
    *(Strategy(optional=False, examples=False, turn=turn) for turn in range(1, 12)),
    Strategy(lenient=True),
)
#: The same, with what is required alone at first.
_MINIMAL = (
    Strategy(optional=False, filled=True),
    Strategy(optional=False),
    Strategy(optional=False, examples=False, filled=True),
    *_STRATEGIES,
)


class CannotGenerate(MockServerError):  # noqa: N818 - an outcome that the caller has a way out of
    """Error: no valid value of a schema was found.

    Attributes:
        reason: why the first generated value is not valid.
        closest: a value that is nearly valid; NO_CONTENT if none could be made at all.
    """

    def __init__(self, reason: str, closest: Any = NO_CONTENT) -> None:
        super().__init__(reason)
        self.reason = reason
        self.closest = closest


class Generator:
    """Generator of values of a contract's schemas."""

    def __init__(self, contract: Contract, seed: int, *, today: date | None = None) -> None:
        """Create the generator of a contract's values.

        Args:
            contract: where the schemas are.
            seed: another one gives other values.
            today: the date from which beginnings and ends are planned; None for any dates.
        """
        self._contract = contract
        self._seed = seed
        self._today = today
        self._flattener = Flattener(contract)
        self._usual: dict[tuple[str, Direction, bool, int, bool], Any] = {}
        self._lock = RLock()

    def generate(
        self,
        pointer: str,
        direction: Direction,
        key: str = "",
        *,
        minimal: bool = False,
        variant: int = 0,
        examples: bool = True,
    ) -> Any:
        """Return a generated, valid value of the schema at a JSON pointer of the contract.

        Args:
            pointer: JSON pointer of the Schema Object.
            direction: request or response; `readOnly` or `writeOnly` properties of the other one are left out.
            key: another key gives another value where the schema leaves room; without one the schema's own examples
                are taken where it has some.
            minimal: objects have the members that are required, and no others.
            variant: another one takes other examples where a schema has several.
            examples: whether the schema's own examples and defaults may be taken.

        Raises:
            CannotGenerate: none was found.
        """
        known = (pointer, direction, minimal, variant, examples)
        if key:
            return self._made(pointer, direction, key, minimal=minimal, variant=variant, examples=examples)
        if known not in self._usual:
            with self._lock:  # what many calls ask for at once is made once
                if known not in self._usual:
                    made = self._made(pointer, direction, "", minimal=minimal, variant=variant, examples=examples)
                    self._usual[known] = made
        return self._usual[known]

    def _made(
        self, pointer: str, direction: Direction, key: str, *, minimal: bool, variant: int, examples: bool
    ) -> Any:
        validator = self._contract.validator(pointer, direction)
        why = ""
        closest: Any = NO_CONTENT
        for number, strategy in enumerate(_MINIMAL if minimal else _STRATEGIES):
            chance = sources.chance(self._seed, pointer, key, number)
            try:
                chosen = replace(strategy, variant=variant) if variant else strategy
                chosen = chosen if examples else replace(chosen, examples=False)
                maker = ValueMaker(self._flattener, direction, chosen, chance, vary=bool(key), today=self._today)
                value = maker.value(self._flattener.at(pointer))
            except (Impossible, RecursionError) as reason:
                why = why or str(reason)
                continue
            if validator.is_valid(value):
                return value
            if closest is NO_CONTENT:
                closest = value
            why = why or next((found.message[:200] for found in validator.violations(value)), "")
        raise CannotGenerate(f"{pointer}: no valid value was found: {why}", closest)
