"""Accounts that the suite makes up for a stub of any contract."""

from __future__ import annotations

from pathlib import Path

from mockserver.contract.reading.document import load_contract
from mockserver.stub.store.seed import load_seed
from mockserver.suite.identities.identities import Identities
from mockserver.suite.run.preparation import invented, seeded
from tests import defaults


def test_each_level_has_two_accounts_with_secrets_of_their_own() -> None:
    contract = load_contract(defaults.CONTRACT)
    made = invented(contract).all
    assert [identity.level for identity in made[::2]] == list(contract.levels)
    assert len({identity.token for identity in made} | {identity.password for identity in made}) == 2 * len(made)
    assert invented(contract).all == made


def test_the_stub_can_be_told_of_them() -> None:
    identities = invented(load_contract(defaults.CONTRACT))
    with seeded(identities) as options:
        option, file = options
        assert option == "--seed-data"
        assert list(load_seed(file).accounts) == [identity.username for identity in identities.all]
    assert not Path(file).exists()


def test_without_accounts_there_is_nothing_to_tell() -> None:
    with seeded(Identities(())) as options:
        assert options == []
