"""Preparation of a run: target, identities and invented accounts, for commands, pytest and scripts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mockserver.contract.model import Contract
from mockserver.suite.identities.identities import Identities, Identity
from mockserver.suite.identities.identity_file import load_identities
from mockserver.suite.identities.seeded_accounts import seed_data, seeded_identities
from mockserver.suite.run.session import Run
from mockserver.suite.safety.original_values import OriginalValues
from mockserver.suite.safety.policy import WritePolicy, side_effects
from mockserver.suite.secrets.known_secrets import Canaries, Secrets
from mockserver.suite.selection.chosen_checks import EVERY_CHECK, ChosenChecks
from mockserver.suite.selection.own_checks import NONE, OwnChecks
from mockserver.suite.selection.selected_operations import Selection
from mockserver.suite.survey.given_values import GivenValues
from mockserver.suite.target.connections import Connection
from mockserver.suite.target.processes import StubControl, StubProcess
from mockserver.suite.target.targets import HttpTarget, Target
from mockserver.suite.verdicts.fingerprints import Fingerprints
from mockserver.suite.verdicts.tally import Verdicts


def prepare(
    contract: Contract,
    target: Target,
    identities: Identities,
    *,
    allow_writes: Sequence[str] = (),
    only: Sequence[str] = (),
    selection: Selection | None = None,
    checks: ChosenChecks = EVERY_CHECK,
    own_checks: OwnChecks = NONE,
    settle_seconds: float = 5.0,
    control: StubControl | None = None,
    secrets: Secrets | None = None,
    originals: OriginalValues | None = None,
    given: GivenValues | None = None,
) -> Run:
    """Return a run against a target, not started yet.

    Args:
        contract: what the target is held to.
        target: what is under test.
        identities: who the run may call as.
        allow_writes: globs of operations whose unsafe methods may be sent to another machine.
        only: globs of operations that the run is limited to, all if there are none.
        selection: the same with all limits that there are, in place of `only`.
        checks: the checks that the run is limited to.
        own_checks: checks of the user's own modules, made besides ours.
        settle_seconds: how long a documented transition may last.
        control: the control API of a stub that belongs to this run alone, so that its worlds may be used.
        secrets: what must not be shown, to be added to; none are known before if it is left out.
        originals: values that will be put back, so that globs cover what holds them.
        given: values of parameters and bodies that the user gave.

    Raises:
        UsageError: no operation is left, or a limit names what the contract does not have.
    """
    secrets = Secrets() if secrets is None else secrets
    identities = identities.resolved(contract)
    for name, value in originals.secrets(contract) if originals is not None else ():
        secrets.add(name, value)
    restorable = frozenset(originals.values) if originals is not None else frozenset()
    fingerprints = Fingerprints(identities.all)
    selection = Selection(tuple(only)) if selection is None else selection
    selected = selection.of(contract)
    policy = WritePolicy(
        target.foreign,
        tuple(allow_writes),
        contract,
        restorable,
        selected=frozenset(operation.label for operation in selected) if selection.options else None,
        selected_by=selection.options,
        side_effects=side_effects(contract) if target.foreign else {},
    )
    return Run(
        contract=contract,
        target=target,
        identities=identities,
        policy=policy,
        verdicts=Verdicts(contract, own=control is not None, fingerprint=fingerprints.of, chosen=checks),
        fingerprints=fingerprints,
        secrets=secrets,
        selected=selected,
        selection=selection,
        checks=checks,
        own_checks=own_checks,
        control=control,
        settle_seconds=settle_seconds,
        given=given or GivenValues(),
    )


def who_calls(identities: Path | None, seed_data: Path | None = None) -> Identities:
    """Return the identities of a run: from a file, or from the seed data of an API's own stub.

    Args:
        identities: the file.
        seed_data: of that stub, if it is the one that is asked; any other server has accounts of its own.

    Raises:
        UsageError: the file cannot be used.
    """
    if identities is not None:
        return load_identities(identities)
    return Identities(()) if seed_data is None else seeded_identities(seed_data)


@contextmanager
def own_stub(
    contract: Path | None,
    connection: Connection | None = None,
    overlays: Sequence[Path] = (),
    identities: Identities = Identities(()),  # noqa: B008 - a frozen value
    api: str | None = None,
) -> Iterator[tuple[HttpTarget, StubControl]]:
    """Start a stub for a run and yield it as a target, with its control API.

    Args:
        contract: its file, None for that of the API, which may bring its own accounts.
        connection: how it is reached.
        overlays: what is laid over the contract.
        identities: accounts that the stub is to know.
        api: its name, None for the built-in one.
    """
    options = [text for path in overlays for text in ("--overlay", str(path.resolve()))]
    with seeded(identities) as seed, StubProcess(contract, [*options, *seed, "--strict"], api=api) as stub:
        target = HttpTarget(stub.base_url, connection, own_stub=True)
        try:
            yield target, StubControl(target, stub.control_token)
        finally:
            target.close()


def invented(contract: Contract) -> Identities:
    """Return two invented accounts for each level, always the same; none if the contract requires no credentials."""
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
    """Yield the options that give `mockserver serve` these identities as accounts."""
    if not any(identity.username for identity in identities.all):
        yield []
        return
    with tempfile.TemporaryDirectory(prefix="mockserver-seed-") as folder:
        file = Path(folder) / "seed.json"
        file.write_text(json.dumps(seed_data(identities)), encoding="utf-8")
        yield ["--seed-data", str(file)]
