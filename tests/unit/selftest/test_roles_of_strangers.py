"""Mutants of logins and settings are made of any contract: by its roles, and where it says that things stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from mockserver.contract.reading.document import load_contract
from mockserver.selftest.catalogue import Backend
from mockserver.selftest.registry import all_mutants
from mockserver.selftest.traffic import MutantRequest, MutantResponse
from mockserver.stub.store.seed import Account, Token
from tests.faults.stranger import KEYS, MEMBERS, PATHS, RANKS, SECRETS

ACCOUNTS = {name: Account(name, SECRETS[name], RANKS[name], (Token(KEYS[name], 0, 2**31 - 1),)) for name in KEYS}


def test_logins_and_settings_of_a_stranger_are_mutated(write_contract: Callable[..., Path]) -> None:
    mutants = all_mutants(load_contract(write_contract(PATHS, **MEMBERS)), ACCOUNTS)
    made = {(mutant.kind.name, mutant.operation.label) for mutant in mutants}
    assert made >= {
        ("password_not_compared", "POST /tickets"),
        ("password_of_another", "POST /tickets"),
        ("issued_token_dead", "POST /tickets"),
        ("password_in_a_login_refusal", "POST /tickets"),
        ("wrong_level_reported", "GET /tickets"),
        ("wrong_account_named", "GET /tickets"),
        ("write_lost", "PUT /preferences/theme"),
    }


def test_a_login_is_mutated_in_the_members_of_its_contract(write_contract: Callable[..., Path]) -> None:
    contract = load_contract(write_contract(PATHS, **MEMBERS))
    mutant = next(one for one in all_mutants(contract, ACCOUNTS) if one.kind.name == "password_not_compared")
    sent = {"client": "web", "handle": "mike", "magic": "wrong"}
    call = MutantRequest("POST", "/tickets", mutant.operation, None, None, b"", "default", {}).with_json(sent)
    seen: list[Any] = []

    def refuse(call: MutantRequest) -> MutantResponse:
        seen.append(call.json)
        return MutantResponse(401, (), b"")

    mutant.intercept(call, cast("Backend", SimpleNamespace(send=refuse)))
    assert seen == [sent, {**sent, "magic": SECRETS["mike"]}]
