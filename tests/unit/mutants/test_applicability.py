"""A class of mutants applies only where the contract has what it breaks."""

from __future__ import annotations

import json
from pathlib import Path

from mockserver.contract.reading.document import load_contract
from mockserver.selftest.registry import all_mutants

#: What can go wrong with any operation: its path, its methods, its time, and one call among many.
ANYWHERE = {
    *("absent_is_there", "allow_missing", "allow_names_more", "method_crashes", "method_not_found"),
    *("method_taken_for_another", "path_beside_accepted", "path_fails"),
    *("first_call_fails", "no_response", "one_call_in_twenty_fails", "response_breaks_off", "slow_responses"),
}


def test_an_operation_with_nothing_to_break_has_mutants_of_its_path_and_time_alone(tmp_path: Path) -> None:
    """No credentials, parameters, state or content of a response; of a request none, or one that may be left out."""
    done = {"responses": {"204": {"description": "done"}}}
    optional = {"type": "object", "properties": {"a": {"type": "string", "examples": ["x"]}}}
    content = {"requestBody": {"content": {"application/json": {"schema": optional}}}}
    paths = {"/bare": {"get": done}, "/free": {"post": {**content, **done}}}
    path = tmp_path / "contract.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}))
    made: dict[str, set[str]] = {}
    for mutant in all_mutants(load_contract(path), {}):
        made.setdefault(mutant.operation.label, set()).add(mutant.kind.name)
    assert made.pop("GET /bare") == {*ANYWHERE, "path_below_accepted"}
    assert made["POST /free"] > ANYWHERE
    broken = {"malformed_json_taken", "wrong_type_taken", "null_crashes", "chunks_not_read"}
    assert made["POST /free"] & {*broken, "missing_content_taken", "required_member_optional"} == broken
