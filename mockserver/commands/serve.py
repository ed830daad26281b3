"""The commands around the stub: serve, lint, examples, inspect."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockserver.commands.options import (
    FILE,
    contract_option,
    option,
    options_of,
    overlay_option,
    show_notes,
    show_warnings,
)
from mockserver.errors import UsageError
from mockserver.plugins.discovery import DEFAULT, find, load
from mockserver.stub.serving.serve_options import ServeOptions
from mockserver.stub.stub_options import RateLimit

if TYPE_CHECKING:
    from mockserver.contract.model import Contract
    from mockserver.stub.serving.server import Certificate
    from mockserver.stub.store.seed import Seed


@click.command("serve")
@options_of(ServeOptions)
def serve_command(**given: Any) -> None:
    """Serve a contract as a stub.

    Prints one line with its URL and process number when it accepts connections; Ctrl-C or SIGTERM stops it. Each
    option can also stand in mockserver.toml or in [tool.mockserver] of pyproject.toml; a flag wins.
    """  # fmt: skip
    from mockserver.stub.serving import server

    module = given.pop("behaviours")  # a name, which means functions once there is a contract
    options = ServeOptions(**given)
    contract = _told_contract(options)
    make = partial(_application, _completed(options, contract, module))
    if options.workers > 1:
        make().close()  # whatever is wrong with store or seed data is told once, before there are children
    certificate = _certificate(options)
    listening = server.bind(options.host, options.port)
    url = server.url_of(listening, tls=certificate is not None)

    def on_ready() -> None:
        click.echo(f'mockserver: serving "{contract.title}" on {url} (process {os.getpid()}, world default)')
        sys.stdout.flush()

    server.run(make, listening, workers=options.workers, certificate=certificate, on_ready=on_ready)
    # Everything is written and closed. A thread of granian that still waits for half a request would abort the process
    # when it meets an interpreter that is being taken down.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _told_contract(options: ServeOptions) -> Contract:
    """Return the contract, after telling what a person should know of it."""
    from mockserver.contract.model import Contract

    assert not isinstance(options.contract, Contract | str)
    assert options.api is None or isinstance(options.api, str)
    contract = load(options.contract, options.api, options.overlay)
    show_notes(contract.document.notes)
    show_warnings(contract.told_warnings(), len(contract.warnings))
    if contract.webhooks:
        click.echo(f"mockserver: webhooks, which this stub does not call: {', '.join(contract.webhooks)}", err=True)
    return contract


def _completed(options: ServeOptions, contract: Contract, module: str | None) -> ServeOptions:
    """Return options with all that processes are to share: what is loaded once, and the log."""
    from mockserver.behaviours import load_behaviours

    limit = options.rate_limit
    return replace(
        options,
        contract=contract,
        seed_data=options.seed_data or (find(contract.api).seed_data if options.contract is None else None),
        behaviours=load_behaviours(module, contract) if module else None,
        rate_limit=RateLimit(limit, options.ban_after, options.ban_seconds) if isinstance(limit, int) else limit,
        log=sys.stderr,
    )


def _application(options: ServeOptions) -> Any:
    """Return the WSGI callable of a stub; each process makes its own."""
    from mockserver.stub.app import make_app

    return make_app(options).wsgi_app


@click.command("lint", short_help="Check the contract itself.")
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


@click.command("examples", short_help="Print each example with the requests that return it.")
@contract_option()
@overlay_option()
@option("--seed-data", type=FILE, help="Seed data with the accounts that call (YAML).")
@option("--url", default="http://127.0.0.1:8080", show_default=True, help="Base URL in the printed requests.")
def examples_command(
    contract: Path | None, api: str | None, overlay: tuple[Path, ...], seed_data: Path | None, url: str
) -> None:
    """Print every documented example with the exact requests, in order, that return it from a fresh world.

    An example that no request returns, or that breaks its schema, is printed with the reason.
    """  # fmt: skip
    from mockserver.stub.examples.listing import curl, sequences
    from mockserver.stub.store.seed import Seed, load_seed

    loaded = load(contract, api, overlay)
    show_notes(loaded.document.notes)
    plugin = find(loaded.api) if loaded.api else None
    seed_file = seed_data or (plugin.seed_data if plugin is not None and contract is None else None)
    seed = load_seed(seed_file, plugin) if seed_file is not None else Seed()
    if not any(operation.behaviour is not None for operation in loaded.operations):
        _print_any(loaded, seed, url.rstrip("/"))
        return
    count = 0
    for sequence in sequences(loaded, seed):
        count += 1
        click.echo(f"# {sequence.name}: {sequence.label}")
        for step in sequence.steps:
            click.echo(curl(step, url.rstrip("/")))
        click.echo(f"# {sequence.status} {sequence.content}\n")
    click.echo(f"# {count} example{'' if count == 1 else 's'}")


def _print_any(contract: Contract, seed: Seed, url: str) -> None:
    """Print the examples of a contract that states no behaviour, all of its statuses."""
    from mockserver.stub.app import create_app
    from mockserver.stub.examples.example_requests import listed
    from mockserver.stub.examples.listing import curl

    app = create_app(contract, seed_data=seed)
    count = unreached = broken = 0
    for example in listed(contract, seed, app.wsgi_app):
        count += 1
        unreached += not example.steps
        broken += bool(example.steps and example.why)
        click.echo(f"# {example.name}: {example.label}")
        for step in example.steps:
            click.echo(curl(step, url))
        told = " ".join(f"{'' if example.steps else 'cannot be reached: '}{example.why}".split())
        if example.why:
            click.echo(f"# {told}")
        content = "\n# ".join(example.content.splitlines())
        click.echo(f"# {' '.join(filter(None, (example.status, example.media_type, content)))}\n")
    told = f"; {unreached} cannot be reached, {broken} break their schema" if unreached or broken else ""
    click.echo(f"# {count} example{'' if count == 1 else 's'}{told}")


@click.command("inspect", short_help="Tell how each operation is served, and why.")
@contract_option()
@overlay_option()
@option("--json", is_flag=True, help="Print JSON.")
def inspect_command(contract: Path | None, api: str | None, overlay: tuple[Path, ...], json: bool) -> None:
    """Print what state was inferred from a contract, why, how sure, and the line that overrides it.

    Also what is answered with a plain example, refused, called back, and wrong with the document.
    """
    from mockserver.commands.inspect import inspect, lines
    from mockserver.http import json as documents

    loaded = load(contract, api, overlay)
    show_notes(loaded.document.notes)
    report = inspect(loaded)
    if json:
        click.echo(documents.encode(report).decode())
        return
    for line in lines(report):
        click.echo(line)


def _certificate(options: ServeOptions) -> Certificate | None:
    """Return the certificate to serve with, or None for plain http.

    Raises:
        UsageError: a file is missing, or certificate and key do not belong together.
    """
    cert, key = options.cert, options.key
    if cert is not None and key is not None:
        import ssl

        from mockserver.stub.serving.server import Certificate

        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
        except OSError as error:  # ssl.SSLError is one
            raise UsageError(f"--cert {cert} --key {key}: cannot be used: {error.strerror or error}") from error
        return Certificate(cert.resolve(), key.resolve())
    if not options.tls:
        return None
    from mockserver.stub.serving.tls import self_signed  # cryptography is loaded for this alone

    made = self_signed(options.host)
    click.echo(f"mockserver: self-signed certificate: {made.certificate} (for Python: REQUESTS_CA_BUNDLE)", err=True)
    return made
