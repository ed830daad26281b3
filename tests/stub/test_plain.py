"""The plain contract at the front doors: `mockserver inspect --plain` and `/__mock__/contract.json?plain`."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mockserver.contract.source.loading import parse_yaml

if TYPE_CHECKING:
    from tests.conftest import Client

Command = Callable[..., subprocess.CompletedProcess[str]]
ANSWER = {"200": {"description": "ok", "headers": {"x-kept": {"schema": {"type": "string"}}}}}
PATHS = {"/a": {"get": {"responses": ANSWER, "x-gone": {"x-gone": 1}}}}
PLAIN = {"/a": {"get": {"responses": ANSWER}}}


def test_the_command_prints_what_the_stub_shows(command: Command, stub: Client) -> None:
    text = command("inspect", "--plain").stdout
    shown = stub.call("GET", "/__mock__/contract.json?plain", user=None).json()
    assert parse_yaml(Path("plain.yaml"), text) == shown
    assert json.loads(command("inspect", "--plain", "--json").stdout) == shown
    assert not re.search("^ *x-mockserver", text, re.MULTILINE)
    assert shown["info"]["title"] == "Mailcheap NMS API"


def test_the_form_is_the_one_of_the_file(command: Command, write_contract: Callable[..., Path], tmp_path: Path) -> None:
    path = write_contract(PATHS)
    assert json.loads(command("inspect", "--plain", "--contract", str(path)).stdout)["paths"] == PLAIN
    written = tmp_path / "contract.yaml"
    written.write_text(yaml.safe_dump(json.loads(path.read_text())))
    done = command("inspect", "--plain", "--contract", str(written))
    assert done.stdout.startswith("info:\n")
    assert yaml.safe_load(done.stdout)["paths"] == PLAIN


def test_overlays_are_applied_first(command: Command, write_contract: Callable[..., Path], tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(
        "overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions:\n"
        "  - target: $.paths['/a'].get\n    update: {summary: brought, x-observed: today}\n"
    )
    done = command("inspect", "--plain", "--contract", str(write_contract(PATHS)), "--overlay", str(overlay))
    assert json.loads(done.stdout)["paths"] == {"/a": {"get": {"responses": ANSWER, "summary": "brought"}}}


@pytest.mark.parametrize(
    ("query", "is_plain"),
    [("", False), ("?plain", True), ("?plain=", True), ("?plain=true", True), ("?plain=false", False)],
)
def test_the_query_says_which_form(
    make_stub: Callable[..., Client], write_contract: Callable[..., Path], query: str, is_plain: bool
) -> None:
    shown = make_stub(write_contract(PATHS)).call("GET", f"/__mock__/contract.json{query}", user=None)
    assert shown.fields["content-type"] == "application/json"
    assert shown.json()["paths"] == (PLAIN if is_plain else PATHS)


@pytest.mark.parametrize("query", ["?plane", "?plain=yes", "?plain=1", "?plain&pretty"])
def test_a_query_that_is_not_known_is_refused(stub: Client, query: str) -> None:
    refused: Any = stub.call("GET", f"/__mock__/contract.json{query}", user=None)
    assert refused.status == 422
    assert "plain" in refused.json()["detail"]
