"""The check of header fields whose form a standard sets, whatever the contract says of them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from mockserver.http.pointers import child
from mockserver.suite.cases.observed_response import ObservedResponse
from mockserver.suite.verdicts.failures import CheckFailure, Rule, raise_failures

#: A clock may be wrong by so much; time zones are taken for seconds now and then.
MOST_SECONDS_OFF = 24 * 60 * 60
#: The three forms of an HTTP-date (RFC 9110, section 5.6.7); the first is what servers send.
_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
_ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_TOKENS = re.compile(r"\s*(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+\s*)?(?:,\s*(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+\s*)?)*")
#: Directives of Cache-Control that take a number of seconds (RFC 9111, section 5.2.2).
_SECONDS = re.compile(
    r'(?:^|,)\s*(max-age|s-maxage|stale-while-revalidate|stale-if-error)\s*(?:=\s*("?)([^,"]*)\2)?(?=,|\s*$)'
)


def fields_keep_to_their_form(observed: ObservedResponse) -> bool:
    """Check that Date, ETag, Last-Modified, Retry-After, Allow and Cache-Control have the form of RFC 9110 and 9111.

    And that Date is within a day of now, unless the response is out of a cache (Age).
    """
    failures: list[CheckFailure] = []
    found = False
    for name, problem_of in _FORMS.items():
        value = observed.response.field(name)
        if value is None:
            continue
        found = True
        problem = problem_of(value)
        if not problem and name == "Date" and observed.response.field("Age") is None:
            problem = _off(value)
        if problem:
            failures.append(_failure(observed, name, value, problem))
    raise_failures(failures)
    return found


def _failure(observed: ObservedResponse, name: str, value: str, problem: str) -> CheckFailure:
    promised = observed.promised.headers if observed.promised is not None else {}
    documented = next((header for key, header in promised.items() if key.lower() == name.lower()), None)
    rule: Rule = "silent" if documented is None else "contract"
    own = child(observed.place, "responses") if observed.operation else ""
    return observed.failure(
        "fields_keep_to_their_form",
        f"the field {name} of a response is not what the standard says",
        expected=problem,
        got=f"{name}: {value[:80]}",
        pointer=documented.pointer if documented is not None else own,
        rule=rule,
    )


def parse_date(value: str) -> datetime | None:
    """Return the time of an HTTP-date in any of its three forms, None if it is none."""
    for form in _DATES:
        try:
            return datetime.strptime(" ".join(value.split()), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _date(value: str) -> str:
    return "" if parse_date(value) is not None else "an HTTP-date (RFC 9110, section 5.6.7)"


def _off(value: str) -> str:
    then = parse_date(value)
    off = abs(then.timestamp() - time.time()) if then is not None else 0.0
    return "the time at which the response was made, give or take a day (RFC 9110, section 6.6.1)" * (
        off > MOST_SECONDS_OFF
    )


def _entity_tag(value: str) -> str:
    return "" if _ENTITY_TAG.fullmatch(value) else "a text in double quotes, W/ before it or not (RFC 9110, 8.8.3)"


def _retry_after(value: str) -> str:
    good = value.isascii() and value.isdecimal()
    return "" if good or not _date(value) else "seconds or an HTTP-date (RFC 9110, section 10.2.3)"


def _allow(value: str) -> str:
    return "" if _TOKENS.fullmatch(value) else "methods with commas between them (RFC 9110, section 10.2.1)"


def _cache_control(value: str) -> str:
    wrong = [name for name, _, seconds in _SECONDS.findall(value.lower()) if not re.fullmatch(r"[0-9]+", seconds)]
    return f"seconds for {wrong[0]} (RFC 9111, section 5.2.2)" if wrong else ""


_FORMS: Mapping[str, Callable[[str], str]] = {
    "Date": _date,
    "Last-Modified": _date,
    "ETag": _entity_tag,
    "Retry-After": _retry_after,
    "Allow": _allow,
    "Cache-Control": _cache_control,
}
