"""Requests as http.client writes them, and answers as it reads them, which is the measure for our own."""

import http.client
import socket
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from postern_mail.aws.http.encoded import Encoded
from postern_mail.aws.http.exchange import read, write

POST = ("POST", "/v2/a%20b")
HEADER = {"host": "h.example:1", "content-type": "application/json", "x-amz-security-token": "t" * 400}


def sent(work: Callable[[socket.socket], object]) -> bytes:
    """What is written to a socket."""
    mine, theirs = socket.socketpair()
    with mine, theirs:
        work(mine)
        mine.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: theirs.recv(65_536), b""))


def parts(request: bytes) -> tuple[bytes, list[bytes], bytes]:
    """First line, fields in order of their names, body."""
    top, _, body = request.partition(b"\r\n\r\n")
    first, *fields = top.split(b"\r\n")
    return first, sorted(one.replace(b": ", b":").lower() for one in fields), body


@pytest.mark.parametrize(
    "body",
    [b"{}", b"", Encoded(b'{"Data":"', b"mail" * 10, b'"}'), Encoded(b'{"Data":"', b"mail" * 30_000, b'"}')],
    ids=["bytes", "none", "small", "in pieces"],
)
def test_a_request_is_what_http_client_writes(body: Any) -> None:
    def theirs(connected: socket.socket) -> None:
        connection = http.client.HTTPConnection("h.example")
        connection.sock = connected
        length = {"content-length": str(len(body))} if body else {}
        connection.request(*POST, body or None, {**HEADER, **length})

    assert parts(sent(lambda connected: write(connected, POST, HEADER, body))) == parts(sent(theirs))


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "\u20ac"])
def test_what_would_be_another_field_is_not_written(value: str) -> None:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        with pytest.raises(ValueError, match=r"line break|ascii"):
            write(mine, POST, {**HEADER, "x": value}, b"{}")
        mine.close()
        assert theirs.recv(1) == b""


def answered(raw: bytes, reader: Callable[[socket.socket], Any]) -> Any:
    """What a reader makes of an answer, or that it refuses it."""
    mine, theirs = socket.socketpair()
    with mine, theirs:
        theirs.sendall(raw)
        theirs.shutdown(socket.SHUT_WR)
        try:
            return reader(mine)
        except (http.client.HTTPException, OSError):
            return "no answer"


def by_http_client(connected: socket.socket) -> Any:
    answer = http.client.HTTPResponse(connected, method="POST")
    answer.begin()
    fields: dict[str, str] = {}
    for name, value in answer.getheaders():
        fields.setdefault(name.lower(), value.strip())
    can_stay = not answer.will_close
    return answer.status, fields, answer.read(), can_stay


LINES = some.sampled_from(
    [
        "HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.0 200 OK", "HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified",
        "HTTP/1.1 400 Bad Request", "HTTP/1.1 503 Slow  Down", "HTTP/2.0 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 abc",
        "220 mail.example ESMTP", "",
    ]
)  # fmt: skip
FIELDS = some.lists(
    some.sampled_from(
        [
            "Content-Length: 5", "content-length:5", "Content-Length: 0", "Content-Length: 9", "Content-Length: five",
            "Content-Length: -1", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", "Connection: close",
            "Connection: keep-alive", "x-amzn-RequestId: A: B", "X-Amz-Crc32: 12", "Date: Fri, 27 Nov 2026", "empty:",
        ]
    ),
    max_size=5,
)  # fmt: skip
BODIES = some.sampled_from(
    [
        b"", b"hello", b"hell", b"hello, world", b"5\r\nhello\r\n0\r\n\r\n", b"5\r\nhel",
        b"5;x=y\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n", b"zz\r\nhello\r\n0\r\n\r\n",
    ]
)  # fmt: skip
INTERIM = some.sampled_from(["", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"])


@given(INTERIM, LINES, FIELDS, BODIES)
def test_an_answer_is_what_http_client_reads(interim: str, line: str, fields: list[str], body: bytes) -> None:
    raw = "".join([interim, line, "\r\n", *(f"{one}\r\n" for one in fields), "\r\n"]).encode() + body
    assert answered(raw, lambda mine: read(mine, "POST")) == answered(raw, by_http_client)


@pytest.mark.parametrize(
    "header",
    [
        b"Date: x\r\nno field\r\n",
        b"Date: x\r\n folded\r\n",
        b"Date : x\r\n",
        b"x: " + b"y" * 70_000 + b"\r\n",
        b"a: b\r\n" * 101,
        b"Content-Length: 2\r\n",  # cut off: the empty line is missing
    ],
)
def test_a_header_that_aws_would_not_write_is_no_answer(header: bytes) -> None:
    end = b"" if header.startswith(b"Content-Length") else b"\r\n{}"
    assert answered(b"HTTP/1.1 200 OK\r\n" + header + end, lambda mine: read(mine, "POST")) == "no answer"
