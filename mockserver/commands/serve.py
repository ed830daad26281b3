"""`mockserver serve`: a contract as a stub, until it is stopped."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from mockserver.commands.help import GroupedCommand
from mockserver.commands.options import options_of, show_notes, show_warnings
from mockserver.errors import UsageError
from mockserver.plugins.discovery import load, own_seed_data
from mockserver.stub.serving.serve_options import ServeOptions
from mockserver.stub.stub_options import RateLimit

#: A longer contract is not looked through for slips at the start, and a shorter one for this long.
_USUAL_CHARACTERS = 200_000
_LOOKING_SECONDS = 0.4

if TYPE_CHECKING:
    from mockserver.contract.model import Contract
    from mockserver.stub.serving.server import Certificate


@click.command("serve", cls=GroupedCommand, short_help="Serve a contract as a stub.")
@options_of(ServeOptions)
def serve_command(**given: Any) -> None:
    """Serve a contract as a stub: a server that responds as the contract says.

    Without options it serves the built-in API. Prints one line with its URL and process number when it accepts
    connections; Ctrl-C or SIGTERM stops it.
    """
    from mockserver.stub.serving import server

    module = given.pop("behaviours")  # a name, which means functions once there is a contract
    options = ServeOptions(**given)
    contract = _told_contract(options)
    make = partial(_application, _completed(options, contract, module))
    if options.workers > 1:
        make().close()  # whatever is wrong with store or seed data is told once, before there are children
    certificate = _certificate(options)
    listening = server.listen_on(options.host, options.port)
    url = server.base_url_of(listening, tls=certificate is not None)

    def on_ready() -> None:
        click.echo(f'mockserver: serving "{contract.title}" on {url} (process {os.getpid()}, world default)')
        sys.stdout.flush()

    try:
        server.serve(
            make,
            listening,
            workers=options.workers,
            max_content=options.max_body,
            certificate=certificate,
            on_ready=on_ready,
        )
    finally:
        listening.close()
    # Everything is written and closed; a thread that still works on a response must not delay the end.
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
    warnings = [*contract.warning_texts(), *_slips(contract)]
    show_warnings(warnings, len(warnings))
    if contract.webhooks:
        click.echo(f"mockserver: webhooks, which this stub does not call: {', '.join(contract.webhooks)}", err=True)
    return contract


def _slips(contract: Contract) -> list[str]:
    """Return what has to be mended in a contract of usual size, or cannot be served; `inspect` tells it of any."""
    if len(contract.document.text) > _USUAL_CHARACTERS:
        return []
    from mockserver.stub.examples.slips import slips

    return [f"{contract.place(slip.pointer)}: {slip.message}" for slip in slips(contract, seconds=_LOOKING_SECONDS)]


def _completed(options: ServeOptions, contract: Contract, module: str | None) -> ServeOptions:
    """Return options with all that processes are to share: what is loaded once, and the log."""
    from mockserver.behaviours import load_behaviours

    limit = options.rate_limit
    return replace(
        options,
        contract=contract,
        seed_data=options.seed_data or own_seed_data(options.contract, options.api),
        behaviours=load_behaviours(module, contract) if module else None,
        rate_limit=RateLimit(limit, options.ban_after, options.ban_seconds) if isinstance(limit, int) else limit,
        log=sys.stderr,
    )


def _application(options: ServeOptions) -> Any:
    """Return the WSGI callable of a stub; each process makes its own."""
    from mockserver.stub.app import make_app

    return make_app(options).wsgi_app


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

    made = self_signed((options.host, *options.tls_name))
    click.echo(
        f"mockserver: self-signed certificate: {made.certificate}; clients trust it with curl --cacert FILE, "
        "NODE_EXTRA_CA_CERTS=FILE (Node), REQUESTS_CA_BUNDLE=FILE (Python requests), SSL_CERT_FILE=FILE (Python httpx)",
        err=True,
    )
    return made
