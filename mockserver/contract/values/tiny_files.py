"""Tiny valid files of common formats, for content that is neither text nor described by a schema: a picture, a PDF."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache

from mockserver.http.media_types import essence, is_json, is_json_lines, is_xml

#: First bytes of formats: what decodes from base64 to one of these was written in base64.
_BEGINNINGS = (
    *(b"\x89PNG\r\n", b"GIF8", b"\xff\xd8\xff", b"%PDF-", b"PK\x03\x04", b"PK\x05\x06", b"RIFF", b"\x1f\x8b", b"BM"),
    *(b"ID3", b"OggS", b"fLaC", b"\x00\x00\x01\x00", b"II*\x00", b"MM\x00*", b"\x00asm", b"7z\xbc\xaf", b"BZh", b"wOF"),
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]+={0,2}\s*")
_DATA_URL = re.compile(r"data:[^,]*;base64,", re.IGNORECASE)
_ZIPPED = re.compile(
    r"application/(?:(?:x-)?zip(?:-compressed)?|java-archive|epub\+zip|vnd\.openxmlformats-.*|vnd\.oasis\.opendocument.*"
    r"|vnd\.android\.package-archive|.*\+zip)"
)
#: A picture of one pixel in JPEG, which has more tables than pixels.
_JPEG = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////"
    "////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AR//Z"
)


class TinyFile(bytes):
    """File that was made up: where a client names another media type of the documented range, one of that is sent."""


def is_binary(media_type: str) -> bool:
    """Tell whether content of a media type is bytes rather than text, a form or parts."""
    name = essence(media_type)
    if is_json(name) or is_xml(name) or is_json_lines(name) or "/" not in name:
        return False
    return not name.startswith(("text/", "multipart/", "message/")) and name not in _TEXTS


_TEXTS = frozenset(
    {"application/x-www-form-urlencoded", "application/javascript", "application/yaml", "application/x-yaml"}
    | {"application/graphql", "application/toml", "application/sql", "application/x-sh", "application/*", "*/*"}
    | {"application/jwt", "application/jose", "application/x-pem-file", "application/csv", "application/text"}
)


def tiny_file(media_type: str) -> TinyFile | None:
    """Return a valid file of a media type, as small as can be, None for a format that is not known here."""
    name = essence(media_type)
    make = _zip if _ZIPPED.fullmatch(name) else _FILES.get(name)
    return None if make is None else TinyFile(make())


def from_base64(text: str, *, told: bool) -> bytes | None:
    """Return the bytes that a text says in base64, None if it is no base64.

    Args:
        text: may be a `data:` URL.
        told: whether the contract says that it is base64; else only what decodes to a known format is.
    """
    found = _DATA_URL.match(text)
    if found is not None:
        text, told = text[found.end() :], True
    if not _BASE64.fullmatch(text):
        return None
    plain = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        content = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if told or content.startswith(_BEGINNINGS) else None


@cache
def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\x00\x00", 9)) + chunk(b"IEND", b"")


def _gif() -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    return head + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02D\x01\x00;"


def _jpeg() -> bytes:
    return base64.b64decode(_JPEG)


def _bmp() -> bytes:
    return (
        b"BM" + struct.pack("<IIIIiiHHIIiiII", 58, 0, 54, 40, 1, 1, 1, 24, 0, 4, 2835, 2835, 0, 0) + b"\xff\xff\xff\0"
    )


def _icon() -> bytes:
    picture = _png()
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 1, 1, 0, 0, 1, 32, len(picture), 22) + picture


def _webp() -> bytes:
    data = b"\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
    return b"RIFF" + struct.pack("<I", 12 + len(data)) + b"WEBPVP8L" + struct.pack("<I", len(data)) + data


@cache
def _pdf() -> bytes:
    parts = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>",
    )
    made, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(made))
        made += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return b"%sxref\n0 4\n0000000000 65535 f \n%strailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        made, table, len(made),
    )  # fmt: skip


@cache
def _zip() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(zipfile.ZipInfo("empty.txt"), b"")
    return held.getvalue()


def _wav() -> bytes:
    data = b"\x80\x80"
    head = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", 4 + len(head) + len(data)) + b"WAVE" + head + data


def _mp3() -> bytes:
    return b"\xff\xfb\x10\xc4" + bytes(100)  # one silent frame of 32 kbit/s at 44.1 kHz


_FILES: Mapping[str, Callable[[], bytes]] = {
    **dict.fromkeys(("image/png", "image/*", "image/apng"), _png),
    "image/gif": _gif,
    **dict.fromkeys(("image/jpeg", "image/jpg", "image/pjpeg"), _jpeg),
    **dict.fromkeys(("image/bmp", "image/x-ms-bmp"), _bmp),
    **dict.fromkeys(("image/x-icon", "image/vnd.microsoft.icon"), _icon),
    "image/webp": _webp,
    **dict.fromkeys(("application/pdf", "application/x-pdf"), _pdf),
    **dict.fromkeys(("application/gzip", "application/x-gzip"), lambda: gzip.compress(b"", mtime=0)),
    **dict.fromkeys(("application/x-tar", "application/tar"), lambda: bytes(1024)),
    **dict.fromkeys(("application/x-tar+gzip", "application/x-tgz"), lambda: gzip.compress(bytes(1024), mtime=0)),
    **dict.fromkeys(("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"), _wav),
    **dict.fromkeys(("audio/mpeg", "audio/mp3", "audio/*"), _mp3),
    "image/svg+xml": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
    "application/wasm": lambda: b"\0asm\1\0\0\0",
}
