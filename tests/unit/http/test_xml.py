"""XML: what is written reads back, hints are kept, and hostile documents are refused."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.contract.source.references import follow
from mockserver.http.xml import decode, encode

PET: dict[str, Any] = {
    "type": "object",
    "xml": {"name": "pet"},
    "properties": {
        "id": {"type": "integer", "xml": {"attribute": True}},
        "name": {"type": "string", "xml": {"namespace": "http://example.com/n", "prefix": "n"}},
        "good": {"type": "boolean"},
        "weight": {"type": "number"},
        "photos": {
            "type": "array",
            "xml": {"name": "photoUrls", "wrapped": True},
            "items": {"type": "string", "xml": {"name": "url"}},
        },
        "tags": {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}},
    },
}
TAG: dict[str, Any] = {"type": "object", "properties": {"id": {"type": "integer"}, "label": {"type": "string"}}}
DOCUMENT = {
    "components": {
        "schemas": {"Pet": PET, "Tag": TAG, "Pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}}
    }
}
VALUE = {
    "id": 7,
    "name": "Rex & Co",
    "good": True,
    "weight": 1.5,
    "photos": ["a", "b"],
    "tags": [{"id": 1, "label": "x"}, {"id": 2, "label": "<y>"}],
}


def _at(pointer: str) -> tuple[Any, str]:
    return follow(DOCUMENT, pointer)


def test_hints_are_kept() -> None:
    text = encode(VALUE, _at, "/components/schemas/Pet")
    assert text.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?><pet id="7"><n:name xmlns:n="http://example.com/n">Rex &amp; Co</n:name>'
        "<good>true</good><weight>1.5</weight><photoUrls><url>a</url><url>b</url></photoUrls>"
        "<tags><id>1</id><label>x</label></tags><tags><id>2</id><label>&lt;y&gt;</label></tags></pet>"
    )
    assert decode(text, _at, "/components/schemas/Pet") == VALUE


def test_a_list_is_wrapped_and_components_give_names() -> None:
    text = encode([VALUE, {"id": 8}], _at, "/components/schemas/Pets")
    assert text.startswith(b'<?xml version="1.0" encoding="UTF-8"?><Pets><pet id="7">')
    assert decode(text, _at, "/components/schemas/Pets") == [VALUE, {"id": 8}]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda below: st.lists(below) | st.dictionaries(st.text(), below),
        max_leaves=8,
    )
)
def test_whatever_is_written_is_well_formed(value: Any) -> None:
    ElementTree.fromstring(encode(value, _at, ""))
    ElementTree.fromstring(encode(value, _at, "/components/schemas/Pet"))


@given(
    st.lists(
        st.fixed_dictionaries(
            {"id": st.integers(), "label": st.text(st.characters(min_codepoint=32, max_codepoint=126))}
        ),
        max_size=3,
    )
)
def test_what_is_written_reads_back(values: list[Any]) -> None:
    pet = {"id": 1, "tags": values} if values else {"id": 1}
    assert decode(encode(pet, _at, "/components/schemas/Pet"), _at, "/components/schemas/Pet") == pet


@given(st.binary(max_size=60))
def test_what_is_no_xml_is_a_value_error(content: bytes) -> None:
    try:
        decode(content, _at, "/components/schemas/Pet")
    except ValueError:
        return
    assert content.lstrip(b"\xef\xbb\xbf \r\n\t\xff\xfe").startswith(b"<")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>&undefined;</a>",
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b"<a>" * 200 + b"</a>" * 200,
    ],
)
def test_documents_that_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"XML|deeper"):
        decode(content, _at, "")


def test_without_a_schema_elements_become_members() -> None:
    assert decode(b'<a x="1"><b>2</b><c/><c>3</c></a>', _at, "") == {"x": "1", "b": "2", "c": ["", "3"]}
