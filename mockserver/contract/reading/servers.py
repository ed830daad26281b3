"""Base paths of operations, from Server Objects (OpenAPI 3.1, section 4.8.5)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from mockserver.http.path_templates import parse_template

#: Values of all variables of one URL together that are tried; a person enumerates fewer.
_MOST = 64


def base_paths(*holders: Any, known: dict[int, tuple[str, ...]] | None = None) -> tuple[str, ...]:
    """Return the base paths, such as `/v1`, of the first of some objects that has `servers`; empty for the path "/".

    Args:
        holders: the operation, its path item and the document, in this order.
        known: what was read before, by the identity of the `servers` in the document.
    """
    for holder in holders:
        servers = holder.get("servers") if isinstance(holder, dict) else None
        if isinstance(servers, list) and servers:
            known = {} if known is None else known
            if id(servers) not in known:
                found = (path for server in servers if isinstance(server, dict) for path in _paths(server))
                known[id(servers)] = tuple(dict.fromkeys(path for path in found if path))
            return known[id(servers)]
    return ()


def _paths(server: dict[str, Any]) -> Iterator[str]:
    url = server.get("url")
    if not isinstance(url, str):
        return
    template = parse_template(url)
    names = list(dict.fromkeys(template.parameters))
    variables = server.get("variables")
    variables = variables if isinstance(variables, dict) else {}
    choices = [_values(variables.get(name), name) for name in names]
    for values in itertools.islice(itertools.product(*choices), _MOST):
        try:
            path = urlsplit(template.expand(dict(zip(names, values, strict=True)))).path.rstrip("/")
        except ValueError:
            continue
        yield path if path.startswith("/") or not path else f"/{path}"


def _values(variable: Any, name: str) -> list[str]:
    if not isinstance(variable, dict):
        return [name]  # nobody says what it is
    known = [str(variable["default"])] if "default" in variable else []
    enum = variable.get("enum")
    for value in enum if isinstance(enum, list) else ():
        if str(value) not in known:
            known.append(str(value))
    return known or [name]
