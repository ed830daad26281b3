"""Rate limit per client address, with a ban after repeated violations of the limit (`--rate-limit`).

Requests of an address are counted in the store of its world: worlds have separate limits, workers that share a store
share the count, and a reset clears it (docs/decisions/0044-rate-limit-and-ban.md).
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

#: The store's collection of the state of each address.
RATE_LIMITS = "rate_limits"
#: Addresses that a world keeps; beyond that the least recent one is forgotten.
MAX_ADDRESSES = 1000
#: Requests are counted over this time.
WINDOW_SECONDS = 1.0
#: A violation of the limit is forgotten after this time.
MEMORY_SECONDS = 3600.0
_NOTHING: Mapping[str, Any] = {}


class Instant(NamedTuple):
    """A point in time in UNIX seconds on two clocks: that of the world, which may stand still, and the machine's."""

    world: float
    machine: float


def seconds_between(then: Instant, now: Instant) -> float:
    """Return the seconds between two instants, on the clock on which more time has passed.

    So a limit is renewed even if the world's clock is stopped, and a test that advances the clock need not wait. If the
    machine's clock is set back, the difference counts as time passed, so that no address stays refused for long.
    """
    return max(now.world - then.world, abs(now.machine - then.machine))


def decide_request(
    record: Mapping[str, Any], now: Instant, limit: RateLimit
) -> tuple[Record | None, RequestRejected | None]:
    """Decide whether a request of a client address is within the rate limit.

    A violation of the limit is the first refusal within a second: a burst of any size is one violation, and each
    further second of it adds one.

    Args:
        record: state of the address, as the last call returned it; empty at first.
        now: when the request came.
        limit: what is allowed.

    Returns:
        The new state of the address, as JSON, or None if it is unchanged; and the rejection of the request, with 429
        and `Retry-After`, or None if the request is allowed.
    """
    banned = record.get("banned")
    if banned is not None:
        left = limit.ban_seconds - seconds_between(Instant(*banned), now)
        if left > 0:
            return None, _banned(left, limit)
        record = _NOTHING
    recent = _within(record.get("recent", ()), now, WINDOW_SECONDS)
    violations = _within(record.get("crossings", ()), now, MEMORY_SECONDS)
    if len(recent) < limit.requests:
        return {"recent": [*recent, list(now)], "crossings": violations}, None
    if violations and seconds_between(Instant(*violations[-1]), now) < WINDOW_SECONDS:
        return None, _too_many(recent[0], now, limit, len(violations))
    violations.append(list(now))
    if limit.ban_after and len(violations) >= limit.ban_after:
        return {"banned": list(now)}, _banned(limit.ban_seconds, limit)
    refused = _too_many(recent[0], now, limit, len(violations))
    return {"recent": recent, "crossings": violations if limit.ban_after else violations[-1:]}, refused


class LimitedPipeline:
    """A pipeline that answers 429 to a client address that exceeds the rate limit.

    A wrapper around `Pipeline`, so that a stub without `--rate-limit` has nothing more to do for a request.
    """

    def __init__(self, pipeline: Pipeline, limit: RateLimit) -> None:
        self._pipeline = pipeline
        self._limit = limit
        self.templates = pipeline.templates
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
            record, refused = decide_request(known or _NOTHING, Instant(world.now(), sources.wall_clock()), self._limit)
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


def _too_many(oldest: list[float], now: Instant, limit: RateLimit, violations: int) -> RequestRejected:
    after = f"; violation {violations} of {limit.ban_after} that lead to a ban (--ban-after)" if limit.ban_after else ""
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
