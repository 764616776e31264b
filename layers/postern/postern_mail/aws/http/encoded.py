"""A request body with base64 in it, made piece by piece: a message of 40 MB is not in memory a second time."""

import binascii
from collections.abc import Iterator

PIECE = 3 * 64 * 1024  # octets; only at a multiple of three can base64 be cut


class Encoded:
    """`before`, the base64 of `data`, `after`. It can be gone through any number of times; its length is in octets."""

    def __init__(self, before: bytes, data: bytes, after: bytes) -> None:
        self._before = before
        self._data = data
        self._after = after

    def __len__(self) -> int:
        return len(self._before) + (len(self._data) + 2) // 3 * 4 + len(self._after)

    def __iter__(self) -> Iterator[bytes]:
        view = memoryview(self._data)
        yield self._before
        for start in range(0, len(view), PIECE):
            yield binascii.b2a_base64(view[start : start + PIECE], newline=False)
        yield self._after
