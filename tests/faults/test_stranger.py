"""What the suite knows of logins and settings it knows from the contract, not from the names of the built-in one."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from tests.faults.small import application, checked, commanded
from tests.faults.stranger import IDENTITIES, MEMBERS, PATHS, create, write_identities

_LOGIN, _TICKET = "POST /tickets", "GET /tickets"
_READ, _WRITE = "GET /preferences/theme", "PUT /preferences/theme"
#: Which check finds which fault, and on what.
_FAULTS = {
    "any password": ("wrong_passwords_are_refused", _LOGIN),
    "dead key": ("issued_tokens_work_at_once", _LOGIN),
    "key lives on": ("revoked_tokens_are_refused", _TICKET),
    "another bearer told": ("answers_name_the_caller", _TICKET),
    "lowest rank told": ("issued_tokens_tell_their_level", _TICKET),
    "any rank": ("levels_not_allowed_are_refused", _READ),
    "another topic": ("answers_name_the_resource", _WRITE),
    "nothing stored": ("reads_show_the_last_write", _READ),
    "other echo": ("writes_echo_the_request", _WRITE),
}
#: Faults that do not hide each other.
_SERVERS = (
    ("any password", "another bearer told", "lowest rank told", "any rank"),
    ("key lives on", "another topic", "nothing stored"),
    ("dead key", "other echo"),
)


@pytest.fixture(name="contract")
def provide_contract(write_contract: Callable[..., Path]) -> Path:
    return write_contract(PATHS, **MEMBERS)


def test_a_right_server_passes_every_check_and_is_sent_what_a_login_requires(contract: Path) -> None:
    sent: list[Any] = []
    server = create()

    def watched(call: Any) -> Any:
        if (call.method, call.path) == ("POST", "/tickets"):
            sent.append(call.get_data(as_text=True))
        return server(call)

    judged = checked(contract, watched, *IDENTITIES)
    assert (judged.at("violation"), judged.at("drift"), judged.exit_code) == ([], [], 0)
    for check, operation in _FAULTS.values():
        assert judged.result(check, operation) == ("passed", ""), (check, operation)
    assert json.dumps({"handle": "mike", "magic": IDENTITIES[1].password, "client": "web"}) in sent


@pytest.mark.parametrize("faults", _SERVERS)
def test_each_fault_is_found_by_its_check_and_no_other_one_is(contract: Path, faults: Collection[str]) -> None:
    judged = checked(contract, create(faults), *IDENTITIES)
    told = {(check, operation) for check, operation, _ in judged.at("violation")}
    assert {fault for fault, sign in _FAULTS.items() if sign in told} == set(faults)
    assert judged.exit_code == 1


def test_the_command_judges_it_alike(contract: Path, tmp_path: Path) -> None:
    """With accounts of a file, and our own stub asked the same."""
    told = commanded(
        "check",
        application(create(["another topic"])),
        tmp_path,
        contract=contract,
        identities=write_identities(tmp_path),
        no_oracle=False,
        only=("* /preferences/theme",),
    )
    found = {(one["check"], one["operation"]) for one in told.report["findings"] if one["owner"] == "server"}
    assert {check for check, _ in found} == {"answers_name_the_resource"}
    assert _FAULTS["another topic"] in found
    assert told.exit_code == 1
