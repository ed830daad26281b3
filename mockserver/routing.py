"""Method and path to operation: concrete paths by one look-up, templated ones by a tree of segments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

_PARAMETER = re.compile(r"\{([^{}]+)\}")


class Route(Generic[T]):
    """What is at one path: a target for each method, and the names of its path parameters."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.names = tuple(_PARAMETER.findall(template))
        self.methods: dict[str, T] = {}

    @property
    def allow(self) -> str:
        """Value of the `Allow` field (RFC 9110, section 10.2.1)."""
        return ", ".join(sorted(self.methods))


class _Node(Generic[T]):
    __slots__ = ("literals", "patterns", "route")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.patterns: list[tuple[re.Pattern[str], _Node[T]]] = []
        self.route: Route[T] | None = None


class Router(Generic[T]):
    """All routes of a contract; the cost of a look-up does not grow with their number."""

    def __init__(self, targets: Iterable[tuple[str, str, T]]) -> None:
        """Build from (method, path template, target) triples."""
        self._concrete: dict[str, Route[T]] = {}
        self._root: _Node[T] = _Node()
        for method, template, target in targets:
            self._route(template).methods[method] = target

    @property
    def concrete(self) -> Mapping[str, Route[T]]:
        """Routes without path parameters by their path: the hot path looks here first."""
        return self._concrete

    def match(self, path: str) -> tuple[Route[T], dict[str, str]] | None:
        """Return the route of a path with its raw path values; a concrete path wins over a templated one."""
        route = self._concrete.get(path)
        if route is not None:
            return route, {}
        found = self._descend(self._root, path.split("/")[1:], 0, [])
        if found is None:
            return None
        route, values = found
        return route, dict(zip(route.names, values, strict=True))

    def _route(self, template: str) -> Route[T]:
        if "{" not in template:
            return self._concrete.setdefault(template, Route(template))
        node = self._root
        for segment in template.split("/")[1:]:
            node = self._child(node, segment)
        if node.route is None:
            node.route = Route(template)
        return node.route

    def _child(self, node: _Node[T], segment: str) -> _Node[T]:
        if "{" not in segment:
            return node.literals.setdefault(segment, _Node())
        parts = _PARAMETER.split(segment)  # literal, name, literal, name, ..., literal
        pattern = "".join(re.escape(part) if index % 2 == 0 else "(.+)" for index, part in enumerate(parts))
        for known, below in node.patterns:
            if known.pattern == pattern:
                return below
        below = _Node[T]()
        node.patterns.append((re.compile(pattern, re.DOTALL), below))
        # The segment with the most literal text is tried first: `{id}.json` before `{id}`.
        node.patterns.sort(key=lambda item: -len(item[0].pattern.replace("(.+)", "")))
        return below

    def _descend(
        self, node: _Node[T], segments: list[str], index: int, values: list[str]
    ) -> tuple[Route[T], list[str]] | None:
        if index == len(segments):
            return None if node.route is None else (node.route, values)
        segment = segments[index]
        below = node.literals.get(segment)
        if below is not None:
            found = self._descend(below, segments, index + 1, values)
            if found is not None:
                return found
        for pattern, below in node.patterns:
            matched = pattern.fullmatch(segment)
            if matched is not None:
                found = self._descend(below, segments, index + 1, [*values, *matched.groups()])
                if found is not None:
                    return found
        return None
