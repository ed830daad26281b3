"""Content codings undone, within limits."""

from __future__ import annotations

import gzip
import math
import time
import zlib

import pytest

from mockserver.suite.target.content_codings import decode

TEXT = b"hello " * 20


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)  # names of tests are the same in each process


def raw_deflate(content: bytes) -> bytes:
    pack = zlib.compressobj(wbits=-15)
    return pack.compress(content) + pack.flush()


@pytest.mark.parametrize(
    ("said", "content"),
    [
        ("gzip", packed(TEXT)),
        ("X-GZIP", packed(TEXT)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("gzip, deflate", zlib.compress(packed(TEXT))),
        ("identity,gzip", packed(TEXT)),
        ("gzip", packed(TEXT[:50]) + packed(TEXT[50:]) + bytes(8)),
        ("utf-8", TEXT),
        ("", TEXT),
    ],
)
def test_content_is_decoded_by_what_its_fields_say(said: str, content: bytes) -> None:
    found = decode(content, [("Content-Encoding", said)], 1000, math.inf)
    assert (found.body, found.unread, found.flaw) == (TEXT, "", "")


@pytest.mark.parametrize(
    ("said", "content"),
    [
        ("gzip", packed(TEXT)[:-9]),
        ("gzip", packed(TEXT) + b"?"),
        ("gzip", TEXT),
        ("deflate", TEXT),
        ("gzip", b"\x1f"),
        (", ".join(["gzip"] * 6), packed(TEXT)),
    ],
)
def test_content_that_is_not_encoded_as_it_says_is_a_flaw(said: str, content: bytes) -> None:
    found = decode(content, [("Content-Encoding", said)], 1000, math.inf)
    assert found.flaw
    assert found.unread


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_bomb_is_cut_and_told(layers: int) -> None:
    content = bytes(3_000_000)
    for _ in range(layers):
        content = gzip.compress(content)
    found = decode(content, [("Content-Encoding", ", ".join(["gzip"] * layers))], 1_000_000, math.inf)
    assert found.body == bytes(1_000_000)
    assert "become more than" in found.flaw


def test_long_content_that_is_no_bomb_is_cut_and_no_flaw() -> None:
    content = gzip.compress(b"".join(b"%d," % (number * number) for number in range(10_000)))
    found = decode(content, [("Content-Encoding", "gzip")], 1000, math.inf)
    assert (len(found.body), found.flaw) == (1000, "")
    assert found.unread


def test_a_coding_that_is_not_read_is_told_and_no_flaw() -> None:
    found = decode(TEXT, [("Content-Encoding", "br")], 1000, math.inf)
    assert (found.body, found.flaw) == (TEXT, "")
    assert "br" in found.unread


def test_content_that_was_left_breaks_off_without_a_flaw() -> None:
    found = decode(gzip.compress(TEXT)[:-9], [("Content-Encoding", "gzip")], 1000, math.inf, whole=False)
    assert (found.body, found.flaw) == (TEXT, "")


def test_decoding_ends_with_the_time_limit() -> None:
    with pytest.raises(TimeoutError):
        decode(gzip.compress(TEXT), [("Content-Encoding", "gzip")], 1000, time.monotonic() - 1)
