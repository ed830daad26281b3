"""Commands that repeat an exchange can be run, however large its content is."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest

from mockserver.contract.model import Contract
from mockserver.suite.secrets.known_secrets import Secrets
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.verdicts.evidence import Evidence


def curl(contract: Contract, body: bytes) -> str:
    request = WireRequest("PUT", "/note", (("Content-Type", "application/json"),), body)
    return Evidence(contract, Secrets()).curl("PUT /note", "http://127.0.0.1:1", Exchange(request, None))


def test_small_content_stands_in_the_command(contract: Contract) -> None:
    assert shlex.split(curl(contract, b'{"text": "it\'s"}'))[-2] == '{"text": "it\'s"}'


def test_content_of_megabytes_is_made_by_a_command(contract: Contract) -> None:
    value = {"text": "it's " + "x" * 500_000, "items": [0] * 100_000}
    command = curl(contract, json.dumps(value).encode())
    assert len(command) < 1000
    maker, _, sender = command.partition(" | ")
    assert sender.startswith("curl ")
    assert "--data-binary @-" in sender
    made = subprocess.run([sys.executable, *shlex.split(maker)[1:]], capture_output=True, check=True)
    assert json.loads(made.stdout) == value


@pytest.mark.parametrize("how", ["content", "nested", "location", "sent"])
def test_commands_name_what_the_server_makes_anew(contract: Contract, how: str) -> None:
    """The identifier of the run was 7; when the commands are run, the server gives 8."""
    json_field = ("Content-Type", "application/json")
    name = "mine" if how == "sent" else "7"
    body = {"content": {"id": 7}, "nested": {"data": {"id": "7"}}, "location": {}, "sent": {"name": "mine"}}[how]
    fields = (json_field, ("Location", "http://127.0.0.1:1/note/7")) if how == "location" else (json_field,)
    create = WireRequest("POST", "/note", (json_field,), b'{"name": "mine"}')
    made = Exchange(create, WireResponse(201, fields, json.dumps(body).encode()))
    exchange = Exchange(WireRequest("GET", f"/note/{name}?a=7", (), None), None, history=(made,))
    script = Evidence(contract, Secrets()).curl("GET /note", "http://127.0.0.1:1", exchange)
    answer = json.dumps(body).replace("7", "8")
    head = "HTTP/1.1 201 Created\\r\\nLocation: /note/8\\r\\n\\r\\n" if "-si" in script else ""
    played = f"""
curl() {{
  for word do last=$word; done
  echo "$last" >&2
  printf '%b' '{head}{answer}'
}}
{script}
"""
    done = subprocess.run(["sh", "-c", played], capture_output=True, check=True, text=True)
    assert done.stderr.splitlines() == [
        "http://127.0.0.1:1/note",
        f"http://127.0.0.1:1/note/{'mine' if how == 'sent' else '8'}?a=7",
    ]
