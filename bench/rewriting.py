"""What rewriting costs: `python -m bench.rewriting`.

The claim: the cost is that of the header. A large body is copied once; time is proportional to the message's size and
to the number of header lines.
"""

import time
import tracemalloc
from collections.abc import Callable

from postern_mail.mail.address import Address
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.rewrite import rewrite
from postern_mail.mail.verdicts import Verdicts

MB = 1024 * 1024
ALIAS = Address("info", "example.com")
ENVELOPE = Envelope("bench", "betsy@sender.example", Address("betsy", "sender.example"), (ALIAS,), Verdicts())
HEADER = (
    b"Return-Path: <betsy@sender.example>\r\nReceived: from a (b [192.0.2.1]) by inbound-smtp.eu-west-1.amazonaws.com"
    b"\r\nX-SES-Spam-Verdict: PASS\r\nReceived-SPF: pass\r\nAuthentication-Results: amazonses.com; spf=pass\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256;\r\n b=abc\r\nFrom: Betsy <betsy@sender.example>\r\nTo: info@example.com\r\n"
    b"Subject: hi\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n"
    + b"".join(b"X-Header-%d: a value of ordinary length\r\n" % number for number in range(15))
    + b"\r\n"
)


def message(size: int, header_lines: int = 0) -> bytes:
    """A message of this many bytes, with this many extra header lines."""
    header = b"X-Line: y\r\n" * header_lines + HEADER
    return header + b"x" * max(0, size - len(header))


def seconds(work: Callable[[], object], times: int) -> float:
    """The fastest of several runs."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def rewriting(raw: bytes, times: int) -> float:
    """The seconds to rewrite a message."""
    return seconds(lambda: rewrite(raw, ALIAS, ENVELOPE), times)


def peak(raw: bytes) -> int:
    """The peak memory in bytes beyond the message itself."""
    tracemalloc.start()
    rewrite(raw, ALIAS, ENVELOPE)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def main() -> None:
    """Print the figures."""
    print(f"3 kB message                       {rewriting(message(3_000), 2_000) * 1e6:8.0f} microseconds")
    for size in (1, 10, 30, 40):
        raw = message(size * MB)
        ratio = rewriting(raw, 7) / seconds(lambda raw=raw: bytearray(raw), 7)  # type: ignore[misc]
        print(f"{size:2} MB against a copy of its bytes   {ratio:8.2f} times")
    large = message(30 * MB)
    print(f"30 MB, memory beyond the message   {peak(large) / len(large):8.2f} copies of it")
    lines = rewriting(message(0, 10_000), 5) / rewriting(message(0, 1_000), 5)
    print(f"10,000 header lines against 1,000  {lines:8.2f} times")


if __name__ == "__main__":
    main()
