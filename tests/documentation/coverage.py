"""How much of the documentation the contract covers, and which of its examples come out of the stub exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from mockserver import create_app
from mockserver.contract.exchanges import pairs_in
from mockserver.contract.model import Contract, Operation
from mockserver.contract.reading.document import load_contract
from mockserver.contract.reading.elements import walk
from mockserver.contract.source.references import follow
from mockserver.http.pointers import blanked
from mockserver.plugins import DEFAULT, find
from mockserver.stub.examples.example_sequences import Sequence, sequences
from mockserver.stub.store.seed import load_seed
from tests import defaults
from tests.conftest import Client, send_to_app
from tests.documentation.facts import Fact, facts, missing_pages, operations_of
from tests.documentation.record import Page, Record, read_record


@dataclass(frozen=True)
class ExampleOutcome:
    """A documented example of a response; `otherwise` says what came instead, "" where it came out exactly."""

    page: str
    name: str
    otherwise: str


@dataclass(frozen=True)
class PageCoverage:
    """One page: its facts, what is assumed of its operations, and its examples.

    Attributes:
        assumed: marks `x-assumed` that its operations or whatever they refer to have, one for each keyword.
    """

    page: str
    method: str
    path: str
    is_served: bool
    facts: tuple[Fact, ...]
    assumed: int
    examples: tuple[ExampleOutcome, ...]

    @property
    def covered(self) -> int:
        """How many of the facts the contract has."""
        return sum(fact.covered for fact in self.facts)


@dataclass(frozen=True)
class Coverage:
    """All pages; `general` are the facts for all of them, `assumed` counts what is shared once."""

    pages: tuple[PageCoverage, ...]
    general: tuple[Fact, ...]
    assumed: int

    @property
    def examples(self) -> list[ExampleOutcome]:
        """All documented examples of responses."""
        return [example for page in self.pages for example in page.examples]

    @property
    def is_complete(self) -> bool:
        """Whether nothing documented is missing, and every example comes out."""
        every = [*self.general, *(fact for page in self.pages for fact in page.facts)]
        served = all(page.is_served for page in self.pages)
        return served and all(fact.covered for fact in every) and not any(one.otherwise for one in self.examples)

    def lines(self) -> Iterator[str]:
        """Yield the table, the list of examples, what is missing, and one line that sums it up."""
        width = max(len(page.page) for page in self.pages)
        yield f"{'operation'.ljust(width)}  {'facts':>9}  {'assumed':>7}  examples"
        for page in self.pages:
            out = sum(not example.otherwise for example in page.examples)
            counts = f"{page.covered} / {len(page.facts)}"
            examples = f"{out} / {len(page.examples)}" if page.examples else "none documented"
            yield f"{page.page.ljust(width)}  {counts:>9}  {page.assumed:>7}  {examples}"
        yield ""
        for example in self.examples:
            yield f"{example.page}/{example.name}: {example.otherwise or 'comes out exactly'}"
        yield ""
        every = [*self.general, *(fact for page in self.pages for fact in page.facts)]
        yield from (f"missing: {fact.missing}" for fact in every if not fact.covered)
        served = sum(page.is_served for page in self.pages)
        covered = sum(fact.covered for fact in every)
        out = sum(not example.otherwise for example in self.examples)
        yield (
            f"{served} of {len(self.pages)} operations; {covered} of {len(every)} documented facts; "
            f"{self.assumed} assumed elements; {out} of {len(self.examples)} documented examples come out exactly"
        )


def measure() -> Coverage:
    """Return the coverage of the built-in contract, its examples asked for in process."""
    contract, record = load_contract(defaults.CONTRACT), read_record()
    seed = yaml.safe_load(defaults.SEED_DATA.read_text(encoding="utf-8"))
    every = list(facts(contract, record, seed))
    absent = missing_pages(contract, record)
    marks = _Marks(contract)
    outcomes = _outcomes(contract, record)
    pages = tuple(
        PageCoverage(
            page.id,
            page.get("method"),
            page.get("path"),
            page.id not in absent,
            tuple(fact for fact in every if fact.page == page.id),
            marks.below(operation for *_, operation in operations_of(contract, page) if operation),
            tuple(outcome for outcome in outcomes if outcome.page == page.id),
        )
        for page in record.pages.values()
    )
    return Coverage(pages, tuple(fact for fact in every if fact.page == "general"), marks.total())


class _Marks:
    """Counts the marks `x-assumed` of elements."""

    def __init__(self, contract: Contract) -> None:
        self._data = contract.document.data
        self._elements = {element.pointer: element for element in walk(self._data)}
        self._counts = {pointer: _assumed(element.value) for pointer, element in self._elements.items()}
        self._below: dict[str, list[str]] = {}
        for pointer in self._elements:
            parts = pointer.split("/")
            for end in range(1, len(parts)):
                self._below.setdefault("/".join(parts[:end]), []).append(pointer)

    def total(self) -> int:
        """Return how many there are in the whole document."""
        return sum(self._counts.values())

    def below(self, operations: Iterator[Operation]) -> int:
        """Return how many there are in some operations, their paths' parameters, and all that they refer to."""
        pending = [start for one in operations for start in (one.pointer, *(each.pointer for each in one.parameters))]
        seen: set[str] = set()
        while pending:
            pointer = pending.pop()
            if pointer in seen or pointer not in self._elements:
                continue
            seen.add(pointer)
            pending += self._below.get(pointer, ())
            if self._elements[pointer].is_reference:
                pending.append(follow(self._data, pointer)[1])
        return sum(self._counts[pointer] for pointer in seen)


def _assumed(value: dict[str, Any]) -> int:
    def leaves(mark: Any) -> int:
        return sum(leaves(inner) for inner in mark.values()) if isinstance(mark, dict) else 1

    return leaves(value["x-assumed"]) if "x-assumed" in value else 0


def _outcomes(contract: Contract, record: Record) -> list[ExampleOutcome]:
    """Return for each documented example of a response what came of all requests that it answers."""
    found = {sequence.name: sequence for sequence in sequences(contract, load_seed(defaults.SEED_DATA, find(DEFAULT)))}
    client = Client(send_to_app(create_app().wsgi_app))
    return [
        ExampleOutcome(page.id, recorded["name"], _outcome(client, found, contract, page, recorded["name"]))
        for page in record.pages.values()
        for recorded in page.examples("response")
    ]


def _outcome(client: Client, found: dict[str, Sequence], contract: Contract, page: Page, name: str) -> str:
    names = [
        pair.name
        for *_, operation in operations_of(contract, page)
        for pair in pairs_in(contract)
        if pair.operation is operation and pair.response.name == name
    ]
    if not names:
        return "is not in the contract"
    return next(filter(None, (run(client.in_new_world(), found[one]) for one in names)), "")


def run(client: Client, sequence: Sequence) -> str:
    """Send the requests of an example, and return what came other than documented, "" where nothing did."""
    for step in sequence.steps:
        content = None if step.content is None else step.content.encode()
        answer = client.call(step.method, step.path, user=None, content=content, fields=dict(step.fields))
        if step is not sequence.steps[-1] and answer.status >= 300:
            return f"{step.method} {step.path} before it gets {answer.status}"
    if str(answer.status) != sequence.status:
        return f"gets {answer.status}, documented is {sequence.status}"
    if not answer.content:
        return "" if sequence.value == "" else "gets no content"
    shown = blanked(answer.json(), sequence.stripped)
    return "" if shown == blanked(sequence.value, sequence.stripped) else f"gets {answer.content.decode()}"
