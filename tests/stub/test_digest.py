"""HTTP Digest by a client that is not ours: that of `requests`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.auth import HTTPDigestAuth

from tests.conftest import Client, Serve

Write = Callable[..., Path]
ACCOUNTS = """
accounts:
  - {username: ann, password: "päss:word", tokens: [{token: ever}, {token: over, expires: true}], scopes: [read]}
  - {username: bob, schemes: {d: bobs}}
"""


@pytest.fixture
def contract(write_contract: Write) -> Path:
    answer = {"responses": {"204": {"description": ""}}, "security": [{"d": []}]}
    return write_contract(
        {"/a/{id}": {"get": answer, "post": answer}},
        components={"securitySchemes": {"d": {"type": "http", "scheme": "digest"}}},
    )


@pytest.fixture
def seed_data(tmp_path: Path) -> Path:
    path = tmp_path / "seed.yaml"
    path.write_text(ACCOUNTS, encoding="utf-8")
    return path


def test_a_client_gets_in_with_what_is_seeded_and_with_nothing_else(
    serve: Serve, contract: Path, seed_data: Path
) -> None:
    url = serve("--contract", str(contract), "--seed-data", str(seed_data)).url
    statuses = {}
    for user, secret in (("ann", "päss:word"), ("ann", "ever"), ("bob", "bobs"), ("ann", "bobs"), ("ann", "over")):
        with requests.Session() as session:
            session.auth = HTTPDigestAuth(user, secret)
            statuses[user, secret] = [
                session.get(f"{url}/a/1%20x?q=%C3%A4").status_code,
                session.post(f"{url}/__world__/w/a/2").status_code,
            ]
    right = [("ann", "päss:word"), ("ann", "ever"), ("bob", "bobs")]
    assert statuses == {pair: [204, 204] if pair in right else [401, 401] for pair in statuses}


def _challenges(client: Client) -> list[dict[str, str]]:
    field = client.call("GET", "/a/1", user=None).fields["www-authenticate"]
    parse: Any = requests.utils.parse_dict_header
    return [parse(part) for part in field.split("Digest ")[1:]]


def _answer(client: Client, algorithm: str, secret: str = "ever", **changes: str) -> int:
    """Return the status of a request with an answer to the challenge of an algorithm."""
    challenge = next(one for one in _challenges(client) if one["algorithm"] == algorithm)
    auth: Any = HTTPDigestAuth("ann", secret)
    auth.init_per_thread_state()
    auth._thread_local.chal = {"realm": "mockserver", "qop": "auth", **challenge, **changes}
    field = auth.build_digest_header("GET", changes.get("uri", "http://h/a/1"))
    assert field is not None
    return client.call("GET", "/a/1", user=None, fields={"Authorization": field}).status


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_a_challenge_is_answered_for_its_own_request(
    make_stub: Callable[..., Client], contract: Path, seed_data: Path, algorithm: str
) -> None:
    client = make_stub(contract, seed_data=seed_data)
    assert _answer(client, algorithm) == 204
    assert _answer(client, algorithm, "wrong") == 401
    assert _answer(client, algorithm, uri="http://h/a/2") == 401, "an answer for another request"
    assert _answer(client, algorithm, uri="http://h/a/1?x") == 401, "an answer for another query"
    assert _answer(client, algorithm, nonce="1-invented") == 401
    assert _answer(client, algorithm, realm="other") == 401


def test_nonces_are_new_each_time_and_the_same_for_the_same_seed(
    make_stub: Callable[..., Client], contract: Path
) -> None:
    first, second, other = make_stub(contract), make_stub(contract), make_stub(contract, seed=1)
    made = [[_challenges(client)[0]["nonce"] for _ in range(3)] for client in (first, second, other)]
    assert len(set(made[0])) == 3
    assert made[0] == made[1]
    assert not set(made[0]) & set(made[2])


WELL_FORMED = 'Digest username="a\\"b", realm="r", nonce="n", uri="/", response="' + "0" * 32 + '"'


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (WELL_FORMED, 204),
        (WELL_FORMED + ', qop=auth, nc=00000001, cnonce="c"', 204),
        (WELL_FORMED + ", opaque=", 204),
        (WELL_FORMED + ", qop=auth", 401),
        (WELL_FORMED + ", qop=auth-int, nc=1, cnonce=c", 401),
        (WELL_FORMED + ", algorithm=SHA-256", 401),
        (WELL_FORMED + ", algorithm=MD5-sess", 401),
        (WELL_FORMED + ", algorithm=x", 401),
        (WELL_FORMED + ', nonce="twice"', 401),
        (WELL_FORMED.replace('response="0', 'response="x'), 401),
        (WELL_FORMED.replace("Digest", "Bearer"), 401),
        ("Digest username=a", 401),
        ("Digest", 401),
        ('Digest a="', 401),
    ],
)
def test_without_accounts_any_well_formed_answer_is_taken(
    make_stub: Callable[..., Client], contract: Path, field: str, status: int
) -> None:
    fields: dict[str, Any] = {"Authorization": field}
    assert make_stub(contract).call("GET", "/a/1", user=None, fields=fields).status == status
