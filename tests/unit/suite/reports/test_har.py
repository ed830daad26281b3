from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.model import Contract
from mockserver.http import basic
from mockserver.suite.reports import har as recording_module
from mockserver.suite.reports.files import Reports
from mockserver.suite.reports.har import Recording, as_har
from mockserver.suite.reports.json_report import Document
from mockserver.suite.secrets.known_secrets import Secrets
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse
from mockserver.suite.verdicts.evidence import Evidence
from tests.unit.suite.reports.conftest import PASSWORD, TOKEN

#: Required members by HAR 1.2.
_MEMBERS = {
    "": {"startedDateTime", "time", "request", "response", "cache", "timings"},
    "request": {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"},
    "response": {
        "status",
        "statusText",
        "httpVersion",
        "cookies",
        "headers",
        "content",
        "redirectURL",
        "headersSize",
        "bodySize",
    },
}
_SENT = Exchange(
    WireRequest(
        "PUT",
        "/base/note?q=a%20b&q=",
        (("Authorization", basic.encode(f"admin:{TOKEN}")), ("Content-Type", "application/json")),
        json.dumps({"text": "x", "secret": PASSWORD}).encode(),
    ),
    WireResponse(302, (("Location", "/note"), ("Content-Type", "text/plain")), b"moved"),
)


@pytest.fixture
def recording(contract: Contract) -> Iterator[Recording]:
    secrets = Secrets()
    secrets.add("ADMIN_TOKEN", TOKEN)
    with closing(Recording(Evidence(contract, secrets).exchange)) as made:
        yield made


def _log(document: Document, recording: Recording | None = None) -> dict[str, Any]:
    log: dict[str, Any] = json.loads("".join(as_har(document, recording)))["log"]
    return log


def test_every_exchange_and_the_evidence_of_each_finding(document: Document, recording: Recording) -> None:
    recording("PUT /note", _SENT, 0.25)
    recording("", Exchange(_SENT.request, None, "no answer in time"), 3.0)
    log = _log(document, recording)
    assert (log["version"], log["creator"]["name"]) == ("1.2", "mockserver")
    first, silent, evidence = log["entries"]
    for entry in log["entries"]:
        for place, members in _MEMBERS.items():
            assert members <= (entry[place] if place else entry).keys()
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
    assert first["request"]["url"] == "http://127.0.0.1:1/base/note?q=a%20b&q="
    assert first["request"]["queryString"] == [{"name": "q", "value": "a b"}, {"name": "q", "value": ""}]
    assert first["response"]["redirectURL"] == "/note"
    assert first["time"] == 250.0
    assert silent["response"]["status"] == 0
    assert silent["response"]["comment"] == "no answer in time"
    assert "a 200 gives a secret back" in evidence["comment"]


def test_what_is_kept_is_masked_also_where_nobody_said_what_it_was_for(
    document: Document, recording: Recording
) -> None:
    recording("", _SENT, 0.0)
    text = "".join(as_har(document, recording))
    assert TOKEN not in text
    assert PASSWORD not in text
    assert "Basic admin:$ADMIN_TOKEN" in text
    assert '\\"secret\\": \\"********\\"' in text


def test_a_long_run_does_not_fill_the_disk_and_says_so(
    document: Document, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "MAX_BYTES", 1000)
    for _ in range(20):
        recording("PUT /note", _SENT, 0.0)
    log = _log(document, recording)
    assert len(log["entries"]) == recording.kept + 1 < 20
    assert log["comment"].startswith(f"{recording.kept} of 20 exchanges, then the evidence of 1 findings. The rest")


def test_a_merged_report_has_the_evidence_only(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "x.har"
    assert Reports([f"har={path}"]).write(document) == []
    log = json.loads(path.read_text())["log"]
    assert len(log["entries"]) == 1
    assert log["comment"].startswith("0 of 7 exchanges")


def test_no_entries_are_json_too(document: Document) -> None:
    document["findings"] = []
    assert _log(document)["entries"] == []
