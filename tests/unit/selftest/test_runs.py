from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mockserver.cli import main
from mockserver.contract.reading.document import load_contract
from mockserver.errors import MockServerError, UsageError
from mockserver.plugins import DEFAULT, find
from mockserver.selftest import laboratory, runs
from mockserver.selftest.catalogue import Backend, Mutant
from mockserver.selftest.kills import FindingKey, Kills, PlantedMutant, Result
from mockserver.selftest.mutant_server import MutantServer
from mockserver.selftest.registry import CLASSES, all_mutants
from mockserver.selftest.traffic import MutantRequest, MutantResponse, crash
from mockserver.stub.store.seed import load_seed
from mockserver.suite.cases import observed_response
from mockserver.suite.checks import any_response
from mockserver.suite.identities.seeded_accounts import seed_data
from mockserver.suite.run import session
from mockserver.suite.run.preparation import invented
from mockserver.suite.run.progress import NoProgress
from mockserver.suite.run.run_options import Options
from mockserver.suite.target.targets import HttpTarget
from mockserver.suite.verdicts.verdict import ExitCode, RunOutcome
from tests import defaults
from tests.faults.server import serving
from tests.unit.mutants.shelves import ACCOUNTS, shelves
from tests.unit.suite.test_docs import documented

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
_LIST = "GET /pets"
_SIGN = FindingKey("no_server_error", "violation", _LIST)
#: What the suite does with bytes that no JSON can tell, WSGI cannot plant: servers of a few lines prove it.
_TOLD_BY_SERVERS = {
    "parameters_that_break_the_schema_are_refused",  # tests/faults/test_wrong_parameters.py
    *("locations_lead_to_what_was_created", "accepted_work_is_not_lost"),  # tests/faults/test_creations.py
    *("unique_values_are_given_once", "levels_named_in_words_are_kept"),  # test_worded_levels.py
    "hostile_bodies_do_no_harm",  # as a crash or a silence, by the checks of any response
    "large_bodies_do_no_harm",
    "answers_keep_to_http",  # tests/faults/test_hostile.py
    # Paths, fields and schemes that the stub and its contract do not have: tests/faults/test_side_doors.py,
    # test_refused_effects.py, test_items_of_others.py, test_schemes.py and test_issued_tokens.py.
    "side_doors_change_nothing",
    *("partial_credentials_are_refused", "unknown_tokens_of_each_scheme_are_refused"),
    *("misplaced_credentials_are_refused", "items_of_others_are_out_of_reach"),
    "settings_of_others_are_out_of_reach",
    *("streams_send_their_items", "stream_items_conform_to_their_schema"),  # test_streams.py
    # What one operation of a contract cannot show by itself, or the stub does not keep: test_tried.py, test_state.py.
    *("control_characters_come_back_as_sent", "escaped_json_is_understood", "values_do_not_become_fields"),
    *("entity_tags_follow_the_content", "fields_keep_to_their_form", "head_is_like_get", "options_tell_the_methods"),
    "parallel_calls_keep_apart",
    *("deleted_items_stay_gone", "identifiers_are_not_given_out_again", "singletons_show_what_was_written"),
    *("failed_logins_end_no_tokens", "second_logins_end_no_tokens", "revoked_tokens_stay_revoked"),
}


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pets") / "pets.yaml"
    path.write_text(_PETS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def lab(pets: Path) -> Iterator[laboratory.Laboratory]:
    with laboratory.laboratory(load_contract(pets), Options(contract=pets), 1) as found:
        yield found


@pytest.fixture(autouse=True)
def without_generated_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laboratory, "drive", lambda _run, _settings: RunOutcome())


@contextmanager
def lab_of(path: Path, change: Callable[[list[Mutant]], list[Mutant]]) -> Iterator[laboratory.Laboratory]:
    """Give a laboratory with chosen mutants, served by this process."""
    contract = load_contract(path)
    identities = invented(contract)
    seed_file = path.with_name("seed.json")
    seed_file.write_text(json.dumps(seed_data(identities)), encoding="utf-8")
    seed = load_seed(seed_file)
    mutants = tuple(change(list(all_mutants(contract, seed.accounts))))
    with serving(MutantServer(contract, seed, mutants, "control-token")) as url:
        target = HttpTarget(url, own_stub=True)
        try:
            yield laboratory.Laboratory(contract, identities, target, target, "control-token", 1)
        finally:
            target.close()


def planted(number: int, kind: str = "crash", **more: Any) -> PlantedMutant:
    return PlantedMutant(number, kind, "theme", _LIST, frozenset({_SIGN}), **more)


def kills(lab: laboratory.Laboratory, *results: Result) -> Kills:
    return Kills("full", 0, 1, results, (), 1.0, lab.run("none"))


def test_every_check_has_a_mutant_and_every_class_has_one(tmp_path: Path) -> None:
    contract = load_contract(defaults.CONTRACT)
    mutants = list(all_mutants(contract, load_seed(defaults.SEED_DATA, find(DEFAULT)).accounts))
    mutants += all_mutants(shelves(tmp_path), ACCOUNTS)  # with items, which the built-in contract does not have
    signs = {sign.check for mutant in mutants for sign in mutant.signs}
    assert documented() - signs == _TOLD_BY_SERVERS
    # Neither contract has an operation that is there to fail.
    assert {mutant.kind.name for mutant in mutants} == CLASSES.keys() - {"absence_is_200"}


