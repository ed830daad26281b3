"""`--checks-from`, checks of a plug-in, `--hooks`: made like ours, and a mistake in one ends nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from textwrap import dedent
from typing import Any

import pytest
import schemathesis.checks
import schemathesis.hooks
from werkzeug.wrappers import Request

from mockserver.plugins import discovery
from mockserver.suite.selection import own_checks
from tests.faults.server import serving
from tests.faults.small import Answer, application

PAGE = (Path(__file__).parents[4] / "docs/extending.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.partition("## Checks of your own")[2].partition("```python\n")[2].partition("```")[0]
ITEM = {"200": {"description": "d", "content": {"application/json": {"schema": {"type": "object"}}}}}
CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {"/good": {"get": {"responses": ITEM}}, "/plain": {"get": {"responses": ITEM}}},
}
Command = Callable[..., CompletedProcess[str]]


def handler(call: Request) -> Answer:
    if call.path not in {"/good", "/plain"}:
        return 404, None, {"X-Request-Id": "1"}
    if call.method != "GET":
        return 405, None, {"Allow": "GET", "X-Request-Id": "1"}
    return (
        200,
        {},
        {"X-Request-Id": "1", "Cache-Control": "no-store"} if call.path == "/good" else {"X-Request-Id": "1"},
    )


@contextmanager
def url(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "contract.json").write_text(json.dumps(CONTRACT), encoding="utf-8")
    with serving(application(handler)) as found:
        yield found


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Write a module of a name that no other test has, and forget it afterwards."""
    path, names = list(sys.path), list[str]()

    def write(source: str) -> str:
        name = f"own_{abs(hash(str(tmp_path)))}_{len(names)}"
        (tmp_path / f"{name}.py").write_text(dedent(source), encoding="utf-8")
        names.append(name)
        return name

    yield write
    sys.path[:] = path
    for name in names:
        sys.modules.pop(name, None)


def report(tmp_path: Path) -> tuple[list[tuple[str, str, str, str]], dict[tuple[str, str], tuple[str, str]]]:
    document = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    found = [(one["check"], one["operation"], one["level"], one["rule"]) for one in document["findings"]]
    return found, {(row["check"], row["operation"]): (row["result"], row["why"]) for row in document["coverage"]}


OPTIONS = ("--contract=contract.json", "--report=json=r.json")


@pytest.mark.parametrize("name", ["check", "fuzz"])
def test_checks_of_the_page_are_made_like_ours(
    name: str, module: Callable[[str], str], command: Command, tmp_path: Path
) -> None:
    few = ["--max-examples=2", "--no-oracle"] if name == "fuzz" else []
    with url(tmp_path) as target:
        done = command(name, target, *OPTIONS, f"--checks-from={module(EXAMPLE)}", *few)
    found, coverage = report(tmp_path)
    assert done.returncode == 1, done.stderr
    assert ("reads_can_be_cached", "GET /plain", "violation", "own") in found
    assert not any(one[:2] == ("reads_can_be_cached", "GET /good") for one in found)
    assert coverage["responses_have_a_request_id", "GET /good"] == ("passed", "")
    page = " ".join(done.stdout.split())  # which has lines of some length
    assert "it is not so that a read says for how long it may be cached [reads_can_be_cached]" in page
    assert "200 without Cache-Control" in page
    assert "because a check of your own demands it" in page


def test_they_are_chosen_by_name(module: Callable[[str], str], command: Command, tmp_path: Path) -> None:
    with url(tmp_path) as target:
        name = module(EXAMPLE)
        one = command("check", target, *OPTIONS, "--no-oracle", f"--checks-from={name}", "--checks=reads_can_be_cached")
        assert one.returncode == 1
        assert {check for check, _ in report(tmp_path)[1]} == {"reads_can_be_cached"}
        without = ["--exclude-checks=reads_can_be_cached,responses_have_a_request_id"]
        assert command("check", target, *OPTIONS, "--no-oracle", f"--checks-from={name}", *without).returncode == 0


MISTAKEN = '''
    from mockserver.checks import CheckFailure

    def raises(observed):
        """Check that a mistake is told."""
        return {}["missing"]

    def raises_beside(session, operation):
        """Check that a mistake on an operation is told."""
        return operation.nothing

    def holds(observed):
        """Check that what holds is counted."""

    def no_check(observed):
        """Return something."""
        raise RuntimeError
'''


