"""A DELETE with a behaviour leaves nothing at its path, unless a GET there has an answer whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver.contract.model import Contract
from mockserver.contract.reading.document import load_contract
from mockserver.contract.resources.removals import deletes_resource


@pytest.mark.parametrize(("status", "nothing"), [("204", True), ("404", True), ("410", True), ("403", False)])
def test_what_a_delete_with_a_behaviour_leaves(
    write_contract: Callable[..., Path], status: str, *, nothing: bool
) -> None:
    answers = {"200": {"description": "how far it is"}, status: {"description": "something else"}}
    deleted = {"x-mockserver-behaviour": {"handler": "absent"}, "responses": {"204": {"description": "done"}}}
    contract = load_contract(write_contract({"/a": {"get": {"responses": answers}, "delete": deleted}}))
    assert deletes_resource(contract, contract.by_label["DELETE /a"]) == nothing


def test_what_cannot_be_read_is_taken_for_gone(write_contract: Callable[..., Path]) -> None:
    deleted = {"x-mockserver-behaviour": {"handler": "absent"}, "responses": {"204": {"description": "done"}}}
    contract = load_contract(write_contract({"/a": {"delete": deleted}}))
    assert deletes_resource(contract, contract.by_label["DELETE /a"])


def test_disabled_two_factor_authentication_is_told_of_and_a_reset_setting_is_gone(contract: Contract) -> None:
    assert not deletes_resource(contract, contract.by_id["twofa_delete"])
    assert deletes_resource(contract, contract.by_id["setting_delete_system_mailer"])


def test_one_of_two_lists_that_is_cleared_leaves_the_other(contract: Contract) -> None:
    assert not deletes_resource(contract, contract.by_id["perdomain_wlbl_delete"])
