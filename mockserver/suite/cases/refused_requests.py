"""Requests that must be refused: sent, judged, and repeated for an existing item after a 404."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from mockserver.contract.model import Operation
from mockserver.http.path_templates import parse_template
from mockserver.http.pointers import child
from mockserver.suite.identities.identities import credentials
from mockserver.suite.run.session import Session
from mockserver.suite.safety.guard import name_in
from mockserver.suite.safety.policy import item_path
from mockserver.suite.target.exchange import Exchange, WireRequest, WireResponse, json_or_none
from mockserver.suite.target.paths import fill, query_parts, read_off
from mockserver.suite.verdicts.failures import CheckFailure, NotRun, Rule

#: Status codes for a missing resource, which do not tell whether the caller would have been admitted.
_NOT_THERE = frozenset({404, 410})
#: Status codes of rejections that do not prove that the credentials were accepted.
_OF_ANYBODY = frozenset({400, 401, 403, 404, 405, 410, 422, 429})


def expect_refusal(
    check: str,
    session: Session,
    operation: Operation,
    request: WireRequest,
    how: str,
    *,
    status: int = 401,
    pointer: str | None = None,
    any_item: bool = True,
) -> WireResponse:
    """Send a request that must be refused; raise a CheckFailure if the server accepts it or refuses it wrongly.

    A redirect elsewhere, such as to a login page, counts as a refusal. After a 404 the request is repeated for an
    existing item, unless `any_item` is false because the owner of the item matters.

    Raises:
        CheckFailure: the request is accepted, or refused with another status code than the documented one.
        NotRun: the response does not tell whether the request is refused.
    """
    response = session.call(operation, request)
    if response.status in _NOT_THERE and any_item:
        request = _about_what_is_there(session, operation, request, how, response)
        response = session.call(operation, request)
    if response.status in _NOT_THERE or response.status >= 500 or _leads_on(operation, request, response):
        # A crash is the finding of no_server_error; one cause is one finding.
        raise NotRun(f"{how}: the response was {response.status}, which does not tell whether the request was admitted")
    documented = operation.responses.get(str(status))
    rule: Rule
    if _is_accepted(operation, response) and not _is_something_else(session, operation, request, response):
        rule, place, title = (
            "universal",
            pointer or child(operation.pointer, "security"),
            f"accepted with {how}",
        )
    elif 300 <= response.status < 400 or response.status in ({status} if documented is not None else {401, 403}):
        return response
    elif documented is not None:
        # An undocumented rejection contradicts nothing; a documented one means something else by the contract. No
        # contract says which callers get 403 in place of 401.
        listed = operation.response_for(response.status) is not None
        rule = "contract" if listed and (status, response.status) != (401, 403) else "silent"
        place, title = documented.pointer, f"{how}: refused with {response.status}"
    else:
        rule, place, title = "silent", operation.pointer, f"{how}: refused with {response.status}"
    raise CheckFailure(
        check,
        operation.label,
        title,
        expected=str(status) if documented is not None else "401 or 403",
        got=str(response.status),
        pointer=place,
        rule=rule,
        exchange=Exchange(request, response),
        cause="" if rule == "universal" else f"credentials that do not suffice are refused with {response.status}",
    )


def _is_accepted(operation: Operation, response: WireResponse) -> bool:
    """Tell whether a request passed access control: it succeeded, or got an error that only admitted callers get."""
    if operation.success() is not None or response.status < 400 or response.status in _OF_ANYBODY:
        return response.successful
    return str(response.status) in operation.responses


def _is_something_else(session: Session, operation: Operation, request: WireRequest, response: WireResponse) -> bool:
    """Tell whether a success of a read has nothing of what callers with credentials get: a login page, an error.

    Web applications show a page to log in with, with 200, and some servers wrap each error into a success.
    """
    if not (response.successful and response.body and operation.safe):
        return False
    try:
        caller = session.run.allowed(operation)
        shown = credentials(session.contract, operation, caller) if caller is not None else None
        if shown is None:
            return False
        parts = [part for name, secret in shown[1] for part in query_parts(name, secret)]
        path, _, query = request.path.partition("?")
        kept = [part for part in query.split("&") if part and part.partition("=")[0] not in dict(shown[1])]
        good = replace(request, path=f"{path}?{'&'.join([*kept, *parts])}" if kept or parts else path)
        for name, value in shown[0]:
            good = good.with_field(name, value)
        given = session.call(operation, good)
    except NotRun:
        return False
    if not given.successful or not given.body:
        return False
    if given.media_type != response.media_type:
        return True
    one, two = json_or_none(given), json_or_none(response)
    if isinstance(one, list) and isinstance(two, dict):
        return not any(isinstance(member, list) for member in two.values())
    return isinstance(one, dict) and isinstance(two, dict) and bool(one) and one.keys().isdisjoint(two)


def _about_what_is_there(
    session: Session, operation: Operation, request: WireRequest, how: str, response: WireResponse
) -> WireRequest:
    """Return a request with its path changed to that of an existing item.

    Raises:
        NotRun: the operation is not about an item, or no item exists and none can be created.
    """
    try:
        values = existing_item(session, operation)
    except NotRun as reason:
        raise NotRun(f"{how}: the response was {response.status}, and {reason}") from reason
    if not values:
        raise NotRun(f"{how}: the response was {response.status}, which does not tell whether the request was refused")
    _, question, query = request.path.partition("?")
    return replace(request, path=fill(operation, values) + question + query)


def _leads_on(operation: Operation, request: WireRequest, response: WireResponse) -> bool:
    """Tell whether a redirect says nothing about access: it is documented, or leads to the same path."""
    if not 300 <= response.status < 400:
        return False
    own = request.path.partition("?")[0].rstrip("/")
    path = urlsplit(response.field("Location") or "").path.rstrip("/")
    return str(response.status) in operation.responses or (path.endswith(own) if own else not path)


def raise_missing(levels: list[str]) -> None:
    """Raise NotRun for the permission levels that a check could not try because no identity has them.

    Raises:
        NotRun: `levels` is not empty.
    """
    if levels:
        raise NotRun(f"it needs an identity of level {' and of level '.join(levels)} (--identities)")


def existing_item(session: Session, operation: Operation) -> dict[str, Any]:
    """Return path parameters that name an existing item, {} for an operation that is not about an item.

    For an unsafe method this run creates the item, as an allowed caller; a safe method may also use an item from a
    list.

    Raises:
        NotRun: no documented operation creates or lists such items, or that did not succeed.
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
        raise NotRun(f"no item exists to try it with: {creation.label} responded with {response.status}")
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
    """Return the operation with a method and the path of a collection, with or without its last slash.

    Raises:
        NotRun: the contract has none.
    """
    by_label = session.contract.by_label
    found = by_label.get(f"{method} {path}") or by_label.get(f"{method} {path}/")
    if found is None:
        raise NotRun(f"no item exists to try it with, and no documented {method} {path} gives one")
    return found


def _named(template: str, around: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    parameter = parse_template(template).parameters[-1]
    if parameter not in names:
        raise NotRun(f"no item exists to try it with: no response gives its {parameter}")
    return {**around, parameter: names[parameter]}


def _names(template: str, response: WireResponse) -> dict[str, Any]:
    """Return the path parameter that names a newly created item, from its `Location` or content; {} if neither does."""
    parameter = parse_template(template).parameters[-1]
    path = urlsplit(response.field("Location") or "").path
    for start in range(len(path)):
        # The base URL may have a path of its own.
        if path[start] == "/" and (found := read_off(template, path[start:].rstrip("/"))):
            return {parameter: found[parameter]}
    name = name_in(response, parameter)
    return {} if name is None else {parameter: name}


def _items(value: Any) -> list[Any]:
    """Return the items of a list response: the content itself, or the first list among its members."""
    lists = [value, *(value.values() if isinstance(value, dict) else ())]
    return next((found for found in lists if isinstance(found, list) and found), [])


def _name_of(item: Any, parameter: str) -> Any:
    if isinstance(item, dict):
        return next((item[name] for name in (parameter, "id", "uuid", "name") if item.get(name)), None)
    return item if isinstance(item, str | int) and not isinstance(item, bool) else None
