"""`mockserver fuzz`: its options; what a run does stands in lifecycle.py."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from mockserver.commands.help import GroupedCommand
from mockserver.commands.options import option
from mockserver.commands.suite_options import EXIT_CODES, shared_options
from mockserver.errors import UsageError
from mockserver.suite.reports.files import Reports
from mockserver.suite.run.lifecycle import run_command
from mockserver.suite.run.run_options import Options
from mockserver.suite.run.sharding import WHOLE, parse_shard
from mockserver.suite.selection.own_checks import imported
from mockserver.suite.verdicts.verdict import with_reports

if TYPE_CHECKING:
    from mockserver.selftest.runs import Mode

#: Generated cases for each operation; at 10 requests a second 10 are a matter of minutes, and 50 are not.
EXAMPLES = 50
FOREIGN_EXAMPLES = 10
_GENERATED = "Generated requests"
#: What the extra `fuzz` brings (pyproject.toml).
_EXTRA = ("schemathesis", "hypothesis")


@click.command(
    "fuzz",
    cls=GroupedCommand,
    epilog=EXIT_CODES,
    short_help="Check a server with generated requests, valid and invalid.",
)
@shared_options
@option(
    "--max-examples",
    type=click.IntRange(1),
    metavar="N",
    group=_GENERATED,
    help="Most generated cases for each operation.  [default: 50, off loopback 10]",
)
@option(
    "--time",
    type=click.IntRange(1),
    metavar="SECONDS",
    group=_GENERATED,
    help="Keep generating new cases for this long.",
)
@option(
    "--seed",
    type=int,
    metavar="N",
    default=0,
    show_default=True,
    group=_GENERATED,
    help="Seed of the cases; the same seed sends the same cases.",
)
@option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    default=1,
    show_default=True,
    group=_GENERATED,
    help="Number of processes that share the run.",
)
@option(
    "--shard",
    metavar="I/N",
    group=_GENERATED,
    help="Make the I-th of N parts of the run, or auto/N in a Kubernetes Indexed Job; `report merge` joins the parts.",
)
@option(
    "--example-database",
    metavar="DIR|URL",
    group=_GENERATED,
    help="Keep failing cases in a folder or in Redis (redis://...), and try those of earlier runs first.",
)
@option(
    "--hooks",
    multiple=True,
    metavar="MODULE",
    group=_GENERATED,
    help="Python module with hooks of schemathesis.",
)
@option(
    "--self-test",
    is_flag=False,
    flag_value="sample",
    type=click.Choice(["sample", "full"]),
    group=_GENERATED,
    help="Test the suite instead of a server: how many mutants of the stub, each with one fault, does it notice?",
)
def fuzz_command(
    max_examples: int | None,
    time: int | None,
    seed: int,
    workers: int,
    shard: str | None,
    example_database: str | None,
    hooks: tuple[str, ...],
    self_test: Any,
    **options: Any,
) -> int:
    """Check a server with generated requests, valid and invalid, against a contract.

    TARGET is the base URL of the server, or a WSGI or ASGI application in this process, as package.module:app.
    Without one the run starts the stub and checks it.
    """
    _require_extra()
    from mockserver.suite.run.fuzz_run import FuzzSettings

    for module in hooks:
        imported(module, f"--hooks {module}")  # a mistake is told before anything is sent
    part = parse_shard(shard) if shard else WHOLE
    shared = Options(**options, share=part.total)
    if self_test is not None:
        return _prove(shared, self_test, seed)
    examples = max_examples or (FOREIGN_EXAMPLES if shared.foreign else EXAMPLES)
    settings = FuzzSettings(examples, time, seed, "" if part.whole else str(part), example_database or "", hooks)
    if workers > 1:
        from mockserver.suite.workers import run_with_workers

        return run_with_workers(shared, settings, workers)
    return run_command("fuzz", shared, settings)


def _prove(options: Options, mode: Mode, seed: int) -> int:
    from mockserver.selftest.runs import prove

    reports = Reports(options.report)
    kills, document = prove(options, mode, seed)
    problems = reports.write(document)
    click.echo(kills.as_text())
    for problem in problems:
        click.echo(f"mockserver: {problem}", err=True)
    return with_reports(kills.exit_code(), problems)


def _require_extra() -> None:
    """Tell in one line what to install if the extra is missing.

    Raises:
        UsageError: it is; asked before anything of it is imported.
    """
    missing = [module for module in _EXTRA if find_spec(module) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise UsageError(
            f"fuzz needs {' and '.join(missing)}, which {verb} not installed: pip install 'mockserver[fuzz]'"
        )
