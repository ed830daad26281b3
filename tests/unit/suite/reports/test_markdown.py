from __future__ import annotations

import re

import pytest

from mockserver.suite.reports.json_report import Document
from mockserver.suite.reports.markdown import MAX_LENGTH, as_markdown, block, code, plain


def test_verdict_table_and_evidence(document: Document) -> None:
    text = "".join(as_markdown(document))
    assert text.startswith("## mockserver check: BROKEN\\: 1 violation; 2xx on 1 of 2 operations\n")
    assert "| 🔴 violation | a 200 gives a secret back | `PUT /note` | 1 | server |" in text
    assert "```sh\ncurl -i -X PUT" in text
    assert "not run\\: other on GET /note, because it needs an identity" in text
    assert "**Changed and not put back:** `note`" in text


def test_it_fits_into_a_comment_and_says_what_does_not(document: Document) -> None:
    first = document["findings"][0]
    document["findings"] = [
        first | {"id": str(n), "title": f"cause {n}", "cause": f"cause {n}", "detail": "x" * 900} for n in range(500)
    ]
    text = "".join(as_markdown(document))
    assert len(text) <= MAX_LENGTH + 100
    assert "there are 500 causes" in text
    assert text.rstrip().endswith("`note`")
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("hostile", ["<script>", "[x](http://y)", "a|b", "@everyone", "![x](y)", "# h", "`x`", "**b**"])
def test_what_a_server_says_is_no_markup(hostile: str) -> None:
    assert re.fullmatch(r"(\\[^\w\s]|[\w\s./?=])*", plain(hostile))


def test_nothing_ends_a_block_or_a_span() -> None:
    assert block("a\n````\nb").startswith("`````\n")
    assert code("a``b") == "``` a``b ```"
