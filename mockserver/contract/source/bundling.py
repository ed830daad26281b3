"""Bundling of a contract in several files into one document; the others are put under `x-mockserver-files`.

Each file is read once, at the first reference to it; files may refer to each other in circles. A file that cannot be
read is a warning at the reference, and the rest is served.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urljoin

from mockserver.contract.source import remote
from mockserver.contract.source.loading import FILES, Document, load
from mockserver.errors import ContractError
from mockserver.http.json import excerpt
from mockserver.http.pointers import child, lookup

#: A contract of more files than this is refused: references may generate names without end.
MAX_FILES = 2000
# Nearly every document has no such reference, and then it is not walked.
_OTHER = re.compile(r"""\$ref["']?\s*:\s*(?:[>|][-+]?\s*)?["']?[^\s#"'{\[]""")
#: Distinguishes a location in a discriminator's mapping from the name of a schema.
_LOCATION = re.compile(r"[/#]|\.\w+$")
#: In the URI of a security scheme, by which a requirement may name it (OpenAPI 3.2, section 4.30).
_SCHEME = "#/components/securitySchemes/"
# It begins with a letter that is searched for fast.
_SCHEME_ELSEWHERE = re.compile(r"""#(?<=[^\s"'{\[]#)/components/securitySchemes/""")
#: Keywords whose values are data, in which a `$ref` is a name like any other.
_DATA = frozenset({"example", "default", "enum", "const", "value"})


def bundled(document: Document) -> Document:
    """Return a document with all other files that it refers to included; unchanged if it refers to none.

    Raises:
        ContractError: there are more than MAX_FILES.
    """
    if not document.mentions(_OTHER) and not document.mentions(_SCHEME_ELSEWHERE):
        return document
    bundle = _Bundle(document)
    data = bundle.rewritten()
    if not bundle.files and not bundle.warnings:
        return document
    digest = hashlib.sha256(" ".join([document.sha256, *(file.sha256 for file in bundle.files)]).encode())
    return replace(
        document,
        data=data,
        files=tuple(bundle.files),
        sha256=digest.hexdigest(),
        warnings=tuple(bundle.warnings),
    )


class _Bundle:
    """Files of one contract while they are bundled, with the warnings about files that cannot be read."""

    def __init__(self, root: Document) -> None:
        self._root = root
        self._names = {_canonical(root.path): -1}
        self._bases: dict[str, str] = {}
        self._note_self(root, -1)
        self._identifiers = frozenset[str]()
        self.files: list[Document] = []
        self.warnings: list[tuple[str, str]] = []

    def rewritten(self) -> dict[str, Any]:
        self._identifiers = frozenset(_identifiers(self._root.data))
        data: dict[str, Any] = _File(self, self._root, "").rewritten(self._root.data, "")
        held: list[Any] = []
        while len(held) < len(self.files):  # grows while its references are met
            file = self.files[len(held)]
            prefix = child("", FILES, str(len(held)))
            held.append(_File(self, file, prefix).rewritten(file.data, prefix))
        return {**data, FILES: held} if held else data

    def prefix_of(self, base: Document, name: str) -> str:
        """Return the pointer under which a file is bundled, loading the file if that was not done before.

        Raises:
            ContractError: it cannot be read.
        """
        location = _resolved(base.path, name)
        key = _canonical(location)
        if key not in self._names:
            by_self = self._by_self(base, name)
            if by_self is not None and (by_self in self._names or not _is_file(location)):
                location = key = by_self
        if key not in self._names:
            if len(self.files) >= MAX_FILES:
                raise ContractError(f"{self._root.path}: has more than {MAX_FILES} files; bundle them into one")
            self.files.append(load(location))
            self._names[key] = len(self.files) - 1
            self._note_self(self.files[-1], len(self.files) - 1)
        index = self._names[key]
        return "" if index < 0 else child("", FILES, str(index))

    def _note_self(self, document: Document, number: int) -> None:
        """Note the URI that a file says is its own (`$self`, OpenAPI 3.2, section 4.1): references mean it by that."""
        own = document.data.get("$self")
        url = remote.url_of(own) if isinstance(own, str) else None
        if url is not None:
            self._names.setdefault(url, number)
            self._bases[_canonical(document.path)] = url

    def _by_self(self, base: Document, name: str) -> str | None:
        """Return the URL that a reference in a file means by the file's `$self`, None if the file has none."""
        own = self._bases.get(_canonical(base.path))
        return None if own is None else remote.url_of(urljoin(own, name))

    def identifies(self, name: str) -> bool:
        """Tell whether a reference names the `$id` of a schema in the document, and so no file."""
        return any(name == one or one.endswith("/" + name.lstrip("./")) for one in self._identifiers)

    def has(self, pointer: str) -> bool:
        """Tell whether the main file of the contract has an element at a pointer."""
        return _has(self._root, pointer)


class _File:
    """File of a bundle, with its references rewritten to pointers into the bundle."""

    def __init__(self, bundle: _Bundle, document: Document, prefix: str) -> None:
        self._bundle = bundle
        self._document = document
        self._prefix = prefix
        self._made: dict[int, Any] = {}  # what YAML anchors share stays shared

    def rewritten(self, value: Any, pointer: str) -> Any:
        if not isinstance(value, dict | list):
            return value
        known = self._made.get(id(value))
        if known is None:
            known = self._made[id(value)] = self._copied(value, pointer)
        return known

    def _copied(self, value: Any, pointer: str) -> Any:
        if isinstance(value, list):
            return [self.rewritten(item, child(pointer, str(index))) for index, item in enumerate(value)]
        made = {key: item if key in _DATA else self.rewritten(item, child(pointer, key)) for key, item in value.items()}
        reference, mapping, security = made.get("$ref"), made.get("mapping"), made.get("security")
        if isinstance(security, list):
            made["security"] = [self._requirement(item, pointer) for item in security]
        if isinstance(reference, str):
            made["$ref"] = self._reference(reference, pointer)
        if isinstance(mapping, dict) and "propertyName" in made:
            made["mapping"] = {
                name: self._reference(item, pointer)
                if isinstance(item, str) and re.search(r"[/#]|\.\w+$", item)
                else item
                for name, item in mapping.items()
            }
        return made

    def _requirement(self, item: Any, pointer: str) -> Any:
        """Return a Security Requirement Object in which the URI of a scheme in another file leads into the bundle."""
        if not isinstance(item, dict) or not any(_SCHEME in name for name in item):
            return item
        return {self._reference(name, pointer) if _SCHEME in name else name: scopes for name, scopes in item.items()}

    def _reference(self, reference: str, pointer: str) -> str:
        name, _, fragment = reference.partition("#")
        if not name:
            return self._local(reference, unquote(fragment))
        if self._bundle.identifies(name):
            return reference
        try:
            prefix = self._bundle.prefix_of(self._document, name)
        except ContractError as error:
            if str(MAX_FILES) in str(error):
                raise
            self._bundle.warnings.append(
                (pointer, f"$ref {excerpt(reference)} cannot be followed: {error}; any value is taken there")
            )
            return reference
        return f"#{quote(prefix, safe='/~')}{fragment}"

    def _local(self, reference: str, fragment: str) -> str:
        if not self._prefix or (fragment and not fragment.startswith("/")):
            return reference
        # In parts of a contract, `#/components/...` often means the main file.
        if not _has(self._document, fragment) and self._bundle.has(fragment):
            return reference
        return f"#{self._prefix}{reference[1:]}"


def _has(document: Document, pointer: str) -> bool:
    try:
        lookup(document.data, pointer)
    except LookupError:
        return False
    return True


def _resolved(base: Path | str, name: str) -> Path | str:
    """Return the path or URL of the file that a reference in another file names."""
    url = remote.url_of(base)
    if url is not None:
        return urljoin(url, name)
    return name if remote.url_of(name) else Path(base).parent / unquote(name.removeprefix("file://"))


def _is_file(location: Path | str) -> bool:
    return remote.url_of(location) is None and Path(location).is_file()


def _canonical(location: Path | str) -> str:
    return remote.url_of(location) or str(Path(location).resolve())


def _identifiers(data: Any) -> set[str]:
    found: set[str] = set()
    pending, seen = [data], set[int]()
    while pending:
        value = pending.pop()
        if not isinstance(value, dict | list) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict) and isinstance(value.get("$id"), str):
            found.add(value["$id"].rstrip("#"))
        pending.extend(value.values() if isinstance(value, dict) else value)
    return found
