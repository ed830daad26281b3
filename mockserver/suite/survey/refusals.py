"""Refusals: what an error response says was wrong with a request, whatever framework wrote it.

Understood are lists of errors with a place and a text (pydantic, problem details, JSON:API, LoopBack, express), maps
from a member's name to texts (Django, Rails, Laravel), and plain text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from mockserver.http.pointers import split
from mockserver.suite.target.exchange import NotJSON, WireResponse

#: Limits of what is read.
_MOST, _MOST_TEXT, _DEPTH = 20, 2000, 6
_PLACES = (
    *("loc", "pointer", "instancePath", "dataPath", "propertyPath", "path", "field", "param", "parameter"),
    *("property", "attribute", "key", "fieldName", "field_name", "argument", "name", "target"),
)
_TEXTS = (
    *("msg", "message", "detail", "description", "reason", "errorMessage", "defaultMessage", "error", "title"),
    *("type", "code", "rule", "keyword"),
)
_CONTEXTS = ("ctx", "params", "info", "constraints", "meta", "context", "details")
#: Where a place begins, which is no member.
_BEGINNINGS = frozenset(
    {"body", "query", "path", "header", "headers", "cookie", "$", "#", "data_", "request", "payload"}
)
_TAG = re.compile(r"<[^>]{0,200}>")
_INDEX = re.compile(r"\[(\d+|\*)\]")
_PART = re.compile(r"[./]")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that a server found wrong with a request.

    Attributes:
        place: names of members down to the one that is wrong, or the name of a parameter; () if no place is named.
        text: what is said about it.
        context: limits and the like that come with it, by name.
    """

    place: tuple[str, ...]
    text: str
    context: Mapping[str, Any] = field(default_factory=dict)


def complaints(response: WireResponse, names: Collection[str]) -> list[Complaint]:
    """Return what an error response says was wrong.

    Args:
        response: a 4xx.
        names: of the members and parameters of the request, by which a map of errors is recognised.
    """
    try:
        content = response.json()
    except NotJSON:
        text = _TAG.sub(" ", response.body[:_MOST_TEXT].decode("utf-8", "replace"))
        return [Complaint((), " ".join(text.split()))] if text.strip() else []
    found: dict[tuple[tuple[str, ...], str], Complaint] = {}
    for one in _in_value(content, frozenset(names), 0, ()):
        found.setdefault((one.place, one.text), one)
        if len(found) >= _MOST:
            break
    placed = [one for one in found.values() if one.place]
    return placed + [one for one in found.values() if not one.place]


def _in_value(value: Any, names: frozenset[str], depth: int, within: tuple[str, ...]) -> Iterator[Complaint]:
    if depth > _DEPTH:
        return
    if isinstance(value, str):
        if value.strip():
            yield Complaint(within, value[:_MOST_TEXT])
    elif isinstance(value, list):
        for item in value[:_MOST]:
            yield from _in_value(item, names, depth + 1, within)
    elif isinstance(value, dict):
        yield from _in_object(value, names, depth, within)


def _in_object(
    value: dict[str, Any], names: frozenset[str], depth: int, within: tuple[str, ...]
) -> Iterator[Complaint]:
    place = _place(value)
    texts = [value[name] for name in _TEXTS if isinstance(value.get(name), str)]
    context: Mapping[str, Any] = next((value[name] for name in _CONTEXTS if isinstance(value.get(name), dict)), {})
    place += tuple(
        text for name in ("missingProperty", "additionalProperty") if isinstance(text := context.get(name), str)
    )
    if place and texts:
        limits = {name: member for name, member in value.items() if not isinstance(member, dict | list)}
        lists = {name: member for name, member in value.items() if isinstance(member, list) and name in _ALLOWED}
        yield Complaint(within + place, ". ".join(dict.fromkeys(texts)), {**limits, **lists, **context})
        return
    own = [name for name in value if name in names and isinstance(value[name], str | list | dict)]
    for name, member in value.items():
        if name in own and name not in {"type", "status", "code"}:
            yield from _in_value(member, names, depth + 1, (*within, name))
        elif isinstance(member, dict | list):
            yield from _in_value(member, names, depth + 1, within)
        elif isinstance(member, str) and name in _TEXTS and name not in {"type", "code"}:
            yield Complaint(within, member[:_MOST_TEXT])


