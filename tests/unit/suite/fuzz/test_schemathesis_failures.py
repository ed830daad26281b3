"""Findings of schemathesis' own checks are told in the suite's words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.suite.cases.observed_response import observe
from mockserver.suite.fuzz.schemathesis_failures import SchemathesisFailure, wording
from mockserver.suite.secrets.known_secrets import Secrets
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse

#: Messages as schemathesis 4.32.5 writes them.
DELETED = (
    "The API did not return a `HTTP 404 Not Found` response (got `HTTP 200 OK`) for a resource that was previously "
    "deleted.\n\nThe resource was deleted with `DELETE /things/1`"
)
CREATED = (
    "The API returned `404 Not Found` for a resource that was just created.\n\n"
    "Created with      : `POST /things`\nNot available with: `GET /things/1`"
)


@pytest.mark.parametrize(
    ("check", "title", "message", "response", "words"),
    [
        ("status_code_conformance", "", "", (418, ()), ("the status 418 is not documented", "one of 200", "")),
        ("content_type_conformance", "", "", (200, (("Content-Type", "text/css"),)), ("application/json", "text/css")),
        ("content_type_conformance", "", "", (200, ()), ("no Content-Type",)),
        ("negative_data_rejection", "", "", (200, ()), ("is accepted", "a rejection")),
        ("positive_data_acceptance", "", "", (400, ()), ("is refused", "2xx")),
        ("ignored_auth", "API accepts requests without authentication", "", (200, ()), ("without credentials is acc",)),
        ("ignored_auth", "Unexpected response to invalid authentication", "", (400, ()), ("invalid credentials gets",)),
        ("missing_required_header", "", "missing required 'X-A' header", (200, ()), ("the header field X-A is",)),
        ("unsupported_method", "", "", (405, ()), ("405 without Allow",)),
        ("allow_header_conformance", "", "", (405, (("Allow", "PUT"),)), ("Allow: PUT",)),
        ("use_after_free", "", DELETED, (200, ()), ("404 after DELETE /things/1",)),
        ("ensure_resource_availability", "", CREATED, (404, ()), ("created by POST /things",)),
        ("new_check", "New Title", "a\nb", (200, ()), ("new title", "a b")),
    ],
)
def test_each_check_has_words_of_our_own(
    check: str,
    title: str,
    message: str,
    response: tuple[int, tuple[tuple[str, str], ...]],
    words: tuple[str, ...],
    tmp_path: Path,
) -> None:
    file = tmp_path / "contract.json"
    responses = {"200": {"description": "", "content": {"application/json": {}}}}
    paths = {"/": {"get": {"responses": responses}}}
    file.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}))
    contract = load_contract(file)
    [operation] = contract.operations
    exchange = Exchange(WireRequest("GET", "/"), WireResponse(response[0], response[1], b""))
    observed = observe(contract, operation, operation.label, exchange, Secrets())
    assert observed is not None
    found = wording(SchemathesisFailure(check, title, message, operation, observed, frozenset()))
    told = f"{found.title}; {found.expected}; {found.got}"
    assert all(word in told for word in words), told
