"""Files to documents: what is refused, and that the message names file and line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.contract.reading.document import load_contract
from mockserver.contract.source.loading import MAX_BYTES, load
from mockserver.contract.source.yaml import MAX_DEPTH
from mockserver.errors import ContractError


def _write(folder: Path, content: str | bytes, name: str = "contract.yaml") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _load(folder: Path, content: str | bytes, name: str = "contract.yaml") -> Any:
    return load(_write(folder, content, name)).data


#: What is wrong, the text, the line that must be named (None: any or none).
BROKEN: dict[str, tuple[str | bytes, int | None]] = {
    "a tab for indentation": ("a:\n\tb: c\n", 2),
    "a key twice": ("a: 1\nb: 2\na: 3\n", 3),
    "a key twice, deep": ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4),
    "a key twice, once as a number": ("'200': 1\n200: 2\n", 2),
    "an open quote": ("a: 1\nb: 'x\n", 3),
    "an open bracket": ("a: 1\nb: [1, 2\n", 3),
    "a list as key": ("a: 1\n? [1]\n: 2\n", 2),
    "a mapping as key": ("? {a: 1}\n: 2\n", 1),
    "an unknown alias": ("a: 1\nb: *nothing\n", 2),
    "an anchor that contains itself": ("b: 1\na: &a\n  c: *a\n", None),
    "a list that contains itself": ("a: &a [1, *a]\n", None),
    "two documents": ("a: 1\n---\nb: 1\n", 2),
    "a Python object": ("a: 1\nb: !!python/object:os.system x\n", 2),
    "an own tag": ("a: !mine x\n", 1),
    "bytes": ("a: 1\nb: !!binary aGk=\n", 2),
    "a set": ("a: !!set {x}\n", 1),
    "a date": ("a: 1\nb: !!timestamp 2020-01-01\n", 2),
    "an ordered map": ("a: !!omap [b: 1]\n", 1),
    "a NUL": ("a: b\nc: x\0y\n", 2),
    "a control character": ("a: b\n\nc: x\x07y\n", 3),
    "a number too long": ("a: " + "9" * 5000, None),
    "not UTF-8": (b"a: 1\nb: \xff\n", 2),
    "UTF-16": ("a: 1".encode("utf-16"), 1),
    "empty": ("", None),
    "only a comment": ("# nothing\n", None),
    "a list": ("[1]", None),
    "a text": ("hello", None),
    "JSON cut off": ('{"a": 1,\n "b": [1', None),
    "too deep, flow": ("a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), None),
    "too deep, JSON": ('{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), None),
    "too deep, block": ("\n".join(" " * level + "a:" for level in range(MAX_DEPTH + 1)) + " 1", None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_told_with_file_and_line(tmp_path: Path, name: str) -> None:
    content, line = BROKEN[name]
    with pytest.raises(ContractError) as caught:
        _load(tmp_path, content)
    message = str(caught.value)
    place = re.match(r"(?P<file>.*contract\.yaml)(?::(?P<line>\d+))?: \S", message)
    assert place is not None, message
    if line is not None:
        assert place["line"] == str(line), message
    assert "\n" not in message
    assert len(message) < 600


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000 + "x",
        "? " * 100_000 + "x",
        '{"a":' * 100_000,
        '["]",' * 100_000,
        "['}',\n" * 100_000,
        "[ # ]\n" * 100_000,
        "- -\n" * 10 + "".join(" " * level + "-\n" for level in range(3000)),
        "&a [" * 50_000,
        "!!seq [" * 50_000,
        "[[[" * 900 + "]" * 2700 + "[" * 90_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_no_nesting_takes_the_process_down(tmp_path: Path, text: str) -> None:
    """The parser below recurses in C: whatever gets through to it must be shallow."""
    path = _write(tmp_path, text)
    code = (
        "import sys\nfrom mockserver.contract.source.loading import load\nfrom mockserver.errors import ContractError\n"
        "try:\n    load(sys.argv[1])\nexcept ContractError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done
    assert done.stdout.startswith(str(path))


def test_aliases_cannot_grow_without_bound(tmp_path: Path) -> None:
    laughs = "".join(f"x-{n}: &x{n} [*x{n - 1}, *x{n - 1}]\n" for n in range(1, 60))
    with pytest.raises(ContractError, match=r"contract\.yaml"):
        load_contract(_write(tmp_path, "openapi: 3.1.0\ninfo: {}\npaths: {}\nx-0: &x0 [a, b]\n" + laughs))


def test_a_reasonable_use_of_aliases_is_fine(tmp_path: Path) -> None:
    text = "a: &a {x: [1, 2]}\nb: *a\nc: [*a, *a]\n"
    assert _load(tmp_path, text) == {"a": {"x": [1, 2]}, "b": {"x": [1, 2]}, "c": [{"x": [1, 2]}] * 2}


def test_merge_keys_give_way_to_own_ones(tmp_path: Path) -> None:
    text = "a: &a {x: 1, y: 1}\nb:\n  <<: *a\n  x: 2\nc: {<<: [*a, {z: 3}], w: 4}\n"
    assert _load(tmp_path, text) == {
        "a": {"x": 1, "y": 1},
        "b": {"x": 2, "y": 1},
        "c": {"x": 1, "y": 1, "z": 3, "w": 4},
    }


def test_scalars_are_those_of_json(tmp_path: Path) -> None:
    text = """
        {yes: yes, on: on, date: 2020-01-01, octal: 0777, hex: 0x1F, sexagesimal: 1:30, under: 1_000,
         t: true, f: False, n: null, tilde: ~, i: -12, x: 1.5e3, dot: .5, text: '1', version: 3.1.0, nan: .nan}
    """
    assert _load(tmp_path, text.replace("\n         ", " ").strip() + "\n") == {
        "yes": "yes",
        "on": "on",
        "date": "2020-01-01",
        "octal": 777,
        "hex": "0x1F",
        "sexagesimal": "1:30",
        "under": "1_000",
        "t": True,
        "f": False,
        "n": None,
        "tilde": None,
        "i": -12,
        "x": 1500.0,
        "dot": 0.5,
        "text": "1",
        "version": "3.1.0",
        "nan": ".nan",
    }


def test_keys_are_text(tmp_path: Path) -> None:
    assert _load(tmp_path, "200: a\ntrue: b\nnull: c\n1.5: d\n") == {"200": "a", "true": "b", "null": "c", "1.5": "d"}


@pytest.mark.parametrize("content", ["\ufeffa: 1\n", '\ufeff{"a": 1}', "a: 1\r\n", '  {"a": 1}'])
def test_a_byte_order_mark_and_white_space_are_passed_over(tmp_path: Path, content: str) -> None:
    assert _load(tmp_path, content) == {"a": 1}


def test_of_a_json_key_that_stands_twice_the_last_counts(tmp_path: Path) -> None:
    """RFC 8259 leaves it open and real documents have it; YAML forbids it."""
    assert _load(tmp_path, '{"a": 1, "b": 2, "a": 3}') == {"a": 3, "b": 2}


def test_integers_stay_exact_in_both_notations(tmp_path: Path) -> None:
    number = 2**64 + 1
    assert _load(tmp_path, f"a: {number}\n") == {"a": number}
    assert _load(tmp_path, f'{{"a": {number}}}') == {"a": number}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), json_values, max_size=4))
def test_any_json_object_loads_as_itself(tmp_path: Path, data: Any) -> None:
    assert _load(tmp_path, json.dumps(data)) == data
    assert _load(tmp_path, json.dumps(data, ensure_ascii=False)) == data


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    text = "# comment\nopenapi: 3.1.0\npaths:\n  /a/b:\n    get: {x: 1}\n  '~':\n    - 1\n    - k: v\n"
    document = load(_write(tmp_path, text))
    found = {
        pointer: document.locate(pointer)
        for pointer in ("", "/openapi", "/paths/~1a~1b", "/paths/~1a~1b/get/x", "/paths/~0/1/k", "/paths/~0/7", "/no")
    }
    assert found == {
        "": 1,
        "/openapi": 2,
        "/paths/~1a~1b": 4,
        "/paths/~1a~1b/get/x": 5,
        "/paths/~0/1/k": 8,
        "/paths/~0/7": 6,
        "/no": 1,
    }


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="No such file"):
        load(tmp_path / "nothing.yaml")
    with pytest.raises(ContractError, match="is a directory"):
        load(tmp_path)
    with pytest.raises(ContractError, match=re.escape(str(tmp_path))):
        load(tmp_path / ("x" * 300))


def test_a_file_larger_than_64_mib_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ContractError, match="larger than 64 MiB"):
        load(path)


def test_a_device_that_never_ends_is_refused() -> None:
    with pytest.raises(ContractError, match="/dev/zero: larger than"):
        load("/dev/zero")


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    """As from a shell's process substitution."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_text("a: 1\n"))
    writer.start()
    try:
        assert load(path).data == {"a": 1}
    finally:
        writer.join()
