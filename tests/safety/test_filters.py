"""`--exclude`, `--tag`, `--skip-deprecated`, `--checks`, `--exclude-checks`: what is left out is not called."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import schemathesis.checks

from mockserver.suite.selection.check_names import OF_SCHEMATHESIS, own_checks
from mockserver.suite.verdicts.missing_checks import REASONS
from tests.faults.server import serving
from tests.safety.small import Environ, Fields, answers, application, body, valid, written

Command = Callable[..., CompletedProcess[str]]


def tagged(*tags: str, **members: Any) -> dict[str, Any]:
    return {"tags": list(tags), "responses": answers("200"), **members}


@pytest.fixture
def contract(tmp_path: Path) -> str:
    paths = {
        "/things": {"get": tagged("things", operationId="things")},
        "/parts": {
            "get": tagged("parts", operationId="parts"),
            "put": tagged("parts", "things", operationId="write_parts", requestBody=body(), deprecated=True),
        },
        "/old": {"get": tagged(operationId="old", deprecated=True)},
        "/broken": {"get": tagged("things", operationId="broken")},
    }
    return written(tmp_path, paths)


@contextmanager
def server() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Serve the contract, with a crash at `/broken`; yield the URL, and what was called so far."""
    calls: list[tuple[str, str]] = []
    parts: dict[str, Any] = {}

    def handler(method: str, path: str, query: str, content: Any) -> tuple[int, Any, Fields]:  # noqa: ARG001
        if path == "/broken":
            return 500, {}, []
        known = {"/things": "GET", "/parts": "GET, PUT", "/old": "GET"}
        if path not in known:
            return 404, {}, []
        if method not in known[path].split(", "):
            return 405, {}, [("Allow", known[path])]
        if method == "PUT" and not valid(content):
            return 422, {}, []
        parts.update(content if method == "PUT" else {})
        return 200, parts if path == "/parts" else {}, []

    answer = application(handler)

    def noting(environ: Environ, start_response: Callable[..., Any]) -> Any:
        calls.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return answer(environ, start_response)

    with serving(noting) as url:
        yield url, calls


@pytest.mark.parametrize(
    ("options", "called"),
    [
        (["--exclude=*parts", "--exclude=broken"], ["GET /old", "GET /things"]),
        (["--tag=parts"], ["GET /parts", "PUT /parts"]),
        (["--tag=things", "--skip-deprecated", "--exclude=GET /broken"], ["GET /things"]),
        (["--only=GET *", "--skip-deprecated", "--exclude=broken"], ["GET /parts", "GET /things"]),
    ],
    ids=["exclude", "tag", "together", "only"],
)
@pytest.mark.parametrize("name", ["check", "fuzz"])
def test_nothing_is_sent_to_what_is_left_out(
    name: str, options: list[str], called: list[str], contract: str, command: Command, tmp_path: Path
) -> None:
    few = ["--max-examples=2"] * (name == "fuzz")
    with server() as (url, calls):
        done = command(name, url, contract, "--no-oracle", *options, *few, "--report=json=r.json")
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stdout
    defined = {"/things", "/parts", "/old", "/broken"}
    selected = {label.split()[1] for label in called}
    assert {path for _, path in calls} & defined == selected
    assert sorted(row["operation"] for row in report["reach"]) == called
    for option in options:
        limit = option.partition("=")[0]
        assert any(note.startswith(f"left out by {limit}: ") for note in report["run"]["notes"])
    assert ("PUT", "/parts") in calls or "PUT /parts" not in called


