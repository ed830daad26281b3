"""HAR 1.2 report: all exchanges of a run with secrets masked, for tools that read browser recordings."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mockserver.suite.reports.json_report import Document
from mockserver.suite.reports.page import INVISIBLE
from mockserver.suite.target.exchange import Exchange

#: So many bytes of exchanges are kept; a run of an hour must not fill the disk.
MAX_BYTES = 64 * 1024 * 1024


def as_har(document: Document, recording: Recording | None = None) -> Iterator[str]:
    """Yield the report as HAR in parts: the exchanges of the run, then the evidence of each finding.

    Without a recording, as for merged reports, it holds the evidence only.
    """
    run = document["run"]
    kept = recording.kept if recording else 0
    count = recording.count if recording else run["requests"]
    comment = f"{kept} of {count} exchanges, then the evidence of {len(document['findings'])} findings. " + (
        f"The rest did not fit into {MAX_BYTES // 2**20} MiB. " if recording and kept < count else ""
    )
    head = {
        "version": "1.2",
        "creator": {"name": "mockserver", "version": str(document["version"])},
        "comment": comment + "Secrets are masked, and long content is cut.",
    }
    yield json.dumps({"log": head}, ensure_ascii=False, indent=1).rstrip("}\n ") + ',\n  "entries": ['
    comma = "\n"
    for entry in _entries(document, recording):
        yield comma + escaped(json.dumps(entry, ensure_ascii=False))
        comma = ",\n"
    yield "\n]}}\n"


def escaped(text: str) -> str:
    """Return a JSON text in which control and invisible characters of strings are escaped."""
    return INVISIBLE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _entries(document: Document, recording: Recording | None) -> Iterator[dict[str, Any]]:
    target = document["run"]["target"]
    if recording is not None:
        origin = f"{urlsplit(target).scheme}://{urlsplit(target).netloc}"
        for shown in recording.exchanges():
            started = datetime.fromtimestamp(shown["started"], UTC).isoformat(timespec="milliseconds")
            yield _entry(shown, origin, started, shown["seconds"] * 1000, shown["label"])
    for finding in document["findings"]:
        if finding["request"] is not None:
            comment = f"{finding['level']} {finding['id']}: {finding['title']} [{finding['check']}]"
            yield _entry(finding, target, document["run"]["started"], 0, comment)


def _entry(shown: Mapping[str, Any], base: str, started: str, milliseconds: float, comment: str) -> dict[str, Any]:
    return {
        "startedDateTime": started,
        "time": round(milliseconds, 3),
        "request": _request(shown["request"], base),
        "response": _response(shown["response"]),
        "cache": {},
        "timings": {"send": 0, "wait": round(milliseconds, 3), "receive": 0},
        "comment": comment,
    }


def _request(request: Mapping[str, Any], base: str) -> dict[str, Any]:
    url, body = base + request["path"], request["body"]
    made = {
        "method": request["method"],
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(request["headers"].items()),
        "queryString": _pairs(parse_qsl(urlsplit(url).query, keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": 0 if body is None else len(body.encode("utf-8", "surrogatepass")),
    }
    if body is not None:
        made["postData"] = {"mimeType": _field(request["headers"], "content-type"), "params": [], "text": body}
    return made


def _response(response: Mapping[str, Any] | None) -> dict[str, Any]:
    if response is None or "problem" in response:
        # Browsers write status 0 where there was no response.
        response = {
            "status": 0,
            "headers": {},
            "body": "",
            "problem": response["problem"] if response else "no response",
        }
    size = len(response["body"].encode("utf-8", "surrogatepass"))
    headers = response["headers"]
    return {
        "status": response["status"],
        "statusText": _phrase(response["status"]),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers.items()),
        "content": {"size": size, "mimeType": _field(headers, "content-type"), "text": response["body"]},
        "redirectURL": _field(headers, "location"),
        "headersSize": -1,
        "bodySize": size,
        "comment": response.get("problem", ""),
    }


def _pairs(items: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in items]


def _field(headers: Mapping[str, str], wanted: str) -> str:
    return next((value for name, value in headers.items() if name.lower() == wanted), "")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


class Recording:
    """Recorder that keeps exchanges in a temporary file, one JSON text a line.

    Attributes:
        count: how many exchanges there were.
        kept: how many of them are kept.
    """

    def __init__(self, show: Callable[[str, Exchange], dict[str, Any]]) -> None:
        self.count = 0
        self.kept = 0
        self._show = show
        self._bytes = 0
        self._lock = threading.Lock()
        # Gone with the process, however that ends.
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 - closed below

    def __call__(self, label: str, exchange: Exchange, seconds: float) -> None:
        """Add an exchange to the recording, with secrets masked, unless the size limit is reached."""
        with self._lock:
            self.count += 1
            if self._bytes > MAX_BYTES:
                return
            started = datetime.now(UTC).timestamp() - seconds
            shown = self._show(label, exchange)
            line = json.dumps({**shown, "started": started, "seconds": round(seconds, 6)}, ensure_ascii=False) + "\n"
            self._file.write(line)
            self._bytes += len(line)
            self.kept += 1

    def exchanges(self) -> Iterator[dict[str, Any]]:
        """Yield the recorded exchanges in order: `{label, request, response, started, seconds}`."""
        with self._lock:
            self._file.seek(0)
            for line in self._file:
                yield json.loads(line)

    def close(self) -> None:
        """Close and so delete the temporary file."""
        self._file.close()
