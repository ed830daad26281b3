"""The engine does without the built-in API: its own tests pass with the entry point removed (tests/README.md)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_OWN = (
    "tests/unit/contract/test_roles.py::test_a_role_counts_whatever_handler_plays_it",
    "tests/stub/test_plugins.py::test_any_contract_can_have_a_login_in_its_own_words",
)
#: Tests that need the built-in API: in this process, in another one, and when they are imported.
_OTHERS = (
    "tests/stub/test_tokens.py::test_seeded_tokens_never_expire[in process]",
    "tests/unit/test_cli.py::test_a_pipe_that_is_closed_is_no_traceback",
    "tests/stub/test_documented.py",
)


def test_tests_that_need_the_built_in_api_are_left_out_and_no_others() -> None:
    options = ("-p", "tests.without_builtin_api", "-p", "no:cacheprovider", "-p", "no:xdist", "-rA")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *_OWN, *_OTHERS],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert [line for line in done.stdout.splitlines() if line.startswith("PASSED ")] == [
        f"PASSED {one}" for one in _OWN
    ], told
    assert f"{len(_OWN)} passed, {len(_OTHERS)} skipped" in told