def test_the_mutants_of_any_contract_are_killed_by_the_checks_that_they_name(lab: laboratory.Laboratory) -> None:
    found = runs.self_test(lab, "full", (), NoProgress())
    assert [item.mutant.kind for item in found.results if item.verdict != "killed"] == []
    assert found.exit_code() is ExitCode.CLEAN
    by_class = {row.kind: set(row.by) for row in found.rows()}
    assert by_class.keys() >= {"number_as_text", "token_of_another", "field_missing"}
    assert not {"write_lost", "level_ignored", "malformed_json_taken"} & by_class.keys()
    assert by_class["auth_ignored"] == {"calls_without_credentials_are_refused"}
    assert by_class["json_as_html"] == {"media_type_is_documented"}
    assert by_class["token_in_the_response"] == {"no_secret_comes_back"}


def test_a_suite_without_a_check_is_found_out(lab: laboratory.Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    weakened = tuple(
        check for check in any_response.RESPONSE_CHECKS if check is not any_response.body_conforms_to_its_schema
    )
    monkeypatch.setattr(session, "RESPONSE_CHECKS", weakened)
    found = runs.self_test(lab, "full", (), NoProgress())
    assert found.exit_code() is ExitCode.VIOLATION
    alive = {result.mutant.kind for result in found.results if result.verdict == "survived"}
    assert {"member_dropped", "number_as_text", "member_null"} <= alive
    assert "auth_ignored" not in alive


def test_a_stub_that_is_not_clean_proves_nothing(lab: laboratory.Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    def never_content(answer: observed_response.ObservedResponse) -> bool:
        raise answer.failure("never_content", "never", expected="", got="", pointer="", rule="universal")

    monkeypatch.setattr(session, "RESPONSE_CHECKS", (*any_response.RESPONSE_CHECKS, never_content))
    with pytest.raises(runs.UncleanStub, match="never_content"):
        runs.self_test(lab, "sample", (), NoProgress())


def test_a_mutant_that_is_itself_at_fault_is_no_kill(pets: Path) -> None:
    def fails_once(call: MutantRequest, server: Backend) -> MutantResponse:
        reply = server.send(call)
        if not server.shared_memory():
            server.shared_memory()["failed"] = True
            raise KeyError("a mistake in the mutant")
        return crash() if reply.ok else reply  # which the suite finds

    def change(mutants: list[Mutant]) -> list[Mutant]:
        good, bad = (one for one in mutants if one.kind.name in {"success_is_a_failure", "json_as_html"})
        return [good, replace(bad, intercept=fails_once, signs=good.signs | bad.signs)]

    with (
        lab_of(pets, change) as found,
        pytest.raises(MockServerError, match=r"^the mutant \w+ at GET /pets could not .* KeyError: 'a mistake"),
    ):
        runs.self_test(found, "full", (), NoProgress())


@pytest.mark.parametrize("change", [{"check": "no_server_error"}, {"level": "drift"}], ids=["name", "level"])
def test_a_finding_of_another_name_or_level_does_not_kill(lab: laboratory.Laboratory, change: dict[str, str]) -> None:
    mutant = next(item for item in lab.mutants() if item.kind == "auth_ignored")
    assert runs._examine(lab, mutant, lab.run("clean"), frozenset()).killed_by in mutant.signs
    other = replace(mutant, signs=frozenset(sign._replace(**change) for sign in mutant.signs))
    result = runs._examine(lab, other, lab.run("clean"), frozenset())
    assert result.killed_by is None
    assert mutant.signs & set(result.others)


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

    def until_the_third(lab: laboratory.Laboratory, mutant: PlantedMutant, *more: Any) -> Result:
        nonlocal seen
        seen += 1
        if seen > 2:
            raise KeyboardInterrupt
        return examine(lab, mutant, *more)

    monkeypatch.setattr(runs, "_examine", until_the_third)
    found = runs.self_test(lab, "sample", (), NoProgress())
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
    assert f"survived: leak at {_LIST}" in text


def test_the_command_prints_the_table_and_writes_the_report(
    pets: Path,
    lab: laboratory.Laboratory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @contextmanager
    def already_there(*_arguments: object) -> Iterator[laboratory.Laboratory]:
        yield lab

    monkeypatch.setattr(runs, "laboratory", already_there)
    monkeypatch.setattr(runs, "_examine", lambda _lab, mutant, *_more: Result(mutant, FindingKey(*min(mutant.signs))))
    report = tmp_path / "self-test.json"
    arguments = ["mockserver", "fuzz", "--self-test", "--contract", str(pets), "--report", f"json={report}"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main()
    shown = json.loads(report.read_text(encoding="utf-8"))
    assert shown["self_test"]["mode"] == "sample"
    verdicts = [result["result"] for result in shown["self_test"]["results"]]
    assert verdicts.count("killed") == shown["self_test"]["killed"]
    assert len(verdicts) == shown["self_test"]["mutants"] > 60
    assert shown["summary"] == {"violation": 0, "drift": 0, "environment": 0}
    first = capsys.readouterr().out.partition("\n")[0]
    assert f": {verdicts.count('killed')} of {len(verdicts)} mutants (" in first
    assert (ended.value.code == 0) == first.startswith("KILLED: ")


def test_bad_usage_is_refused(lab: laboratory.Laboratory) -> None:
    with pytest.raises(UsageError, match="the target cannot be given with it"):
        runs.prove(Options(target="http://127.0.0.1:1"), "full", 1)
    with pytest.raises(UsageError, match="there is no mutant to judge"):
        runs.self_test(lab, "full", ["nothing_of_that_name"], NoProgress())
