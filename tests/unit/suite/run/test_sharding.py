"""One run in several parts: every operation and every case is somebody's, and nobody's twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mockserver.contract.model import Behaviour, Operation
from mockserver.errors import UsageError
from mockserver.suite.run.sharding import Division, Shard, groups, parse_shard


def operation(label: str, behaviour: Behaviour | None = None, effect: str = "") -> Operation:
    method, path = label.split(" ")
    return Operation(
        id=label,
        method=method,
        path=path,
        pointer="",
        parameters=(),
        request_body=None,
        responses={},
        security=(),
        levels=None,
        behaviour=behaviour,
        effect=effect,
    )


def labels(found: Sequence[Sequence[Operation]]) -> set[frozenset[str]]:
    return {frozenset(one.label for one in group) for group in found}


SETTINGS = [
    operation(f"{method} /settings/{name}/", Behaviour("settings", role, name))
    for name in ("a", "b", "c")
    for method, role in (("GET", "read"), ("POST", "write"), ("DELETE", "reset"))
]
PLAIN = [
    *map(operation, ("GET /api/users", "POST /api/users", "DELETE /api/users/{id}", "GET /api/users/{id}/posts")),
    *map(operation, ("POST /api/posts", "GET /api/tags", "POST /api/tags/{id}")),
]


def test_operations_of_one_resource_stay_together() -> None:
    assert labels(groups(SETTINGS)) == {
        frozenset({f"GET /settings/{name}/", f"POST /settings/{name}/", f"DELETE /settings/{name}/"}) for name in "abc"
    }


def test_without_behaviours_collections_that_meet_in_a_path_stay_together() -> None:
    users = {"GET /api/users", "POST /api/users", "DELETE /api/users/{id}", "GET /api/users/{id}/posts"}
    assert labels(groups(PLAIN)) == {
        frozenset({*users, "POST /api/posts"}),
        frozenset({"GET /api/tags", "POST /api/tags/{id}"}),
    }


def test_what_is_about_credentials_stays_together() -> None:
    auth = [
        operation("POST /login", Behaviour("auth", "issue")),
        operation("GET /login", Behaviour("a handler of somebody else", "describe")),
        operation("DELETE /login", Behaviour("auth", "revoke"), "credentials"),
        operation("POST /two-factor", effect="credentials"),
    ]
    assert len(groups(auth)) == 1


@pytest.mark.parametrize("operations", [SETTINGS, PLAIN])
@pytest.mark.parametrize("total", [1, 2, 3, 5])
def test_each_operation_is_owned_once_and_each_case_sent_once(operations: list[Operation], total: int) -> None:
    parts = [Division(operations, Shard(number, total)) for number in range(1, total + 1)]
    for one in operations:
        assert sum(part.owns(one.label) for part in parts) == 1
        for method in ("GET", "POST", "GET", "PATCH", "GET", "OPTIONS"):
            assert sum(part.calls(one) and part.takes(one.label, method) for part in parts) == 1


def test_parts_have_about_the_same_to_do() -> None:
    parts = [Division(SETTINGS, Shard(number, 3)) for number in (1, 2, 3)]
    assert [sum(part.owns(one.label) for one in SETTINGS) for part in parts] == [3, 3, 3]


def test_a_part_is_named_by_its_number_or_by_kubernetes() -> None:
    assert parse_shard("2/3") == Shard(2, 3)
    assert parse_shard("auto/3", {"JOB_COMPLETION_INDEX": "2"}) == Shard(3, 3)


@pytest.mark.parametrize("text", ["0/2", "3/2", "1/0", "1", "a/2", "1/2/3", "-1/2", "auto/2"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shard"):
        parse_shard(text, {})


def test_a_pod_beyond_the_number_of_parts_is_refused() -> None:
    with pytest.raises(UsageError, match="no shard 3 of 2"):
        parse_shard("auto/2", {"JOB_COMPLETION_INDEX": "2"})


def test_the_heaviest_groups_are_dealt_out_first() -> None:
    """By their work, not by their names: two light groups come before a heavy one in the alphabet."""
    light = [operation(f"GET /{name}/x") for name in "ab"]
    heavy = [operation(f"{method} /z/{{id}}") for method in ("GET", "PUT", "DELETE")]
    middle = [operation(f"{method} /{name}/y") for name in ("m", "n") for method in ("POST", "PUT")]
    loads = []
    for number in (1, 2):
        division = Division([*light, *heavy, *middle], Shard(number, 2))
        loads.append(sum(1 if one.safe else 4 for one in (*light, *heavy, *middle) if division.owns(one.label)))
    assert sorted(loads) == [11, 16]
