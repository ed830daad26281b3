"""Reference page of the contract at `/__mock__/docs`: Swagger UI from the package's own files (viewer/README.md).

The page knows OpenAPI and nothing of provenance. So it gets a copy of the contract whose descriptions say how each
statement is known (docs/decisions/0047-reference-page.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver.contract.provenance import MARKS, ProvenanceResolver, Reasons
from mockserver.contract.reading.document import METHODS
from mockserver.contract.reading.extensions import EXTENSIONS
from mockserver.contract.source.loading import Document
from mockserver.http import json

if TYPE_CHECKING:
    from mockserver.contract.reading.elements import Element

_VIEWER = Path(__file__).parent / "viewer"
#: Name below `docs/` to file and media type; nothing else is served.
ASSETS: Mapping[str, tuple[Path, str]] = {
    "docs.js": (_VIEWER / "docs.js", "text/javascript"),
    "swagger-ui-bundle.js": (_VIEWER / "swagger-ui" / "swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": (_VIEWER / "swagger-ui" / "swagger-ui.css", "text/css"),
}
PAGE = _VIEWER / "docs.html"
#: The page may load and ask nothing but the stub: no other host, no script or style that a contract brings along.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
#: Kinds of elements that have a `description`.
_DESCRIBED = frozenset(
    (
        *("operation", "parameter", "request body", "response", "header", "schema", "example", "link"),
        *("security scheme", "tag", "server", "info"),
    )
)
_WORDS = {"x-source": "Documented", "x-observed": "Observed", "x-assumed": "Assumed"}
_OURS = re.compile("x-(?:source|assumed|observed|mockserver-[a-z-]+)")
_LEGEND = (
    "Each statement says how it is known: **documented** and on which page, **observed** when and where, or "
    "**assumed** and why. A server that contradicts an assumption shows that the assumption is wrong."
)


def viewer_contract(document: Document) -> bytes:
    """Return a contract as JSON text for Swagger UI, with provenance and permissions written into descriptions.

    Marks of provenance, levels and objects are added to the descriptions, in Markdown, and the package's own extensions
    are removed. Servers are named in the description of the contract: requests made on the page go to the stub.
    """
    ours = bool(document.mentions(_OURS))  # others' contracts are large, and a walk through them takes its time
    marked = ours and ProvenanceResolver(document.data).marked
    data = _annotated(document.data) if ours else document.data
    info = dict(data["info"]) if isinstance(data.get("info"), dict) else {}
    for text in (_LEGEND if marked else "", _servers(data)):
        _describe(info, text)
    paths = data.get("paths")
    if isinstance(paths, dict):
        data = {**data, "paths": {path: _on_stub(item) for path, item in paths.items()}}
    return json.encode({**data, "info": info})


def _annotated(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a contract whose extensions are replaced by text in descriptions."""
    from mockserver.contract.reading.elements import walk  # start-up must not pay for the rules of lint

    copy: dict[str, Any] = json.decode(json.encode(data))
    reasons = Reasons(copy)
    noted = [(element, list(_notes(element, reasons))) for element in walk(copy)]
    for element, notes in noted:
        if element.kind in _DESCRIBED:
            _describe(element.value, "\n".join(f"- {note}" for note in notes))
        for name in (*EXTENSIONS, *_WORDS):
            element.value.pop(name, None)
    return copy


def _on_stub(item: Any) -> Any:
    """Return a path item or operation without `servers`, so that Swagger UI sends requests to the stub."""
    if not isinstance(item, dict):
        return item
    return {name: _on_stub(below) if name in METHODS else below for name, below in item.items() if name != "servers"}


def _describe(value: dict[str, Any], text: str) -> None:
    if text:
        known = value.get("description")
        value["description"] = f"{known.rstrip()}\n\n{text}" if isinstance(known, str) and known.strip() else text


def _notes(element: Element, reasons: Reasons) -> Iterator[str]:
    """Yield notes for the description of an element: its provenance, permission levels and objects of others."""
    value = element.value
    yield from _marks(value, reasons)
    content = value.get("content")
    for name, media_type in content.items() if isinstance(content, dict) else ():  # has no description of its own
        if isinstance(media_type, dict):
            yield from (f"`{name}`: {note}" for note in _marks(media_type, reasons))
    levels = value.get("x-mockserver-levels")
    if element.kind == "operation" and isinstance(levels, list):
        yield f"**Levels**: {', '.join(map(str, levels))}"
    objects = value.get("x-mockserver-objects")
    if isinstance(objects, dict):
        foreign = objects.get("foreign") or ["nobody"]
        yield f"**Objects of others** (`{objects.get('at')}`): {', '.join(map(str, foreign))}"
    for name in sorted(EXTENSIONS & value.keys()):
        if isinstance(value[name], dict):
            yield from (f"`{name}`: {note}" for note in _marks(value[name], reasons))


def _marks(value: Mapping[str, Any], reasons: Reasons) -> Iterator[str]:
    for kind, keyword in MARKS:
        for place, text in _marked_places(value.get(keyword), ""):
            shown = f"`{text}`" if kind == "source" else reasons.text(kind, text)
            yield f"**{_WORDS[keyword]}**{place}: {shown}"


def _marked_places(mark: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield each place that a provenance mark names, in words, with the text of the mark."""
    if isinstance(mark, str):
        yield place, mark
    elif isinstance(mark, dict):
        for name, inner in mark.items():
            yield from _marked_places(inner, f"{place} `{name}`")


def _servers(data: Mapping[str, Any]) -> str:
    servers = data.get("servers")
    named = [one for one in servers if isinstance(one, dict) and one.get("url")] if isinstance(servers, list) else []
    urls = ", ".join(f"`{one['url']}`" for one in named)
    return f"Servers: {urls}" if urls else ""
