"""Content of requests as it comes in over a connection, of known length or in chunks (RFC 9112, sections 6 and 7).

Beyond a megabyte it is kept in a temporary file, so that many uploads at a time cost no memory.
"""

from __future__ import annotations

import re
from tempfile import SpooledTemporaryFile
from typing import IO

from mockserver.errors import RequestRejected

#: Longer content is written to a temporary file.
MAX_MEMORY_BYTES = 1024 * 1024
_MAX_LINE_BYTES = 8 * 1024
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)


class SizedContent:
    """Content of known length."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.file: IO[bytes] = SpooledTemporaryFile(MAX_MEMORY_BYTES)  # noqa: SIM115 - the connection closes it

    def feed(self, data: bytes) -> bytes | None:
        """Take bytes of a connection; return those behind the content once it is whole, else None."""
        if len(data) < self._left:
            self._left -= len(data)
            self.file.write(data)
            return None
        self.file.write(data[: self._left])
        self.file.seek(0)
        return data[self._left :]


class ChunkedContent:
    """Content in chunks, of which no more is taken than a limit and one byte; the trailer is dropped."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._buffer = b""
        self._at = 0
        self._left = 0  # of the chunk that is coming in
        self._ends_chunk = False
        self._in_trailer = False
        #: Whether there was more than the limit, so that what follows on the connection cannot be told.
        self.exceeded = False
        self.file: IO[bytes] = SpooledTemporaryFile(MAX_MEMORY_BYTES)  # noqa: SIM115 - the connection closes it

    def feed(self, data: bytes) -> bytes | None:
        """Take bytes of a connection; return those behind the content once it is whole or too long, else None.

        Raises:
            RequestRejected: 400, the chunks are malformed.
        """
        self._buffer, self._at = self._buffer[self._at :] + data, 0
        while not self.exceeded:
            if self._left:
                if not self._take_chunk():
                    return None
                continue
            line = self._line()
            if line is None:
                return None
            if self._ends_chunk:
                if line:
                    raise _malformed("a chunk is longer than it says")
                self._ends_chunk = False
            elif self._in_trailer:
                if not line:
                    break
            else:
                size = _CHUNK.fullmatch(line)
                if size is None:
                    raise _malformed("a chunk does not begin with its size")
                self._left = int(size[1], 16)
                self._in_trailer = not self._left
        self.file.seek(0)
        return b"" if self.exceeded else self._buffer[self._at :]

    def _take_chunk(self) -> bool:
        """Take what is there of a chunk, and tell whether there was any."""
        room = self._limit + 1 - self._size
        taken = self._buffer[self._at : self._at + min(self._left, room)]
        if not taken:
            return False
        self.file.write(taken)
        self._size += len(taken)
        self._left -= len(taken)
        self._at += len(taken)
        self.exceeded = self._size > self._limit
        self._ends_chunk = not self._left
        return True

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n", self._at)
        if (end if end >= 0 else len(self._buffer)) - self._at > _MAX_LINE_BYTES:
            raise _malformed("a line between chunks is too long")
        if end < 0:
            return None
        line = self._buffer[self._at : end]
        self._at = end + 2
        return line


def _malformed(why: str) -> RequestRejected:
    return RequestRejected(400, "Bad Request", f"the content in chunks is malformed: {why} (RFC 9112, section 7.1)")
