"""Accounts for a stub of any contract, made up by whoever starts it, so that credentials can be judged there."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mockserver.contract.model import Contract
from mockserver.suite.identities.identities import Identities, Identity, seed_data
from mockserver.suite.secrets.known_secrets import Canaries


def invented(contract: Contract) -> Identities:
    """Return two accounts of each level, the same ones each time; none where the contract asks for no credentials."""
    if not contract.security_schemes or not any(operation.security for operation in contract.operations):
        return Identities(())
    canaries = Canaries()
    return Identities(
        tuple(
            Identity(
                username=f"{level or 'user'}-{number}@example.com",
                # Purposes of their own, lest a token that a check makes up be the same.
                token=canaries.make("invented token"),
                password=canaries.make("invented password"),
                level=level,
            )
            for level in contract.levels or ("",)
            for number in (1, 2)
        )
    )


@contextmanager
def seeded(identities: Identities) -> Iterator[list[str]]:
    """Give the options by which `mockserver serve` knows these identities, as long as the context lasts."""
    if not any(identity.username for identity in identities.all):
        yield []
        return
    with tempfile.TemporaryDirectory(prefix="mockserver-seed-") as folder:
        file = Path(folder) / "seed.json"
        file.write_text(json.dumps(seed_data(identities)), encoding="utf-8")
        yield ["--seed-data", str(file)]
