"""`--rate-limit`: what an address that asks too often is told, for how long, and what lifts it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from mockserver import sources
from mockserver.errors import UsageError
from mockserver.stub.app import create_app
from mockserver.stub.serving.rate_limit import MAX_ADDRESSES, RATE_LIMITS, Instant, decide_request
from mockserver.stub.stub_options import RateLimit
from tests.conftest import Client, send_to_app

if TYPE_CHECKING:
    from tests.conftest import Answer, Serve

MakeStub = Callable[..., Client]
ME = "/api/v1/auth/"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let the machine's clock stand, and move it by hand."""
    now = [1_700_000_000.0]
    monkeypatch.setattr(sources, "wall_clock", lambda: now[0])

    def advance(seconds: float) -> None:
        now[0] += seconds

    return advance


Machine = Callable[[float], None]


def _statuses(client: Client, count: int) -> list[int]:
    return [client.call("GET", ME).status for _ in range(count)]


def _cross(client: Client) -> Answer:
    """Ask until the limit is crossed, and return the answer that says so."""
    for _ in range(10_000):
        answer = client.call("GET", ME)
        if answer.status != 200:
            return answer
    raise AssertionError("there is no limit")


@pytest.mark.usefixtures("machine")
def test_without_the_option_there_is_no_limit(make_stub: MakeStub) -> None:
    assert set(_statuses(make_stub(), 200)) == {200}


def test_so_many_a_second_are_let_in(make_stub: MakeStub, machine: Machine) -> None:
    client = make_stub(rate_limit=20)
    assert _statuses(client, 25) == [200] * 20 + [429] * 5
    machine(0.999)
    assert _statuses(client, 1) == [429]
    machine(0.001)
    assert _statuses(client, 21) == [200] * 20 + [429]


def test_the_window_slides(make_stub: MakeStub, machine: Machine) -> None:
    """No second has more, wherever it begins."""
    client = make_stub(rate_limit=2)
    machine(0.9)
    assert _statuses(client, 1) == [200]
    machine(0.5)
    assert _statuses(client, 2) == [200, 429]
    machine(0.5)
    assert _statuses(client, 2) == [200, 429]


@pytest.mark.usefixtures("machine")
def test_a_refusal_says_what_to_do(make_stub: MakeStub) -> None:
    answer = _cross(make_stub(rate_limit=2))
    assert answer.status == 429
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.fields["retry-after"] == "1"
    content = answer.json()
    assert content["status"] == 429
    assert "2 requests in a second" in content["detail"]
    assert "1 of 3" in content["detail"]


def test_crossing_it_again_and_again_is_a_ban(make_stub: MakeStub, machine: Machine) -> None:
    client = make_stub(rate_limit=RateLimit(requests=2, ban_after=3, ban_seconds=3600))
    for _ in range(2):
        assert _cross(client).fields["retry-after"] == "1"
        machine(1.5)
    banned = _cross(client)
    assert banned.status == 429
    assert banned.fields["retry-after"] == "3600"
    assert "banned" in banned.json()["detail"]
    machine(1800)
    assert client.call("GET", ME).fields["retry-after"] == "1800"  # asking does not make it longer
    machine(1799.5)
    assert client.call("GET", ME).fields["retry-after"] == "1"
    machine(0.5)
    assert _statuses(client, 3) == [200, 200, 429]
    assert "1 of 3" in client.call("GET", ME).json()["detail"]  # what was punished is forgotten


def test_a_burst_is_one_crossing(make_stub: MakeStub, machine: Machine) -> None:
    client = make_stub(rate_limit=RateLimit(requests=2, ban_after=2))
    assert _statuses(client, 50) == [200] * 2 + [429] * 48
    assert "1 of 2" in client.call("GET", ME).json()["detail"]
    machine(1.0)
    assert _statuses(client, 2) == [200, 200]


def test_crossings_of_another_hour_do_not_count(make_stub: MakeStub, machine: Machine) -> None:
    client = make_stub(rate_limit=RateLimit(requests=2, ban_after=2))
    for _ in range(5):
        assert "1 of 2" in _cross(client).json()["detail"]
        machine(3600)


