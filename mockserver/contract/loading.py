"""File to document: YAML or JSON, with the line of every element for messages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml

from mockserver.contract.references import child, split
from mockserver.errors import ContractError

#: A contract larger than this is refused rather than read into memory by accident.
MAX_BYTES = 64 * 1024 * 1024
#: Nesting beyond this is a mistake or an attack; parsers and validators recurse.
MAX_DEPTH = 200

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it


class _Loader(_Base):  # type: ignore[misc]  # the base is chosen at run time
    """YAML 1.2 core scalars, as OpenAPI 3.1 (section 4.3) asks: no dates, no yes/no, no octal 0777."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    ("merge", r"^<<$", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def _construct_int(_loader: Any, node: yaml.ScalarNode) -> int:
    return int(node.value)


def _construct_float(_loader: Any, node: yaml.ScalarNode) -> float:
    return float(node.value)


def _construct_mapping(loader: Any, node: yaml.MappingNode) -> dict[str, Any]:
    """Build a mapping with text keys, refusing duplicates, which YAML forbids and PyYAML lets pass."""
    loader.flatten_mapping(node)
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):
            raise yaml.constructor.ConstructorError(
                None, None, "a mapping key must be text", key_node.start_mark
            )
        # Status codes are often written as numbers; in OpenAPI every key is text.
        name = key if isinstance(key, str) else str(key_node.value)
        if name in mapping:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {name!r} stands twice in one mapping", key_node.start_mark
            )
        mapping[name] = loader.construct_object(value_node, deep=True)
    return mapping


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)
_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)


@dataclass(frozen=True)
class Document:
    """One file as parsed JSON values, with its text to find lines in.

    Attributes:
        path: the file, as the user named it.
        text: the file's text.
        data: its root object; keys are always text.
        sha256: hexadecimal digest of the file's bytes.
    """

    path: Path
    text: str
    data: dict[str, Any]
    sha256: str
    _lines: dict[str, int] = field(default_factory=dict, repr=False)

    def locate(self, pointer: str) -> int:
        """Return the 1-based line of the element at a JSON pointer, or of its nearest existing ancestor."""
        if not self._lines:
            self._lines.update(_line_index(self.text))
        parts = split(pointer)
        while parts:
            found = self._lines.get(child("", *parts))
            if found is not None:
                return found
            parts.pop()
        return 1


def load(path: Path | str) -> Document:
    """Return the document in a YAML or JSON file.

    Raises:
        ContractError: not readable, not UTF-8, not YAML or JSON, too large, too deep, or not an object.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise ContractError(f"{path}: is a directory; name the contract's file")
        if path.stat().st_size > MAX_BYTES:
            raise ContractError(f"{path}: larger than {MAX_BYTES // 2**20} MiB; split the contract")
        raw = path.read_bytes()
    except OSError as error:
        raise ContractError(f"{path}: cannot be read: {error.strerror}; check --contract") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ContractError(f"{path}:{line}: is not UTF-8 text; save it as UTF-8") from error
    data = _parse(path, text)
    if not isinstance(data, dict):
        raise ContractError(f"{path}: holds no object; an OpenAPI document starts with `openapi: 3.1.0`")
    return Document(path, text, data, hashlib.sha256(raw).hexdigest())


def parse_yaml(path: Path, text: str) -> Any:
    """Return the value of YAML text (JSON is YAML), with the rules and limits of contracts.

    Raises:
        ContractError: not YAML, a key twice, or nested beyond the limit; names file and line.
    """
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ContractError(f"{path}:{line}: is not valid YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ContractError(f"{path}: is not valid YAML: {error}") from error
    except (RecursionError, ValueError) as error:
        raise ContractError(f"{path}: is nested too deep or holds a value out of range: {error}") from error
    finally:
        loader.dispose()


def _parse(path: Path, text: str) -> Any:
    if text.lstrip()[:1] == "{":
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass  # a YAML flow mapping also starts with a brace, and PyYAML's message knows the line
    data = parse_yaml(path, text)
    if _depth_exceeds(data, MAX_DEPTH):
        raise ContractError(
            f"{path}: is nested deeper than {MAX_DEPTH} levels (or an anchor contains itself)"
        )
    return data


def _depth_exceeds(value: Any, limit: int) -> bool:
    """Tell whether a value is nested beyond a limit; shared anchors are visited once per depth."""
    level: list[Any] = [value]
    for _ in range(limit):
        unique: dict[int, Any] = {}
        for item in level:
            for inner in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
                if isinstance(inner, dict | list):
                    unique[id(inner)] = inner
        if not unique:
            return False
        level = list(unique.values())
    return True


def _line_index(text: str) -> dict[str, int]:
    """Return the line of each JSON pointer; composed only when a message needs one."""
    lines: dict[str, int] = {}
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
    except (yaml.YAMLError, RecursionError):
        return {"": 1}
    finally:
        loader.dispose()
    stack: list[tuple[str, yaml.Node, int]] = [("", root, 1)] if root is not None else []
    while stack:
        pointer, node, line = stack.pop()
        lines[pointer] = line
        if isinstance(node, yaml.MappingNode):
            stack.extend(
                (child(pointer, key.value), value, key.start_mark.line + 1)
                for key, value in node.value
                if isinstance(key, yaml.ScalarNode)
            )
        elif isinstance(node, yaml.SequenceNode):
            stack.extend(
                (child(pointer, str(number)), item, item.start_mark.line + 1)
                for number, item in enumerate(node.value)
            )
    return lines
