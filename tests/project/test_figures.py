"""Figures and printed output of the documentation are those of the code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.builtin.mailcheap import domains, passkeys
from mockserver.commands.fuzz import EXAMPLES, FOREIGN_EXAMPLES
from mockserver.contract.reading.document import load_contract
from mockserver.contract.source import bundling, loading, remote
from mockserver.contract.source import yaml as yaml_reader
from mockserver.http import json as json_codec
from mockserver.http import multipart
from mockserver.plugins import DEFAULT, find, tokens
from mockserver.selftest.registry import CLASSES, EQUIVALENT, all_mutants
from mockserver.stub.store import worlds
from mockserver.stub.store.seed import load_seed
from mockserver.stub.stub_options import USUAL_LIMIT, USUAL_MAX_BODY
from mockserver.suite.checks import robustness
from mockserver.suite.reports import markdown
from mockserver.suite.safety import ledger_keeper, rate_limiter
from mockserver.suite.target import json_text
from tests.defaults import CONTRACT, SEED_DATA
from tests.documentation.record import RECORD_FILE, read_record

if TYPE_CHECKING:
    from tests.conftest import Client

DOCS = Path(__file__).parents[2] / "docs"
Command = Callable[..., "CompletedProcess[str]"]
MIB = 1 << 20


def page(name: str) -> str:
    """Return a page of the documentation as one line."""
    path = DOCS.parent / "README.md" if name == "README.md" else DOCS / name
    return " ".join(path.read_text(encoding="utf-8").split())


#: Page, text around a figure (`N`), and the figure.
FIGURES: list[tuple[str, str, float]] = [
    ("contract.md", "Limits: N MiB a file", loading.MAX_BYTES / MIB),
    ("contract.md", "MiB a file, N files", bundling.MAX_FILES),
    ("contract.md", "N levels, 5,000,000 values", yaml_reader.MAX_DEPTH),
    ("contract.md", "200 levels, N values", yaml_reader.MAX_VALUES),
    ("contract.md", "at most N seconds and 64 MiB a file", remote._TIMEOUT_SECONDS),
    ("suite.md", "| `large_bodies_do_no_harm` | N MB are accepted", robustness.LARGE_BYTES / 1e6),
    ("stub.md", "nested at most N levels", json_codec.MAX_DEPTH),
    ("stub.md", "An account has at most N issued tokens", tokens.MAX_TOKENS),
    ("stub.md", "is pending for N seconds of the stub's clock", domains.VERIFICATION_SECONDS),
    ("stub.md", "413 beyond N MiB", USUAL_MAX_BODY / MIB),
    ("stub.md", "Multipart content has at most N parts", multipart._MAX_PARTS),
    ("stub.md", "Each process has at most N worlds", worlds.MAX_WORLDS),
    ("stub.md", "allows the documented N requests a second", USUAL_LIMIT.requests),
    ("stub.md", "A challenge is valid for N seconds", passkeys.CHALLENGE_SECONDS),
    ("stub.md", "advancing the clock by N seconds ends a ban", USUAL_LIMIT.ban_seconds),
    ("suite.md", "at most N requests a second in all, schemathesis' included", rate_limiter.FOREIGN_RATE),
    ("suite.md", "over one connection; N for one operation", rate_limiter.FOREIGN_BUDGET),
    ("suite.md", "(`--budget`), N generated cases for each", FOREIGN_EXAMPLES),
    ("suite.md", "| `--max-examples` N | N, off loopback", EXAMPLES),
    ("suite.md", "(seconds or a date, N seconds at most)", rate_limiter.MAX_PAUSE_SECONDS),
    ("suite.md", "written or deleted (N at most)", ledger_keeper.MAX_HELD),
    ("suite.md", "nested deeper than N levels is judged down to that level", json_text.MAX_DEPTH),
    ("suite.md", 'markdown="$GITHUB_STEP_SUMMARY"`; at most N characters', markdown.MAX_LENGTH),
    ("suite.md", "nesting N deep", len(next(text for text in robustness._HOSTILE if text[:2] == b"[[")) / 2),
]


@pytest.mark.parametrize(("name", "around", "figure"), FIGURES, ids=[f"{row[0]}: {row[1]}" for row in FIGURES])
def test_a_limit_is_what_the_page_says(name: str, around: str, figure: float) -> None:
    before, _, after = around.rpartition("N")
    found = re.findall(re.escape(before) + r"([0-9][0-9,.]*)" + re.escape(after), page(name))
    assert [float(one.replace(",", "")) for one in found] == [figure]


def test_the_number_of_operations() -> None:
    documented = len(read_record(__import__("yaml").safe_load(RECORD_FILE.read_text(encoding="utf-8"))).pages)
    assert f"({documented} documented operations: " in page("README.md")
    assert len(load_contract(CONTRACT).operations) >= documented


def test_the_number_of_mutants() -> None:
    mutants = list(all_mutants(load_contract(CONTRACT), load_seed(SEED_DATA, find(DEFAULT)).accounts))
    (said,) = re.findall(r"all of them: ([0-9,]+) with the built-in contract", page("self-test.md"))
    assert int(said.replace(",", "")) == round(len(mutants) - len(EQUIVALENT), -2)
    assert f"breaks the stub in {round(len(CLASSES), -1)} ways at each operation" in page("README.md")


def test_a_token_lasts_as_long_as_the_page_says(local_stub: Client) -> None:
    stub = local_stub.in_new_world()
    stub.set_clock(now=1_700_000_000)
    login = {"username": "admin", "password": "2xtoC5UGjMNieTBpGsAO"}
    (seconds,) = re.findall(r"issues a token valid for ([0-9,]+) seconds", page("stub.md"))
    token = stub.call("POST", "/api/v1/auth/", user=None, json=login).json()["auth"]["auth_token"]
    for moved, status in ((int(seconds.replace(",", "")) - 1, 200), (1, 401)):
        stub.set_clock(advance_seconds=moved)
        assert stub.call("GET", "/api/v1/auth/", user=("admin", token)).status == status, moved


def test_the_printed_warning_of_a_contract(command: Command, tmp_path: Path) -> None:
    responses = {"responses": {"200": {"description": "d"}}}
    document: Any = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/cats": {"get": {"operationId": "pets", **responses}},
            "/pets": {"get": {"operationId": "pets", **responses}},
        },
    }
    (tmp_path / "api.yaml").write_text(json.dumps(document, indent=1))
    printed = command("examples", "--contract", "api.yaml").stderr + command("lint", "--contract", "api.yaml").stdout
    text = '/paths/~1pets/get: the operationId "pets" is used twice; this operation is named "GET /pets"'
    assert text in page("contract.md")
    contract = load_contract(tmp_path / "api.yaml")
    assert any(text in warning for warning in contract.warning_texts()), printed


def test_the_printed_mistake_in_seed_data(command: Command, tmp_path: Path) -> None:
    text = (DOCS / "seed-data.md").read_text(encoding="utf-8")
    example = text[text.index("    accounts:") : text.index("The file is validated")]
    (said,) = re.findall(r"mockserver: seed\.yaml: (aliases.*); \.\.\.", text)
    lines = [line.removeprefix("    ") for line in example.splitlines()]
    broken = "\n".join(lines).replace("[ann@shop.example, outside", "[bob@shop.example, outside")
    (tmp_path / "seed.yaml").write_text(broken)
    done = command("serve", "--seed-data", "seed.yaml", "--port", "0")
    assert done.stderr.startswith(f"mockserver: seed.yaml: {said}")
    assert done.returncode == 2


def test_the_printed_first_line_of_the_stub(shared_server: Any) -> None:
    said = 'mockserver: serving "TITLE" on http://127.0.0.1:8080 (process 4711, world default)'
    assert f"    {said}\n" in (DOCS / "cli.md").read_text(encoding="utf-8")
    pattern = re.escape(said).replace("TITLE", ".+").replace("8080", "[0-9]+").replace("4711", "[0-9]+")
    assert re.fullmatch(pattern, shared_server.line.strip())
