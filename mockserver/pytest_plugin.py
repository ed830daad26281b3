"""pytest plug-in: fixtures that start a stub, and options that name the server which the contract suite judges.

Loaded into every pytest run where the package is installed, so it imports nothing but pytest until a fixture is used.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flask import Flask


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options `--base-url` (unless pytest-base-url adds it) and `--mockserver-...` to pytest."""
    group = parser.getgroup("mockserver", "contract testing")
    # Plugins add their options when they are loaded, in any order: who comes second would end the run.
    if importlib.util.find_spec("pytest_base_url") is None:
        with suppress(ValueError):  # another plugin has it, and means the server under test, too
            group.addoption("--base-url", metavar="URL", help="Server to judge by the contract.")
    group.addoption("--mockserver-identities", metavar="FILE", help="Accounts of the server at --base-url (YAML).")
    group.addoption(
        "--mockserver-allow-writes",
        metavar="GLOB",
        action="append",
        default=[],
        help="Operations whose unsafe methods may be sent to a --base-url on another machine.",
    )


@pytest.fixture(scope="session")
def mockserver_base_url(pytestconfig: pytest.Config) -> str | None:
    """URL given as `--base-url` to pytest, None if there is none."""
    url: str | None = pytestconfig.getoption("base_url", default=None)
    return url or None


@pytest.fixture(scope="session")
def mockserver_url() -> Iterator[str]:
    """Base URL of a stub that serves the built-in contract in a process of its own, one for the test session.

    Its control API, below `/__mock__/`, is open to the tests: it listens on loopback, and refuses web pages.
    """
    from mockserver.suite.target.processes import StubProcess

    with StubProcess(guarded=False) as stub:
        yield stub.base_url


@pytest.fixture
def mockserver_app() -> Callable[..., Flask]:
    """Factory of stubs in the test's process: `mockserver.create_app`; `.wsgi_app` is the WSGI callable."""
    from mockserver.stub.app import create_app

    return create_app
