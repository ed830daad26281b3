from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.selftest import laboratory, runs
from mockserver.selftest.kills import FindingKey, Kills, PlantedMutant, Result
from mockserver.suite.cases import observed_response
from mockserver.suite.checks import any_response
from mockserver.suite.run import session
from mockserver.suite.run.progress import NoProgress
from mockserver.suite.run.run_options import Options
from mockserver.suite.verdicts.verdict import ExitCode, RunOutcome
from tests import defaults

_DESCRIBE = "GET /api/v1/auth/"
_SIGN = FindingKey("no_server_error", "violation", _DESCRIBE)


@pytest.fixture(scope="module")
def lab() -> Iterator[laboratory.Laboratory]:
    with laboratory.laboratory(load_contract(defaults.CONTRACT), Options(), 1) as found:
        yield found


def planted(number: int, kind: str = "crash", **more: Any) -> PlantedMutant:
    return PlantedMutant(number, kind, "theme", _DESCRIBE, frozenset({_SIGN}), **more)


def kills(lab: laboratory.Laboratory, *results: Result) -> Kills:
    return Kills("full", 0, 1, results, (), 1.0, lab.run("none"))


def test_the_suite_kills_what_breaks_an_operation(lab: laboratory.Laboratory) -> None:
    found = runs.self_test(lab, "sample", ["auth_get"], NoProgress())
    alive = [result.mutant.kind for result in found.results if result.verdict != "killed"]
    assert found.exit_code() is ExitCode.CLEAN, alive
    assert len(found.results) > 80
    by_class = {row.kind: row.by for row in found.rows()}
    assert "level_ignored" not in by_class  # every level may call it
    assert set(by_class["auth_ignored"]) == {"calls_without_credentials_are_refused"}
    assert set(by_class["json_as_html"]) == {"media_type_is_documented"}
    assert set(by_class["token_in_the_response"]) == {"no_secret_comes_back"}