def test_no_ban(make_stub: MakeStub, machine: Machine) -> None:
    client = make_stub(rate_limit=RateLimit(requests=1, ban_after=0))
    for _ in range(20):
        assert _cross(client).fields["retry-after"] == "1"
        machine(1)


def test_advancing_the_clock_is_as_good_as_waiting(make_stub: MakeStub, machine: Machine) -> None:
    client = make_stub(rate_limit=RateLimit(requests=2, ban_after=2), clock=1_582_536_047)
    _cross(client)
    client.set_clock(advance_seconds=1)
    assert _cross(client).fields["retry-after"] == "3600"
    client.set_clock(advance_seconds=3599)
    assert client.call("GET", ME).fields["retry-after"] == "1"
    client.set_clock(advance_seconds=1)
    assert _statuses(client, 2) == [200, 200]
    machine(1)
    assert _statuses(client, 1) == [200]  # a clock that stands is no limit that never refills


def test_setting_the_clock_back_does_not_keep_anybody_out(make_stub: MakeStub, machine: Machine) -> None:
    client = make_stub(rate_limit=1)
    client.set_clock(now=2_000_000_000)
    _cross(client)
    client.set_clock(now=1_000_000_000)
    assert client.call("GET", ME).status == 429
    machine(1)
    assert client.call("GET", ME).status == 200


@pytest.mark.usefixtures("machine")
def test_reset_lifts_it(make_stub: MakeStub) -> None:
    client = make_stub(rate_limit=RateLimit(requests=2, ban_after=1))
    assert "banned" in _cross(client).json()["detail"]
    client.control("POST", "/reset")
    assert _statuses(client, 2) == [200, 200]


@pytest.mark.usefixtures("machine")
def test_the_control_api_has_no_limit(make_stub: MakeStub) -> None:
    client = make_stub(rate_limit=RateLimit(requests=2, ban_after=1))
    for _ in range(50):
        client.control("GET", "/clock")
    assert _statuses(client, 3) == [200, 200, 429]
    entry = client.journal()[-1]
    assert entry["response"]["status"] == 429
    assert "banned" in entry["why"]


@pytest.mark.usefixtures("machine")
def test_worlds_are_limited_apart(make_stub: MakeStub) -> None:
    """So that tests that run side by side, each in its world, do not ban one another."""
    client = make_stub(rate_limit=RateLimit(requests=2, ban_after=1))
    _cross(client.in_world("one"))
    assert client.in_world("one").call("GET", ME).status == 429
    assert client.in_world("two").call("GET", ME).status == 200
    assert client.call("GET", ME).status == 200


@pytest.mark.usefixtures("machine")
def test_whatever_is_asked_counts(make_stub: MakeStub) -> None:
    client = make_stub(rate_limit=4)
    asked = [("GET", "/nowhere"), ("PUT", ME), ("POST", ME), ("HEAD", ME), ("HEAD", ME), ("GET", "/nowhere")]
    answers = [client.call(method, path, user=None) for method, path in asked]
    assert [answer.status for answer in answers] == [404, 405, 400, 401, 429, 429]
    assert answers[4].content == b""


def _of(address: str | None, app: Any) -> int:
    def with_address(environ: dict[str, Any], start_response: Any) -> Any:
        if address is not None:
            environ["REMOTE_ADDR"] = address
        return app(environ, start_response)

    return Client(send_to_app(with_address)).call("GET", ME, fields={"X-Forwarded-For": "192.0.2.9"}).status


@pytest.mark.usefixtures("machine")
def test_each_address_has_its_own() -> None:
    app = create_app(rate_limit=1).wsgi_app
    addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1", None]
    assert [_of(address, app) for address in addresses] == [200] * 4
    assert [_of(address, app) for address in addresses] == [429] * 4


