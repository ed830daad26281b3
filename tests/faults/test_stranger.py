"""What the suite knows of logins and settings it knows from the contract, not from the names of the built-in one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.server import serving
from tests.faults.small import application, checked
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


@pytest.fixture(name="contract")
def provide_contract(write_contract: Callable[..., Path]) -> Path:
    return write_contract(PATHS, **MEMBERS)


def test_a_right_server_passes_every_claim_on_login_levels_and_state(contract: Path) -> None:
    judged = checked(contract, create(), *IDENTITIES)
    assert (judged.at("violation"), judged.at("drift"), judged.exit_code) == ([], [], 0)
    for check, operation in _FAULTS.values():
        assert judged.result(check, operation) == ("passed", ""), (check, operation)


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_fault_is_found_by_its_claim(contract: Path, fault: str) -> None:
    path = _FAULTS[fault][1].partition(" ")[2]
    judged = checked(contract, create([fault]), *IDENTITIES, only=[f"* {path}"])
    assert _FAULTS[fault] in {(check, operation) for check, operation, _ in judged.at("violation")}
    assert judged.exit_code == 1


def test_a_login_sends_what_else_it_requires(contract: Path) -> None:
    sent: list[Any] = []
    server = create()

    def watched(call: Any) -> Any:
        if (call.method, call.path) == ("POST", "/tickets"):
            sent.append(call.get_data(as_text=True))
        return server(call)

    checked(contract, watched, *IDENTITIES)
    assert json.dumps({"handle": "mike", "magic": IDENTITIES[1].password, "client": "web"}) in sent


@pytest.mark.parametrize("fault", ["", "another topic"])
def test_the_command_judges_it_alike(
    contract: Path, tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]], fault: str
) -> None:
    report = tmp_path / "report.json"
    with serving(application(create([fault]))) as url:
        done = command(
            *("check", url, "--contract", str(contract), "--identities", str(write_identities(tmp_path))),
            *("--allow-writes", "*", "--report", f"json={report}"),
        )
    found = json.loads(report.read_text(encoding="utf-8"))["findings"]
    told = {(one["check"], one["operation"]) for one in found if one["owner"] == "server"}
    assert (_FAULTS[fault] in told) if fault else not told, done.stdout
    assert done.returncode == bool(fault), done.stdout + done.stderr