def _place(value: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names down to the member that an error is about, () if it names none."""
    source = value.get("source")
    for holder in (source if isinstance(source, dict) else {}, value):
        for name in _PLACES:
            found = holder.get(name)
            if isinstance(found, str) and found.strip():
                return parsed_place(found)
            if isinstance(found, list) and found and all(isinstance(part, str | int) for part in found):
                return _without_beginning([str(part) for part in found])
    return ()


def parsed_place(text: str) -> tuple[str, ...]:
    """Return the names in a place such as `/data/attributes/title`, `body.items[0].name` or `$.size`."""
    if text.startswith(("/", "#/")):
        try:
            return _without_beginning(split(text.removeprefix("#")))
        except ValueError:
            return ()
    return _without_beginning([part for part in _PART.split(_INDEX.sub(r".\1", text)) if part])


def _without_beginning(parts: list[str]) -> tuple[str, ...]:
    while len(parts) > 1 and parts[0] in _BEGINNINGS:
        parts = parts[1:]
    return tuple(part for part in parts if not part.isdigit() and part != "*")


_ALLOWED = ("allowedValues", "allowed", "expected", "permitted", "enum", "values", "options", "choices")
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("taken", r"already|\btaken\b|in use|duplicate|\bunique\b|conflict|\bexists\b"),
        (
            "unknown",
            r"unknown|unexpected|unrecogni[sz]ed|extra|additional|not (allowed|permitted|supported|accepted)|forbidden"
            r"|no such (field|property|key|member)|read.?only|immutable|must not be (set|sent|provided|present)",
        ),
        ("choice", r"one of|valid (values|choices|options)|allowed (values|options)|valid choice|\benum\b|permitted"),
        (
            "missing",
            r"required|missing|not present|absent|is (empty|blank|null|undefined|nil)|(be|not) (blank|empty|null|nil)"
            r"|must (be|have) (provided|set|specified|given|present|defined)|must (contain|include|specify|provide)"
            r"|needs? to be|no \w+ (given|provided|specified|found in)|expected (a|an|the) (key|field|property|member)"
            r"|at least one|not specified|not provided|not given",
        ),
    )
)


def kinds(complaint: Complaint) -> set[str]:
    """Return the kinds of a complaint: `missing`, `unknown`, `choice`, `taken`; a text may say several things."""
    text = complaint.text
    found = {kind for kind, pattern in _KINDS if pattern.search(text)}
    if any(isinstance(complaint.context.get(name), list) for name in _ALLOWED):
        found.add("choice")
    return found


_LISTED = re.compile(
    r"(?:one of|values(?: are| is)?|choices(?: are)?|options(?: are)?|enum(?:eration)?(?: member)?s?|either|permitted)"
    r"\s*:?\s*[\[({]?(?P<list>[^\])}\n]{1,300})",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"['\"`\u2018\u2019\u201c\u201d]([^'\"`\u2018\u2019\u201c\u201d]{1,80})['\"`\u2018\u2019\u201c\u201d]"
)


def choices(complaint: Complaint) -> list[Any]:
    """Return the values that a complaint says are allowed, in its order."""
    for name in _ALLOWED:
        listed = complaint.context.get(name)
        if isinstance(listed, list):
            return list(listed)
        if isinstance(listed, str) and (quoted := _QUOTED.findall(listed)):
            return list(quoted)
    match = _LISTED.search(complaint.text)
    if match is None:
        return []
    text = match["list"]
    quoted = _QUOTED.findall(text)
    if quoted:
        return list(quoted)
    parts = [part.strip(" .;\"'") for part in re.split(r",|\||\bor\b|\band\b", text)]
    return [part for part in parts if part and len(part) <= 60]


_NUMBER = r"(-?\d+(?:\.\d+)?)"
_AT_LEAST = re.compile(
    rf"(?:>=|at least|minimum(?: of| is| value)?|greater than or equal(?: to)?|no less than|not (?:be )?less than|"
    rf"min(?:imum)?[ _]?(?:length|items|value)?|fewer than|shorter than)\D{{0,20}}?{_NUMBER}",
    re.IGNORECASE,
)
_ABOVE = re.compile(rf"(?:>|greater than|more than|larger than|above|exceed)\s*{_NUMBER}", re.IGNORECASE)
_AT_MOST = re.compile(
    rf"(?:<=|at most|maximum(?: of| is| value)?|less than or equal(?: to)?|no more than|"
    rf"not (?:be )?(?:more|greater) than|not exceed|up to|"
    rf"max(?:imum)?[ _]?(?:length|items|value)?|longer than)\D{{0,20}}?{_NUMBER}",
    re.IGNORECASE,
)
_BELOW = re.compile(rf"(?:<|less than|smaller than|below|under)\s*{_NUMBER}", re.IGNORECASE)
_BETWEEN = re.compile(rf"between\s+{_NUMBER}\s+(?:and|to|-)\s+{_NUMBER}", re.IGNORECASE)
_LOW = ("ge", "min", "minimum", "min_length", "minLength", "min_items", "limit_value", "minItems")
_HIGH = ("le", "max", "maximum", "max_length", "maxLength", "max_items", "maxItems")


def bounds(complaint: Complaint) -> tuple[float | None, float | None]:
    """Return the least and the greatest number, length or count that a complaint names, None where it names none."""
    context = {name: value for name, value in complaint.context.items() if isinstance(value, int | float)}
    low = next((float(context[name]) for name in _LOW if name in context), None)
    high = next((float(context[name]) for name in _HIGH if name in context), None)
    low = float(context["gt"]) + 1 if low is None and "gt" in context else low
    high = float(context["lt"]) - 1 if high is None and "lt" in context else high
    text = complaint.text
    if (both := _BETWEEN.search(text)) is not None:
        return float(both[1]), float(both[2])
    if low is None and (least := _AT_LEAST.search(text)) is not None:
        low = float(least[1])
    elif low is None and high is None and (above := _ABOVE.search(text)) is not None:
        low = float(above[1]) + 1
    if high is None and (most := _AT_MOST.search(text)) is not None:
        high = float(most[1])
    elif high is None and low is None and (below := _BELOW.search(text)) is not None:
        high = float(below[1]) - 1
    return low, high


_FORMATS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (form, re.compile(pattern, re.IGNORECASE))
    for form, pattern in (
        ("email", r"e-?mail"),
        ("uuid", r"uuid|guid"),
        ("date-time", r"date-?time|iso.?8601|rfc.?3339|timestamp|YYYY-MM-DD[T ]"),
        ("date", r"\bdate\b|YYYY-MM-DD"),
        ("uri", r"\bur[li]s?\b"),
        ("ipv6", r"ipv6"),
        ("ipv4", r"ipv4|\bip\b"),
        ("hostname", r"host ?name|domain|fqdn"),
        ("byte", r"base ?64"),
        ("integer", r"\bint(eger)?\b|whole number"),
        ("number", r"\bnumber\b|numeric|\bfloat\b|decimal"),
        ("boolean", r"\bbool(ean)?\b"),
        ("array", r"\blist\b|\barray\b|\bsequence\b"),
        ("object", r"\bobject\b|\bmap(ping)?\b|\bdict(ionary)?\b"),
        ("string", r"\bstring\b|\btext\b"),
    )
)


def wanted_formats(complaint: Complaint) -> list[str]:
    """Return the formats and types that a complaint speaks of, the most special first."""
    return [form for form, pattern in _FORMATS if pattern.search(complaint.text)]


_ENDING = re.compile(
    r"(?:end|ends|ending|terminated?) (?:with|in|by) (?:an? )?['\"`]?(\S{1,10}?)['\"`]?(?:[\s,.;]|$)", re.I
)
_DOT = re.compile(r"trailing dot|canonical|dot at the end|fully.qualified", re.IGNORECASE)
_STARTING = re.compile(
    r"(?:start|starts|begin|begins|beginning|prefixed) with (?:an? )?['\"`]?([^\s'\"`]{1,20})", re.IGNORECASE
)


def affixes(complaint: Complaint) -> tuple[str, str]:
    """Return what a text has to begin with and to end with by a complaint, "" where it says neither."""
    ending = _ENDING.search(complaint.text)
    starting = _STARTING.search(complaint.text)
    end = "." if _DOT.search(complaint.text) else ending[1] if ending is not None else ""
    words = {"dot": ".", "slash": "/", "colon": ":", "letter": "a", "period": ".", "newline": "\n"}
    start = starting[1].rstrip(".,;") if starting is not None else ""
    return words.get(start, start), words.get(end, end)


_CHARACTERS = re.compile(
    r"character|alpha-?numeric|\bletters?\b|\bdigits?\b|white ?space|\bspaces?\b|\bblanks\b|lower-?case|upper-?case"
    r"|\bregex|regular expression|\bpattern\b|\bslug\b|\[a-z|\[0-9"
    r"|invalid (?:\w+ )?(?:name|identifier|id|key|slug|label)",
    re.IGNORECASE,
)
_PATTERN = re.compile(r"(\^[^\s'\"`]{2,200}\$)|(?<!\w)/(\^?[^\s/]{2,200}\$?)/")


def is_about_characters(complaint: Complaint) -> bool:
    """Tell whether a complaint may be about the characters of a text."""
    return _CHARACTERS.search(complaint.text) is not None


def allowed_patterns(complaint: Complaint) -> list[re.Pattern[str]]:
    """Return the regular expressions that a complaint shows, as far as they are some in Python."""
    found = []
    for match in _PATTERN.finditer(complaint.text):
        with suppress(re.error):
            found.append(re.compile(match[1] or match[2]))
    return found


def is_about_time(complaint: Complaint) -> str:
    """Return `future` or `past` if a complaint wants a date that lies there, else ""."""
    text = complaint.text.lower()
    if re.search(r"in the future|must be after|later than|not be in the past|in the past\b.*\bnot\b|be a future", text):
        return "past" if "not be in the future" in text else "future"
    if re.search(r"be in the past|must be before|earlier than|not be in the future|can.?t be in the past", text):
        return "future" if re.search(r"(not|n't|cannot) be in the past", text) else "past"
    return "future" if re.search(r"in the past", text) else ""
