"""What an identity owns is known or not; nothing is held against a server where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.contract.reading.document import load_contract
from mockserver.stub.app import create_app
from mockserver.suite.checks import permissions
from mockserver.suite.identities.identity_file import load_identities
from mockserver.suite.run.check_run import make
from mockserver.suite.run.preparation import prepare
from tests import defaults
from tests.wsgi_target import WsgiTarget

IDENTITIES = """
identities:
  - {username: admin, token: long-auth_token-here, level: MasterAdmin}
  - {username: domainadmin@vonmail.com, token: long-auth_token-of-domainadmin, level: DomainAdmin%s}
  - {username: u9@other.example, token: long-auth_token-of-other-mailuser, level: MailUser}
  - {username: u2@vonmail.com, token: long-auth_token-of-mailuser, level: MailUser}
"""
READ, LIST = "GET /api/v1/antispam/wlbl/domain/{domain}/", "GET /api/v1/accounts/"


@pytest.mark.parametrize(("owns", "known"), [("", False), (", owns: [vonmail.com]", True), (", owns: []", True)])
def test_what_nobody_said_is_not_taken_for_nothing(tmp_path: Path, owns: str, known: bool) -> None:
    path = tmp_path / "identities.yaml"
    path.write_text(IDENTITIES % owns, encoding="utf-8")
    contract = load_contract(defaults.CONTRACT)
    target = WsgiTarget(create_app(contract, seed_data=defaults.SEED_DATA).wsgi_app)
    only = ["perdomain_wlbl_get", "accounts_get"]
    run = prepare(contract, target, load_identities(path, {}), only=only, settle_seconds=0.0)
    make(run, permissions.planned_checks(run))
    made = {(one.check, one.operation): one for one in run.verdicts.coverage()}
    of_owners = [made["foreign_objects_are_refused", READ], made["lists_tell_own_objects_alone", LIST]]
    if known:
        assert not any("with `owns`" in one.why for one in of_owners)
    else:
        assert not run.verdicts.findings()
        assert all(
            one.why == "it needs an identity of level DomainAdmin with `owns` (--identities)" for one in of_owners
        )
