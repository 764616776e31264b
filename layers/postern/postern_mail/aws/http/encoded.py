"""A request body with base64 in it, produced piece by piece: a message of 40 MB is not in memory twice."""

import binascii
from collections.abc import Iterator

from ...mail.message import Halves

PIECE = 3 * 64 * 1024  # octets; base64 can be cut only at a multiple of three


class Encoded:
    """`before`, the base64 of `data`, `after`. It can be iterated any number of times; its length is in octets."""

    def __init__(self, before: bytes, data: bytes | Halves, after: bytes) -> None:
        header, body = (data.header, data.body) if isinstance(data, Halves) else (b"", memoryview(data))
        seam = -len(header) % 3  # octets of the body that fill the header's up to a multiple of three
        self._first = header + body[:seam]
        self._body = body[seam:]
        self._before = before
        self._after = after

    def __len__(self) -> int:
        size = len(self._first) + len(self._body)
        return len(self._before) + (size + 2) // 3 * 4 + len(self._after)

    def __iter__(self) -> Iterator[bytes]:
        yield self._before
        yield binascii.b2a_base64(self._first, newline=False)
        for start in range(0, len(self._body), PIECE):
            yield binascii.b2a_base64(self._body[start : start + PIECE], newline=False)
        yield self._after
