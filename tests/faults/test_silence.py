"""NoProgress of a busy machine is no fault; silence that lasts is one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request

from tests.faults.small import Answer, Judged, checked_over_http

_CHECK = "the_server_answers"


@pytest.fixture
def closing() -> Iterator[threading.Event]:
    """Set when the test ends, so that no request of it waits any longer."""
    event = threading.Event()
    yield event
    event.set()


def _judged(path: Path, is_silent: Callable[[Request], bool], closing: threading.Event, answer: Answer) -> Judged:
    def handle(call: Request) -> Answer:
        if is_silent(call):
            closing.wait(120)
        return answer if call.path == "/a" and call.method == "GET" else (404, {})

    try:
        return checked_over_http(path, handle, timeout_seconds=0.2, late_seconds=1.0)
    finally:
        closing.set()


def _contract(write_contract: Callable[..., Path]) -> Path:
    content: dict[str, Any] = {"application/json": {"schema": {"type": "array"}}}
    return write_contract({"/a": {"get": {"responses": {"200": {"description": "", "content": content}}}}})


def _the_first(number: int) -> Callable[[Request], bool]:
    calls = iter(range(1_000_000))
    return lambda call: call.path == "/a" and call.method == "GET" and next(calls) < number


def test_what_is_answered_at_the_end_is_no_finding(
    write_contract: Callable[..., Path], closing: threading.Event
) -> None:
    # Twice for the call and its second try.
    judged = _judged(_contract(write_contract), _the_first(2), closing, (200, []))
    assert not judged.at("violation")
    assert judged.exit_code == 0
    assert judged.result(_CHECK, "GET /a")[0] == "passed"


def test_what_is_answered_at_the_end_is_judged(write_contract: Callable[..., Path], closing: threading.Event) -> None:
    judged = _judged(_contract(write_contract), _the_first(2), closing, (200, {"an": "object"}))
    assert [(check, operation) for check, operation, _ in judged.at("violation")] == [
        ("body_conforms_to_its_schema", "GET /a")
    ]


def test_silence_that_lasts_is_a_violation(write_contract: Callable[..., Path], closing: threading.Event) -> None:
    judged = _judged(_contract(write_contract), lambda call: call.path == "/a", closing, (200, []))
    found = [one for one in judged.found if one.operation == "GET /a"]
    assert [(one.check, one.level, one.times) for one in found] == [(_CHECK, "violation", 1)]
    assert "when asked again" in found[0].detail
