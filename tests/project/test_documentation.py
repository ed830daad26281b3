"""The contract says all that the documentation says of its operations, and claims nothing beyond it.

Both directions yield disagreements as lines of text. The built-in contract has none; each mutation of it, or
of the record, has the one that it is made for.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.contract.reading.document import load_contract
from mockserver.http.pointers import lookup
from tests.defaults import CONTRACT, SEED_DATA
from tests.documentation.facts import facts, missing_pages
from tests.documentation.record import RECORD_FILE, read_record
from tests.documentation.statements import assumed_though_shown, unstated

#: Where a mutation is made, and the mutation.
Mutation = tuple[str, dict[str, Any]]
MUTATIONS_FILE = Path(__file__).with_name("documentation_mutations.yaml")


def disagreements(contract_data: Any, record_data: Any, folder: Path) -> list[str]:
    """Return every disagreement of a contract with a record, in both directions."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(contract_data), encoding="utf-8")
    contract, record = load_contract(path), read_record(record_data)
    seed = yaml.safe_load(SEED_DATA.read_text(encoding="utf-8"))
    told = [fact.missing for fact in facts(contract, record, seed) if not fact.covered]
    return [*told, *unstated(contract, record), *assumed_though_shown(contract, record)]


@pytest.fixture(scope="module")
def recorded() -> Any:
    return yaml.safe_load(RECORD_FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def written() -> Any:
    return load_contract(CONTRACT).document.data


def test_the_contract_says_what_the_documentation_says(written: Any, recorded: Any, tmp_path: Path) -> None:
    assert disagreements(written, recorded, tmp_path) == []


def test_no_page_is_missing(recorded: Any) -> None:
    record = read_record(recorded)
    assert missing_pages(load_contract(CONTRACT), record) == set()
    assert len(record.pages) == 55


def read_mutations(part: str) -> list[dict[str, Any]]:
    mutations: list[dict[str, Any]] = yaml.safe_load(MUTATIONS_FILE.read_text(encoding="utf-8"))[part]
    assert mutations
    return mutations


def mutate(data: Any, mutation: dict[str, Any], pointer: str) -> None:
    """Put or take away one member of the data."""
    holder_pointer, _, name = pointer.rpartition("/")
    holder = lookup(data, holder_pointer)
    name = name.replace("~1", "/")
    if isinstance(holder, list):
        holder[int(name) : int(name) + 1] = [mutation["put"]]
    elif "put" in mutation:
        holder[name] = mutation["put"]
    else:
        del holder[name]


def survivors(judge: Callable[[list[Mutation]], list[str]], mutations: Iterable[Mutation]) -> list[str]:
    """Return the mutations that nothing is said of, tried in groups, then those that are left each alone."""
    left = []
    for group in batches(mutations):
        found = judge(group)
        left += [one for one in group if not any(one[1]["finds"] in line for line in found)]
    return [one[1]["name"] for one in left if not any(one[1]["finds"] in line for line in judge([one]))]


def batches(mutations: Iterable[Mutation]) -> list[list[Mutation]]:
    """Return mutations with their pointers in groups that can be made at once.

    In a group no two are on one operation, component or page, and none could be found in place of another.
    """
    groups: list[list[Mutation]] = []
    for pointer, mutation in mutations:
        place, finds = pointer.split("/")[1:4], mutation["finds"]
        for group in groups:
            taken = [(other.split("/")[1:4], one["finds"]) for other, one in group]
            if all(place != other and finds not in text and text not in finds for other, text in taken):
                group.append((pointer, mutation))
                break
        else:
            groups.append([(pointer, mutation)])
    return groups


def test_a_contract_that_says_otherwise_is_caught(written: Any, recorded: Any, tmp_path: Path) -> None:
    def judge(group: list[Mutation]) -> list[str]:
        mutated = copy.deepcopy(written)
        for pointer, mutation in group:
            mutate(mutated, mutation, pointer)
        return disagreements(mutated, recorded, tmp_path)

    assert survivors(judge, ((one["at"], one) for one in read_mutations("contract"))) == []


def test_documentation_that_says_more_is_caught(written: Any, recorded: Any, tmp_path: Path) -> None:
    ids = [endpoint["id"] for endpoint in recorded["endpoints"]]

    def pointer_of(mutation: dict[str, Any]) -> str:
        page, _, below = mutation["at"].partition("/")
        return f"/endpoints/{ids.index(page)}/{below}"

    def judge(group: list[Mutation]) -> list[str]:
        mutated = copy.deepcopy(recorded)
        for pointer, mutation in group:
            mutate(mutated, mutation, pointer)
        return disagreements(written, mutated, tmp_path)

    assert survivors(judge, ((pointer_of(one), one) for one in read_mutations("record"))) == []
