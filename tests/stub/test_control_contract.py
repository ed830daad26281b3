"""The control API is as the engine's and the mail server's `control.yaml` say: routes compared, fuzzed in process."""

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


def _description(folder: str) -> dict[str, Any]:
    text = (Path(mockserver.__file__).parent / folder / "control.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


ENGINE, MAIL = _description("stub/control"), _description("builtin/mailcheap")

load_all_checks()


@pytest.fixture(scope="session")
def control_api() -> Any:
    loaded = schemathesis.openapi.from_dict(ENGINE)
    loaded.app = create_app()
    return loaded


@pytest.fixture(scope="session")
def mail_control_api() -> Any:
    loaded = schemathesis.openapi.from_dict(MAIL)
    loaded.app = create_app()
    return loaded


@pytest.mark.parametrize("description", [ENGINE, MAIL], ids=["engine", "mail"])
def test_the_description_is_valid_openapi(description: dict[str, Any]) -> None:
    validate(description)


def _routes(*arguments: Any) -> set[tuple[str, str]]:
    return {
        (method.lower(), rule.rule)
        for rule in create_app(*arguments).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def _described(description: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (method, path)
        for path, item in description["paths"].items()
        for method in item
        if method in {"get", "put", "post", "delete", "patch"}
    }


def test_every_route_is_described_and_every_description_is_a_route(write_contract: Any) -> None:
    assert _routes(write_contract({"/a": {"get": {"responses": {}}}})) == _described(ENGINE)
    assert _routes() == _described(ENGINE) | _described(MAIL)


def test_every_status_is_described(make_stub: Any) -> None:
    """A call for each description: refused for its origin, for its token, for its world, and let in."""
    client = make_stub(control_token="t0ken-of-control")
    let_in = {"Authorization": "Bearer t0ken-of-control"}
    for path, item in (*ENGINE["paths"].items(), *MAIL["paths"].items()):
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


_SETTINGS = hypothesis.settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
engine = schemathesis.pytest.from_fixture("control_api")
mail = schemathesis.pytest.from_fixture("mail_control_api")


@engine.parametrize()
@_SETTINGS
def test_a_fuzzer_finds_nothing(case: schemathesis.Case[Any]) -> None:
    # A date-time outside of the stub's calendar fits the schema and is refused all the same.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


@mail.parametrize()
@_SETTINGS
def test_a_fuzzer_finds_nothing_in_the_part_of_the_mail_server(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(excluded_checks=[positive_data_acceptance])
