"""The commands around the stub: serve, lint, examples, inspect."""

from __future__ import annotations

import math
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockserver import defaults
from mockserver.commands.options import FILE, contract_option, option, overlay_option, show_notes, show_warnings
from mockserver.errors import UsageError

if TYPE_CHECKING:
    from mockserver.contract.model import Contract
    from mockserver.stub.serving.server import Certificate
    from mockserver.stub.store.seed import Seed


#: What the documentation of the built-in contract's API allows at most.
_DOCUMENTED_RATE = "20"


def _rate(_ctx: click.Context, _parameter: click.Parameter, value: str | bool | None) -> int | None:
    """Return the number of `15` or, as check and fuzz take it, `15/s`; a settings file may also say true or false."""
    text = "false" if value is None else str(value).lower()
    if text == "false":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,3})(?:/s)?", _DOCUMENTED_RATE if text == "true" else text)
    if found is None:
        raise click.BadParameter(f"{value!r} is not a rate; write requests a second, 1 to 9999, as 15 or 15/s")
    return int(found[1])


@click.command("serve")
@contract_option()
@overlay_option()
@option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port; 0 takes a free one.")
@option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes; need a shared --state.",
)
@option("--state", default="memory", show_default=True, help="Where state is kept: memory, or sqlite:///FILE.")
@option("--seed-data", type=FILE, help="What a new store starts with: accounts, domains and so on (YAML).")
@option("--empty", is_flag=True, help="Start without seed data, but for one account that may do everything.")
@option("--seed", type=int, default=0, show_default=True, help="Number that made-up secrets follow from.")
@option("--clock", help="Let the clock stand at this time: UNIX seconds or a date-time.")
@option(
    "--transition-seconds",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="How long `applying` and `deleting` last, on the stub's clock.",
)
@option("--dynamic", is_flag=True, help="Generate content where the contract has examples, too.")
@option("--errors", is_flag=True, help="Answer 500 where an example or the stub's answer breaks its schema.")
@option("--no-state", is_flag=True, help="Infer no state: answer examples where the contract names no behaviour.")
@option("--behaviours", metavar="MODULE", help="Python module with behaviours for operations.")
@option("--no-cors", is_flag=True, help="Let no web page of another origin read the answers.")
@option("--allow-callbacks", multiple=True, metavar="HOST[:PORT]", help="Send callbacks to this host; may be repeated.")
@option(
    "--rate-limit",
    is_flag=False,
    flag_value=_DOCUMENTED_RATE,
    callback=_rate,
    metavar="[N]",
    help="Let in N requests a second of one address, 20 if no N is given.  [default: no limit]",
)
@option(
    "--ban-after",
    type=click.IntRange(0, 1000),
    default=3,
    show_default=True,
    help="With --rate-limit: crossings of it that end in a ban; 0 for no ban.",
)
@option(
    "--ban-seconds",
    type=click.IntRange(1, 10**9),
    default=3600,
    show_default=True,
    help="With --rate-limit: how long a ban lasts, on the stub's clock.",
)
@option("--no-auth", is_flag=True, help="Ask for no credentials.")
@option("--tls", is_flag=True, help="Serve https with a self-signed certificate.")
@option("--cert", type=FILE, help="Serve https with this certificate (PEM).")
@option("--key", type=FILE, help="Key of --cert (PEM).")
@option("--control-token", help="Bearer token that the control API asks for; opens it off loopback.")
@option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the log.",
)
def serve_command(
    contract: Path | None,
    overlay: tuple[Path, ...],
    host: str,
    port: int,
    workers: int,
    state: str,
    seed_data: Path | None,
    empty: bool,
    seed: int,
    clock: str | None,
    transition_seconds: float,
    dynamic: bool,
    errors: bool,
    no_state: bool,
    behaviours: str | None,
    no_cors: bool,
    allow_callbacks: tuple[str, ...],
    rate_limit: int | None,
    ban_after: int,
    ban_seconds: int,
    no_auth: bool,
    tls: bool,
    cert: Path | None,
    key: Path | None,
    control_token: str | None,
    log_format: str,
) -> None:
    """Serve a contract as a stub.

    Prints one line with its URL and process number when it accepts connections; Ctrl-C or SIGTERM stops it. Each
    option can also stand in mockserver.toml or in [tool.mockserver] of pyproject.toml; a flag wins.
    """  # fmt: skip
    from mockserver import sources
    from mockserver.behaviours import load_behaviours
    from mockserver.contract.reading.document import load_contract
    from mockserver.stub.app import create_app
    from mockserver.stub.serving import server
    from mockserver.stub.serving.rate_limit import RateLimit

    if not math.isfinite(transition_seconds):
        raise UsageError(f"--transition-seconds {transition_seconds}: must be a number of seconds")
    if workers > 1 and state == "memory":
        raise UsageError("--workers above 1 need a store that processes share: --state sqlite:///FILE")
    if tls and (cert or key):
        raise UsageError("--tls makes its own certificate; leave --cert and --key out, or --tls")
    if (cert is None) != (key is None):
        raise UsageError("--cert and --key belong together; one of them is missing")
    if control_token is not None and len(control_token) < 8:
        raise UsageError("--control-token must have at least 8 characters")
    try:
        standing = None if clock is None else sources.parse_time(clock)
    except ValueError as error:
        raise UsageError(f"--clock: {error}") from error
    loaded = load_contract(contract or defaults.CONTRACT, overlay)
    show_notes(loaded.document.notes)
    show_warnings(loaded.told_warnings(), len(loaded.warnings))
    if loaded.webhooks:
        click.echo(f"mockserver: webhooks, which this stub does not call: {', '.join(loaded.webhooks)}", err=True)

    functions = load_behaviours(behaviours, loaded) if behaviours else None

    def make_app() -> Any:
        seed_file = seed_data or (defaults.SEED_DATA if contract is None else None)
        return create_app(
            loaded,
            seed_data=seed_file,
            empty=empty,
            state=state,
            clock=standing,
            seed=seed,
            dynamic=dynamic,
            errors=errors,
            no_state=no_state,
            behaviours=functions,
            no_cors=no_cors,
            allow_callbacks=allow_callbacks,
            rate_limit=None if rate_limit is None else RateLimit(rate_limit, ban_after, ban_seconds),
            no_auth=no_auth,
            transition_seconds=transition_seconds,
            host=host,
            control_token=control_token,
            log=sys.stderr,
            log_format=log_format,
        ).wsgi_app

    if workers > 1:
        make_app().close()  # whatever is wrong with store or seed data is told once, before there are children
    certificate = _certificate(host, cert, key, tls=tls)
    listening = server.bind(host, port)
    url = server.url_of(listening, tls=certificate is not None)

    def on_ready() -> None:
        click.echo(f'mockserver: serving "{loaded.title}" on {url} (process {os.getpid()}, world default)')
        sys.stdout.flush()

    server.run(make_app, listening, workers=workers, certificate=certificate, on_ready=on_ready)
    # Everything is written and closed. A thread of granian that still waits for half a request would abort the process
    # when it meets an interpreter that is being taken down.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


