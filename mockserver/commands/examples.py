"""`mockserver examples`: each example of a contract with the requests that return it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockserver.commands.help import GroupedCommand
from mockserver.commands.options import FILE, contract_option, option, overlay_option, show_notes
from mockserver.plugins.discovery import find, load, own_seed_data

if TYPE_CHECKING:
    from mockserver.contract.model import Contract
    from mockserver.stub.store.seed import Seed


@click.command(
    "examples", cls=GroupedCommand, short_help="Print each example of a contract with the requests that return it."
)
@contract_option()
@overlay_option()
@option(
    "--seed-data",
    type=FILE,
    group="Output",
    help="Seed data with the accounts that make the requests (YAML).",
)
@option(
    "--url",
    default="http://127.0.0.1:8080",
    metavar="URL",
    group="Output",
    show_default=True,
    help="Base URL in the printed requests.",
)
def examples_command(
    contract: Path | None, api: str | None, overlay: tuple[Path, ...], seed_data: Path | None, url: str
) -> None:
    """Print every documented example with the exact requests, in order, that return it from a fresh world.

    An example that no request returns, or that breaks its schema, is printed with the reason.
    """  # fmt: skip
    from mockserver.stub.examples.example_sequences import curl, sequences
    from mockserver.stub.store.seed import Seed, load_seed

    loaded = load(contract, api, overlay)
    show_notes(loaded.document.notes)
    plugin = find(loaded.api) if loaded.api else None
    seed_file = seed_data or own_seed_data(contract, api)
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
    from mockserver.stub.examples.example_requests import list_examples
    from mockserver.stub.examples.example_sequences import curl

    app = create_app(contract, seed_data=seed)
    count = unreached = broken = 0
    for example in list_examples(contract, seed, app.wsgi_app):
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
