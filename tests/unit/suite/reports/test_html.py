from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from mockserver.suite.reports.html import as_html
from mockserver.suite.reports.json_report import Document

_VOID = {"meta", "br", "link", "img", "hr", "input"}


class _Page(HTMLParser):
    """Collects a page's elements and text, and checks that each element is closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def _page(document: Document) -> _Page:
    return _Page("".join(as_html(document)))


def test_verdict_findings_coverage_ledger_and_facts(document: Document) -> None:
    page = _page(document)
    for told in (
        "BROKEN: 1 violation",
        "a 200 gives a secret back",
        "this rule holds for every server",
        "curl -i -X PUT -u admin:",
        "not run because it needs an identity, 0 cases",
        "passed, 3 cases",
        "Not put back note",
        "http://127.0.0.1:1",
    ):
        assert told in page.text, told
    headings = [tag for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[:2] == ["h1", "h2"]
    assert headings.count("h1") == 1


def test_the_page_needs_nothing_else_and_runs_nothing(document: Document) -> None:
    text = "".join(as_html(document))
    page = _Page(text)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        assert not {name for name in attributes if name in {"src", "style"} or name.startswith("on")}
        assert tag != "a" or (attributes["href"] or "").startswith("#")
    policy = next(a["content"] for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode() in policy


def test_what_a_server_says_is_text(document: Document) -> None:
    hostile = "</pre><script>alert(1)</script><img src=x onerror=y>\"'"
    finding = document["findings"][0]
    finding |= {"title": hostile, "detail": hostile}
    finding["response"] |= {"body": hostile, "headers": {hostile: hostile}}
    document["coverage"][0]["why"] = hostile
    page = _page(document)
    assert not {"script", "img"} & {tag for tag, _ in page.elements}
    assert page.text.count("alert(1)") >= 4


@pytest.mark.parametrize(
    ("run", "state"),
    [({}, "kept"), ({"error": "nothing listens"}, "not-judged"), ({"interrupted": True}, "interrupted")],
)
def test_a_run_without_findings(document: Document, run: dict[str, object], state: str) -> None:
    document["findings"], document["summary"] = [], {"violation": 0, "drift": 0, "environment": 0}
    document["run"] |= run
    page = _page(document)
    assert ("header", {"class": f"verdict {state}"}) in page.elements
    assert "None." in page.text


def test_nothing_but_the_colour_scheme_differs_in_the_dark(document: Document) -> None:
    text = "".join(as_html(document))
    light, dark = (set(re.findall(r"(--[\w-]+):", part)) for part in text.split("prefers-color-scheme: dark", 1))
    assert light
    assert light <= dark, "a colour that the dark scheme forgot"
