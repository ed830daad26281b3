"""Values of Example Objects: in place, as data and serialised form (OpenAPI 3.2, section 4.20), or in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin

from mockserver.contract.reading.reader import Reader
from mockserver.contract.source import remote
from mockserver.errors import ContractError
from mockserver.http import json
from mockserver.http.json import excerpt
from mockserver.http.media_types import concrete, is_json

#: A larger example in a file of its own is not read.
_MAX_BYTES = 16 << 20
_LEFT_OUT = "the example is left out"


class ExampleValue(NamedTuple):
    """Value of an example, and its content as bytes where the contract has the serialised form.

    Attributes:
        value: data; of a file that is neither JSON nor text, a character for each byte.
        content: bytes to be sent as they are, None where the value is to be encoded.
    """

    value: Any
    content: bytes | None = None


def example_value(reader: Reader, item: dict[str, Any], pointer: str, media_type: str) -> ExampleValue | None:
    """Return the value of an Example Object, None (with a warning, where one is due) if it has none that can be read.

    Args:
        reader: of the document.
        item: the Example Object.
        pointer: where it stands.
        media_type: of the content that it is an example of, "" for a parameter.
    """
    has_data = "dataValue" in item or "value" in item
    data = item["dataValue"] if "dataValue" in item else item.get("value")
    if has_data and (is_json(concrete(media_type)) or not media_type):
        return ExampleValue(data)
    serialised = item.get("serializedValue")
    content = serialised.encode("utf-8", "replace") if isinstance(serialised, str) else None
    address = item.get("externalValue")
    if content is None and not (has_data and "value" in item) and isinstance(address, str):
        content = _kept_elsewhere(reader, address, pointer)
    if has_data:
        return ExampleValue(data, content)
    if content is None:
        return None
    return _decoded(reader, content, pointer, media_type, str(address or ""))


def _decoded(reader: Reader, content: bytes, pointer: str, media_type: str, address: str) -> ExampleValue | None:
    name = concrete(media_type)
    if is_json(name) or (not media_type and address.endswith(".json")):
        try:
            return ExampleValue(json.decode_exactly(content))
        except ValueError as error:
            reader.warn(pointer, f"the example is no JSON ({error}); it is left out")
            return None
    try:
        return ExampleValue(content.decode(), content if media_type else None)
    except UnicodeDecodeError:
        return ExampleValue(content.decode("latin-1"), content)


def _kept_elsewhere(reader: Reader, address: str, pointer: str) -> bytes | None:
    """Return the bytes that `externalValue` names: a file beside or below the contract, or a URL if that is allowed."""
    base = reader.document.where(pointer)[0]
    own_url = remote.url_of(base)
    url = remote.url_of(urljoin(own_url, address) if own_url else address)
    if url is not None and not remote.allowed():
        return None  # no mistake of the contract; `mockserver examples` says so
    try:
        content = remote.fetch(url, _MAX_BYTES) if url is not None else _read(Path(base), address)
    except ContractError as error:
        reader.warn(pointer, f"`externalValue`: {error}; {_LEFT_OUT}")
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        reader.warn(pointer, f"`externalValue` {excerpt(address)} cannot be read: {reason}; {_LEFT_OUT}")
        return None
    if len(content) > _MAX_BYTES:
        reader.warn(
            pointer, f"`externalValue` {excerpt(address)} is larger than {_MAX_BYTES // 2**20} MiB; {_LEFT_OUT}"
        )
        return None
    return content


def _read(base: Path, address: str) -> bytes:
    """Return the content of a file, at most one byte more than is allowed.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not beside or below the contract.
    """
    folder = base.parent.resolve()
    file = (folder / unquote(address.removeprefix("file://"))).resolve()
    if not file.is_relative_to(folder):
        raise ValueError("it is not beside or below the contract")
    if file.exists() and not file.is_file():
        raise ValueError("it is no file")
    with file.open("rb") as opened:
        return opened.read(_MAX_BYTES + 1)
