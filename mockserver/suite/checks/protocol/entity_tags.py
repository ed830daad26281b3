"""The check of entity tags: content that changed has another one."""

from __future__ import annotations

from hashlib import sha256

from mockserver.suite.cases.observed_response import ObservedResponse
from mockserver.suite.verdicts.failures import Rule

#: So many representations are remembered in a run.
_MOST = 5000


def entity_tags_follow_the_content(observed: ObservedResponse) -> bool:
    """Check that content which changed has another ETag: no cache could tell otherwise (RFC 9110, section 8.8.1).

    Only strong ones: a weak one may stay when a change does not matter.
    """
    request, response = observed.exchange.request, observed.response
    tag = response.field("ETag")
    if observed.representations is None or request.method != "GET" or response.status != 200:
        return False
    if tag is None or not tag.startswith('"') or response.unread or not response.body:
        return False
    seen = observed.representations
    # Any field of a request may select another representation (RFC 9110, section 12.5), or another caller.
    place = (request.path, tag, response.media_type, *(f"{name.lower()}: {value}" for name, value in request.fields))
    digest = sha256(response.body).digest()
    before = seen.get(place)
    if before is None:
        if len(seen) < _MOST:
            seen[place] = digest, response.body[:80].decode("utf-8", "replace")
        return False
    if before[0] == digest:
        return True
    headers = observed.promised.headers if observed.promised is not None else {}
    documented = next((header for name, header in headers.items() if name.lower() == "etag"), None)
    rule: Rule = "silent" if documented is None else "contract"
    raise observed.failure(
        "entity_tags_follow_the_content",
        "the content changed, and its ETag did not",
        expected="another ETag for other content",
        got=f"ETag: {tag} as before, when the content was {before[1]!r}",
        pointer=documented.pointer if documented is not None else observed.place,
        rule=rule,
    )
