"""Commands that repeat an exchange with the calls before it; identifiers that the server makes are read from responses.

ID=$(curl -s -X POST -d '{}' http://127.0.0.1:8080/things | python3 -c '...["id"]')
curl -i -X GET http://127.0.0.1:8080/things/"$ID"
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from mockserver.suite.target.exchange import Exchange, NotJSON, WireRequest, WireResponse, is_json
from mockserver.suite.verdicts.creations import likeliness, scalars


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier that one step's response shows and later steps name in their paths.

    Attributes:
        variable: the shell variable that holds it.
        filter: the command that reads it from the response.
        head: whether that command needs the response's header fields.
        text: the value that it had in this run.
    """

    variable: str
    filter: str
    head: bool
    text: str


def threaded(steps: Sequence[Exchange]) -> dict[int, Identifier]:
    """Return the identifiers that steps make for later ones, by the number of the step."""
    found: dict[int, Identifier] = {}
    known: set[str] = set()
    for number, step in enumerate(steps[:-1]):
        if step.response is None or not step.response.successful:
            continue
        later = {segment for after in steps[number + 1 :] for segment in _segments(after.request)}
        wanted = later - set(_segments(step.request)) - known
        made = _identifier(step, wanted, f"ID{len(found) + 1}" if found else "ID")
        if made is not None:
            found[number] = made
            known.add(made.text)
    return found


def with_variables(request: WireRequest, known: Mapping[str, str]) -> str:
    """Return the path of a request with identifiers replaced by their variables, given by the identifiers."""
    path, mark, query = request.path.partition("?")
    segments = (f"${known[name]}" if (name := unquote(segment)) in known else segment for segment in path.split("/"))
    return "/".join(segments) + mark + query


def _identifier(step: Exchange, wanted: set[str], variable: str) -> Identifier | None:
    response, body = step.response, step.request.body or b""
    assert response is not None
    # What the request sent is the same when it is sent again.
    wanted = {name for name in wanted if name.encode("utf-8", "surrogatepass") not in body}
    for path, text in _shown(response):
        # A text that has to be escaped in a path would have to be escaped by the shell.
        if text in wanted and quote(text, safe="") == text:
            place = "".join(f"[{_literal(str(name))}]" for name in path)
            code = f"import json,sys; print(json.load(sys.stdin){place})"
            return Identifier(variable, f"python3 -c {shlex.quote(code)}", head=False, text=text)
    location = urlsplit(response.field("location") or "").path.rstrip("/").rpartition("/")[2]
    if location in wanted and quote(location, safe="") == location:
        code = r"s|^[Ll]ocation:.*/\([^/[:space:]]\{1,\}\)/*[[:space:]]*$|\1|p"
        return Identifier(variable, f"sed -n {shlex.quote(code)}", head=True, text=location)
    return None


def _literal(name: str) -> str:
    """Return a name as a Python literal, in double quotes where that says the same: the shell's are single ones."""
    return json.dumps(name) if name.isascii() else repr(name)


def _shown(response: WireResponse) -> list[tuple[tuple[str | int, ...], str]]:
    if not is_json(response.media_type):
        return []
    try:
        return sorted(scalars(response.json()), key=lambda found: (likeliness(found[0]), len(found[0])))
    except NotJSON:
        return []


def _segments(request: WireRequest) -> list[str]:
    return [unquote(segment) for segment in request.path.partition("?")[0].split("/") if segment]
