"""Pages of lists: all entries that a list shows, over as many pages as there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mockserver.contract.model import Contract, Operation, Parameter
from mockserver.contract.resources.state_model import LIST
from mockserver.contract.source.references import follow
from mockserver.suite.state.item_paths import entries
from mockserver.suite.state.items import Item, Items
from mockserver.suite.target.exchange import Exchange, WireRequest, json_or_none
from mockserver.suite.verdicts.failures import NotRun

#: So many pages are followed at most.
MAX_PAGES = 60
#: The size that is asked for where all entries are wanted.
_WANTED = 100
_LIMIT = re.compile(
    r"^\$?(?:limit|per_?page|page_?size|page_?limit|size|max_?results|max_?items|maxrecords|top|take|rows|first|results?_?per_?page"
    r"|items_?per_?page|page\[(?:size|limit)\])$",
    re.IGNORECASE,
)
_PAGE = re.compile(r"^(?:page|page_?(?:number|no|num|index)|p|page\[number\])$", re.IGNORECASE)
_OFFSET = re.compile(r"^\$?(?:offset|skip|start_?(?:index|at)?|from|page\[offset\]|first_?result)$", re.IGNORECASE)
_CURSOR = re.compile(
    r"^(?:.*cursor.*|(?:next_?)?page_?token|continue|continuation_?token|starting_?after|after|marker|_?since_?id|page\[after\]"
    r"|next_?token|_token)$",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"^@?(?:odata\.)?(?:next.*|continue|.*next_?(?:page|link|token|cursor|url)?|end_?cursor)$", re.IGNORECASE
)
_LINK = re.compile(r'<([^>]*)>\s*;[^<]*rel="?[^">]*\bnext\b', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Paging:
    """The query parameters by which a list is read in pages, None for what is not there."""

    limit: Parameter | None = None
    page: Parameter | None = None
    offset: Parameter | None = None
    cursor: Parameter | None = None

    @property
    def known(self) -> bool:
        """Whether the contract says how the next page is asked for."""
        return self.page is not None or self.offset is not None or self.cursor is not None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list showed.

    Attributes:
        entries: of all pages, in order.
        pages: the exchanges, one a page.
        sizes: the number of entries of each page.
        whole: whether there is no page after the last one, as far as can be told.
    """

    entries: tuple[Any, ...]
    pages: tuple[Exchange, ...]
    sizes: tuple[int, ...]
    whole: bool

    @property
    def last(self) -> Exchange:
        """The exchange of the last page."""
        return self.pages[-1]


def paging(operation: Operation) -> Paging:
    """Return the query parameters by which the contract lets a list be read in pages."""
    found: dict[str, Parameter] = {}
    for parameter in operation.parameters:
        for kind, shape in (("limit", _LIMIT), ("page", _PAGE), ("offset", _OFFSET), ("cursor", _CURSOR)):
            if parameter.location == "query" and shape.match(parameter.name):
                found.setdefault(kind, parameter)
                break
    return Paging(**found)


def listed(items: Items, item: Item, *, size: int | None = None, arguments: Mapping[str, Any] | None = None) -> Listing:
    """Return what the list of an item's collection shows, over all pages.

    Args:
        items: who lists.
        item: the item whose collection is listed.
        size: of a page; None for the largest that is allowed, where there are pages.
        arguments: further query parameters.

    Raises:
        NotRun: it cannot be listed.
    """
    operation = item.collection.operations.get(LIST)
    if operation is None:
        raise NotRun(f"no documented operation lists {item.collection.path}")
    how = paging(operation)
    query = {("query", name): value for name, value in (arguments or {}).items()}
    if how.limit is not None:
        query["query", how.limit.name] = size or bounded(items.session.contract, how.limit, _WANTED)
    pages: list[Exchange] = []
    found: list[Any] = []
    sizes: list[int] = []
    steps = _steps(items, operation, item, how, query)
    for exchange, part in steps:
        pages.append(exchange)
        found += part
        sizes.append(len(part))
        if len(pages) >= MAX_PAGES:
            return Listing(tuple(found), tuple(pages), tuple(sizes), whole=False)
    return Listing(tuple(found), tuple(pages), tuple(sizes), whole=True)