def test_a_method_beside_a_selected_one_is_left_alone(contract: str, command: Command) -> None:
    with server() as (url, calls):
        command("check", url, contract, "--no-oracle", "--skip-deprecated", "--exclude=broken")
    assert ("GET", "/parts") in calls
    assert ("PUT", "/parts") not in calls


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["--exclude=thingz"],
            "--exclude thingz: no operation matches, so nothing is excluded; did you mean 'things'?",
        ),
        (["--tag=part"], "--tag part: no operation has this tag; did you mean 'parts'?"),
        (
            ["--checks=no_server_eror"],
            "--checks no_server_eror: there is no such check; did you mean 'no_server_error'?",
        ),
        (["--exclude-checks=ignored_aut"], "there is no such check; did you mean 'ignored_auth'?"),
        (["--tag=parts", "--exclude=*parts"], "--exclude *parts --tag parts: no operation matches"),
        (["--checks=ignored_auth", "--exclude-checks=ignored_auth"], "leaves none of the checks of --checks"),
    ],
)
def test_what_is_not_there_is_an_error(options: list[str], told: str, contract: str, command: Command) -> None:
    with server() as (url, calls):
        done = command("check", url, contract, "--no-oracle", *options)
    assert (done.returncode, calls) == (2, [])
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def findings(tmp_path: Path) -> tuple[set[str], set[str]]:
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    return {one["check"] for one in report["findings"]}, {row["check"] for row in report["coverage"]}


def test_checks_that_are_not_chosen_send_and_say_nothing(contract: str, command: Command, tmp_path: Path) -> None:
    with server() as (url, calls):
        one = ("--checks=undefined_paths_are_refused", "--report=json=r.json")
        assert command("check", url, contract, "--no-oracle", *one).returncode == 0
        assert sum(path == "/things" for _, path in calls) <= 2  # those of the survey
        assert findings(tmp_path)[1] == {"undefined_paths_are_refused"}
        calls.clear()
        # What judges any response needs the requests of the others.
        one = ("--checks=no_server_error,headers_conform", "--report=json=r.json")
        assert command("check", url, contract, "--no-oracle", *one).returncode == 1
        assert {path for _, path in calls} >= {"/things", "/parts", "/broken"}
        assert findings(tmp_path) == ({"no_server_error"}, {"no_server_error", "headers_conform"})


@pytest.mark.parametrize("name", ["check", "fuzz"])
def test_checks_can_be_left_out(name: str, contract: str, command: Command, tmp_path: Path) -> None:
    without = ["no_server_error", "undefined_methods_are_refused", "not_a_server_error"]
    few = ["--max-examples=2"] * (name == "fuzz")
    with server() as (url, _):
        options = [f"--exclude-checks={check}" for check in without]
        done = command(name, url, contract, "--no-oracle", *few, *options, "--report=json=r.json")
    assert done.stderr.count("Traceback") == 0
    notes = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["run"]["notes"]
    assert f"checks of this run: without {', '.join(sorted(without))}" in notes
    found, made = findings(tmp_path)
    assert found.isdisjoint(without)
    assert made.isdisjoint(without)
    assert "status_is_documented" in made


def test_the_plan_and_the_oracle_keep_the_limits(contract: str, command: Command) -> None:
    with server() as (url, calls):
        plan = command("check", url, contract, "--dry-run", "--skip-deprecated", "--exclude=broken").stdout
        assert not calls
        called = plan.partition("Called:\n")[2].splitlines()
        assert [line.split("  ")[1] for line in called[:2]] == ["GET /things", "GET /parts"]
        assert "/broken" not in plan
        done = command(
            "check", url, contract, "--skip-deprecated", "--exclude=broken", "--exclude-checks=status_is_documented"
        )
    assert done.returncode == 0, done.stdout


def test_quiet_prints_the_verdict_alone(contract: str, command: Command) -> None:
    with server() as (url, _):
        done = command("check", url, contract, "--no-oracle", "--quiet", CI="true")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith("BROKEN: ")
    assert done.stderr == ""


def test_every_check_has_its_name_in_one_place() -> None:
    schemathesis.checks.load_all_checks()
    # Compares what two users see, and gets one.
    there = set(schemathesis.checks.CHECKS.get_all_names()) - {"object_level_authorization"}
    assert set(OF_SCHEMATHESIS) == there
    assert REASONS.keys() <= own_checks().keys()
    assert all(text.partition("\n")[0].endswith(".") for text in own_checks().values())
