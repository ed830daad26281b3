"""`mockserver inspect`: how each operation of a contract is served, why, and the line that overrides it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mockserver.commands.help import GroupedCommand
from mockserver.commands.options import contract_option, option, overlay_option, show_notes
from mockserver.contract.model import Behaviour, Contract, Operation
from mockserver.contract.reading.callback_objects import callbacks
from mockserver.contract.reading.plain_form import plain_form
from mockserver.contract.resources.collections import Inference, InferredResource
from mockserver.contract.resources.state_roles import served
from mockserver.contract.source.loading import write_yaml
from mockserver.errors import ContractError
from mockserver.http import json as documents
from mockserver.plugins.discovery import load
from mockserver.stub.examples.slips import slips

#: Members of a `resource` behaviour in the order in which they are printed, with what is left out.
_MEMBERS = {
    **dict.fromkeys(("resource", "item", "identifier", "parameter", "items", "value", "home"), ""),
    **{"answers": True, "names": [], "keys": {}},
}
_NO_ROLE = "{method} has no part in the resource"
_NOT_SHOWN = "its documented answer does not show an item by `{identifier}`"
_NO_NAME = "nothing in the answers tells which member {{{parameter}}} names"
_REMOVES = "what it deletes is gone, and all below its path"
_NO_PAIR = "its path is no part of a collection with items"


@click.command("inspect", cls=GroupedCommand, short_help="Show how the stub serves each operation, and why.")
@contract_option()
@overlay_option()
@option(
    "--plain",
    is_flag=True,
    group="Output",
    help="Print the contract itself, for other tools: one document, without x- keys.",
)
@option("--json", is_flag=True, group="Output", help="Print JSON.")
def inspect_command(
    contract: Path | None, api: str | None, overlay: tuple[Path, ...], *, plain: bool, json: bool
) -> None:
    """Print what state was inferred from a contract, why, how sure, and the line that overrides it.

    Also what is answered with a plain example, refused, called back, and wrong with the document.
    """
    loaded = load(contract, api, overlay)
    show_notes(loaded.document.notes)
    if plain:
        data = plain_form(loaded.document)
        as_json = json or loaded.document.text.lstrip()[:1] == "{"
        click.echo(documents.encode(data).decode() if as_json else write_yaml(data), nl=as_json)
        return
    report = inspect(loaded)
    if json:
        click.echo(documents.encode(report).decode())
        return
    for line in lines(report):
        click.echo(line)


def inspect(contract: Contract) -> dict[str, Any]:
    """Return all there is to tell about a contract, as docs/cli.md describes it.

    Every operation is in exactly one of `resources`, `explicit`, `plain` and `refused`.
    """
    inference = served(contract)
    explicit = [operation for operation in contract.operations if operation.behaviour]
    told = {operation.id for operation in explicit}
    resources = [_resource(contract, resource, told) for resource in inference.resources]
    told |= {name for resource in inference.resources for name in resource.behaviours}
    return {
        "version": 1,
        "title": contract.title,
        "contract_version": contract.version,
        "operations": len(contract.operations) + len(contract.refused),
        "resources": [resource for resource in resources if resource["operations"]],
        "explicit": [_explicit(contract, operation) for operation in explicit],
        "plain": _plain(contract, inference, told),
        "refused": [{**_named(operation), "why": operation.refused} for operation in contract.refused],
        "webhooks": list(contract.webhooks),
        "callbacks": [entry for operation in contract.operations for entry in _callbacks(contract, operation)],
        "slips": [
            {**_named(slip.operation), "why": f"{contract.place(slip.pointer)}: {slip.message}"}
            for slip in slips(contract)
        ],
        "warnings": list(contract.warning_texts()),
    }


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield a report as text for a person."""
    counts = [f"{report['operations']} operations", f"{len(report['resources'])} resources inferred"]
    for part in ("explicit", "plain", "refused"):
        counts.append(f"{len(report[part])} {part}")
    yield f"{report['title']} {report['contract_version']}: {', '.join(counts)}"
    for resource in report["resources"]:
        yield ""
        items = f"items {resource['item']}" if resource["item"] != resource["collection"] else "one value"
        items = items if resource["item"] else "items without a path"
        yield f"{resource['collection']}  {items}  sure {resource['sure']:.2f}"
        yield f"  why: {resource['why']}"
        for key in resource["keys"]:
            yield f"  key: {key['member']} names an item of {key['collection']}, sure {key['sure']:.2f}: {key['why']}"
        for operation in resource["operations"]:
            yield f"  {operation['role']:8}{operation['operation']} ({operation['id']})"
            yield f"          {operation['line']}"
    for title, part in (
        ("By x-mockserver-behaviour", "explicit"),
        ("Plain examples", "plain"),
        ("Refused (501)", "refused"),
        ("Callbacks", "callbacks"),
        ("Mended, or not served", "slips"),
    ):
        if report[part]:
            yield from ("", f"{title}:")
            yield from (f"  {entry['operation']} ({entry['id']}): {entry['why']}" for entry in report[part])
    if report["webhooks"]:
        yield from ("", f"Webhooks, which the stub does not call: {', '.join(report['webhooks'])}")
    if report["warnings"]:
        yield from ("", "Warnings:")
        yield from (f"  {number}. {warning}" for number, warning in enumerate(report["warnings"], 1))


