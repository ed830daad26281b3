"""The control API is as `control.yaml` describes it: routes compared, and fuzzed in process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
import yaml
from openapi_spec_validator import validate
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

import mockserver
from mockserver import create_app

DESCRIPTION: dict[str, Any] = yaml.safe_load(
    (Path(mockserver.__file__).parent / "stub/control/control.yaml").read_text(encoding="utf-8")
)

load_all_checks()


@pytest.fixture(scope="session")
def control_api() -> Any:
    loaded = schemathesis.openapi.from_dict(DESCRIPTION)
    loaded.app = create_app()
    return loaded


def test_the_description_is_valid_openapi() -> None:
    validate(DESCRIPTION)


def test_every_route_is_described_and_every_description_is_a_route() -> None:
    routes = {
        (method.lower(), rule.rule)
        for rule in create_app().url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (method, path)
        for path, item in DESCRIPTION["paths"].items()
        for method in item
        if method in {"get", "put", "post", "delete", "patch"}
    }
    assert routes == described


def test_every_status_is_described(make_stub: Any) -> None:
    """A call for each description: refused for its origin, for its token, for its world, and let in."""
    client = make_stub(control_token="t0ken-of-control")
    let_in = {"Authorization": "Bearer t0ken-of-control"}
    for path, item in DESCRIPTION["paths"].items():
        for method, operation in item.items():
            content = b'{"now": 1}' if method == "put" else None
            for fields in (
                let_in,
                {},
                {**let_in, "Origin": "http://evil.example"},
                {**let_in, "Mock-World": "-"},
            ):
                answer = client.call(method.upper(), path, user=None, content=content, fields=fields)
                assert str(answer.status) in operation["responses"], (method, path, answer)


schema = schemathesis.pytest.from_fixture("control_api")


@schema.parametrize()
@hypothesis.settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_a_fuzzer_finds_nothing(case: schemathesis.Case[Any]) -> None:
    # A date-time outside of the stub's calendar fits the schema and is refused all the same.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])
