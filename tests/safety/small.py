"""Small contracts, and servers that keep them, for what the built-in one has no case of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

Environ = dict[str, Any]
Fields = list[tuple[str, str]]
#: Takes method, path, query and JSON content, and answers with status, JSON content (None for none) and fields.
Handler = Callable[[str, str, str, Any], "tuple[int, Any, Fields]"]

OBJECT: Mapping[str, Any] = {"application/json": {"schema": {"type": "object"}}}
VALUE = {
    "type": "object",
    "required": ["value"],
    "additionalProperties": False,
    "properties": {"value": {"type": "string", "minLength": 1, "maxLength": 20}},
}
REFUSALS = {status: {"description": "refused", "content": OBJECT} for status in ("400", "404", "405", "415", "422")}


def answers(*statuses: str) -> dict[str, Any]:
    """Return documented responses: an object for each status, nothing for 204, and the usual refusals."""
    found = {status: {"description": "done", **({} if status == "204" else {"content": OBJECT})} for status in statuses}
    return REFUSALS | found


def body(schema: Mapping[str, Any] = VALUE) -> dict[str, Any]:
    """Return a request body."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def setting(name: str, *, resets: bool = False) -> dict[str, Any]:
    """Return the path item of a setting with the operations `read_NAME`, `write_NAME` and `reset_NAME`."""

    def behaviour(role: str) -> dict[str, Any]:
        return {"handler": "setting", "role": role, "resource": name}

    kept = {"description": "now", "content": {"application/json": {"schema": VALUE}}}
    item: dict[str, Any] = {
        "get": {
            "operationId": f"read_{name}",
            "x-mockserver-behaviour": behaviour("read"),
            "responses": {"200": kept, **({"204": {"description": "never set"}} if resets else {})},
        },
        "put": {
            "operationId": f"write_{name}",
            "x-mockserver-behaviour": behaviour("write"),
            "requestBody": body(),
            "responses": {**REFUSALS, "200": kept},
        },
    }
    if resets:
        done = {"204": {"description": "reset"}}
        item["delete"] = {
            "operationId": f"reset_{name}",
            "x-mockserver-behaviour": behaviour("reset"),
            "responses": done,
        }
    return item


def written(folder: Path, paths: Mapping[str, Any], **members: Any) -> str:
    """Write a contract to a folder, and return the option that names it."""
    document = {"openapi": "3.1.0", "info": {"title": "small", "version": "1"}, "paths": paths, **members}
    path = folder / "small.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return f"--contract={path}"


def valid(content: Any) -> bool:
    """Tell whether content is a `VALUE`."""
    text = content.get("value") if isinstance(content, dict) else None
    return isinstance(text, str) and 1 <= len(text) <= 20 and set(content) == {"value"}


def application(handler: Handler) -> Callable[[Environ, Callable[..., Any]], Iterable[bytes]]:
    """Return a WSGI application that reads and writes strict JSON."""

    def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            content = _parsed(environ, raw) if method in {"POST", "PUT", "PATCH"} else None
            status, value, fields = handler(method, path, environ["QUERY_STRING"], content)
        except _Refused as refused:
            status, value, fields = refused.args[0], {}, []
        sent = b"" if value is None else json.dumps(value).encode()
        start_response(f"{status} X", [*fields, *([("Content-Type", "application/json")] if sent else [])])
        return [b"" if method == "HEAD" else sent]

    return answer


class Settings:
    """A handler of settings below `/settings/`, with everything else not there."""

    def __init__(self, *names: str) -> None:
        self.kept: dict[str, Any] = {name: {"value": f"old {name}"} for name in names}

    def __call__(self, method: str, path: str, query: str, content: Any) -> tuple[int, Any, Fields]:  # noqa: ARG002
        found = re.fullmatch(r"/settings/(\w+)", path)
        if found is None or found[1] not in self.kept:
            return 404, {}, []
        return self.answer(method, found[1], content)

    def answer(self, method: str, name: str, content: Any) -> tuple[int, Any, Fields]:
        """Answer a call for a setting."""
        if method == "PUT":
            if not valid(content):
                return 422, {}, []
            self.kept[name] = content
        elif method == "DELETE":
            self.kept[name] = None
            return 204, None, []
        elif method != "GET":
            return 405, {}, [("Allow", "GET, PUT, DELETE")]
        return (204, None, []) if self.kept[name] is None else (200, self.kept[name], [])


class _Refused(Exception):  # noqa: N818 - an answer, not an error
    pass


def _parsed(environ: Environ, raw: bytes) -> Any:
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
        raise _Refused(415)
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise _Refused(400) from error
    return value


def _no_constant(_text: str) -> Any:
    raise ValueError
