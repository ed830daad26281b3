"""What an example presumes is seen to, and what the documentation does not show may be anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.stub.app import create_app
from mockserver.stub.examples.example_sequences import sequences
from mockserver.stub.store.seed import load_seed
from mockserver.suite.checks import documented_examples
from mockserver.suite.identities.identities import Identities
from mockserver.suite.identities.seeded_accounts import seeded_identities
from mockserver.suite.run.check_run import make
from mockserver.suite.run.preparation import prepare
from mockserver.suite.target.processes import StubControl
from tests import defaults
from tests.wsgi_target import WsgiTarget

SEED = """
resources: {/pets: {'1': {id: 1, name: Rex}}}
overlays: {other: {resources: {/pets: {'1': {id: 1, name: Tom}}}}}
"""
PET = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}


def _contract(write_contract: Callable[..., Path], value: dict[str, Any], **marks: Any) -> Path:
    media = {"schema": PET, "examples": {"shown": {"value": value, **marks}}}
    parameter = {"name": "petId", "in": "path", "required": True, "schema": {"type": "integer"}}
    behaviour = {"handler": "resource", "resource": "/pets", "identifier": "id", "parameter": "petId"}
    read = {
        "operationId": "read",
        "parameters": [{**parameter, "examples": {"shown": {"value": 1}}}],
        "x-mockserver-behaviour": {**behaviour, "role": "read", "value": ""},
        "responses": {"200": {"description": "d", "content": {"application/json": media}}},
    }
    return write_contract({"/pets/{petId}": {"get": read}})


@pytest.mark.parametrize(
    ("value", "marks", "found"),
    [
        ({"id": 1, "name": "Rex"}, {}, 0),
        ({"id": 1, "name": "Tom"}, {}, 1),
        ({"id": 1, "name": "Tom"}, {"x-mockserver-presumes": {"seed": "other"}}, 0),
        ({"id": 1, "name": "Rex"}, {"x-mockserver-presumes": {"seed": "other"}}, 1),
        ({"id": 1, "name": "Ann"}, {"x-mockserver-stripped": ["/name"]}, 0),
        ({"id": 1, "name": "Ann"}, {"x-mockserver-stripped": ["/id"]}, 1),
        ({"id": 1}, {"x-mockserver-stripped": ["/name"]}, 1),
    ],
)
def test_an_example_is_held_against_what_it_presumes_and_shows(
    write_contract: Callable[..., Path], tmp_path: Path, value: dict[str, Any], marks: dict[str, Any], found: int
) -> None:
    contract = load_contract(_contract(write_contract, value, **marks))
    (tmp_path / "seed.yaml").write_text(SEED, encoding="utf-8")
    # The stub has a contract whose example is no seed of its own.
    stub = load_contract(_contract(write_contract, {"id": 2}))
    target = WsgiTarget(create_app(stub, seed_data=tmp_path / "seed.yaml").wsgi_app)
    run = prepare(contract, target, Identities(()), control=StubControl(target, None), settle_seconds=0.0)
    assert make(run, documented_examples.planned_checks(run)).error == ""
    assert [finding.check for finding in run.verdicts.findings()] == ["documented_examples_come_out"] * found


def test_what_another_server_holds_is_not_held_against_it() -> None:
    contract = load_contract(defaults.CONTRACT)
    # One world for all: what the first example has created is there when the second one is to create it.
    target = WsgiTarget(create_app(contract, seed_data=defaults.SEED_DATA).wsgi_app)
    identities = seeded_identities(defaults.SEED_DATA)
    run = prepare(contract, target, identities, only=["perdomain_antispam_*", "*_wlbl_*"], settle_seconds=0.0)
    for _ in range(2):
        make(run, documented_examples.planned_checks(run))
    assert not run.verdicts.findings()
    made = {one.operation: one for one in run.verdicts.coverage() if one.check == "documented_examples_come_out"}
    assert (
        made["POST /api/v1/antispam/wlbl/global/"].why
        == "the state of the server does not allow it: it responded with 409"
    )
    assert made["PUT /api/v1/antispam/wlbl/global/"].passed == 2


def test_the_listed_requests_begin_with_the_overlay(write_contract: Callable[..., Path], tmp_path: Path) -> None:
    marks = {"x-mockserver-presumes": {"seed": "other"}, "x-mockserver-stripped": ["/id"]}
    contract = load_contract(_contract(write_contract, {"id": 1}, **marks))
    (tmp_path / "seed.yaml").write_text(SEED, encoding="utf-8")
    (found,) = sequences(contract, load_seed(tmp_path / "seed.yaml"))
    first, last = found.steps
    assert (first.method, first.path, first.content) == ("POST", "/__mock__/reset", '{"overlay":"other"}')
    assert last.path == "/pets/1"
    assert found.stripped == ("/id",)