def bounded(contract: Contract, parameter: Parameter, wanted: int) -> int:
    """Return a number as near to a wanted one as the schema of a parameter allows."""
    raw = _schema(contract, parameter)
    least, most = raw.get("minimum"), raw.get("maximum")
    if isinstance(most, int) and wanted > most:
        return most
    return least if isinstance(least, int) and wanted < least else wanted


def _steps(
    items: Items, operation: Operation, item: Item, how: Paging, query: dict[tuple[str, str], Any]
) -> Iterator[tuple[Exchange, list[Any]]]:
    first = items.request(operation, item, arguments=query)
    exchange, part = _page(items, operation, item, first)
    yield exchange, part
    if not part:
        return
    # A server may count pages from 0 or from 1: a first page that comes again is passed over once.
    number, taken, seen = _second(items.session.contract, how), len(part), {_key(part)}
    while (request := _next(items, operation, item, how, query, exchange, first, number, taken)) is not None:
        exchange, part = _page(items, operation, item, request)
        again, number = _key(part) in seen, number + 1
        if again and how.page is not None and number == 2:
            continue
        if not part or again:
            return  # a page that comes again: the parameter is not understood
        seen.add(_key(part))
        taken += len(part)
        yield exchange, part


def _page(items: Items, operation: Operation, item: Item, request: WireRequest) -> tuple[Exchange, list[Any]]:
    response = items.session.call(operation, request)
    if not response.successful:
        raise NotRun(f"{operation.label} was answered with {response.status}")
    return Exchange(request, response), entries(item.collection, json_or_none(response))


def _second(contract: Contract, how: Paging) -> int:
    """Return the number of the second page, 1 where nothing says that the first one has this number."""
    raw = _schema(contract, how.page) if how.page is not None else {}
    return 2 if 1 in (raw.get("default"), raw.get("minimum")) else 1


def _next(
    items: Items,
    operation: Operation,
    item: Item,
    how: Paging,
    query: dict[tuple[str, str], Any],
    exchange: Exchange,
    first: WireRequest,
    number: int,
    taken: int,
) -> WireRequest | None:
    """Return the request for the next page, None if there is none."""
    told = _told(exchange)
    if told is not None and ("?" in told or told.startswith(("/", "http"))):
        parts = urlsplit(told)
        path = first.path.partition("?")[0]
        wanted = parse_qsl(parts.query, keep_blank_values=True)
        if wanted:
            known = {parameter.name for parameter in operation.parameters if parameter.location == "query"}
            own = {("query", name): text for name, text in wanted if name in known}
            if own:
                return items.request(operation, item, arguments={**query, **own})
        return WireRequest(first.method, f"{path}?{parts.query}", first.fields) if parts.query else None
    if how.cursor is not None:
        return items.request(operation, item, arguments={**query, ("query", how.cursor.name): told}) if told else None
    if how.offset is not None:
        return items.request(operation, item, arguments={**query, ("query", how.offset.name): taken})
    if how.page is not None:
        return items.request(operation, item, arguments={**query, ("query", how.page.name): number})
    return None


def _told(exchange: Exchange) -> str | None:
    """Return what a response says of the next page: its URL, or what it is asked for by; None if nothing."""
    response = exchange.response
    assert response is not None
    link = _LINK.search(response.field("Link") or "")
    if link is not None:
        return link[1]
    return next(_nexts(json_or_none(response), 3), None)


def _nexts(value: Any, depth: int) -> Iterator[str]:
    if not isinstance(value, dict) or not depth:
        return
    for name, member in value.items():
        if _NEXT.match(name):
            if isinstance(member, dict):
                member = member.get("href") or member.get("cursor") or member.get("url")
            if isinstance(member, str | int) and not isinstance(member, bool) and member != "":
                yield str(member)
        elif isinstance(member, dict):
            yield from _nexts(member, depth - 1)


def _schema(contract: Contract, parameter: Parameter) -> Mapping[str, Any]:
    raw = follow(contract.document.data, parameter.schema)[0] if parameter.schema is not None else None
    return raw if isinstance(raw, dict) else {}


def _key(part: list[Any]) -> str:
    return repr(part)
