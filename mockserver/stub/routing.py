"""Routing: finds the operation for a method and path, in a table of concrete paths and a tree of templated segments.

A route is found under its path and under that path behind the base path of each of its servers. Where several fit, the
one whose path has the most literal text from the left wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import parse_qs, unquote

from mockserver.http.path_templates import PathTemplate, parse_template

T = TypeVar("T")


class _Query(NamedTuple, Generic[T]):
    """An operation whose path in the contract includes a query, such as `/history?format={format}`."""

    method: str
    fixed: dict[str, str]
    free: dict[str, str]
    target: T


class Route(Generic[T]):
    """All targets at one path: one per method, and the names of the path's parameters.

    Attributes:
        names: of the path parameters, by the template that came first.
        queries: what is there only with a certain query; nearly always nothing.
        shared: by method, all targets where there are several; nearly always nothing.
    """

    def __init__(self, template: str) -> None:
        self.template = template
        self.names = parse_template(template).parameters
        self.methods: dict[str, T] = {}
        self.queries: list[_Query[T]] = []
        self.shared: dict[str, list[T]] = {}
        self._named = [self.names]
        self._plain: set[str] = set()

    @property
    def allowed(self) -> tuple[str, ...]:
        """Methods allowed at the route's path, OPTIONS and (with GET) HEAD included (RFC 9110, section 9.1)."""
        implicit = {"OPTIONS", "HEAD"} if "GET" in self.methods else {"OPTIONS"}
        return tuple(sorted(implicit | self.methods.keys()))

    @property
    def allow(self) -> str:
        """Value of the `Allow` field in responses to OPTIONS and in 405 responses (RFC 9110, section 10.2.1)."""
        return ", ".join(self.allowed)

    def add(self, method: str, template: str, query: str, target: T) -> None:
        """Register an operation for a method at this route; of several without a query `methods` has the first."""
        names = parse_template(template).parameters
        if names not in self._named:
            self._named.append(names)
        if query:
            pairs = [pair.partition("=")[::2] for pair in query.split("&")]
            free = {name: free for name, value in pairs if (free := parse_template(value).name)}
            self.queries.append(
                _Query(method, {name: value for name, value in pairs if name not in free}, free, target)
            )
            self.methods.setdefault(method, target)
        elif method not in self._plain:
            self._plain.add(method)
            self.methods[method] = target
        else:
            self.shared.setdefault(method, [self.methods[method]]).append(target)

    def values(self, raw: Sequence[str]) -> dict[str, str]:
        """Return path values by parameter name; a parameter with several names in the contract is listed under each."""
        found = dict(zip(self.names, raw, strict=True))
        for names in self._named[1:]:
            found.update(zip(names, raw, strict=True))
        return found

    def by_query(self, method: str, query: str) -> tuple[T, dict[str, str]] | None:
        """Return the target that a query selects, and the values in its query template; None if there is none."""
        sent = parse_qs(query, keep_blank_values=True)
        best: tuple[int, T, dict[str, str]] | None = None
        for known in self.queries:
            if known.method != method or any(value not in sent.get(name, ()) for name, value in known.fixed.items()):
                continue
            values = {name: sent[key][0] for key, name in known.free.items() if key in sent}
            weight = len(known.fixed) + len(values)
            if weight and (best is None or weight > best[0]):
                best = weight, known.target, values
        return None if best is None else best[1:]


