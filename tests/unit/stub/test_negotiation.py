"""`Accept`: properties that hold for any field and any offers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mockserver.http.media_types import is_json
from mockserver.stub.negotiation import parse_accept, rank

OFFERS = ["application/json", "application/hal+json", "text/plain", "text/csv; header=present", "image/*", "*/*"]
offers = st.lists(st.sampled_from(OFFERS), unique=True, max_size=4)
elements = st.builds(
    lambda name, rest: name + rest,
    st.sampled_from([*OFFERS, "text/*", "application/*", "audio/ogg", "*", "x"]),
    st.sampled_from(["", ";q=0", ";q=0.5", "; q=1.0", ";q=x", ";level=1"]),
)
fields = st.one_of(st.none(), st.text(max_size=40), st.lists(elements, max_size=4).map(",".join))


@given(offers, fields)
def test_what_is_chosen_was_offered_and_is_concrete(offered: list[str], accept: str | None) -> None:
    ranked = rank(offered, accept)
    assert {offer for offer, _ in ranked} <= set(offered)
    assert len(ranked) == len({offer for offer, _ in ranked})
    assert all("*" not in name for _, name in ranked)


@given(offers)
def test_without_accept_all_is_offered_in_the_order_of_the_document(offered: list[str]) -> None:
    assert [offer for offer, _ in rank(offered, None)] == offered
    ranked = [is_json(offer) for offer, _ in rank(offered, "nonsense")]
    assert len(ranked) == len(offered)
    assert ranked == sorted(ranked, reverse=True)


@given(st.sampled_from(["application/json", "text/plain"]), offers)
def test_what_is_refused_is_never_sent(name: str, offered: list[str]) -> None:
    assert name not in {offer for offer, _ in rank(offered, f"{name};q=0, */*")}


@given(st.lists(elements, max_size=4).map(",".join))
def test_weights_are_between_0_and_1(field: str) -> None:
    assert all(0 <= element.quality <= 1 for element in parse_accept(field))
