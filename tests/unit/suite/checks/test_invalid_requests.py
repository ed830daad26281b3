"""What is sent as malformed is malformed, whatever the valid content is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.stub.app import create_app
from mockserver.suite.checks.invalid_requests import malformed_json_is_refused
from mockserver.suite.identities.identities import Identities
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Session
from tests.wsgi_target import WsgiTarget


@pytest.mark.parametrize("example", [{}, 12, -1, "", "'", [], {"a": 1}, None])
def test_a_server_that_reads_json_is_not_blamed(write_contract: Callable[..., Path], example: Any) -> None:
    body = {"required": True, "content": {"application/json": {"schema": {}, "example": example}}}
    contract = load_contract(
        write_contract({"/a": {"post": {"requestBody": body, "responses": {"200": {"description": ""}}}}})
    )
    run = prepare(contract, WsgiTarget(create_app(contract).wsgi_app), Identities(()), settle_seconds=0.0)
    assert malformed_json_is_refused(Session(run), contract.operations[0]) > 6
