"""Content of errors in the contract's own shape that says what is wrong with the request.

::

    {"error": {"code": "word", "message": "word"}}          ->  the message, the code
    {"detail": [{"loc": ["word"], "msg": "word"}]}          ->  an entry for each violation, with its place
    {"errors": {"word": ["word"]}}                          ->  a list of messages for each member
    {"title": "word", "status": 1, "detail": "word"}        ->  problem details

Members are known by the names that errors of many APIs have. What the contract does not allow stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mockserver.contract.model import Contract
from mockserver.contract.schema.validator import SchemaViolation, Validator
from mockserver.errors import RequestRejected
from mockserver.http.pointers import split
from mockserver.messages import Violation

#: Members that a person reads, the likeliest first; all names without `_`, `-` and case.
_MESSAGES = (
    *(
        "detail",
        "message",
        "msg",
        "errormessage",
        "errormsg",
        "errordescription",
        "description",
        "usermessage",
        "details",
    ),
    *("developermessage", "longmessage", "statusmessage", "faultstring", "errortext", "text", "errordetail", "error"),
    *("reason", "info", "summary", "title", "errors", "err"),
)
_TITLES = frozenset({"title", "summary", "reason", "error", "name", "shortmessage", "statustext"})
_CODES = frozenset({"code", "errorcode", "errcode", "errorid", "type", "errortype", "status", "statuscode"})
_STATUSES = frozenset({"status", "statuscode", "httpstatus", "httpcode", "httpstatuscode", "code", "errorcode"})
_POINTERS = frozenset({"pointer", "path", "instancepath", "datapath", "jsonpointer", "jsonpath"})
_FIELDS = frozenset({"field", "param", "parameter", "property", "attribute", "target", "fieldname", "propertyname"}) | {
    *("parametername", "paramname", "propertypath", "fieldpath", "argument", "key", "element", "loc", "source"),
}
_LISTED_PLACES = frozenset({"loc", "location", "path"})
_PLACES = frozenset({"location", "in", "locationtype"})
#: Members of an error's object in which the error itself stands, or is described.
_WRAPPERS = frozenset(
    {"error", "errors", "err", "fault", "problem", "detail", "details", "source", "failure", "exception"}
) | {
    *("cause", "causes", "violations", "issues", "data", "body", "response", "result", "status", "messages", "faults"),
    *(
        "errormessages",
        "invalidparams",
        "fielderrors",
        "fieldviolations",
        "validationerrors",
        "errordetails",
        "errorinfo",
        "innererror",
    ),
}
_UNSUCCESSFUL = frozenset({"success", "ok", "succeeded", "successful", "issuccess"})
#: Codes that say of a request that it is invalid, in what they say so.
_INVALID = (
    r"^(un)?process|validation|bad.?request|invalid.?(request|param|argument|input|field|value|data|body)|malformed"
)
_ANY_INVALID = re.compile(r"invalid|param|argument|wrong", re.IGNORECASE)
#: Words of error codes by status, to find the one of an enumeration that says the same.
_WORDS: Mapping[int, re.Pattern[str]] = {
    status: re.compile(pattern, re.IGNORECASE)
    for status, pattern in (
        (400, _INVALID),
        (401, r"unauth|authenti|credential|token"),
        (403, r"forbid|permission|denied|not.?allowed|authoriz"),
        (404, r"not.?found|no.?such|missing|unknown"),
        (409, r"conflict|exist|duplicate"),
        (422, _INVALID),
        (429, r"rate|limit|throttl|too.?many|exhausted"),
    )
}
_ANY_ERROR = re.compile(r"err|fail|fault", re.IGNORECASE)
_MOST_REPAIRS = 40
_MOST_ENTRIES = 20


class _Said(NamedTuple):
    """What is said in one object: a message, and the violation that it is of."""

    message: str
    violation: Violation | None


def explained(
    value: Any,
    rejected: RequestRejected,
    status: int,
    validator: Validator | None,
    contract: Contract,
    *,
    made_up: bool,
) -> Any:
    """Return the content of an error with what is wrong filled in where its shape has members for that.

    Args:
        value: the contract's example of the error, or a value made from its schema.
        rejected: what is wrong.
        status: status code of the response.
        validator: of the content, None where any is allowed.
        contract: of the operation.
        made_up: whether the value is no example, so that what misleads may be left out.
    """
    first = rejected.violations[0] if rejected.violations else None
    writer = _Writer(rejected, status, made_up=made_up)
    if isinstance(value, str):
        filled: Any = rejected.detail if made_up else value
    elif isinstance(value, list):
        filled = writer.entries(value) if value else value
    elif isinstance(value, dict):
        filled, _ = writer.object(value, _Said(rejected.detail, first), depth=0)
    else:
        return value
    return _repaired(filled, value, status, validator, contract)


class _Writer:
    """Writer of what is wrong into values of an error's shape."""

    def __init__(self, rejected: RequestRejected, status: int, *, made_up: bool) -> None:
        self._rejected = rejected
        self._status = status
        self._made_up = made_up

    def object(self, value: Mapping[str, Any], said: _Said, depth: int) -> tuple[dict[str, Any], bool]:
        """Return an object with what is wrong filled in, and whether a message found its place."""
        made = dict(value)
        names = {name: _plain(name) for name in value}
        listed = {name for name, item in value.items() if isinstance(item, list) and _is_listing(names[name], item)}
        own = next(
            (name for wanted in _MESSAGES for name in value if names[name] == wanted and _is_text(value[name])), ""
        )
        inner = False
        for name in sorted(value, key=lambda one: names[one] not in _WRAPPERS):
            item = value[name]
            wraps = names[name] in _WRAPPERS
            if name in listed:
                made[name], inner = self.entries(item), True
            elif isinstance(item, dict) and depth < 6:
                if wraps and self._rejected.violations and (not item or _is_map_of_messages(item)):
                    made[name], inner = self._by_member(item), True
                elif wraps or not (own or inner):
                    made[name], found = self.object(item, said, depth + 1)
                    inner = inner or found
                elif self._made_up and not wraps:
                    del made[name]  # made up, and nothing about this error
            elif isinstance(item, list):
                if said.violation is not None and names[name] in _LISTED_PLACES:
                    made[name] = _way(said.violation, with_place=names[name] != "path")
            elif name != own:
                made[name] = self._member(names[name], item, said, beside=own, listed=bool(listed))
                if own and self._made_up and made[name] is item and names[name] not in _STATUSES:
                    del made[name]  # a made-up word beside the message; what is required comes back
        if own:
            made[own] = said.message
        return made, bool(own) or inner

    def entries(self, items: Sequence[Any]) -> list[Any]:
        """Return a list of errors with an entry for each violation, in the form of its first one."""
        form = items[0]
        all_said = [_Said(_message(one), one) for one in self._rejected.violations[:_MOST_ENTRIES]]
        all_said = all_said or [_Said(self._rejected.detail, None)]
        if not isinstance(form, dict):
            return [said.message for said in all_said] if isinstance(form, str) else list(items)
        return [self.object(form, said, depth=1)[0] for said in all_said]

    def _by_member(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return messages by the members that they are about: `{"age": ["must be ..."]}`."""
        in_lists = any(isinstance(one, list) for one in item.values())
        found: dict[str, Any] = {}
        for violation in self._rejected.violations[:_MOST_ENTRIES]:
            name = ".".join(split(violation.pointer)) or violation.place
            found[name] = [*found.get(name, ()), violation.message] if in_lists else violation.message
        return found

    def _member(self, name: str, item: Any, said: _Said, *, beside: str, listed: bool) -> Any:
        """Return the value of a member other than the message: a code, a place, the status."""
        violation = said.violation
        if isinstance(item, bool):
            return False if name in _UNSUCCESSFUL else True if name == "error" else item
        if isinstance(item, int) and name in _STATUSES:
            return self._status if self._made_up else item
        if not isinstance(item, str):
            return item
        if violation is not None and not listed:
            if name in _POINTERS:
                return violation.pointer
            if name in _FIELDS:
                return ".".join(split(violation.pointer)) or violation.place
            if name in _PLACES:
                return violation.place
        if not self._made_up:
            return item
        if name in {"status", "statuscode", "httpstatus"}:
            return str(self._status)
        if name == "type" and _plain(beside) == "detail" and violation is None:
            return "about:blank"
        if name == "error" and _plain(beside) == "errordescription":
            return "invalid_request" if self._status in {400, 422} else _slug(self._rejected.title)
        if name in _TITLES:
            return self._rejected.title
        if name in _CODES:
            return violation.keyword if violation is not None and not listed else _slug(self._rejected.title)
        return item


def _repaired(filled: Any, value: Any, status: int, validator: Validator | None, contract: Contract) -> Any:
    """Return filled content with what its schema does not allow put back, or put in its terms where it has some."""
    if validator is None:
        return filled
    holder = [filled]
    for _ in range(_MOST_REPAIRS):
        broken = next(iter(validator.nearest_violations(holder[0])), None)
        if broken is None:
            return holder[0]
        if not _repair(holder, value, broken, status, contract):
            break
    return value


def _repair(holder: list[Any], value: Any, broken: SchemaViolation, status: int, contract: Contract) -> bool:
    at: Any = holder
    key: Any = 0
    original: Any = [value]
    for step in broken.instance_path:
        at, key, original = at[key], step, _below(original, key)
    original = _below(original, key)
    if broken.missing and isinstance(at[key], dict) and isinstance(original, dict):
        found = {name: original[name] for name in broken.missing if name in original}
        at[key].update(found)
        return bool(found)
    try:
        limit = contract.at(broken.keyword_pointer)
    except (LookupError, ValueError):
        limit = None
    if broken.keyword == "type" and isinstance(at, list) and isinstance(at[key], int):
        at[key] = str(at[key])  # an index in a list of names
        return True
    if broken.keyword == "maxLength" and isinstance(limit, int):
        at[key] = at[key][:limit]
        return True
    if broken.keyword == "maxItems" and isinstance(limit, int):
        del at[key][limit:]
        return True
    if broken.keyword == "enum" and isinstance(limit, list) and (told := _of_enum(limit, status)) is not None:
        at[key] = told
        return True
    if original is _NOTHING or at[key] == original:
        return False
    at[key] = original
    return True


_NOTHING: Any = object()


def _below(value: Any, step: Any) -> Any:
    """Return a part of the original value; entries of lists that were added have the form of the first one."""
    if isinstance(value, dict):
        return value.get(step, _NOTHING)
    if isinstance(value, list) and value:
        return value[step] if step < len(value) else value[0]
    return _NOTHING


def _of_enum(allowed: Sequence[Any], status: int) -> str | None:
    texts = [one for one in allowed if isinstance(one, str)]
    is_invalid = status in {400, 422}
    for words in (
        _WORDS.get(status),
        _ANY_INVALID if is_invalid else None,
        _WORDS[400] if status < 500 else None,
        _ANY_ERROR,
    ):
        found = next((one for one in texts if words is not None and words.search(one)), None)
        if found is not None:
            return found
    return None


def _is_text(item: Any) -> bool:
    return isinstance(item, str)


def _is_listing(name: str, items: Sequence[Any]) -> bool:
    """Tell whether a list is one of errors: of objects with a message, or of texts by its name."""
    if not items:
        return False
    first = items[0]
    if isinstance(first, dict):
        return name in _WRAPPERS or any(_plain(inner) in _MESSAGES[:10] for inner in first)
    return isinstance(first, str) and (name in _MESSAGES or name in _WRAPPERS)


def _is_map_of_messages(item: Mapping[str, Any]) -> bool:
    """Tell whether an object maps names of members to their messages, in no form that is known as an error's."""
    if not item or any(_plain(name) in {*_MESSAGES, *_CODES, *_POINTERS} for name in item):
        return False
    return all(isinstance(one, list) and all(map(_is_text, one)) for one in item.values()) or all(
        map(_is_text, item.values())
    )


def _way(violation: Violation, *, with_place: bool) -> list[str | int]:
    """Return the names and indexes that lead to what is wrong: `["body", "tags", 0]`."""
    steps = [int(step) if step.isdecimal() else step for step in split(violation.pointer)]
    return [violation.place, *steps] if with_place else steps


def _message(violation: Violation) -> str:
    name = ".".join(split(violation.pointer))
    return f"{name}: {violation.message}" if name else violation.message


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