@click.command("lint", short_help="Check the contract itself.")
@contract_option()
@overlay_option()
@click.pass_context
def lint_command(ctx: click.Context, contract: Path | None, overlay: tuple[Path, ...]) -> None:
    """Check that a contract is valid, its examples fit, and every element says how it is known.

    Exit code 1 on findings, 2 on bad usage.
    """
    from mockserver.contract.source.remote import url_of
    from mockserver.lint.findings import lint

    path = contract or defaults.CONTRACT
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
def examples_command(contract: Path | None, overlay: tuple[Path, ...], seed_data: Path | None, url: str) -> None:
    """Print every documented example with the exact requests, in order, that return it from a fresh world.

    An example that no request returns, or that breaks its schema, is printed with the reason.
    """  # fmt: skip
    from mockserver.contract.reading.document import load_contract
    from mockserver.stub.examples.listing import curl, sequences
    from mockserver.stub.store.seed import Seed, load_seed

    loaded = load_contract(contract or defaults.CONTRACT, overlay)
    show_notes(loaded.document.notes)
    seed_file = seed_data or (defaults.SEED_DATA if contract is None else None)
    seed = load_seed(seed_file) if seed_file is not None else Seed()
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
def inspect_command(contract: Path | None, overlay: tuple[Path, ...], json: bool) -> None:
    """Print what state was inferred from a contract, why, how sure, and the line that overrides it.

    Also what is answered with a plain example, refused, called back, and wrong with the document.
    """
    from mockserver.commands.inspect import inspect, lines
    from mockserver.contract.reading.document import load_contract
    from mockserver.http import json as documents

    loaded = load_contract(contract or defaults.CONTRACT, overlay)
    show_notes(loaded.document.notes)
    report = inspect(loaded)
    if json:
        click.echo(documents.encode(report).decode())
        return
    for line in lines(report):
        click.echo(line)


def _certificate(host: str, cert: Path | None, key: Path | None, *, tls: bool) -> Certificate | None:
    """Return the certificate to serve with, or None for plain http.

    Raises:
        UsageError: a file is missing, or certificate and key do not belong together.
    """
    if cert is not None and key is not None:
        import ssl

        from mockserver.stub.serving.server import Certificate

        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
        except OSError as error:  # ssl.SSLError is one
            raise UsageError(f"--cert {cert} --key {key}: cannot be used: {error.strerror or error}") from error
        return Certificate(cert.resolve(), key.resolve())
    if not tls:
        return None
    from mockserver.stub.serving.tls import self_signed  # cryptography is loaded for this alone

    made = self_signed(host)
    click.echo(f"mockserver: self-signed certificate: {made.certificate} (for Python: REQUESTS_CA_BUNDLE)", err=True)
    return made
