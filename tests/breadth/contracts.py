"""Documents as they are written: their operations, and what each promises. No code of mockserver has a part in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urldefrag, urljoin

import referencing
from referencing.exceptions import NoSuchResource
from referencing.jsonschema import DRAFT202012
from schemathesis.core.deserialization import deserialize_yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
_MAX_REFERENCES = 32


@dataclass(frozen=True, slots=True)
class Place:
    """A value of a document: the document's URI, the path to the value, and the value."""

    uri: str
    parts: tuple[str, ...]
    value: Any

    def child(self, *names: str) -> Place | None:
        """Return the place of a member, None where it does not stand."""
        value = self.value
        for name in names:
            if not isinstance(value, dict) or name not in value:
                return None
            value = value[name]
        return Place(self.uri, (*self.parts, *names), value)

    @property
    def reference(self) -> str:
        """A `$ref` that leads here from anywhere."""
        pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in self.parts)
        return f"{self.uri}#{quote(pointer)}"


@dataclass(frozen=True, slots=True)
class RawOperation:
    """One method on one path template, as it stands in the document."""

    method: str
    path: str
    place: Place
    path_item: Place

    @property
    def label(self) -> str:
        """Method and path template."""
        return f"{self.method} {self.path}"


class RawDocument:
    """A document and those that it refers to, read by a plain parser."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.uri = path.resolve().as_uri()
        self.data = parse(path)
        self._read: dict[str, Any] = {self.uri: self.data}

    @property
    def version(self) -> str:
        """`2.0`, `3.0` or `3.1`."""
        return str(self.data.get("swagger") or self.data.get("openapi", ""))[:3]

    @cached_property
    def registry(self) -> referencing.Registry[Any]:
        """What plain jsonschema resolves references by."""
        registry: referencing.Registry[Any] = referencing.Registry(retrieve=self._retrieve)  # type: ignore[call-arg]  # made by attrs
        registry = registry.with_resource(self.uri, DRAFT202012.create_resource(self.data))
        schemas = self.data.get("components", {}).get("schemas", {})
        named = [schema for schema in schemas.values() if isinstance(schema, dict) and "$id" in schema]
        if self.version < "3.1":
            return registry
        return registry.with_resources(
            (urljoin(self.uri, schema["$id"]), DRAFT202012.create_resource(schema)) for schema in named
        )

    def follow(self, place: Place | None) -> Place | None:
        """Return a place behind its `$ref`s; None where one leads nowhere."""
        for _ in range(_MAX_REFERENCES):
            if place is None or not isinstance(place.value, dict) or not isinstance(place.value.get("$ref"), str):
                return place
            place = self._target(place)
        return None

    def operations(self) -> Iterator[RawOperation]:
        """Yield every operation under `paths`, in the document's order."""
        for path, value in (self.data.get("paths") or {}).items():
            item = self.follow(Place(self.uri, ("paths", path), value)) if path.startswith("/") else None
            for method in METHODS:
                found = item.child(method) if item else None
                if item is not None and found is not None and isinstance(found.value, dict):
                    yield RawOperation(method.upper(), path, found, item)

    def responses(self, operation: RawOperation) -> Mapping[str, Place]:
        """Return the documented responses by status, each behind its `$ref`."""
        stated = operation.place.value.get("responses")
        if not isinstance(stated, dict):
            return {}
        found = {str(key): self.follow(operation.place.child("responses", key)) for key in stated}
        return {key: place for key, place in found.items() if place is not None and not key.startswith("x-")}

    def content(self, operation: RawOperation, response: Place) -> Mapping[str, Place | None]:
        """Return the documented media types of a response with the schema of each, None for any content."""
        if self.version == "2.0":
            return self._content_of_2(operation, response)
        content = response.value.get("content") or {}
        return {name: self._schema(response.child("content", name)) for name in content}

    def security(self, operation: RawOperation) -> list[dict[str, Any]]:
        """Return the security requirements of an operation, any one of which suffices."""
        return operation.place.value.get("security", self.data.get("security")) or []

    def security_scheme(self, name: str) -> dict[str, Any]:
        """Return a security scheme by its name, {} where there is none."""
        root = Place(self.uri, (), self.data)
        outer = ("securityDefinitions",) if self.version == "2.0" else ("components", "securitySchemes")
        found = self.follow(root.child(*outer, name))
        return found.value if found is not None and isinstance(found.value, dict) else {}

    def _content_of_2(self, operation: RawOperation, response: Place) -> Mapping[str, Place | None]:
        produced = operation.place.value.get("produces") or self.data.get("produces") or ["*/*"]
        examples = response.value.get("examples") or {}
        if "schema" not in response.value:
            return dict.fromkeys(examples)
        return dict.fromkeys([*produced, *examples], response.child("schema"))

    def _schema(self, media_type: Place | None) -> Place | None:
        media_type = self.follow(media_type)
        return media_type.child("schema") if media_type is not None else None

    def _target(self, place: Place) -> Place | None:
        uri, fragment = urldefrag(urljoin(place.uri, place.value["$ref"]))
        try:
            value = self._document(uri)
        except (NoSuchResource, OSError, ValueError):
            return None
        parts = [part.replace("~1", "/").replace("~0", "~") for part in unquote(fragment).split("/")[1:]]
        for part in parts:
            try:
                value = value[int(part)] if isinstance(value, list) else value[part]
            except (LookupError, TypeError, ValueError):
                return None
        return Place(uri, tuple(parts), value)

    def _document(self, uri: str) -> Any:
        if uri not in self._read:
            if not uri.startswith("file:"):
                raise NoSuchResource(uri)
            self._read[uri] = parse(Path(unquote(uri.removeprefix("file://"))))
        return self._read[uri]

    def _retrieve(self, uri: str) -> referencing.Resource[Any]:
        return DRAFT202012.create_resource(self._document(uri))


def parse(path: Path) -> Any:
    """Return the value of a JSON or YAML file; keys and dates are text."""
    return deserialize_yaml(path.read_bytes())


def find(paths: list[Path], only: str = "*") -> list[Path]:
    """Return the documents among files and in directories: each file that says its version, by size."""
    files = [
        file
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.suffix in _SUFFIXES and file.match(only) and _is_document(file)
    ]
    return sorted(files, key=lambda file: (file.stat().st_size, file.name))


def _is_document(path: Path) -> bool:
    """Tell a document from a part of one, which has no version, by its text: parsing all of them takes minutes."""
    text = path.read_bytes()
    return b"swagger" in text or b"openapi" in text
