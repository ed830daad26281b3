"""Contract tests of an application in your own pytest run: one run of `check` or `fuzz`, one test for each operation.

::

    from mockserver.testing import contract_tests

    test_contract = contract_tests("app", contract="openapi.yaml")          # the fixture `app`: Flask, FastAPI, ...

The application is called in this process: WSGI in the thread of the test, ASGI on an event loop of its own, with its
lifespan. The first test that runs makes the run; each test then tells what was found on its operation, and the last one
what belongs to no operation. Exceptions of the application are responses with status 500.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from mockserver.errors import UsageError
from mockserver.suite.applications.loaded_application import is_application_name
from mockserver.suite.reports.json_report import Document, verdict_of
from mockserver.suite.reports.page import printable
from mockserver.suite.run.lifecycle import judge
from mockserver.suite.run.run_options import Options

__all__ = ["contract_tests"]

#: The test about what belongs to no operation.
REST = "everything else"
#: Generated cases for each operation, unless the test says how many.
_EXAMPLES = 50
_MAX_SHOWN = 1000
_Names = Sequence[str]


def contract_tests(
    application: Any,
    *,
    contract: Path | str | None = None,
    api: str | None = None,
    overlay: Sequence[Path | str] = (),
    command: Literal["check", "fuzz"] = "check",
    identities: Path | str | None = None,
    only: _Names = (),
    exclude: _Names = (),
    tag: _Names = (),
    skip_deprecated: bool = False,
    checks: _Names = (),
    exclude_checks: _Names = (),
    checks_from: _Names = (),
    allow_writes: _Names = (),
    baseline: Path | str | None = None,
    fail_on: Literal["drift"] | None = None,
    settle: float = 5.0,
    timeout: float | None = None,
    oracle: bool = True,
    max_examples: int = _EXAMPLES,
    seed: int = 0,
) -> Callable[..., None]:
    """Return a test function for pytest, with a test for each selected operation of a contract.

    Args:
        application: the name of a fixture that gives a WSGI or ASGI application or a base URL; or one of those itself,
            or `package.module:app`.
        contract: OpenAPI file that the application is judged by; the contract of `api` without it.
        api: name of an installed API.
        overlay: OpenAPI Overlays to apply to the contract.
        command: `check`, or `fuzz` with generated requests (`pip install 'mockserver[fuzz]'`).
        identities: file with accounts of the application that the run may use.
        only: globs of the operations that are judged.
        exclude: globs of operations that are left out.
        tag: tags of the operations that are judged.
        skip_deprecated: leave out deprecated operations.
        checks: names of the checks that are made.
        exclude_checks: names of checks that are left out.
        checks_from: modules with checks of your own.
        allow_writes: globs of operations that may change what was there before the run.
        baseline: file with known findings, which fail no test.
        fail_on: `drift` lets drift fail a test, too.
        settle: seconds that a documented transition may last.
        timeout: seconds that a response may take.
        oracle: make the same run on our own stub, to tell mistakes of the contract from those of the application.
        max_examples: generated cases for each operation, for `fuzz`.
        seed: seed of the generated cases.

    Raises:
        UsageError: an option cannot be used.
        ContractError: the contract cannot be used.
    """
    options = Options(
        contract=None if contract is None else Path(contract),
        api=api,
        overlay=tuple(map(Path, overlay)),
        identities=None if identities is None else Path(identities),
        only=tuple(only),
        exclude=tuple(exclude),
        tag=tuple(tag),
        skip_deprecated=skip_deprecated,
        checks=tuple(checks),
        exclude_checks=tuple(exclude_checks),
        checks_from=tuple(checks_from),
        allow_writes=tuple(allow_writes),
        baseline=None if baseline is None else Path(baseline),
        fail_on=fail_on,
        settle=settle,
        timeout=timeout,
        no_oracle=not oracle,
    )
    read = options.load_contract()
    options.chosen_checks(options.own_checks(read))
    labels = [operation.label for operation in options.selection.of(read)]
    run = _Judgement(application, options, command, max_examples, seed)

    @pytest.mark.parametrize("operation", [*labels, REST])
    def contract_test(request: pytest.FixtureRequest, operation: str) -> None:
        document = run.document(request)
        if operation == REST:
            _require_whole(document, frozenset(labels))
        else:
            _require_kept(document, operation)

    return contract_test


class _Judgement:
    """The one run that all tests of a function tell about, made by the first of them."""

    def __init__(self, application: Any, options: Options, command: str, max_examples: int, seed: int) -> None:
        self._application = application
        self._options = options
        self._command = command
        self._max_examples = max_examples
        self._seed = seed
        self._document: Document | None = None
        self._failed = ""

    def document(self, request: pytest.FixtureRequest) -> Document:
        """Return the report of the run, which is made if it was not."""
        if self._document is None and not self._failed:
            try:
                self._document = self._made(request)
            except UsageError as error:
                self._failed = f"mockserver: {error}"
        if self._document is None:
            pytest.fail(self._failed, pytrace=False)
        if self._document["run"]["interrupted"]:
            raise KeyboardInterrupt
        return self._document

    def _made(self, request: pytest.FixtureRequest) -> Document:
        value = self._application
        if isinstance(value, str) and value.isidentifier():
            value = request.getfixturevalue(value)
        if isinstance(value, str):
            if not is_application_name(value) and "://" not in value:
                raise UsageError(f"{value!r} is neither a fixture, an application (package.module:app) nor a URL")
            options = replace(self._options, target=value)
        else:
            options = replace(self._options, application=value)
        if self._command == "check":
            return judge("check", options)
        from mockserver.suite.fuzz.restricted_contract import FuzzSettings

        return judge("fuzz", options, FuzzSettings(self._max_examples, seed=self._seed))


def _require_kept(document: Document, operation: str) -> None:
    """Fail or skip the test of an operation that was not kept, or not judged."""
    own = [finding for finding in document["findings"] if finding["operation"] == operation]
    failing = [finding for finding in own if _fails(document, finding)]
    if failing:
        pytest.fail(_told(failing, operation), pytrace=False)
    row = next((one for one in document["reach"] if one["operation"] == operation), None)
    if row is not None and not row["attempts"]:
        pytest.skip(row["why"])


def _require_whole(document: Document, labels: frozenset[str]) -> None:
    """Fail the test about what belongs to no operation: findings elsewhere, and what kept the run from judging."""
    elsewhere = [one for one in document["findings"] if one["operation"] not in labels and _fails(document, one)]
    verdict = verdict_of(document)
    if elsewhere:
        pytest.fail(_told(elsewhere, "no operation of the contract"), pytrace=False)
    if document["run"]["error"] or verdict.state == "not-judged":
        pytest.fail(verdict.line, pytrace=False)


def _fails(document: Document, finding: dict[str, Any]) -> bool:
    """Tell whether a finding fails its test: it breaks the contract, or leaves its operation unjudged."""
    if finding["known"]:
        return False
    refused = finding["check"] == "valid_requests_are_accepted" and finding["rule"] != "oracle"
    return finding["level"] in verdict_of(document).failing or finding["level"] == "environment" or refused


def _told(findings: Sequence[dict[str, Any]], place: str) -> str:
    many = "a finding" if len(findings) == 1 else f"{len(findings)} findings"
    return printable("\n".join([f"{many} on {place}", *(line for one in findings for line in _lines(one))]))


def _lines(finding: dict[str, Any]) -> Iterator[str]:
    """Yield a finding with its exchange, as the application saw it."""
    yield ""
    times = f", {finding['times']} times" if finding["times"] > 1 else ""
    yield f"{finding['level'].upper()} {finding['title']}  [{finding['check']}]{times}"
    yield f"  {finding['detail']}"
    if finding["pointer"]:
        yield f"  contract: {finding['pointer']}"
    request, response = finding["request"], finding["response"]
    if request is not None:
        yield f"  > {request['method']} {request['path']}"
        yield from (f"  > {name}: {value}" for name, value in request["headers"].items())
        yield from _content(">", request["body"])
    if response is not None and "problem" in response:
        yield f"  < {response['problem']}"
    elif response is not None:
        yield f"  < {response['status']}"
        yield from (f"  < {name}: {value}" for name, value in response["headers"].items())
        yield from _content("<", response["body"])


def _content(sign: str, body: str | None) -> Iterator[str]:
    if body:
        yield f"  {sign}"
        yield from (f"  {sign} {line}" for line in body[:_MAX_SHOWN].splitlines())
