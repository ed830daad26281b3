"""Commands that repeat an exchange can be run, however large its content is."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

from mockserver.contract.model import Contract
from mockserver.suite.secrets.known_secrets import Secrets
from mockserver.suite.target.exchange import Exchange, WireRequest
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
