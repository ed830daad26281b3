"""A report of a run that met what reports have to cope with."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from mockserver.contract.model import Contract
from mockserver.http import basic
from mockserver.suite.reports.json_report import Document, Report, as_json
from mockserver.suite.safety.ledger import LedgerSummary
from mockserver.suite.secrets.known_secrets import Secrets
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.verdicts.evidence import Evidence
from mockserver.suite.verdicts.failures import CheckFailure
from mockserver.suite.verdicts.reach import Reached
from mockserver.suite.verdicts.tally import Verdicts

TOKEN = "token-of-the-admin"
PASSWORD = "password-in-a-body"


@pytest.fixture
def report(contract: Contract) -> Report:
    secrets = Secrets()
    secrets.add("ADMIN_TOKEN", TOKEN)
    verdicts = Verdicts(contract)
    verdicts.passed("claim", "GET /note", 3)
    request = WireRequest(
        "PUT",
        "/note",
        (("Authorization", basic.encode(f"admin:{TOKEN}")), ("Content-Type", "application/json"), ("Mock-World", "w")),
        json.dumps({"text": "it's $HOME", "secret": PASSWORD}).encode(),
    )
    response = WireResponse(200, (("X-Echo", TOKEN),), f'{{"token": "{TOKEN}"}}'.encode())
    verdicts.failed(
        CheckFailure(
            "no_secret_comes_back",
            "PUT /note",
            "a 200 gives a secret back",
            expected="none",
            got=f"the token {TOKEN}",
            pointer="/paths/~1note/put",
            rule="universal",
            exchange=Exchange(request, response),
        )
    )
    verdicts.not_run("other", "GET /note", "it needs an identity")
    return Report(
        command="check",
        target="http://127.0.0.1:1",
        contract="note.json",
        contract_sha256="0",
        seed=None,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        duration_seconds=1.5,
        requests=7,
        operations_total=2,
        verdicts=verdicts,
        evidence=Evidence(contract, secrets),
        ledger=LedgerSummary(1, (), ("note",)),
        reach=(
            Reached("GET /note", 200, 2),
            Reached("PUT /note", None, 0, "not called, because no writes"),
        ),
        notes=("the moon is full",),
    )


@pytest.fixture
def document(report: Report) -> Document:
    return as_json(report)
