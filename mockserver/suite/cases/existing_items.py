"""Items that are there: where a made-up identifier is answered with 404, nobody learns what else would be refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mockserver.contract.model import Operation
from mockserver.http.path_templates import parse_template
from mockserver.suite.run.session import Session, json_or_none
from mockserver.suite.safety.guard import name_in
from mockserver.suite.safety.policy import item_path
from mockserver.suite.target.exchange import WireResponse
from mockserver.suite.target.paths import read_off
from mockserver.suite.verdicts.failures import NotRun


def existing_item(session: Session, operation: Operation) -> dict[str, Any]:
    """Return values of path parameters that name an item which is there; `{}` for an operation on no item.

    For an unsafe method it is one that this run creates for the purpose, by who may; a safe one may also read an item
    that a list shows.

    Raises:
        NotRun: nothing documented creates or lists such items, or it did not succeed.
    """
    template = item_path(operation)
    if template is None:
        return {}
    try:
        return _created(session, template)
    except NotRun:
        if not operation.safe:
            raise
        return _listed(session, template)


def _created(session: Session, template: str) -> dict[str, Any]:
    head = template.rpartition("/{")[0]
    creation = _at(session, "POST", head)
    around = _created(session, item) if (item := parse_template(head).item) else {}
    body, media_type = session.valid_body(creation)
    caller = session.run.allowed(creation)
    request = session.request(creation, caller, body=body, media_type=media_type, path_values=around)
    response = session.call(creation, request)
    if not response.successful:
        raise NotRun(f"no item is there to try it with: {creation.label} answered {response.status}")
    return _named(template, around, _names(template, response))


def _listed(session: Session, template: str) -> dict[str, Any]:
    head = template.rpartition("/{")[0]
    listing = _at(session, "GET", head)
    around = _listed(session, item) if (item := parse_template(head).item) else {}
    request = session.request(listing, session.run.allowed(listing), path_values=around)
    response = session.call(listing, request)
    parameter = parse_template(template).parameters[-1]
    items = _items(json_or_none(response)) if response.successful else []
    names = [name for item in items if (name := _name_of(item, parameter)) is not None]
    return _named(template, around, {parameter: names[0]} if names else {})


def _at(session: Session, method: str, path: str) -> Operation:
    """Return the operation of a collection, with or without its last slash.

    Raises:
        NotRun: the contract has none.
    """
    by_label = session.contract.by_label
    found = by_label.get(f"{method} {path}") or by_label.get(f"{method} {path}/")
    if found is None:
        raise NotRun(f"no item is there to try it with, and no {method} {path} is documented that would give one")
    return found


def _named(template: str, around: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    parameter = parse_template(template).parameters[-1]
    if parameter not in names:
        raise NotRun(f"no item is there to try it with: no answer names the {parameter} of one")
    return {**around, parameter: names[parameter]}


def _names(template: str, response: WireResponse) -> dict[str, Any]:
    """Return what an answer to a creation calls the new item: by its `Location`, or in its content."""
    parameter = parse_template(template).parameters[-1]
    path = urlsplit(response.field("Location") or "").path
    for start in range(len(path)):
        # The base URL may have a path of its own.
        if path[start] == "/" and (found := read_off(template, path[start:].rstrip("/"))):
            return {parameter: found[parameter]}
    name = name_in(response, parameter)
    return {} if name is None else {parameter: name}


def _items(value: Any) -> list[Any]:
    """Return the items of a list, be it the answer itself or a member of it."""
    lists = [value, *(value.values() if isinstance(value, dict) else ())]
    return next((found for found in lists if isinstance(found, list) and found), [])


def _name_of(item: Any, parameter: str) -> Any:
    if isinstance(item, dict):
        return next((item[name] for name in (parameter, "id", "uuid", "name") if item.get(name)), None)
    return item if isinstance(item, str | int) and not isinstance(item, bool) else None
