"""What was seen where a claim did not hold: all that is different, not only the smallest evidence.

Drift becomes a statement of an overlay by its observations: each accepted value, each status and media type.
"""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.suite.target.exchange import Exchange

#: So many different exchanges of one finding are kept; what differs only in more of the same tells nothing new.
MAX_OBSERVATIONS = 200
#: Longer content is kept only if nothing else shows the same cause.
_MAX_BODY = 4 * 1024
#: Claims whose answers differ by more than their status, in few words that hold no value of anybody's.
_TELLING = frozenset({"undefined_methods_are_refused"})


@dataclass(frozen=True, slots=True)
class Observation:
    """One way in which a claim did not hold.

    Attributes:
        seen: what the server did, in words that are the same in every run.
        exchange: the request and what came of it; None where there was none.
    """

    seen: str
    exchange: Exchange | None

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two observations of one finding different."""
        if self.exchange is None or self.exchange.response is None:
            return (self.seen,)
        request, response = self.exchange.request, self.exchange.response
        return self.seen, response.status, response.media_type, request.field("content-type"), request.body


def seen(check: str, got: str, exchange: Exchange | None) -> str:
    """Return what a server did where a check failed, in words that are the same in every run."""
    if check in _TELLING:
        return got
    response = exchange.response if exchange is not None else None
    return "no answer" if response is None else str(response.status)


def joined(known: tuple[Observation, ...], new: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """Return the observations of one finding and what is new in others."""
    if len(known) >= MAX_OBSERVATIONS:
        return known
    keys = {observation.key for observation in known}
    fresh = [one for one in new if one.key not in keys and _length(one) <= _MAX_BODY]
    return (*known, *fresh)


def _length(observation: Observation) -> int:
    exchange = observation.exchange
    if exchange is None:
        return 0
    answer = len(exchange.response.body) if exchange.response is not None else 0
    return len(exchange.request.body or b"") + answer
