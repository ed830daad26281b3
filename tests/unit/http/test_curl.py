"""Command lines of curl, read by a real shell with a curl that prints what it is given."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from mockserver.http import curl

_CURL = 'curl() { printf "%s\\0" "$@"; cat; }\n'


def _given(line: str, variables: str = "") -> list[str]:
    done = subprocess.run(
        ["sh"], input=f"{variables}\n{_CURL}{line} < /dev/null", capture_output=True, text=True, check=True
    )
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (curl.method_words("HEAD"), ["-I"]),
        (curl.method_words("GET"), ["-X", "GET"]),
        (curl.field_words("X-One", "a b"), ["-H", "X-One: a b"]),
        (curl.field_words("X-Empty", ""), ["-H", "X-Empty;"]),
        (curl.content_words('{"a": "it\'s $HOME"}'), ["-d", '{"a": "it\'s $HOME"}']),
        (curl.content_words("@file", "--data-binary"), ["--data-raw", "@file"]),
        (curl.url_words("http://x/?a[b]={c}"), ["-g", "http://x/?a[b]={c}"]),
        (curl.url_words("http://x/?a=1"), ["http://x/?a=1"]),
        (curl.url_words("http://x/a/%2e./b"), ["--path-as-is", "http://x/a/%2e./b"]),
    ],
)
def test_curl_is_given_what_it_takes_literally(words: list[str], expected: list[str]) -> None:
    assert words == expected
    assert _given(shlex.join(["curl", *words])) == expected
    assert _given(" ".join(["curl", *(curl.quoted(word, lambda _: False) for word in words)])) == expected


def test_our_variables_and_no_others_are_replaced_by_the_shell() -> None:
    word = curl.quoted("it's $TOKEN of $HOME, $TOKEN2", {"TOKEN"}.__contains__)
    assert _given(f"curl {word}", "TOKEN='s e c'") == ["it's s e c of $HOME, $TOKEN2"]
    assert _given(f"curl {curl.quoted('', lambda _: False)}") == [""]


def test_long_content_of_few_words_is_written_by_a_command() -> None:
    content = "[" * 3000 + '"\n' + "ab" * 2000
    line = curl.writer(content)
    assert len(line) < 200
    done = subprocess.run(["sh", "-c", f"{line}cat"], capture_output=True, text=True, check=True)
    assert done.stdout == content


@pytest.mark.parametrize("content", ["[" * 2000, "".join(map(str, range(3000))), "[" * 3000 + "$TOKEN"])
def test_other_content_stands_in_the_line(content: str) -> None:
    assert curl.writer(content) == ""
