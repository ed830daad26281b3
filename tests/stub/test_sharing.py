"""Address books and calendars: what one MailUser shares is what another one gets, now and after a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.conftest import Client

CONTACTS = "/api/v1/contacts/share/"
CALENDARS = "/api/v1/calendars/share/"
AB, U1, U2, U9 = "ab@vonmail.com", "u1@vonmail.com", "u2@vonmail.com", "u9@other.example"
USERS = {name: (name, "long-auth_token-here") for name in (AB, U1, U2)}
USERS[U9] = (U9, "long-auth_token-of-other-mailuser")
AB_DEFAULT = "https://example.domain.tld/radicale/ab@vonmail.com/67763625-112a-405a-a169-598fe63e11af/"
SECONDS = 10


def _share(client: Client, owner: str, recipients: list[str], name: str = "default") -> Any:
    return client.call("PUT", CONTACTS, user=USERS[owner], json={"friendly_name": name, "recipients": recipients})


def _shares(client: Client, name: str, path: str = CONTACTS) -> Any:
    answer = client.call("GET", path, user=USERS[name])
    assert answer.status == 200, answer
    return answer.json()


@pytest.mark.parametrize("path", [CONTACTS, CALENDARS])
def test_a_share_is_seen_from_both_sides(stub: Client, path: str) -> None:
    [given_away] = _shares(stub, AB, path)["shared_by_me"]
    assert given_away == {
        "friendly_name": "default",
        "recipients": [U1, U2],
        "status": "applied",
        "url": AB_DEFAULT,
    }
    for recipient in (U1, U2):
        [received] = _shares(stub, recipient, path)["shared_with_me"]
        # The documentation shows another account's address book under the name of who looks.
        url = AB_DEFAULT.replace(AB, recipient)
        assert received == {"friendly_name": "default", "from": AB, "status": "applied", "url": url}
    assert _shares(stub, U2, path)["shared_by_me"] == []
    assert _shares(stub, U9, path) == {"shared_by_me": [], "shared_with_me": []}


def test_new_recipients_take_the_place_of_the_old(stub: Client) -> None:
    written = _share(stub, AB, [U9]).json()
    assert written == {"friendly_name": "default", "recipients": [U9], "status": "applying", "url": AB_DEFAULT}
    assert _shares(stub, AB)["shared_by_me"] == [{**written, "status": "applied"}]
    assert [share["from"] for share in _shares(stub, U9)["shared_with_me"]] == [AB]
    assert _shares(stub, U1)["shared_with_me"] == _shares(stub, U2)["shared_with_me"] == []


def test_contacts_leave_calendars_alone(stub: Client) -> None:
    before = [_shares(stub, name, CALENDARS) for name in USERS]
    _share(stub, AB, [])
    assert [_shares(stub, name, CALENDARS) for name in USERS] == before


def test_everybody_has_a_default_address_book_of_its_own(stub: Client) -> None:
    urls = [_share(stub, name, [AB]).json()["url"] for name in (U1, U2, U9)]
    assert [url.split("/")[4] for url in urls] == [U1, U2, U9]
    identifiers = {url.split("/")[5] for url in [*urls, AB_DEFAULT]}
    assert len(identifiers) == 4
    assert [_share(stub, name, [AB]).json()["url"] for name in (U1, U2, U9)] == urls
    assert [_share(stub, name, []).json()["url"] for name in (U1, U2, U9)] == urls


def test_a_share_without_recipients_is_none(make_stub: Callable[..., Client]) -> None:
    client = make_stub(clock=1_000_000, transition_seconds=SECONDS)
    assert _share(client, AB, []).json()["recipients"] == []
    [ending] = _shares(client, AB)["shared_by_me"]
    assert (ending["status"], ending["recipients"]) == ("applying", [])
    assert _shares(client, U1)["shared_with_me"] == []
    client.set_clock(advance_seconds=SECONDS)
    assert _shares(client, AB)["shared_by_me"] == []


def test_an_unknown_address_book_is_not_found(stub: Client) -> None:
    # Names are an account's own: ab may use what u1 calls so, and still has none of that name.
    answer = _share(stub, AB, [U2], "Project NMS")
    assert answer.status == 404
    assert '"Project NMS"' in answer.json()["detail"]
    assert _share(stub, U1, [U2], "Project NMS").status == 200


@pytest.mark.parametrize("recipient", ["nobody@vonmail.com", "domainadmin@vonmail.com", AB, AB.upper()])
def test_only_other_mailusers_receive(stub: Client, recipient: str) -> None:
    before = [_shares(stub, name) for name in USERS]
    answer = _share(stub, AB, [U1, recipient])
    assert answer.status == 422
    assert answer.pointers == ["/recipients/1"]
    assert recipient in answer.json()["detail"]
    assert [_shares(stub, name) for name in USERS] == before


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({"friendly_name": "default"}, "/recipients"),
        ({"recipients": []}, "/friendly_name"),
        ({"friendly_name": "", "recipients": []}, "/friendly_name"),
        ({"friendly_name": "default", "recipients": U1}, "/recipients"),
        ({"friendly_name": "default", "recipients": [U1, U1]}, "/recipients"),
        ({"friendly_name": "default", "recipients": ["admin"]}, "/recipients/0"),
        ({"friendly_name": "default", "recipients": [], "status": "applied"}, "/status"),
    ],
)
def test_what_the_contract_does_not_allow_is_refused(stub: Client, content: Any, pointer: str) -> None:
    answer = stub.call("PUT", CONTACTS, user=USERS[AB], json=content)
    assert (answer.status, answer.pointers) == (422, [pointer])


@pytest.mark.parametrize("user", ["admin", "domain"])
def test_only_mailusers_share(stub: Client, user: str) -> None:
    assert stub.call("GET", CONTACTS, user=user).status == 403
    assert stub.call("GET", CALENDARS, user=user).status == 403
    assert stub.call("PUT", CONTACTS, user=user, json={"friendly_name": "default", "recipients": []}).status == 403
    assert stub.call("PUT", CALENDARS, user=USERS[AB], json={}).status == 405


def test_urls_are_urls_whatever_an_account_is_called(make_stub: Callable[..., Client], tmp_path: Any) -> None:
    names = ["josé o'hara/100%?@vonmail.com", "b@vonmail.com"]
    lines = [f'  - {{username: "{name}", level: MailUser, tokens: [{{token: "{name}"}}]}}' for name in names]
    (tmp_path / "seed.yaml").write_text("accounts:\n" + "\n".join(lines), encoding="utf-8")
    client = make_stub(seed_data=tmp_path / "seed.yaml")
    content = {"friendly_name": "default", "recipients": [names[1]]}
    url = client.call("PUT", CONTACTS, user=(names[0], names[0]), json=content).json()["url"]
    assert url.startswith("https://example.domain.tld/radicale/jos%C3%A9%20o'hara%2F100%25%3F@vonmail.com/")


def test_address_books_are_counted_whether_used_or_not(stub: Client) -> None:
    def counted() -> Any:
        counts = stub.call("GET", "/api/v1/stats/mail/").json()
        return counts["mailboxes"], counts["addressbooks"], counts["calendars"]

    mailboxes, books, calendars = counted()
    # One of each mailbox, and u1's Project NMS.
    assert books == calendars == mailboxes + 1
    _share(stub, U2, [AB])
    assert counted() == (mailboxes, books, calendars)


_steps = st.one_of(
    st.tuples(st.sampled_from([AB, U1, U2, U9]), st.lists(st.sampled_from([AB, U1, U2, U9]), unique=True)),
    st.tuples(st.just(U1), st.just("Project NMS"), st.lists(st.sampled_from([AB, U2, U9]), unique=True)),
    st.integers(1, SECONDS),
)


@given(steps=st.lists(_steps, max_size=12))
def test_shares_are_what_a_model_of_them_says(stepped_stub: Client, steps: list[Any]) -> None:
    client = stepped_stub.in_new_world()
    now = 0
    # Owner and name -> recipients, and when they were last changed.
    model: dict[tuple[str, str], tuple[list[str], int]] = {
        (AB, "default"): ([U1, U2], -SECONDS),
        (U1, "Project NMS"): ([AB], -SECONDS),
    }
    for step in steps:
        if isinstance(step, int):
            now += step
            client.set_clock(advance_seconds=step)
        else:
            owner, *rest = step
            name, recipients = rest if len(rest) == 2 else ("default", rest[0])
            answer = _share(client, owner, recipients, name)
            assert answer.status == (422 if owner in recipients else 200), answer
            if owner not in recipients:
                model[owner, name] = (recipients, now)
        for user in USERS:
            _compare(_shares(client, user), user, model, now)


def _compare(shown: Any, user: str, model: dict[tuple[str, str], tuple[list[str], int]], now: int) -> None:
    status = {key: "applied" if now - since >= SECONDS else "applying" for key, (_, since) in model.items()}
    given_away = {
        name: (recipients, status[owner, name])
        for (owner, name), (recipients, _) in model.items()
        if owner == user and (recipients or status[owner, name] == "applying")
    }
    received = {
        (owner, name): status[owner, name] for (owner, name), (recipients, _) in model.items() if user in recipients
    }
    by_me, with_me = shown["shared_by_me"], shown["shared_with_me"]
    assert {share["friendly_name"]: (share["recipients"], share["status"]) for share in by_me} == given_away
    assert {(share["from"], share["friendly_name"]): share["status"] for share in with_me} == received
    assert len(by_me) == len(given_away)
    assert len(with_me) == len(received)
    assert all(share["url"].split("/")[4] == user for share in (*by_me, *with_me))


@pytest.fixture
def stepped_stub(make_stub: Callable[..., Client]) -> Client:
    """A stub whose clock stands and whose changes take their time."""
    return make_stub(clock=1_000_000, transition_seconds=SECONDS)
