"""Items in a stream of requests that somebody else makes: what they must show when they are read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.cases.observed_response import observe
from mockserver.suite.identities.identities import Identities
from mockserver.suite.run.preparation import prepare
from mockserver.suite.run.session import Session
from mockserver.suite.state.item_tracker import TRACKED_CHECKS, new_item_tracker
from mockserver.suite.target.exchange import Exchange, WireRequest
from mockserver.suite.verdicts.failures import CheckFailure
from tests.faults.crud import Pets, written
from tests.faults.small import application
from tests.wsgi_target import WsgiTarget

_STREAM = [
    ("POST", "/pets", {"name": "Mia", "kind": "cat"}),
    ("PUT", "/pets/2", {"name": "Max", "kind": "dog"}),
    ("PATCH", "/pets/2", {"name": "Moe"}),
    ("PUT", "/pets/2", {"name": "Mad", "kind": "cow"}),
    ("DELETE", "/pets/2", None),
]


@pytest.mark.parametrize(
    ("way", "found"),
    [
        ("", None),
        ("shows writes late", None),
        ("folds names", None),
        ("creations are lost", "created_items_are_kept on POST /pets"),
        ("loses PUT", "written_items_show_it on PUT /pets/{petId}"),
        ("loses PATCH", "written_items_show_it on PATCH /pets/{petId}"),
        ("keeps what it refuses", "refused_writes_leave_items_alone on PUT /pets/{petId}"),
        ("deletions are ignored", "deleted_items_are_gone on DELETE /pets/{petId}"),
    ],
)
def test_what_a_stream_of_requests_leaves_behind_is_read_back(
    write_contract: Callable[..., Path], way: str, found: str | None
) -> None:
    run = prepare(load_contract(written(write_contract)), WsgiTarget(application(Pets(way))), Identities(()))
    seconds = [0.0]
    run.poller.clock = lambda: seconds[0]
    run.poller.sleep = lambda pause: seconds.__setitem__(0, seconds[0] + pause)
    session, tracker = Session(run), new_item_tracker(run)
    failures: list[str] = []
    for method, path, value in _STREAM:
        body: Any = None if value is None else json.dumps(value).encode()
        request = WireRequest(method, path, (("Content-Type", "application/json"),), body)
        operation = run.resolver.methods_at(path)[method]
        response = session.call(operation, request)
        observed = observe(run.contract, operation, operation.label, Exchange(request, response), run.secrets)
        assert observed is not None
        for check in TRACKED_CHECKS:
            try:
                check(tracker, observed)
            except CheckFailure as failure:
                failures.append(f"{failure.check} on {failure.operation}")
    assert failures[:1] == ([found] if found else [])
