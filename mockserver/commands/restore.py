"""`mockserver restore`: puts back what an earlier run changed, from the ledger that it left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mockserver.commands.help import GroupedCommand
from mockserver.commands.options import FILE, contract_option
from mockserver.commands.suite_options import HEADER, IDENTITIES, RESTORE_VALUES, SETTLE, connection_options
from mockserver.contract.model import Contract
from mockserver.errors import UsageError
from mockserver.plugins.discovery import DEFAULT, find, load
from mockserver.suite.run.interrupts import terminable
from mockserver.suite.run.lifecycle import prepared, reach
from mockserver.suite.run.run_options import Options
from mockserver.suite.safety.ledger import Ledger, LedgerFile, LedgerSummary
from mockserver.suite.safety.ledger_keeper import LedgerKeeper
from mockserver.suite.safety.original_values import load_originals
from mockserver.suite.safety.target_lock import locked_target
from mockserver.suite.secrets.output_filter import OutputFilter, filtered_output
from mockserver.suite.verdicts.verdict import ExitCode


@click.command("restore", cls=GroupedCommand, short_help="Undo what a killed run changed on a server.")
@click.argument("ledger", type=FILE)
@contract_option()
@IDENTITIES
@HEADER
@RESTORE_VALUES
@SETTLE
@connection_options
def restore_command(ledger: Path, **options: Any) -> int:
    """Put back what check or fuzz changed on a server, from the LEDGER that it left.

    Exit codes: 0 all is as it was, 1 something is left, 2 that could not be tried. Doing it twice does no harm.
    """
    return restore(ledger, Options(**options))


@terminable()
def restore(path: Path, options: Options) -> int:
    """Put back what is in a ledger, print what became of it, and return the exit code.

    Raises:
        UsageError: the ledger cannot be read, or belongs to another contract; an option cannot be used.
    """
    file = LedgerFile(path)
    ledger = file.read()
    contract = _contract(ledger, options)
    originals = load_originals(options.restore_values, contract)
    ledger.sessions = 0  # the tokens were never kept, and have ended by themselves or will
    redact = OutputFilter()
    options = replace(options, target=ledger.target)
    with filtered_output(redact), prepared(options, contract, redact.secrets, originals=originals) as run:
        problem = reach(run)
        if problem is not None:
            click.echo(f"NOT RESTORED: {problem.error or 'interrupted'}", err=True)
            return ExitCode.NOT_JUDGED
        run.renewal.log_in()
        for identity, _, why in run.renewal.failures():
            click.echo(f"mockserver: {identity.label} cannot log in: {run.secrets.mask(why)}", err=True)
        with locked_target(ledger.target, [path.absolute().parent]):
            summary = LedgerKeeper(run, originals, ledger, file).put_back()
    click.echo("\n".join(_lines(ledger, summary)))
    return ExitCode.VIOLATION if summary.left else ExitCode.CLEAN


def _contract(ledger: Ledger, options: Options) -> Contract:
    """Return the contract of the run that wrote a ledger, or the one that was named.

    Raises:
        UsageError: it is another one now, and none was named.
    """
    named = options.contract is not None or options.api is not None
    contract = load(
        options.contract if named else _path_of(ledger), options.api, [Path(path) for path in ledger.overlays]
    )
    if not named and contract.document.sha256 != ledger.contract_sha256:
        raise UsageError(f"{ledger.contract}: is not what it was when the ledger was written; name one with --contract")
    return contract


def _path_of(ledger: Ledger) -> Path:
    path = Path(ledger.contract)
    # The built-in contract may stand elsewhere by now, or on the machine where its ledger is used.
    builtin = find(DEFAULT).contract
    return builtin if not path.exists() and path.name == builtin.name else path


def _lines(ledger: Ledger, summary: LedgerSummary) -> list[str]:
    verdict = "LEFT" if summary.left else "RESTORED"
    told = f"{verdict}: {len(summary.restored)} put back, {len(summary.left)} left on {ledger.target}"
    return [told, *(f"  put back: {one}" for one in summary.restored), *(f"  left: {one}" for one in summary.left)]
