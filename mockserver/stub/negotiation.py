"""Content negotiation: the documented media types ranked by the client's `Accept` field (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mockserver.http.media_types import concrete, is_json

_PARAMETERS_THAT_DO_NOT_CHOOSE = frozenset({"charset", "q"})


class Range(NamedTuple):
    """One media range of an `Accept` field, with its quality.

    Attributes:
        name: `type/subtype` in lower case, either may be `*`.
        parameters: those that narrow it, such as `version=2`.
        quality: 0 (never) to 1.
    """

    name: str
    parameters: frozenset[str]
    quality: float


def parse_accept(field: str) -> tuple[Range, ...]:
    """Return the media ranges of an `Accept` field, without malformed ones (RFC 9110 allows ignoring them)."""
    found = []
    for element in field.split(","):
        name, *parameters = [part.strip().lower() for part in element.split(";")]
        if name.count("/") != 1 and name != "*":
            continue
        quality = next((_quality(part[2:]) for part in parameters if part.startswith("q=")), 1.0)
        narrowing = frozenset(
            part for part in parameters if part and part.partition("=")[0] not in _PARAMETERS_THAT_DO_NOT_CHOOSE
        )
        found.append(Range("*/*" if name == "*" else name, narrowing, quality))
    return tuple(found)


def rank(offers: Sequence[str], accept: str | None) -> list[tuple[str, str]]:
    """Return the documented media types that a client accepts, best first, each with the concrete type to send.

    Without `Accept` the document's order decides; among equals JSON comes before others.

    Args:
        offers: media types as documented, ranges included.
        accept: the field, None where the client sent none.
    """
    ranges = parse_accept(accept) if accept else ()
    if not ranges:
        return [(offer, concrete(offer)) for offer in (offers if accept is None else json_first(offers))]
    scored = []
    for place, offer in enumerate(json_first(offers)):
        quality, precision, name = _score(offer, ranges)
        if quality > 0:
            scored.append((-quality, -precision if precision > 1 else 0, place, offer, name))
    return [(offer, name) for _, _, _, offer, name in sorted(scored)]


def json_first(offers: Iterable[str]) -> list[str]:
    """Return media types with those of JSON before others, in their order otherwise."""
    return sorted(offers, key=lambda offer: not is_json(offer))


def _score(offer: str, ranges: Sequence[Range]) -> tuple[float, int, str]:
    """Return quality, precision and concrete type of a media type by the most precise matching range of `Accept`."""
    best: tuple[int, float, str] = (-1, 0.0, "")
    name, *rest = [part.strip().lower() for part in offer.split(";")]
    parameters = frozenset(rest)
    for element in ranges:
        precision = _precision(element, name, parameters)
        if precision > best[0]:
            best = (precision, element.quality, _sent(offer, name, element))
    return best[1], best[0], best[2]


def _precision(element: Range, name: str, parameters: frozenset[str]) -> int:
    """Return how precisely a media range matches a media type, -1 if it does not match."""
    kind, _, subtype = element.name.partition("/")
    offered_kind, _, offered_subtype = name.partition("/")
    if element.parameters - parameters and parameters:
        return -1
    if element.name == name:
        return 3 + len(element.parameters & parameters)
    if "*" in (offered_kind, offered_subtype) and (offered_kind in {"*", kind} or kind == "*"):
        return 2 if "*" not in (kind, subtype) else 1
    # A client that asks for application/json can read application/problem+json, too (RFC 6839); one that does not want
    # the one may want the other.
    if element.quality and kind == offered_kind and offered_subtype.endswith(f"+{subtype}"):
        return 2
    if kind == offered_kind and subtype == "*":
        return 1
    return 0 if kind == "*" else -1


def _sent(offer: str, name: str, element: Range) -> str:
    if "*" not in name:
        return offer
    return element.name if "*" not in element.name else concrete(offer if name != "*/*" else element.name)


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0
