"""Rate limit per client address, with a ban after repeated violations of the limit (`--rate-limit`).

What an address did stands in the store of its world: worlds are limited apart, workers that share a store share the
count, and a reset lifts it (docs/decisions/0044-rate-limit-and-ban.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from mockserver import sources
from mockserver.errors import RequestRejected
from mockserver.messages import Request
from mockserver.plugins.transactions import Record
from mockserver.stub.pipeline import Pipeline, RecordedResponse
from mockserver.stub.store.worlds import World
from mockserver.stub.stub_options import RateLimit

#: The collection of the store that holds what each address did.
RATE_LIMITS = "rate_limits"
#: Addresses that a world knows; beyond that the one that was silent longest is forgotten.
MAX_ADDRESSES = 1000
#: Requests are counted over so many seconds.
WINDOW_SECONDS = 1.0
#: A crossing of the limit is forgotten after so many seconds.
MEMORY_SECONDS = 3600.0
_NOTHING: Mapping[str, Any] = {}


class Instant(NamedTuple):
    """A point in time in UNIX seconds on two clocks: that of the world, which may stand still, and the machine's."""

    world: float
    machine: float


def seconds_between(then: Instant, now: Instant) -> float:
    """Return the seconds between two instants, on the clock on which more time has passed.

    So a limit refills though the world's clock stands, and a test that advances it need not wait. The machine's clock
    has no reason to run backwards, unless it was wrong before: nobody is kept out until it is as late as it was.
    """
    return max(now.world - then.world, abs(now.machine - then.machine))


def decide(record: Mapping[str, Any], now: Instant, limit: RateLimit) -> tuple[Record | None, RequestRejected | None]:
    """Decide whether a request of a client address is within the rate limit.

    A crossing is the first refusal within a second: a burst is one, whatever its size; going on is one each second.

    Args:
        record: what the address did, as the last call returned it; empty at first.
        now: when the request came.
        limit: what is allowed.

    Returns:
        What the address did now, as JSON, or None if nothing is to be added; and why the request is refused, with 429
        and `Retry-After`, or None if it is let in.
    """
    banned = record.get("banned")
    if banned is not None:
        left = limit.ban_seconds - seconds_between(Instant(*banned), now)
        if left > 0:
            return None, _banned(left, limit)
        record = _NOTHING
    recent = _within(record.get("recent", ()), now, WINDOW_SECONDS)
    crossings = _within(record.get("crossings", ()), now, MEMORY_SECONDS)
    if len(recent) < limit.requests:
        return {"recent": [*recent, list(now)], "crossings": crossings}, None
    if crossings and seconds_between(Instant(*crossings[-1]), now) < WINDOW_SECONDS:
        return None, _too_many(recent[0], now, limit, len(crossings))
    crossings.append(list(now))
    if limit.ban_after and len(crossings) >= limit.ban_after:
        return {"banned": list(now)}, _banned(limit.ban_seconds, limit)
    refused = _too_many(recent[0], now, limit, len(crossings))
    return {"recent": recent, "crossings": crossings if limit.ban_after else crossings[-1:]}, refused


class LimitedPipeline:
    """A pipeline that answers 429 to a client address that exceeds the rate limit.

    A wrapper around `Pipeline`, so that a stub without `--rate-limit` has nothing more to do for a request.
    """

    def __init__(self, pipeline: Pipeline, limit: RateLimit) -> None:
        self._pipeline = pipeline
        self._limit = limit
        self.knows = pipeline.knows
        self.allowed = pipeline.allowed

    def respond(self, request: Request, world: World) -> RecordedResponse | None:
        """Return the response to a request, 429 if its client address exceeds the rate limit.

        Raises:
            StateError: the store cannot be read or written.
        """
        # What the server's socket says. `X-Forwarded-For` is whatever a client likes it to be.
        refused = self._judge(request.fields.get("REMOTE_ADDR") or "an unknown address", world)
        return self._pipeline.respond(request, world) if refused is None else self._pipeline.refuse(request, refused)

    def _judge(self, address: str, world: World) -> RequestRejected | None:
        with world.transaction() as transaction:
            known = transaction.get(RATE_LIMITS, address)
            record, refused = decide(known or _NOTHING, Instant(world.now(), sources.wall_clock()), self._limit)
            if record is not None:
                if known is None:
                    others = transaction.items(RATE_LIMITS)
                    if len(others) >= MAX_ADDRESSES:
                        transaction.delete(RATE_LIMITS, min(others, key=lambda name: _last_seen(others[name])))
                transaction.put(RATE_LIMITS, address, record)
        return refused


def _within(instants: Any, now: Instant, seconds: float) -> list[list[float]]:
    return [instant for instant in instants if seconds_between(Instant(*instant), now) < seconds]


def _last_seen(record: Mapping[str, Any]) -> float:
    """Return when a request of a client address was last accepted, or the address banned, on the machine's clock."""
    instants = [record["banned"]] if "banned" in record else record["recent"]
    return max((Instant(*instant).machine for instant in instants), default=0.0)


def _too_many(oldest: list[float], now: Instant, limit: RateLimit, crossings: int) -> RequestRejected:
    after = f"; violation {crossings} of {limit.ban_after} that lead to a ban (--ban-after)" if limit.ban_after else ""
    detail = f"more than {limit.requests} requests in a second (--rate-limit){after}"
    return _refusal(detail, WINDOW_SECONDS - seconds_between(Instant(*oldest), now))


def _banned(left: float, limit: RateLimit) -> RequestRejected:
    detail = (
        f"banned for another {math.ceil(left)} seconds: {limit.requests} requests in a second were exceeded "
        f"{limit.ban_after} times (--ban-after); POST /__mock__/reset or advancing the clock lifts the ban"
    )
    return _refusal(detail, left)


def _refusal(detail: str, seconds: float) -> RequestRejected:
    # RFC 6585, section 4: may say how long to wait; whole seconds (RFC 9110, section 10.2.3).
    fields = {"Retry-After": str(max(math.ceil(seconds), 1))}
    return RequestRejected(429, "Too Many Requests", detail, fields=fields)