class _Patterns(Generic[T]):
    """The child segments of a routing node that have parameters, indexed by their literal prefix and suffix."""

    __slots__ = ("_by_ends", "_known", "_lengths")

    def __init__(self) -> None:
        self._known: dict[str, _Node[T]] = {}
        self._by_ends: dict[tuple[str, str], list[tuple[re.Pattern[str], _Node[T]]]] = {}
        self._lengths: list[tuple[int, int]] = []

    def child(self, segment: PathTemplate) -> _Node[T]:
        parts = segment.literals
        pattern = "(.+)".join(map(re.escape, parts))
        if pattern not in self._known:
            self._known[pattern] = _Node()
            same = self._by_ends.setdefault((parts[0], parts[-1]), [])
            same.append((re.compile(pattern, re.DOTALL), self._known[pattern]))
            # The segment with the most literal text is tried first: `{id}.json` before `{id}`.
            same.sort(key=lambda item: -len(item[0].pattern.replace("(.+)", "")))
            lengths = {(len(prefix), len(suffix)) for prefix, suffix in self._by_ends}
            self._lengths = sorted(lengths, key=lambda pair: (-sum(pair), pair))
        return self._known[pattern]

    def fitting(self, segment: str) -> Iterator[tuple[_Node[T], tuple[str, ...]]]:
        size = len(segment)
        for before, after in self._lengths:
            for pattern, below in self._by_ends.get((segment[:before], segment[size - after :]), ()):
                matched = pattern.fullmatch(segment)
                if matched is not None:
                    yield below, matched.groups()


class _Node(Generic[T]):
    __slots__ = ("literals", "patterns", "route")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.patterns: _Patterns[T] | None = None
        self.route: Route[T] | None = None


class Router(Generic[T]):
    """All routes of a contract; the time of a look-up does not grow with their number."""

    def __init__(self, targets: Iterable[tuple[str, str, T]], bases: Mapping[str, Sequence[str]] | None = None) -> None:
        """Build a router from (method, path template, target) triples.

        Args:
            targets: what is to be found; a query or fragment of a path is no part of it.
            bases: base paths by path template, such as `/v1`, under which the path is found, too.
        """
        #: Each path template once, without the base paths.
        self.templates: Sequence[str] = ()
        self._concrete: dict[str, Route[T]] = {}
        self._root: _Node[T] = _Node()
        behind: dict[tuple[str, str], Route[T]] = {}
        templates: dict[str, None] = {}
        for method, path, target in targets:
            template, _, query = path.partition("#")[0].partition("?")
            templates[template] = None
            route = self._route(template)
            route.add(method, template, query, target)
            for base in (bases or {}).get(path, ()):
                behind[base, template] = route
        self.templates = tuple(templates)
        for (base, template), route in behind.items():
            self._put(base + template, route)  # after all others: a path that the contract names wins

    @property
    def concrete(self) -> Mapping[str, Route[T]]:
        """Routes without path parameters, by path."""
        return self._concrete

    def match(self, path: str, target: str = "") -> tuple[Route[T], dict[str, str]] | None:
        """Return the route of a path, with raw path values; a concrete path wins over a templated one.

        Args:
            path: percent-decoded.
            target: the request's target as it came, where the server knows it: an encoded slash separates nothing.
        """
        route = self._concrete.get(path)
        if route is not None:
            return route, {}
        segments = path.split("/")[1:]
        if target and "%2f" in target.lower():
            segments = _segments(target, path) or segments
        found = self._descend(self._root, segments, 0, [])
        if found is None:
            return None
        route, values = found
        return route, route.values(values)

    def _route(self, template: str) -> Route[T]:
        if not parse_template(template).parameters:
            return self._concrete.setdefault(template, Route(template))
        node = self._node(template)
        if node.route is None:
            node.route = Route(template)
        return node.route

    def _put(self, template: str, route: Route[T]) -> None:
        if not parse_template(template).parameters:
            self._concrete.setdefault(template, route)
            return
        node = self._node(template)
        if node.route is None:
            node.route = route

    def _node(self, template: str) -> _Node[T]:
        node = self._root
        for segment in parse_template(template).segments:
            if not segment.parameters:
                node = node.literals.setdefault(segment.text, _Node())
            else:
                node.patterns = node.patterns or _Patterns()
                node = node.patterns.child(segment)
        return node

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
        if node.patterns is not None:
            for below, taken in node.patterns.fitting(segment):
                found = self._descend(below, segments, index + 1, [*values, *taken])
                if found is not None:
                    return found
        return None


def _segments(target: str, path: str) -> list[str] | None:
    """Return the decoded path segments of a request target, None if the target does not end with the given path."""
    segments = [unquote(segment) for segment in target.partition("?")[0].split("/")]
    while segments and "/" + "/".join(segments[1:]) != path:
        segments = segments[1:]  # what is before is the world's prefix
    return segments[1:] or None
