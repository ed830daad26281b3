"""Media types: what their names say about the content, and which documented one covers a field (RFC 9110, 8.3)."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

_Documented = TypeVar("_Documented")

#: A documented range to the media type that is used where nobody names another one that it covers.
_CONCRETE = {"*/*": "application/json", "application/*": "application/json", "text/*": "text/plain"}
_CONCRETE_BY_TYPE = {
    "image": "image/png",
    "audio": "audio/mpeg",
    "video": "video/mp4",
    "multipart": "multipart/mixed",
} | {
    "font": "font/woff2",
    "model": "model/gltf-binary",
    "message": "message/http",
}
#: Names of JSON that are older than the suffix rule (RFC 6839, section 3.1).
_OLD_JSON = frozenset({"text/x-json", "application/x-json"})
_LINES = frozenset({"application/x-ndjson", "application/jsonl", "application/ndjson", "application/json-seq"})
#: Encodings that are Python's own, one that takes quadratic time, and one that can encode lone surrogates, which JSON
#: cannot.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})


def essence(media_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Tell whether content of a media type is JSON (RFC 6839, section 3.1), older names of JSON included."""
    name = essence(media_type)
    return name.endswith(("/json", "+json")) or name in _OLD_JSON


def is_xml(media_type: str) -> bool:
    """Tell whether content of a media type is XML (RFC 7303)."""
    return essence(media_type).endswith(("/xml", "+xml"))


def is_json_lines(media_type: str) -> bool:
    """Tell whether content of a media type is a sequence of JSON texts, one per line or record (RFC 7464)."""
    name = essence(media_type)
    return name in _LINES or name.endswith("+json-seq")


def covering(content: Mapping[str, _Documented], field: str) -> _Documented | None:
    """Return the entry of documented content that covers a `Content-Type` field, None if no entry does.

    The documented type with most parameters in common with the field comes first, then its range.
    """
    name = _covering(tuple(content), field)
    return None if name is None else content[name]


def json_content(content: Mapping[str, _Documented]) -> tuple[str, _Documented] | None:
    """Return the first JSON media type in documented content, made concrete, and its entry; None if there is none."""
    found = ((concrete(name), documented) for name, documented in content.items() if is_json(concrete(name)))
    return next(found, None)


@lru_cache(maxsize=4096)
def _covering(names: tuple[str, ...], field: str) -> str | None:
    wanted, given = essence(field), _parameters(field)
    if not wanted:
        return None
    ranges = {f"{wanted.partition('/')[0]}/*": -2, "*/*": -3}
    ranked = []
    for place, name in enumerate(names):
        own = _parameters(name)
        if essence(name) == wanted:
            ranked.append((len(own) if own <= given else -1, -place))
        elif essence(name) in ranges:
            ranked.append((ranges[essence(name)], -place))
    return names[-max(ranked)[1]] if ranked else None


def _parameters(media_type: str) -> frozenset[tuple[str, str]]:
    """Return the parameters of a media type as pairs of name and value, both in lower case."""
    pairs = (part.partition("=") for part in media_type.split(";")[1:])
    return frozenset(
        (name.strip().lower(), value.strip().strip('"').lower()) for name, _, value in pairs if name.strip()
    )


def concrete(offer: str) -> str:
    """Return a concrete media type for a documented range such as `*/*`; any other media type is returned unchanged."""
    name = essence(offer)
    if not name.endswith("*"):
        return offer
    return _CONCRETE.get(name) or _CONCRETE_BY_TYPE.get(name.partition("/")[0], "application/octet-stream")


def charset(media_type: str) -> str | None:
    """Return Python's name of a media type's charset, UTF-8 if it names none, None if the charset is unknown."""
    for part in media_type.split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name.lower() == "charset":
            return _known(value.strip('"'))
    return "utf-8"


def _known(name: str) -> str | None:
    try:
        "x".encode(name)  # also a codec that is none of text, such as base64, is refused here
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return None if found in _NO_CHARSETS else found
