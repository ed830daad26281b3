"""The contract says all that the documentation says of its operations, and claims nothing beyond it.

Both directions yield disagreements as lines of text. The built-in contract has none; each mutation of it, or
of the record, has the one that it is made for.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.contract.reading.document import load_contract
from mockserver.http.pointers import lookup
from tests.defaults import CONTRACT, SEED_DATA
from tests.documentation.facts import facts, missing_pages
from tests.documentation.record import RECORD_FILE, read_record
from tests.documentation.statements import unstated

MUTATIONS_FILE = Path(__file__).with_name("documentation_mutations.yaml")


def disagreements(contract_data: Any, record_data: Any, folder: Path) -> list[str]:
    """Return every disagreement of a contract with a record, in both directions."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(contract_data), encoding="utf-8")
    contract, record = load_contract(path), read_record(record_data)
    seed = yaml.safe_load(SEED_DATA.read_text(encoding="utf-8"))
    told = [fact.missing for fact in facts(contract, record, seed) if not fact.covered]
    return [*told, *unstated(contract, record)]


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


def read_mutations(part: str) -> list[Any]:
    mutations = yaml.safe_load(MUTATIONS_FILE.read_text(encoding="utf-8"))[part]
    return [pytest.param(mutation, id=mutation["name"]) for mutation in mutations]


def mutate(data: Any, mutation: dict[str, Any], pointer: str) -> Any:
    """Return a copy of the data with one member put or taken away."""
    mutated = copy.deepcopy(data)
    holder_pointer, _, name = pointer.rpartition("/")
    holder = lookup(mutated, holder_pointer)
    name = name.replace("~1", "/")
    if isinstance(holder, list):
        holder[int(name) : int(name) + 1] = [mutation["put"]]
    elif "put" in mutation:
        holder[name] = mutation["put"]
    else:
        del holder[name]
    return mutated


@pytest.mark.parametrize("mutation", read_mutations("contract"))
def test_a_contract_that_says_otherwise_is_caught(
    written: Any, recorded: Any, tmp_path: Path, mutation: dict[str, Any]
) -> None:
    found = disagreements(mutate(written, mutation, mutation["at"]), recorded, tmp_path)
    assert any(mutation["finds"] in line for line in found), found


@pytest.mark.parametrize("mutation", read_mutations("record"))
def test_documentation_that_says_more_is_caught(
    written: Any, recorded: Any, tmp_path: Path, mutation: dict[str, Any]
) -> None:
    page, _, below = mutation["at"].partition("/")
    index = [endpoint["id"] for endpoint in recorded["endpoints"]].index(page)
    mutated = mutate(recorded, mutation, f"/endpoints/{index}/{below}")
    found = disagreements(written, mutated, tmp_path)
    assert any(mutation["finds"] in line for line in found), found
