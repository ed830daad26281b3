"""Streams are read for a while, judged item by item, and closed; what is wrong with one is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.suite.target import sender
from mockserver.suite.target.framing import Listening
from tests.faults.small import commanded

_TICK = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["tick", "tock"]},
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": _TICK},
    },
}
_EVENTS, _LINES, _RECORDS = "text/event-stream", "application/jsonl", "application/json-seq"
_PARTS = "multipart/x-mixed-replace"
_PART = b'--cut\r\nContent-Type: application/json\r\n\r\n{"n": 1}\r\n'

#: Media type, what it is documented by, what comes again and again (once where it ends), and the check that fails.
_STREAMS: dict[str, tuple[str, dict[str, Any], bytes, bool, str]] = {
    "data": (_EVENTS, {"schema": _TICK}, b': here\n\ndata: {"n": 1}\n\n', False, ""),
    "data-crlf": (_EVENTS, {"schema": _TICK}, b'\xef\xbb\xbfid:1\r\ndata:{"n":\r\ndata:1}\r\n\r\n', True, ""),
    "last-words": (_EVENTS, {"schema": _TICK}, b'data: {"n": 1}\n\ndata: [DONE]\n\n', True, ""),
    "no-events": (_EVENTS, {"schema": _TICK}, b"", True, ""),
    "list-of-data": (_EVENTS, {"schema": {"type": "array", "items": _TICK}}, b'data: {"n": 1}\n\n', True, ""),
    "text": (_EVENTS, {"schema": {"type": "string"}}, b"data: all\n\n", True, ""),
    "events": (_EVENTS, {"itemSchema": _EVENT}, b'event: tick\ndata: {"n": 1}\n\n', False, ""),
    "lines": (_LINES, {"itemSchema": _TICK}, b'{"n": 1}\n\n{"n": 2}\n', False, ""),
    "lines-by-schema": (_LINES, {"schema": _TICK}, b'{"n": 1}\n{"n": 2}', True, ""),
    "records": (_RECORDS, {"itemSchema": _TICK}, b'\x1e{"n": 1}\n', False, ""),
    "parts": (_PARTS, {"itemSchema": _TICK}, _PART, False, ""),
    "wrong-data": (_EVENTS, {"schema": _TICK}, b'data: {"n": "1"}\n\n', False, "stream_items_conform_to_their_schema"),
    "wrong-event": (
        _EVENTS,
        {"itemSchema": _EVENT},
        b'event: tack\ndata: {"n": 1}\n\n',
        True,
        "stream_items_conform_to_their_schema",
    ),
    "wrong-content": (
        _EVENTS,
        {"itemSchema": _EVENT},
        b'event: tick\ndata: {"n": "x"}\n\n',
        False,
        "stream_items_conform_to_their_schema",
    ),
    "wrong-line": (_LINES, {"itemSchema": _TICK}, b'{"n": 1}\n{}\n', False, "stream_items_conform_to_their_schema"),
    "wrong-part": (
        _PARTS,
        {"itemSchema": _TICK},
        _PART.replace(b"1", b"null"),
        False,
        "stream_items_conform_to_their_schema",
    ),
    "broken-event": (
        _EVENTS,
        {"schema": _TICK},
        b'data: {"n": 1}\n\ndata: {"n"',
        True,
        "body_is_what_its_content_type_says",
    ),
    "no-fields": (_EVENTS, {"schema": _TICK}, b'{"n": 1}\n', False, "body_is_what_its_content_type_says"),
    "latin-1": (_EVENTS, {"schema": {"type": "string"}}, b"data: \xe9\n\n", True, "body_is_what_its_content_type_says"),
    "array-of-lines": (
        _LINES,
        {"schema": _TICK},
        b'[{"n": 1},\n{"n": 2}]\n',
        True,
        "body_is_what_its_content_type_says",
    ),
    "broken-line": (_LINES, {"schema": _TICK}, b'{"n": 1}\n{"n"', True, "body_is_what_its_content_type_says"),
    "no-separators": (_RECORDS, {"schema": _TICK}, b'{"n": 1}\n', True, "body_is_what_its_content_type_says"),
    "parts-without-end": (_PARTS, {"itemSchema": _TICK}, _PART, True, "body_is_what_its_content_type_says"),
}


def _paths() -> dict[str, Any]:
    return {
        f"/{name}": {"get": {"responses": {"200": {"description": "", "content": {media_type: documented}}}}}
        for name, (media_type, documented, *_) in _STREAMS.items()
    }


def _streaming(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    name = environ["PATH_INFO"].strip("/")
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or name not in _STREAMS:
        start_response("404 Not Found", [])
        return [b""]
    media_type, _, content, ends, _ = _STREAMS[name]
    boundary = "; boundary=cut" if media_type == _PARTS else ""
    start_response("200 OK", [("Content-Type", media_type + boundary), ("Connection", "close")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else _parts(content, ends=ends)


def _parts(content: bytes, *, ends: bool) -> Iterator[bytes]:
    yield content
    while not ends:
        time.sleep(0.02)
        yield content


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_streams_are_judged_item_by_item(
    command: str, write_contract: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "STREAMS_SECONDS", 0.0)
    for name in ("USUAL", "_LOOKING", "SHORT"):
        monkeypatch.setattr(sender, name, Listening(0.03, first_byte=name != "SHORT"))
    names = list(_STREAMS) if command == "check" else ["data", "text", "lines", "wrong-data", "broken-line"]
    more: dict[str, Any] = {"max_examples": 2} if command == "fuzz" else {}
    only = tuple(f"GET /{name}" for name in names)
    told = commanded(command, _streaming, tmp_path, contract=write_contract(_paths()), only=only, **more)
    assert told.report["run"]["error"] == ""
    found = {(one["operation"], one["check"]) for one in told.report["findings"] if one["level"] == "violation"}
    assert found == {(f"GET /{name}", _STREAMS[name][-1]) for name in names if _STREAMS[name][-1]}
