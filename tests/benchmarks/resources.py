"""Requests a second on one route of a contract with many resources, beside one with few."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import load
from tests.benchmarks.requests import WireRequest
from tests.benchmarks.servers import free_port, serving_for, stub_command
from tests.benchmarks.tables import say, table

#: Resources of the contracts, each with five operations.
MANY, FEW = 1000, 10
#: The least that many may reach of few (issue 4, "Must show" 4).
AIM = 0.9
_WARM_UP_SECONDS = 1.0
#: In the middle of the path's neighbours, with a parameter, so that the tree is used.
REQUEST = WireRequest("GET", "/resource5/7")


def contract_of(resources: int) -> dict[str, Any]:
    """Return a contract of so many resources, each with a collection and its items."""
    item = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
    found = {"200": {"description": "", "content": {"application/json": {"schema": item, "example": {"id": 7}}}}}
    written = {"content": {"application/json": {"schema": item}}}
    paths: dict[str, Any] = {}
    for number in range(resources):
        identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
        paths[f"/resource{number}"] = {
            "get": {"responses": found},
            "post": {"requestBody": written, "responses": found},
        }
        paths[f"/resource{number}/{{id}}"] = {
            "parameters": [identifier],
            "get": {"responses": found},
            "put": {"requestBody": written, "responses": found},
            "delete": {"responses": {"204": {"description": ""}}},
        }
    return {"openapi": "3.1.0", "info": {"title": f"{resources} resources", "version": "1"}, "paths": paths}


def report(rounds: int, seconds: float, connections: int) -> bool:
    """Measure, print the table, and tell whether the aim is met."""
    rates: dict[int, list[float]] = {FEW: [], MANY: []}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        ports = {resources: free_port() for resources in rates}
        for resources, port in ports.items():
            contract = folder / f"{resources}.json"
            contract.write_text(json.dumps(contract_of(resources)), encoding="utf-8")
            command = stub_command(port, "--contract", str(contract))
            stack.enter_context(serving_for(REQUEST, command, port, folder / f"{resources}.log"))
            load.measure(port, REQUEST, _WARM_UP_SECONDS, connections, folder)
        for _ in range(rounds):
            for resources, port in ports.items():
                count, elapsed = load.measure(port, REQUEST, seconds, connections, folder)
                rates[resources].append(count / elapsed)
    say(f"GET {REQUEST.path}, load by {load.generator()}, {rounds} interleaved rounds of {seconds:g} s; medians")
    say(table(("resources", "requests a second"), [(str(of), f"{median(rate):.0f}") for of, rate in rates.items()]))
    ratios = [many / few for many, few in zip(rates[MANY], rates[FEW], strict=True)]
    reached = median(ratios)
    verdict = "met" if reached >= AIM else "MISSED"
    say(f"{MANY}/{FEW}: {reached:.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f}); aim at least {AIM:g}: {verdict}")
    return reached >= AIM