def test_a_mistake_in_a_check_ends_neither_the_run_nor_another_check(
    module: Callable[[str], str], command: Command, tmp_path: Path
) -> None:
    with url(tmp_path) as target:
        name = module(MISTAKEN)
        done = command("check", target, *OPTIONS, "--no-oracle", f"--checks-from={name}", "--only=GET /good")
    assert done.returncode == 2
    assert "Traceback" not in done.stdout + done.stderr
    found, coverage = report(tmp_path)
    result, why = coverage["raises", "GET /good"]
    assert (result, why) == ("not run", f"an error in the check raises: {name}.py:6: KeyError: 'missing'")
    assert coverage["raises_beside", "GET /good"][1].startswith(f"an error in the check raises_beside: {name}.py:10: A")
    assert coverage["holds", "GET /good"] == ("passed", "")
    assert coverage["no_server_error", "GET /good"][0] == "passed"
    assert "no_check" not in {check for check, _ in coverage}
    assert not any(level == "violation" for *_, level, _ in found)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = 1", "no function there has a docstring that begins 'Check that '; see docs/extending.md"),
        ("import nothing_of_the_kind", "cannot be imported: {name}.py:1: ModuleNotFoundError: No module named"),
        ("x = (", "cannot be imported: {name}.py:1: SyntaxError"),
        (
            'def three(a, b, c):\n    """Check that."""\ndef f(a, b, c):\n    """Check that x."""',
            "{name}.py:3: the check f must",
        ),
        ('def no_server_error(a):\n    """Check that x."""', "{name}.py:1: there is another check no_server_error"),
    ],
)
def test_what_is_no_module_of_checks_is_told(
    source: str, told: str, module: Callable[[str], str], command: Command, tmp_path: Path
) -> None:
    name = module(source)
    with url(tmp_path) as target:
        done = command("check", target, *OPTIONS, f"--checks-from={name}")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert told.format(name=name) in done.stderr


def test_a_module_that_is_not_there_is_told(command: Command, tmp_path: Path) -> None:
    with url(tmp_path) as target:
        done = command("check", target, *OPTIONS, "--checks-from=my_checks.py")
    assert "there is no module 'my_checks'" in done.stderr
    assert "write the module's name, without .py" in done.stderr


def test_a_plug_in_brings_its_checks(
    module: Callable[[str], str], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = replace(discovery.find("mailcheap"), checks=(module(EXAMPLE),))
    monkeypatch.setattr(own_checks, "find", lambda _name: plugin)
    done = command("check", "--only=GET /api/v1/settings/system_mailer/", "--checks=reads_can_be_cached", *OPTIONS[1:])
    assert done.returncode in {0, 1}, done.stderr
    assert "reads_can_be_cached" in {check for check, _ in report(tmp_path)[1]}


HOOKS = """
    import schemathesis

    seen = []

    @schemathesis.hook
    def before_call(context, case, kwargs):
        case.headers = {**(case.headers or {}), "X-Hooked": "yes"}

    @schemathesis.check
    def is_hooked(ctx, response, case):
        seen.append(response.request.headers.get("X-Hooked"))
        assert response.status_code != 200 or case.operation.path != "/plain", "plain is not wanted"
"""


def test_hooks_of_schemathesis_are_passed_on(module: Callable[[str], str], command: Command, tmp_path: Path) -> None:
    name = module(HOOKS)
    before = set(schemathesis.checks.CHECKS.get_all_names())
    try:
        with url(tmp_path) as target:
            done = command("fuzz", target, *OPTIONS, "--no-oracle", "--max-examples=2", f"--hooks={name}")
            assert sys.modules[name].seen
            assert set(sys.modules[name].seen) == {"yes"}
            assert command("fuzz", target, *OPTIONS, "--hooks=nowhere").returncode == 2
    finally:
        schemathesis.hooks.unregister_all()
        for check in set(schemathesis.checks.CHECKS.get_all_names()) - before:
            schemathesis.checks.CHECKS.unregister(check)
    assert done.returncode == 1
    found: list[Any] = [one for one in report(tmp_path)[0] if one[0] == "is_hooked"]
    assert [one[1] for one in found] == ["GET /plain"]
