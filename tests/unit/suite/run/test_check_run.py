"""A server that is not ours is not asked for tokens that nobody needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mockserver.contract.reading.document import load_contract
from mockserver.stub.app import create_app
from mockserver.suite.identities.seeded_accounts import seeded_identities
from mockserver.suite.run.check_run import check
from mockserver.suite.run.preparation import prepare
from tests import defaults
from tests.wsgi_target import WsgiTarget


class Elsewhere(WsgiTarget):
    """A target that counts as somebody else's."""

    foreign = True


def test_a_run_that_may_not_write_logs_in_a_few_times_only() -> None:
    contract = load_contract(defaults.CONTRACT)
    stub = create_app(contract, seed_data=defaults.SEED_DATA).wsgi_app
    sent: list[tuple[str, str]] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        sent.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return stub(environ, start_response)

    run = prepare(contract, Elsewhere(application), seeded_identities(defaults.SEED_DATA))
    check(run)
    assert {method for method, _ in sent} == {"GET", "HEAD", "OPTIONS", "POST"}
    logins = [path for method, path in sent if method == "POST"]
    assert set(logins) == {"/api/v1/auth/"}
    # Two checks of what a login does to earlier tokens log in twice each.
    assert len(logins) <= 2 * len(run.identities.all) + 1 + 4
