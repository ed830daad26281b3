"""File to document: YAML or JSON, with the line of every element for messages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mockserver import documents, yamltext
from mockserver.errors import ContractError
from mockserver.pointers import child, split

#: A contract larger than this is refused rather than read into memory by accident.
MAX_BYTES = 64 * 1024 * 1024


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
            self._lines.update(yamltext.lines(self.text))
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
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)  # bounded: the file may be a device that never ends
    except OSError as error:
        raise ContractError(f"{path}: cannot be read: {error.strerror}; check --contract") from error
    if len(raw) > MAX_BYTES:
        raise ContractError(f"{path}: larger than {MAX_BYTES // 2**20} MiB; split the contract")
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
    """Return the value of YAML text, with the rules and limits of contracts.

    Raises:
        ContractError: not YAML, a key twice, or nested beyond the limits; names file and line.
    """
    try:
        return yamltext.parse(path, text)
    except ValueError as error:
        raise ContractError(str(error)) from error


def _parse(path: Path, text: str) -> Any:
    if text.lstrip()[:1] == "{":
        try:
            data = documents.decode_exactly(text.encode())
        except ValueError:
            pass  # a YAML flow mapping also starts with a brace, and PyYAML's message knows the line
        else:
            if yamltext.measure(data)[0] > yamltext.MAX_DEPTH:
                raise ContractError(f"{path}: is nested deeper than {yamltext.MAX_DEPTH} levels")
            return data
    return parse_yaml(path, text)