def line_of(behaviour: Behaviour) -> str:
    """Return the line that says in an operation of a YAML contract what a behaviour of a resource does."""
    members = [f"handler: {behaviour.handler}", f"role: {behaviour.role}"]
    members += [f"{name}: {documents.encode(value).decode()}" for name, value in _members(behaviour).items()]
    return f"x-mockserver-behaviour: {{{', '.join(members)}}}"


def _members(behaviour: Behaviour) -> dict[str, Any]:
    values = {name: getattr(behaviour, name) for name in _MEMBERS}
    values |= {"keys": dict(behaviour.keys), "names": list(behaviour.names)}
    if behaviour.item == f"{behaviour.resource.rstrip('/')}/{{{behaviour.parameter}}}":
        values["item"] = ""  # what it is without a word
    return {name: value for name, value in values.items() if value != _MEMBERS[name]}


def _named(operation: Operation) -> dict[str, Any]:
    return {"operation": operation.label, "id": operation.id}


def _resource(contract: Contract, resource: InferredResource, told: set[str]) -> dict[str, Any]:
    """Return a resource with those of its operations for which the contract itself says nothing."""
    operations = [
        {
            **_named(contract.by_id[name]),
            "role": behaviour.role,
            "behaviour": {"handler": behaviour.handler, "role": behaviour.role, **_members(behaviour)},
            "line": line_of(behaviour),
        }
        for name, behaviour in resource.behaviours.items()
        if name not in told
    ]
    return {
        "collection": resource.collection,
        "item": resource.item,
        "parameter": resource.parameter,
        "identifier": resource.identifier,
        "sure": resource.sure,
        "why": resource.why,
        "keys": [asdict(key) for key in resource.keys],
        "operations": operations,
    }


def _explicit(contract: Contract, operation: Operation) -> dict[str, Any]:
    behaviour = operation.behaviour
    assert behaviour is not None
    why = f"{behaviour.handler} {behaviour.role}".strip() + f", by {contract.place(behaviour.pointer)}"
    return {**_named(operation), "handler": behaviour.handler, "role": behaviour.role, "why": why}


def _plain(contract: Contract, inference: Inference, told: set[str]) -> list[dict[str, Any]]:
    """Return the operations that nothing was inferred of, with why."""
    by_path: dict[str, InferredResource] = {}
    for resource in inference.resources:
        by_path[resource.item or resource.collection] = resource
        by_path.setdefault(resource.collection, resource)
    nameless: dict[str, str] = {}
    for collection, item, parameter in inference.passed_over:
        nameless.setdefault(collection, parameter)
        nameless[item] = parameter
    entries = []
    for operation in contract.operations:
        if operation.id in told:
            continue
        why = _NO_PAIR
        if operation.path in by_path:
            form = _NOT_SHOWN if operation.method in {"GET", "POST", "PUT", "PATCH"} else _NO_ROLE
            why = form.format(identifier=by_path[operation.path].identifier, method=operation.method)
        elif operation.path in nameless:
            why = _NO_NAME.format(parameter=nameless[operation.path])
        entry = {**_named(operation), "why": why}
        if operation.id in inference.behaviours:
            entry |= {"why": f"{why}; {_REMOVES}", "line": line_of(inference.behaviours[operation.id])}
        entries.append(entry)
    return entries


def _callbacks(contract: Contract, operation: Operation) -> Iterator[dict[str, Any]]:
    try:
        found = callbacks(contract, operation)
    except ContractError:  # written as no callback can be; the stub sends none then
        return
    for callback in found:
        why = f"{callback.name}: {callback.method} {callback.expression}"
        yield {**_named(operation), "callback": callback.name, "why": why}
