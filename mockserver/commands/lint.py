"""`mockserver lint`: what is wrong with a contract."""

from __future__ import annotations

from pathlib import Path

import click

from mockserver.commands.help import GroupedCommand
from mockserver.commands.options import contract_option, overlay_option
from mockserver.errors import UsageError
from mockserver.plugins.discovery import DEFAULT, find


@click.command("lint", cls=GroupedCommand, short_help="Check a contract itself, without a server.")
@contract_option()
@overlay_option()
@click.pass_context
def lint_command(ctx: click.Context, contract: Path | None, api: str | None, overlay: tuple[Path, ...]) -> None:
    """Check that a contract is valid, its examples fit, and every element says how it is known.

    Exit code 1 on findings, 2 on bad usage.
    """
    from mockserver.contract.source.remote import url_of
    from mockserver.lint.findings import lint

    path = contract or find(api or DEFAULT).contract
    if url_of(path) is None and not path.exists():
        raise UsageError(f"{path}: there is no such file; check --contract")
    findings = lint(path, overlay)
    for finding in findings:
        click.echo(f"{finding.file}:{finding.line}: {finding.pointer}: [{finding.rule}] {finding.message}")
        click.echo(f"    remedy: {finding.remedy}")
    click.echo(f"{path}: {len(findings)} finding{'' if len(findings) == 1 else 's'}")
    ctx.exit(1 if findings else 0)
