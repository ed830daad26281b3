"""Pagination members of list responses: totals, whether more items follow, and the cursor of the next page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from mockserver.contract.model import Operation
from mockserver.messages import Request
from mockserver.stub.crud.queries import Page, Paging, as_text, paging_parameters

#: Members by what they mean, in lower case without `_` and `-`.
_TOTALS = frozenset({"total", "totalcount", "count", "totalresults", "totalitems", "totalelements", "results"})
_MORE = frozenset({"hasmore", "hasnext", "hasnextpage", "more"})
_NEXT = frozenset({"next", "nextcursor", "nextpagetoken", "nexttoken", "nextmarker", "nextpage", "continuationtoken"})
_ENDS = frozenset({"cursor", "endcursor", "after"})
_CURSORS = _NEXT | _ENDS
#: Objects beside the items that hold such members.
_ABOUT = frozenset(
    {
        *("meta", "metadata", "pagination", "paging", "page", "pageinfo", "cursors", "responsemetadata"),
        *("links", "pages"),
    }
)
_DEPTH = 3
#: Members that hold the URL of another page.
_NEXT_URLS = frozenset({"next", "nexturl", "nextlink", "nextpage", "nextpageurl", "nexthref", "@odata.nextlink"})
_PREVIOUS_URLS = frozenset({"prev", "prevurl", "prevlink", "prevpage", "previous", "previousurl", "previouspage"})
_FIRST_URLS, _OWN_URLS = frozenset({"first", "firsturl", "firstpage"}), frozenset({"self"})

Envelope = Mapping[str, Any]
#: What a member becomes, nothing where it goes.
_Change = Callable[[str, Any], tuple[Any, ...]]


def cursors(around: Any) -> Iterator[str]:
    """Yield the values of a list response's members that hold a cursor of the next page."""
    for name, value in _members(around):
        if _plain(name) in _CURSORS and isinstance(value, str) and value:
            yield value


class PageUrls(NamedTuple):
    """URLs of pages around the one that is asked for, None where there is no such page."""

    own: str
    next: str | None
    previous: str | None
    first: str

    def field_value(self) -> str:
        """Return the value of a `Link` field (RFC 8288)."""
        found = (("next", self.next), ("prev", self.previous), ("first", self.first))
        return ", ".join(f'<{url}>; rel="{name}"' for name, url in found if url is not None)


class PageLinks:
    """Maker of the URLs of pages, by the query parameters of one list operation."""

    def __init__(self, operation: Operation, how: Paging) -> None:
        self._how = how
        self._page, self._offset, self._after = paging_parameters(operation)

    def of(self, request: Request, chosen: Page) -> PageUrls:
        """Return the URLs of the pages around one, which lead back through host, mount, world and base path."""
        fields = request.fields
        host = fields.get("HTTP_HOST")
        origin = f"{fields.get('wsgi.url_scheme', 'http')}://{host}" if host else ""
        here = f"{origin}{fields.get('SCRIPT_NAME') or ''}{quote(request.path)}"
        pairs = parse_qsl(request.query, keep_blank_values=True)

        def url(name: str, value: int | str) -> str:
            kept = [(one, text) for one, text in pairs if one != name]
            return f"{here}?{urlencode([*kept, (name, value)])}"

        after = before = None
        first = here + (f"?{request.query}" if request.query else "")
        if self._page:
            number = next((int(text) for one, text in pairs if one == self._page and text.isdecimal()), None)
            number = self._how.first_page if number is None else number
            after, before = url(self._page, number + 1), url(self._page, number - 1)
            first = url(self._page, self._how.first_page)
        elif self._offset:
            after = url(self._offset, chosen.start + len(chosen.items))
            before, first = url(self._offset, max(chosen.start - chosen.size, 0)), url(self._offset, 0)
        elif self._after and chosen.last is not None:
            after = url(self._after, as_text(chosen.last))
        own = here + (f"?{request.query}" if request.query else "")
        return PageUrls(own, after if chosen.more else None, before if chosen.start > 0 else None, first)


def envelopes(around: Envelope, chosen: Page, *, by_cursor: bool, urls: PageUrls | None = None) -> Iterator[Envelope]:
    """Yield versions of a list response's envelope with pagination members for a page, best first.

    Args:
        around: the envelope of the operation's example.
        chosen: the page of items that it contains.
        by_cursor: whether the operation takes a cursor, so that clients send what is written here.
        urls: what members that hold URLs of pages become; None to leave them.
    """
    counted = _changed(around, lambda name, value: (_total(name, value, chosen),))
    for ending in ((None,), (), ("",)):  # schemas do not say how the end of a list is written
        linked = (
            counted
            if urls is None
            else _changed(counted, partial(_linked, urls=urls, ending=ending, free=not by_cursor))
        )
        if not chosen.more:
            yield _changed(linked, partial(_last_cursor, ending=ending))
        elif by_cursor and chosen.last is not None:
            yield _changed(linked, lambda name, value: (_next_cursor(name, value, as_text(chosen.last)),))
        if chosen.more and linked != counted:
            yield linked
    yield counted


def _linked(name: str, value: Any, *, urls: PageUrls | None, ending: tuple[Any, ...], free: bool) -> tuple[Any, ...]:
    """Return the value of a pagination member with the URL of a page; `free` takes null for a URL that is missing."""
    if urls is None:
        return (value,)
    plain = _plain(name)
    for names, url in (
        (_NEXT_URLS, urls.next),
        (_PREVIOUS_URLS, urls.previous),
        (_FIRST_URLS, urls.first),
        (_OWN_URLS, urls.own),
    ):
        if plain in names:
            if isinstance(value, dict) and isinstance(value.get("href"), str):
                return ({**value, "href": url},) if url is not None else ()
            if isinstance(value, str) and "/" in value:
                return (url,) if url is not None else ending
            return (url,) if value is None and free and url is not None else (value,)
    return (value,)


def _total(name: str, value: Any, chosen: Page) -> Any:
    plain = _plain(name)
    if plain in _TOTALS and isinstance(value, int) and not isinstance(value, bool):
        return chosen.total
    return chosen.more if plain in _MORE and isinstance(value, bool) else value


def _next_cursor(name: str, value: Any, last: str) -> Any:
    """Return the cursor of the next page for a pagination member; members that hold a URL are unchanged."""
    replaceable = value is None or (isinstance(value, str) and "/" not in value)
    return last if _plain(name) in _CURSORS and replaceable else value


def _last_cursor(name: str, value: Any, ending: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the value of a pagination member on the last page: empty for a cursor, unchanged for other members."""
    goes_on = _plain(name) in _CURSORS and isinstance(value, str | int) and not isinstance(value, bool)
    return ending if goes_on else (value,)


def _changed(around: Envelope, change: _Change, depth: int = _DEPTH) -> dict[str, Any]:
    """Return an envelope with a function applied to its members, and to members of nested pagination objects."""
    result: dict[str, Any] = {}
    for name, value in around.items():
        if depth > 1 and _plain(name) in _ABOUT and isinstance(value, dict):
            result[name] = _changed(value, change, depth - 1)
        else:
            result.update((name, new) for new in change(name, value))
    return result


def _members(around: Any, depth: int = _DEPTH) -> Iterator[tuple[str, Any]]:
    for name, value in around.items() if isinstance(around, dict) else ():
        yield name, value
        if depth > 1 and _plain(name) in _ABOUT:
            yield from _members(value, depth - 1)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
