"""Loading of a contract file: YAML or JSON to values, with the line of every element for messages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mockserver.contract.source import cache, remote, yaml
from mockserver.contract.source.positions import JsonLines
from mockserver.errors import ContractError
from mockserver.http import json
from mockserver.http.pointers import child, split

_BRACE = re.compile(r"\s*\{")
#: A contract larger than this is refused rather than read into memory by accident.
MAX_BYTES = 64 * 1024 * 1024
#: Where the other files of a contract are put (bundling.py); never written by a person.
FILES = "x-mockserver-files"
#: Names of the main file in a directory, in the order in which they are tried.
_FIRST_FILES = tuple(f"{stem}.{end}" for stem in ("openapi", "swagger") for end in ("yaml", "yml", "json"))


@dataclass(frozen=True)
class Layer:
    """Overlay that was applied to a document, with the places of the values that it added.

    Attributes:
        path: its file, as the user named it.
        text: the file's text.
        places: pointer in the document to pointer in the overlay, of each value that the overlay added.
    """

    path: Path
    text: str
    places: Mapping[str, str]

    @cached_property
    def lines(self) -> Mapping[str, int]:
        """Line, from 1, of the element at each JSON pointer of the overlay."""
        return yaml.lines(self.text)

    def locate(self, parts: Sequence[str]) -> int | None:
        """Return the overlay's line of the document's element at a path, None if the overlay did not add it."""
        for depth in range(len(parts), -1, -1):
            brought = self.places.get(child("", *parts[:depth]))
            found = None if brought is None else self.lines.get(child(brought, *parts[depth:]))
            if found is not None:
                return found
        return None


@dataclass(frozen=True)
class Document:
    """Contract file as parsed JSON values, with its text, overlays and the other files that it refers to.

    Attributes:
        path: the file, as the user named it.
        text: the file's text.
        data: its root object, after all overlays; keys are always text.
        sha256: hexadecimal digest of the file's bytes, and of those of its overlays.
        layers: the overlays, in the order in which they were applied.
        notes: hints about the overlays for people, a line each.
        moved: pointer in `data` to pointer in the file, of elements that the upgrade moved with everything below them.
        files: the other files of the contract, the items of `x-mockserver-files` in `data`.
        warnings: pointers and messages of references to files that could not be read.
    """

    path: Path
    text: str
    data: dict[str, Any]
    sha256: str
    layers: tuple[Layer, ...] = ()
    notes: tuple[str, ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Document, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()

    @cached_property
    def _lines(self) -> Mapping[str, int]:
        return yaml.lines(self.text)

    @cached_property
    def _json(self) -> JsonLines:
        return JsonLines(self.text)

    def _line(self, parts: Sequence[str]) -> int | None:
        """Return the line in the file of the element at a path, None if the file has no such element."""
        if _BRACE.match(self.text):
            try:
                return self._json.line(parts)
            except (ValueError, RecursionError):
                pass  # a YAML flow mapping also starts with a brace
        return self._lines.get(child("", *parts))

    def locate(self, pointer: str) -> int:
        """Return the line, from 1, of the element at a JSON pointer, or of its nearest existing ancestor."""
        return self.where(pointer)[1]

    def where(self, pointer: str) -> tuple[Path, int]:
        """Return file and line, from 1, of the element at a JSON pointer, or of its nearest existing ancestor.

        Lines of items after one that an overlay removed from an array are those before the removal.
        """
        parts = self._original(split(pointer))
        if self.files and parts[:1] == [FILES] and len(parts) > 1:
            return self.files[int(parts[1])].where(child("", *parts[2:]))
        while parts:
            for layer in reversed(self.layers):
                brought = layer.locate(parts)
                if brought is not None:
                    return layer.path, brought
            found = self._line(parts)
            if found is not None:
                return self.path, found
            parts.pop()
        return self.path, 1

    def _original(self, parts: list[str]) -> list[str]:
        """Return the path in the file of an element that the upgrade from OpenAPI 2.0 moved."""
        for depth in range(len(parts) if self.moved else 0, 0, -1):
            old = self.moved.get(child("", *parts[:depth]))
            if old is not None:
                return [*split(old), *parts[depth:]]
        return parts

    def mentions(self, pattern: re.Pattern[str]) -> set[str]:
        """Return all matches of a regular expression in the text of the files and of their overlays."""
        texts = [self.text, *(layer.text for layer in self.layers), *(file.text for file in self.files)]
        return {word for text in texts for word in pattern.findall(text)}


def load(path: Path | str, *, option: str = "--contract") -> Document:
    """Return the document in a YAML or JSON file; messages name `option` as the option to check.

    Raises:
        ContractError: not readable, not UTF-8, not YAML or JSON, too large, too deep, or not an object.
    """
    start = "an OpenAPI document starts with `openapi: 3.1.0`" if option == "--contract" else "check " + option
    path, raw = _read(path, option)
    if len(raw) > MAX_BYTES:
        raise ContractError(f"{path}: larger than {MAX_BYTES // 2**20} MiB; split the {option.lstrip('-')}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ContractError(f"{path}:{line}: is not UTF-8 text; save it as UTF-8") from error
    data = _parse(path, text)
    if not isinstance(data, dict):
        raise ContractError(f"{path}: is not an object; {start}")
    return Document(path, text, data, hashlib.sha256(raw).hexdigest())


def _read(path: Path | str, option: str) -> tuple[Path, bytes]:
    """Return the path of the file to load and its content, at most one byte more than MAX_BYTES."""
    url = remote.url_of(path)
    if url is not None:
        return Path(url), remote.fetch(url, MAX_BYTES)
    path = Path(path)
    try:
        if path.is_dir():
            path = _first_file(path, option)
        with path.open("rb") as file:
            return path, file.read(MAX_BYTES + 1)  # bounded: the file may be a device that never ends
    except OSError as error:
        raise ContractError(f"{path}: cannot be read: {error.strerror}; check {option}") from error


def _first_file(folder: Path, option: str) -> Path:
    """Return the main file of a contract in a directory, such as `openapi.yaml`."""
    for name in _FIRST_FILES if option == "--contract" else ():
        if (folder / name).is_file():
            return folder / name
    missing = f" without {_FIRST_FILES[0]} or {_FIRST_FILES[-1]}" if option == "--contract" else ""
    raise ContractError(f"{folder}: is a directory{missing}; name the {option.lstrip('-')}'s file")


def parse_yaml(path: Path, text: str) -> Any:
    """Return the value of a YAML text, within the limits on contracts.

    Raises:
        ContractError: not YAML, a key twice, or nested beyond the limits; names file and line.
    """
    try:
        return yaml.parse(path, text)
    except ValueError as error:
        raise ContractError(str(error)) from error


def write_yaml(data: Any) -> str:
    """Return JSON data as YAML text that people can read and `parse_yaml` can parse."""
    return yaml.write(data)


def _parse(path: Path, text: str) -> Any:
    if text.lstrip()[:1] == "{":
        try:
            data = json.decode_exactly(text.encode())
        except ValueError:
            pass  # a YAML flow mapping also starts with a brace, and PyYAML's message knows the line
        else:
            if _is_deep(data):
                raise ContractError(f"{path}: is nested deeper than {yaml.MAX_DEPTH} levels")
            return data
    # Only contracts are cached: seed data and identities hold secrets, which must not be in another file.
    known = cache.find(text)
    if known is not None:
        return known
    data = parse_yaml(path, text)
    cache.keep(text, data)
    return data


def _is_deep(data: Any) -> bool:
    """Tell whether JSON data is nested deeper than the limit."""
    level = [data] if isinstance(data, dict | list) else []
    for _ in range(yaml.MAX_DEPTH):
        level = [
            item
            for held in level
            for item in (held.values() if isinstance(held, dict) else held)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True
