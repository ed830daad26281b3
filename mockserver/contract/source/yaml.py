"""YAML as contracts and seed data use it: parsing to JSON values, writing, and the line of every element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mockserver.http.json import excerpt
from mockserver.http.pointers import child

#: Limit of nesting; parsers and validators recurse.
MAX_DEPTH = 200
#: A document whose anchors expand to more values than this is refused ("billion laughs").
MAX_VALUES = 5_000_000

# libyaml's composer recurses in C and crashes the process at some ten thousand levels, so text that may be nested
# that deep is refused before it is composed. Both bounds are coarse; MAX_DEPTH is the exact one.
_DEEP_INDENT = re.compile(r"^[ \t?-]{2000}", re.MULTILINE)
_MAX_BRACKETS = 2000

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it


class _NestedTooDeep(Exception):  # noqa: N818 - leaves this module as a ValueError
    """YAML text is nested too deep to be parsed; the message is its line."""


class _Loader(_Base):  # type: ignore[misc]  # the base is chosen at run time
    """PyYAML loader of YAML 1.2 core scalars only (OpenAPI 3.1, section 4.3): no dates, no yes/no, no octal 0777."""


def _construct_int(_loader: Any, node: yaml.ScalarNode) -> int:
    return int(node.value)


def _construct_float(_loader: Any, node: yaml.ScalarNode) -> float:
    return float(node.value)


def _construct_mapping(loader: Any, node: yaml.MappingNode) -> dict[str, Any]:
    """Return a mapping with string keys; raises ConstructorError for a duplicate key, which PyYAML allows."""
    own: set[str] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be text", key_node.start_mark)
        if key_node.value in own and key_node.tag != "tag:yaml.org,2002:merge":
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {excerpt(key_node.value)} occurs twice in one mapping", key_node.start_mark
            )
        own.add(key_node.value)
    loader.flatten_mapping(node)  # puts merged members first, so that own ones win
    # Status codes are often written as numbers; in OpenAPI every key is text.
    return {str(key.value): loader.construct_object(value, deep=True) for key, value in node.value}


_TAG = "tag:yaml.org,2002:"
_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    ("merge", r"^<<$", ["<"]),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(_pattern), _first)
# Whatever has no constructor here (!!binary, !!set, !!timestamp) is no JSON value and refused with its line.
_Loader.yaml_constructors = {
    key: constructor
    for key, constructor in _Base.yaml_constructors.items()
    if key in {None, *(_TAG + name for name in ("null", "bool", "str", "seq"))}
} | {_TAG + "int": _construct_int, _TAG + "float": _construct_float, _TAG + "map": _construct_mapping}


def parse(path: Path, text: str) -> Any:
    """Return the value of a YAML text (JSON is YAML); `path` is for messages.

    Raises:
        ValueError: not YAML, a key twice, or nested beyond the limits; names file and line.
    """
    try:
        _refuse_deep_text(text)
        loader = _Loader(text)
        try:
            data = loader.get_single_data()
        finally:
            loader.dispose()
    except _NestedTooDeep as error:
        raise ValueError(f"{path}:{error}: is nested deeper than {MAX_DEPTH} levels; flatten it with $ref") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ValueError(f"{path}:{line}: {_reason(error, text, line)}") from error
    except yaml.reader.ReaderError as error:
        line = _line_of_unprintable(text)
        raise ValueError(f"{path}:{line}: is not valid YAML: {error.reason}") from error
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{path}: is nested too deep or holds a value out of range: {error}") from error
    depth, values = measure(data)
    if depth > MAX_DEPTH:
        raise ValueError(f"{path}: is nested deeper than {MAX_DEPTH} levels; flatten it with $ref")
    if "*" in text and "&" in text and values > MAX_VALUES:
        raise ValueError(f"{path}: its anchors expand to more than {MAX_VALUES} values; write fewer aliases")
    return data


class _Dumper(yaml.SafeDumper):
    """PyYAML dumper for readable output: block style, literal blocks for texts of several lines, no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Write a value that occurs twice in full each time, without an anchor."""
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_TAG + "str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def write(data: Any) -> str:
    """Return JSON data as readable YAML text, members in their order."""
    return str(
        yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False)
    )


def lines(text: str) -> dict[str, int]:
    """Return the line, from 1, of the element at each JSON pointer; text that is not YAML has only the root."""
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except (yaml.YAMLError, RecursionError):
        return {"": 1}
    found: dict[str, int] = {}
    pending: list[tuple[str, yaml.Node, int]] = [("", root, 1)] if root is not None else []
    while pending:
        pointer, node, line = pending.pop()
        found[pointer] = line
        pending.extend(_below(pointer, node))
        if len(found) > MAX_VALUES:
            break
    return found


def measure(data: Any) -> tuple[int, int]:
    """Return depth and number of values of JSON data; a value that several YAML anchors share counts each time."""
    known: dict[int, tuple[int, int]] = {}

    def visit(value: Any, above: int) -> tuple[int, int]:
        if not isinstance(value, dict | list):
            return 0, 1
        if id(value) not in known:
            if above > MAX_DEPTH:
                return 1, 1
            sizes = [visit(item, above + 1) for item in (value.values() if isinstance(value, dict) else value)]
            known[id(value)] = (
                1 + max((depth for depth, _ in sizes), default=0),
                1 + sum(count for _, count in sizes),
            )
        return known[id(value)]

    return visit(data, 0)


def _refuse_deep_text(text: str) -> None:
    found = _DEEP_INDENT.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise _NestedTooDeep(line)
    if text.count("[") + text.count("{") > _MAX_BRACKETS:
        # The parser's events come one by one, so nesting cannot hurt it. Only such text pays for reading it twice.
        level = 0
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                level += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                level -= 1
            if level > MAX_DEPTH:
                raise _NestedTooDeep(event.start_mark.line + 1 if event.start_mark else 1)


def _reason(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    """Return the reason why a text is not valid YAML, with a remedy where one is known."""
    problem = str(error.problem or error.context)
    if "nesting depth" in problem:  # libyaml's own limit, in versions that have one
        return f"is nested deeper than {MAX_DEPTH} levels; flatten it with $ref"
    if "cannot start any token" in problem and any("\t" in one for one in text.split("\n")[line - 1 : line]):
        problem = "found a tab where only spaces are allowed; indent with spaces"
    return f"is not valid YAML: {problem}"


def _line_of_unprintable(text: str) -> int:
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    return 1 if found is None else text.count("\n", 0, found.start()) + 1


def _below(pointer: str, node: yaml.Node) -> Iterator[tuple[str, yaml.Node, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield child(pointer, key.value), value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield child(pointer, str(number)), item, item.start_mark.line + 1
