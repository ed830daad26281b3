"""Mutants of the permission matrix: each class answers other than the stub, and is found by the check that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.selftest.mutant_server import MutantServer
from mockserver.selftest.mutants.foreign_objects import OBJECTS
from mockserver.selftest.registry import all_mutants
from mockserver.stub.store.seed import load_seed
from mockserver.suite.identities.seeded_accounts import seeded_identities
from mockserver.suite.run.check_run import check
from mockserver.suite.run.preparation import prepare
from mockserver.suite.target.processes import StubControl
from tests.wsgi_target import WsgiTarget

_TOKEN = "control-token-of-mutants"


#: Of lists, which the small contract has none of; the built-in one has, and its self-test.
_OF_LISTS = {"lists_tell_the_objects_of_all", "lists_leave_out_own_objects"}


@pytest.mark.parametrize("name", sorted(OBJECTS.classes.keys() - _OF_LISTS))
def test_a_class_is_found_at_every_operation_that_it_applies_to(files: tuple[Path, Path], name: str) -> None:
    contract, seed = load_contract(files[0]), load_seed(files[1])
    mutants = [mutant for mutant in all_mutants(contract, seed.accounts) if mutant.kind.name == name]
    assert mutants
    for mutant in mutants:
        server = MutantServer(contract, seed, (mutant,), token=_TOKEN)
        target = WsgiTarget(server)
        control = StubControl(target, _TOKEN)
        run = prepare(contract, target, seeded_identities(files[1]), only=[mutant.operation.id], control=control)
        run.world_prefix = "m0"
        check(run)
        found = {(one.check, one.level, one.operation) for one in run.verdicts.findings()}
        assert found & mutant.signs, (mutant.operation.label, found)