def test_addresses_without_end_are_forgotten(machine: Machine) -> None:
    flask = create_app(rate_limit=1)
    for number in range(MAX_ADDRESSES + 20):
        assert _of(f"192.0.{number // 256}.{number % 256}", flask.wsgi_app) == 200
        machine(0.0001)
    known = flask.extensions["mockserver"].store.dump("default")[RATE_LIMITS]
    assert len(known) == MAX_ADDRESSES
    assert "192.0.0.0" not in known
    assert _of(f"192.0.{(MAX_ADDRESSES + 19) // 256}.{(MAX_ADDRESSES + 19) % 256}", flask.wsgi_app) == 429


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("key", ["429", "4XX", "default"])
def test_the_answer_of_the_contract_comes_first(make_stub: MakeStub, write_contract: Any, key: str) -> None:
    schema = {"type": "object", "required": ["oops"], "additionalProperties": False, "properties": {"oops": {}}}
    content = {"application/vnd.own+json": {"schema": schema, "example": {"oops": "slowly"}}}
    headers = {"X-RateLimit-Limit": {"schema": {"type": "integer"}, "example": 20}}
    responses = {
        "200": {"description": "ok"},
        key: {"description": "slow down", "content": content, "headers": headers},
    }
    client = make_stub(write_contract({"/a/{b}": {"get": {"responses": responses}}}), rate_limit=1)
    answers = [client.call("GET", "/a/1", user=None) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    assert answers[1].fields["content-type"] == "application/vnd.own+json"
    assert answers[1].json() == {"oops": "slowly"}
    assert answers[1].fields["x-ratelimit-limit"] == "20"
    assert answers[1].fields["retry-after"] == "1"


@pytest.mark.usefixtures("machine")
def test_a_web_page_may_read_the_refusal(make_stub: MakeStub) -> None:
    client = make_stub(rate_limit=1)
    origin = {"Origin": "http://app.example"}
    answers = [client.call("GET", ME, fields=origin) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    assert answers[1].fields["access-control-allow-origin"] == "http://app.example"


def test_a_ban_survives_the_process(make_stub: MakeStub, machine: Machine, tmp_path: Path) -> None:
    state = f"sqlite:///{tmp_path / 'state.db'}"
    _cross(make_stub(state=state, rate_limit=RateLimit(requests=2, ban_after=1)))
    machine(600)
    again = make_stub(state=state, rate_limit=RateLimit(requests=2, ban_after=1))
    assert again.call("GET", ME).fields["retry-after"] == "3000"


def test_workers_count_together(serve: Serve, tmp_path: Path) -> None:
    state = f"sqlite:///{tmp_path / 'state.db'}"
    server = serve("--workers", "2", "--state", state, "--rate-limit", "5", "--ban-after", "1")
    client = server.client
    client.set_clock(now=1_582_536_047)
    statuses = _statuses(client, 40)
    assert 429 in statuses, "forty requests took eight seconds"
    assert set(statuses[statuses.index(429) :]) == {429}  # whichever worker answers
    assert client.call("GET", ME).fields["retry-after"] == "3600"


OPTIONS: list[tuple[list[str], dict[str, str], str, str]] = [
    (["--rate-limit"], {}, "", "20 requests"),
    (["--rate-limit", "3"], {}, "", "3 requests"),
    (["--rate-limit=3/s"], {}, "", "3 requests"),
    ([], {"MOCKSERVER_RATE_LIMIT": "3"}, "", "3 requests"),
    ([], {"MOCKSERVER_RATE_LIMIT": "true"}, "", "20 requests"),
    ([], {}, "rate-limit = true", "20 requests"),
    ([], {}, "rate-limit = 3", "3 requests"),
    (["--rate-limit", "3"], {}, "rate-limit = false", "3 requests"),
]


@pytest.mark.parametrize(("options", "variables", "file", "told"), OPTIONS, ids=lambda given: str(given)[:40])
def test_the_option_reaches_the_stub(
    serve: Serve, tmp_path: Path, options: list[str], variables: dict[str, str], file: str, told: str
) -> None:
    (tmp_path / "mockserver.toml").write_text(f"ban-after = 1\nban-seconds = 60\n{file}\n", encoding="utf-8")
    server = serve(*options, **variables)
    with requests.Session() as session:  # one connection: 21 requests must fit into a second
        answers = [session.get(f"{server.url}/nowhere", timeout=120) for _ in range(30)]
    banned = next(answer for answer in answers if answer.status_code == 429)
    assert banned.headers["Retry-After"] == "60"
    assert told in banned.json()["detail"]


def test_a_limit_of_nothing_is_refused(make_stub: MakeStub) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        make_stub(rate_limit=0)


@pytest.mark.parametrize("value", ["0", "fast", "1.5", "10000", "1/m", "nan"])
def test_what_is_no_rate_is_refused(command: Any, value: str) -> None:
    done = command("serve", f"--rate-limit={value}")
    assert done.returncode == 2
    assert "15/s" in done.stderr
    assert done.stderr.count("\n") == 1


# Properties of the judgement, against a reading of the documentation that keeps everything.

LIMITS = st.builds(RateLimit, st.integers(1, 5), st.integers(0, 4), st.integers(1, 30))
#: Steps of the two clocks before each request: bursts, pauses shorter and longer than a window and a ban.
_STEPS = st.sampled_from([0.0, 0.0, 0.0, 0.25, 0.5, 1.0, 1.25, 7.0, 31.0])
SCHEDULES = st.lists(st.tuples(_STEPS, _STEPS), min_size=1, max_size=60)


def _judged(schedule: list[tuple[float, float]], limit: RateLimit) -> Iterator[tuple[float, Any, Mapping[str, Any]]]:
    """Yield for each request its time, refusal and record, while both clocks run."""
    now = Instant(1000.0, 5000.0)
    record: Mapping[str, Any] = {}
    for step, _ in schedule:
        now = Instant(now.world + step, now.machine + step)
        kept, refused = decide_request(record, now, limit)
        record = record if kept is None else json.loads(json.dumps(kept))
        yield now.machine, refused, record


@given(SCHEDULES, LIMITS)
def test_refusals_are_those_of_the_plain_reading(schedule: list[tuple[float, float]], limit: RateLimit) -> None:
    let_in: list[float] = []
    crossings: list[float] = []
    banned_until = -math.inf
    for now, refused, _ in _judged(schedule, limit):
        if now < banned_until:
            assert refused is not None
            assert refused.fields["Retry-After"] == str(math.ceil(banned_until - now))
            continue
        busy = [then for then in let_in if now - then < 1]
        assert len(busy) <= limit.requests
        assert (refused is not None) == (len(busy) == limit.requests)
        if refused is None:
            let_in.append(now)
            continue
        if not crossings or now - crossings[-1] >= 1:
            crossings.append(now)
        if limit.ban_after and len(crossings) == limit.ban_after:
            banned_until, crossings, let_in = now + limit.ban_seconds, [], []
            assert refused.fields["Retry-After"] == str(limit.ban_seconds)
        else:
            assert refused.fields["Retry-After"] == "1"


@given(SCHEDULES, LIMITS)
def test_whichever_clock_says_more_counts(schedule: list[tuple[float, float]], limit: RateLimit) -> None:
    """A client that is let in goes on being let in when either clock runs faster."""
    now = Instant(1000.0, 5000.0)
    record: Mapping[str, Any] = {}
    for world, machine in schedule:
        now = Instant(now.world + world, now.machine + machine)
        kept, refused = decide_request(record, now, limit)
        record = kept if kept is not None else record
        if refused is None:
            continue
        wait = float(refused.fields["Retry-After"])
        for later in (Instant(now.world + wait, now.machine), Instant(now.world, now.machine + wait)):
            assert decide_request(record, later, limit)[1] is None, "Retry-After is a promise"


@given(SCHEDULES, LIMITS)
def test_what_is_kept_stays_small(schedule: list[tuple[float, float]], limit: RateLimit) -> None:
    for _, _, record in _judged(schedule, limit):
        assert len(record.get("recent", ())) <= limit.requests
        assert len(record.get("crossings", ())) <= max(limit.ban_after, 1)


@given(SCHEDULES)
def test_who_keeps_to_the_limit_is_never_refused(schedule: list[tuple[float, float]]) -> None:
    limit = RateLimit(requests=4)
    slow = [(max(step, 0.25), other) for step, other in schedule]
    assert all(refused is None for _, refused, _ in _judged(slow, limit))
