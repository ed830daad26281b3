"""Creations: where their Location leads, what becomes of accepted work, and unique values at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from tests.faults.small import Answer, checked, content_of

_LEADS, _LOST = "locations_lead_to_what_was_created", "accepted_work_is_not_lost"
_ONCE = "unique_values_are_given_once"
_ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,60}$", "example": "oak"}},
}
_JOB = {"type": "object", "properties": {"status": {"type": "string", "enum": ["pending", "done"]}}}


def _with(schema: Any) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


_ERRORS = {status: _with({"type": "object"}) for status in ("400", "404", "405", "409", "415", "422")}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
_BODY = {"required": True, "content": {"application/json": {"schema": _ITEM}}}


def _paths(said: str = "") -> dict[str, Any]:
    job = {"description": said, "responses": {"202": _with(_JOB), "404": _ERRORS["404"]}}
    return {
        "/trees": {"post": {"requestBody": _BODY, "responses": {"201": _with(_ITEM), **_ERRORS}}},
        "/trees/{id}": {"get": {"parameters": [_ID], "responses": {"200": _with(_ITEM), **_ERRORS}}},
        "/jobs": {"post": job},
        "/jobs/{id}": {"get": {"parameters": [_ID], "responses": {"200": _with(_JOB), **_ERRORS}}},
    }


class _Trees:
    """A server of trees with unique names, and of jobs that take three reads to be done."""

    def __init__(self, *faults: str, location: str = "/trees/{0}") -> None:
        self.faults = faults
        self.location = location
        self._trees: list[str] = []
        self._jobs: list[int] = []
        self._lock = threading.Lock()

    def __call__(self, call: Request) -> Answer:
        _, kind, *rest = call.path.split("/")
        if kind not in {"trees", "jobs"} or len(rest) > 1:
            return 404, {}
        if rest:
            known = self._trees if kind == "trees" else self._jobs
            if call.method not in {"GET", "HEAD"}:
                return 405, {}, {"Allow": "GET, HEAD"}
            if not rest[0].isdigit() or not 1 <= int(rest[0]) <= len(known):
                return 404, {}
            return self._job(int(rest[0])) if kind == "jobs" else (200, {"name": self._trees[int(rest[0]) - 1]})
        if call.method != "POST":
            return 405, {}, {"Allow": "POST"}
        if kind == "trees":
            return self._plant(call)
        self._jobs.append(0)
        return 202, {"status": "pending"}, {"Location": f"/jobs/{len(self._jobs)}"}

    def _job(self, number: int) -> Answer:
        self._jobs[number - 1] += 1
        done = self._jobs[number - 1] > 3 and "stuck" not in self.faults
        if done and "lost" in self.faults:
            return 404, {}
        return 200, {"status": "done" if done else "pending"}

    def _plant(self, call: Request) -> Answer:
        if call.mimetype != "application/json":
            return 415, {}
        value = content_of(call)
        name = value.get("name") if isinstance(value, dict) else None
        if not isinstance(name, str) or not 0 < len(name) <= 60 or not name.replace("-", "").replace("_", "").isalnum():
            return 422, {}
        if "race" not in self.faults:
            self._lock.acquire()
        try:
            if name in self._trees:
                return 409, {}
            time.sleep(0.05 if "race" in self.faults else 0)
            self._trees.append(name)
            number = len(self._trees)
        finally:
            if "race" not in self.faults:
                self._lock.release()
        return 201, {"name": name}, {"Location": self.location.format(number)}


@pytest.mark.parametrize(
    "location", ["/trees/{0}", "trees/{0}", "./trees/{0}#it", "http://elsewhere.example/trees/{0}"]
)
def test_right_ones_are_right(write_contract: Callable[..., Path], location: str) -> None:
    judged = checked(write_contract(_paths()), _Trees(location=location))
    of_ours = [one for level in ("violation", "drift") for one in judged.at(level) if one[0] in {_LEADS, _LOST, _ONCE}]
    assert of_ours == []
    assert judged.result(_LEADS, "POST /trees")[0] == ("not run" if "elsewhere" in location else "passed")
    assert judged.result(_ONCE, "POST /trees")[0] == "passed"
    assert judged.result(_LOST, "POST /jobs")[0] == "passed"


@pytest.mark.parametrize("location", ["/bushes/{0}", "{0}", "/trees/9{0}"])
def test_a_location_that_leads_nowhere(write_contract: Callable[..., Path], location: str) -> None:
    judged = checked(write_contract(_paths()), _Trees(location=location))
    assert (_LEADS, "POST /trees") in {one[:2] for one in judged.at("violation")}


@pytest.mark.parametrize(
    ("fault", "said", "level"),
    [
        ("lost", "", "violation"),
        ("stuck", "", "drift"),
        ("stuck", "Ask for it until its status is `done`.", "violation"),
    ],
)
def test_accepted_work(write_contract: Callable[..., Path], fault: str, said: str, level: str) -> None:
    judged = checked(write_contract(_paths(said)), _Trees(fault))
    assert (_LOST, "POST /jobs") in {one[:2] for one in judged.at(level)}


def test_a_race_for_a_unique_name(write_contract: Callable[..., Path]) -> None:
    judged = checked(write_contract(_paths()), _Trees("race"))
    assert judged.result(_ONCE, "POST /trees") == ("failed", "")
    assert (_ONCE, "POST /trees") in {one[:2] for one in judged.at("violation")}
