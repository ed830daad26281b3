"""The built-in API: the mail server of openapi.yaml, with one module per section of its documentation.

The contract and its seed data are at the top of the repository, where users look for them; a wheel has them here.
"""

from __future__ import annotations

from pathlib import Path

from mockserver.builtin.mailcheap import (
    accounts,
    addresses,
    antispam,
    domains,
    filtering,
    migration,
    passkeys,
    passwords,
    sharing,
    statistics,
    twofactor,
)
from mockserver.builtin.mailcheap.sections import SECTIONS
from mockserver.plugins import AccountRules, Plugin

_HERE = Path(__file__).parent
_CONTRACT = "openapi.yaml"
#: The package in a wheel; in a checkout, with or without an editable install, its top.
_FILES = _HERE if (_HERE / _CONTRACT).is_file() else _HERE.parents[2]

API = Plugin(
    name="mailcheap",
    contract=_FILES / _CONTRACT,
    seed_data=_FILES / "fixtures" / "seed.yaml",
    seed_schema=_HERE / "seed.schema.json",
    sections=SECTIONS,
    behaviours=(
        accounts,
        addresses,
        antispam,
        domains,
        filtering,
        migration,
        passkeys,
        sharing,
        statistics,
        twofactor,
    ),
    trusted=frozenset({"auth", "setting"}),
    accounts=AccountRules(password_matches=passwords.belongs_to, admit=passwords.admit),
    routes=domains.ROUTES,
)
