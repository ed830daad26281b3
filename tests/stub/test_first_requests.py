"""First requests at once: an operation and its schemas are compiled by one thread, the others wait for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from mockserver.contract.schema.validator import Schemas
from mockserver.contract.values.generator import Generator
from mockserver.stub import pipeline
from tests.conftest import Client

MakeStub = Callable[..., Client]
Write = Callable[..., Path]
CALLS = 8


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what is compiled and generated, by name."""
    counted: Counter[str] = Counter()

    def counting(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def counted_call(*arguments: Any, **named: Any) -> Any:
            counted[f"{name} {arguments[1:2]}" if name == "_compile" else name] += 1
            return original(*arguments, **named)

        monkeypatch.setattr(owner, name, counted_call)

    counting(pipeline, "CompiledOperation")
    counting(Schemas, "_compile")
    counting(Generator, "_made")
    return counted


def test_first_requests_at_once_compile_an_operation_once(
    make_stub: MakeStub, write_contract: Write, made: Counter[str]
) -> None:
    content = {"application/json": {"schema": {"type": "object", "required": ["n"], "properties": {"n": {}}}}}
    operation = {"responses": {"200": {"description": "ok", "content": content}}}
    client = make_stub(write_contract({"/a": {"post": {**operation, "requestBody": {"content": content}}}}))
    together = Barrier(CALLS)

    def call(_number: int) -> int:
        together.wait(60)
        return client.call("POST", "/a", json={"n": 1}).status

    with ThreadPoolExecutor(CALLS) as pool:
        assert list(pool.map(call, range(CALLS))) == [200] * CALLS
    assert made["CompiledOperation"] == 1
    assert set(made.values()) == {1}
