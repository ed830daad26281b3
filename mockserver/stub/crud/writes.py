"""Result of a write to an item: JSON patches, merge patches, timestamps, and entity tags."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from mockserver.contract.model import Contract, Operation
from mockserver.contract.resources.shapes import SchemaShape
from mockserver.errors import RequestRejected
from mockserver.http import json

Item = dict[str, Any]

_CREATED = re.compile(
    r"^(created|updated|modified)(_?(at|on|date|time))?$|^(date_?)(created|updated|modified)$", re.IGNORECASE
)


def settable(contract: Contract, operation: Operation) -> frozenset[str]:
    """Return the members of an item that an operation's request content can set."""
    names: set[str] = set()
    for media_type in operation.request_body.content.values() if operation.request_body is not None else ():
        if media_type.schema is not None:
            shape = SchemaShape(contract, [media_type.schema])
            names.update(name for name in shape.names if not _read_only(shape, name))
    return frozenset(names)


def _read_only(shape: SchemaShape, name: str) -> bool:
    member = shape.member(name)
    return member is not None and member.read_only


def stamp(item: Item, base: Item, now: float, *, fresh: bool) -> None:
    """Set an item's members for the time of creation and last change, in the form of the example."""
    for name, example in base.items():
        if not _CREATED.match(name) or (not fresh and name.lower().find("creat") >= 0):
            continue
        if isinstance(example, str) and re.match(r"\d{4}-\d\d-\d\dT", example):
            item[name] = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        elif isinstance(example, int) and not isinstance(example, bool) and example > 10**9:
            item[name] = int(now) * (1000 if example > 10**12 else 1)


def entity_tag(item: Item) -> str:
    """Return the entity tag of an item (RFC 9110, section 8.8.3)."""
    return f'"{hashlib.sha256(json.encode(item)).hexdigest()[:16]}"'


def merge_patched(value: Any, patch: Any) -> Any:
    """Return a value with a JSON Merge Patch applied (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for name, item in patch.items():
        if item is None:
            result.pop(name, None)
        else:
            result[name] = merge_patched(result.get(name), item)
    return result


def json_patched(item: Item, patch: Any) -> Item:
    """Return an item with a JSON Patch applied (RFC 6902).

    Raises:
        RequestRejected: it cannot be applied.
    """
    import jsonpatch  # loaded by those who patch alone

    try:
        result = jsonpatch.apply_patch(item, patch)
    except (
        jsonpatch.JsonPatchException,
        jsonpatch.JsonPointerException,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise RequestRejected(422, "Unprocessable Content", f"the patch cannot be applied: {error}"[:300]) from error
    if not isinstance(result, dict):
        raise RequestRejected(422, "Unprocessable Content", "the patched item is not an object")
    return result