def test_a_suite_without_a_check_is_found_out(lab: laboratory.Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    weakened = tuple(
        check for check in any_response.RESPONSE_CHECKS if check is not any_response.body_conforms_to_its_schema
    )
    monkeypatch.setattr(session, "RESPONSE_CHECKS", weakened)
    monkeypatch.setattr(laboratory, "drive", lambda _run, _settings: RunOutcome())
    found = runs.self_test(lab, "full", ["auth_get"], NoProgress())
    assert found.exit_code() is ExitCode.VIOLATION
    alive = {result.mutant.kind for result in found.results if result.verdict == "survived"}
    assert {"member_dropped", "number_as_text", "member_null"} <= alive
    assert "auth_ignored" not in alive


def test_a_stub_that_is_not_clean_proves_nothing(lab: laboratory.Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    def never_content(answer: observed_response.ObservedResponse) -> bool:
        raise answer.failure("never_content", "never", expected="", got="", pointer="", rule="universal")

    monkeypatch.setattr(session, "RESPONSE_CHECKS", (*any_response.RESPONSE_CHECKS, never_content))
    monkeypatch.setattr(laboratory, "drive", lambda _run, _settings: RunOutcome())
    with pytest.raises(runs.UncleanStub, match="never_content"):
        runs.self_test(lab, "sample", ["auth_get"], NoProgress())


def test_a_finding_of_another_name_does_not_kill(lab: laboratory.Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    mutants = lab.mutants()
    mutant = next(item for item in mutants if item.kind == "json_as_html" and item.operation == _DESCRIBE)
    renamed = planted(mutant.number, "json_as_html")
    monkeypatch.setattr(laboratory, "drive", lambda _run, _settings: RunOutcome())
    assert runs._examine(lab, mutant).killed_by in mutant.signs
    result = runs._examine(lab, renamed)
    assert result.killed_by is None
    assert "media_type_is_documented" in {sign.check for sign in result.others}


def test_a_finding_of_another_level_does_not_kill(lab: laboratory.Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = next(item for item in lab.mutants() if item.kind == "auth_ignored" and item.operation == _DESCRIBE)
    softer = frozenset(sign._replace(level="drift") for sign in mutant.signs)
    monkeypatch.setattr(laboratory, "drive", lambda _run, _settings: RunOutcome())
    changed = PlantedMutant(mutant.number, mutant.kind, mutant.theme, mutant.operation, softer)
    assert runs._examine(lab, changed).killed_by is None


def test_the_seed_chooses_the_sample() -> None:
    mutants = [planted(number, kind) for number, kind in enumerate("aaaabbbbccccdddd" * 4)]
    chosen = runs.sample(mutants, "sample", 1)
    assert chosen == runs.sample(mutants, "sample", 1)
    assert chosen != runs.sample(mutants, "sample", 2)
    assert [mutant.kind for mutant in chosen].count("a") == runs.SAMPLE_PER_CLASS
    assert {mutant.kind for mutant in chosen} == set("abcd")
    assert runs.sample(mutants, "full", 1) == mutants


@pytest.mark.parametrize(
    ("killed", "survived", "expected"),
    [(100, 0, ExitCode.CLEAN), (95, 5, ExitCode.CLEAN), (94, 6, ExitCode.VIOLATION), (0, 3, ExitCode.VIOLATION)],
)
def test_exit_codes(lab: laboratory.Laboratory, killed: int, survived: int, expected: ExitCode) -> None:
    results = [Result(planted(n, f"class-{n}"), _SIGN, acted=1) for n in range(killed)]
    results += [Result(planted(n, f"alive-{n}"), None, acted=1) for n in range(survived)]
    assert kills(lab, *results).exit_code() is expected


def test_classes_count_as_well_as_mutants(lab: laboratory.Laboratory) -> None:
    """One class that nobody notices anywhere is not lost among many mutants of others."""
    results = [Result(planted(n, f"class-{n % 9}"), _SIGN, acted=1) for n in range(99)]
    found = kills(lab, *results, Result(planted(99, "alive"), None, acted=1))
    assert found.percent == 99.0
    assert found.percent_of_classes == 90.0
    assert found.exit_code() is ExitCode.VIOLATION


def test_what_never_acted_is_not_killed(lab: laboratory.Laboratory) -> None:
    vacuous = Result(planted(0), _SIGN, acted=0)
    assert vacuous.verdict == "vacuous"
    assert kills(lab, vacuous).exit_code() is ExitCode.NOT_JUDGED
    assert "vacuous: crash at" in kills(lab, vacuous).as_text()


def test_ctrl_c_tells_what_is_known_so_far(lab: laboratory.Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    examine, seen = runs._examine, 0

    def until_the_third(lab: laboratory.Laboratory, mutant: PlantedMutant) -> Result:
        nonlocal seen
        seen += 1
        if seen > 2:
            raise KeyboardInterrupt
        return examine(lab, mutant)

    monkeypatch.setattr(runs, "_examine", until_the_third)
    monkeypatch.setattr(laboratory, "drive", lambda _run, _settings: RunOutcome())
    found = runs.self_test(lab, "sample", ["auth_get"], NoProgress())
    assert len(found.results) == 2
    assert found.exit_code() is ExitCode.INTERRUPTED
    assert found.as_text().startswith("INTERRUPTED: 2 of 2 mutants")


def test_the_table_and_the_report_tell_the_same(lab: laboratory.Laboratory) -> None:
    found = kills(lab, Result(planted(0), _SIGN, acted=2), Result(planted(1, "leak"), None, acted=1))
    shown = found.as_json()
    assert (shown["mutants"], shown["killed"], shown["survived"], shown["percent"]) == (2, 1, 1, 50.0)
    assert shown["results"][0]["killed_by"] == _SIGN._asdict()
    text = found.as_text()
    assert text.startswith("ALIVE: 1 of 2 mutants (50.0 %)")
    assert f"survived: leak at {_DESCRIBE}" in text


def test_the_command_prints_the_table_and_writes_the_report(
    tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    report = tmp_path / "self-test.json"
    done = command("fuzz", "--self-test", "--only", "auth_get", "--report", f"json={report}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("KILLED: ")
    shown = json.loads(report.read_text(encoding="utf-8"))
    assert shown["self_test"]["mode"] == "sample"
    verdicts = [result["result"] for result in shown["self_test"]["results"]]
    assert verdicts.count("killed") == shown["self_test"]["killed"] > 60
    assert len(verdicts) == shown["self_test"]["mutants"]
    assert shown["summary"] == {"violation": 0, "drift": 0, "environment": 0}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["http://127.0.0.1:1"], "the target cannot be given with it"),
        (["--only", "nothing_of_that_name"], "there is no mutant to judge"),
    ],
)
def test_bad_usage_is_told_in_a_line(
    command: Callable[..., subprocess.CompletedProcess[str]], arguments: list[str], words: str
) -> None:
    done = command("fuzz", "--self-test=full", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


_PETS = """
openapi: 3.1.0
info: {title: Pets, version: '1'}
paths:
  /pets:
    get:
      operationId: listPets
      security: [{basic: []}]
      responses:
        '200':
          description: All of them.
          content:
            application/json:
              schema:
                type: array
                items: {type: object, required: [id], properties: {id: {type: integer, minimum: 1}}}
              example: [{id: 1}]
        '401':
          description: Who are you?
          headers: {WWW-Authenticate: {required: true, schema: {type: string, minLength: 5}}}
          content: {application/problem+json: {schema: {type: object}}}
components:
  securitySchemes: {basic: {type: http, scheme: basic}}
"""


def test_another_contract_has_mutants_and_accounts_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pets.yaml"
    path.write_text(_PETS, encoding="utf-8")
    monkeypatch.setattr(laboratory, "drive", lambda _run, _settings: RunOutcome())
    with laboratory.laboratory(load_contract(path), Options(contract=path), 1) as found:
        result = runs.self_test(found, "full", (), NoProgress())
    kinds = {item.mutant.kind for item in result.results}
    assert {"number_as_text", "token_of_another", "field_missing", "json_as_html"} <= kinds
    assert not {"write_lost", "level_ignored", "malformed_json_taken"} & kinds
    assert [item.mutant.kind for item in result.results if item.verdict != "killed"] == []
