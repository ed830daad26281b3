"""Names of checks are collected without what the extra `fuzz` brings."""

from __future__ import annotations

import subprocess
import sys


def test_no_module_of_the_extra_is_loaded() -> None:
    program = (
        "import sys; from mockserver.suite.selection.check_names import own_checks; found = own_checks();"
        "assert 'no_server_error' in found and 'reads_show_the_last_write' in found, found;"
        "assert not {'schemathesis', 'hypothesis'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
