"""The benchmark's own AWS: it answers at once or after a pause, stores nothing, and records when each call was made.

`python -m bench.fake_aws PAUSE [CERTIFICATE]` prints its port and serves until its standard input closes. An object's
key gives its size; every alias exists. `GET /calls` returns [operation, begun, ended] of the calls since the last
request.
"""

import json
import socket
import ssl
import sys
import threading
import time
from typing import Any

from .rewriting import HEADER

STORED = (
    b"Return-Path: <betsy@sender.example>\r\nReceived: from mx.sender.example (mx.sender.example [192.0.2.9])\r\n"
    b" by inbound-smtp.eu-west-1.amazonaws.com with SMTP id %s\r\n for info@example.com;\r\nX-SES-RECEIPT: x\r\n"
)
_PIECE = 1 << 20


def message(key: str) -> bytes:
    """The message stored under inbound/SIZE-NUMBER: SIZE bytes."""
    message_id = key.rpartition("/")[2]
    head = STORED % message_id.encode() + HEADER
    return head + b"x" * max(0, int(message_id.partition("-")[0]) - len(head))


def destinations(alias: str) -> list[str]:
    """The N destinations of `many-N@example.com`; any other alias leads to one of its own."""
    local = alias.partition("@")[0]
    number = int(local.partition("-")[2]) if local.startswith("many-") else 0
    return [f"d{one}@dest.example" for one in range(number)] or [f"{local}@dest.example"]


def _rows(table: str, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if table == "aliases":
        found = [
            one["address"]["S"] for one in keys if one["address"]["S"].partition("@")[0] not in ("#settings", "*", "")
        ]
        return [
            {"address": {"S": one}, "destinations": {"L": [{"S": to} for to in destinations(one)]}} for one in found
        ]
    if table == "ledger":  # the stack's keys
        return [{**one, "key": {"B": "c2VjcmV0"}} for one in keys if one["message_id"]["S"].startswith("#key:")]
    if table == "destinations":
        return [{**one, "delivered_at": {"N": "1700000000"}} for one in keys]
    return []


def _answer(operation: str, asked: dict[str, Any]) -> Any:
    match operation:
        case "BatchGetItem":
            wanted = asked["RequestItems"]
            return {
                "Responses": {table: _rows(table, one["Keys"]) for table, one in wanted.items()},
                "UnprocessedKeys": {},
            }
        case "SendEmail":
            return {"MessageId": "0102"}
        case _:
            return {}


class FakeAws:
    """The server."""

    def __init__(self, pause: float, certificate: str = "") -> None:
        self._pause = pause
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
        if self._tls:
            self._tls.load_cert_chain(certificate)
        self._calls: list[tuple[str, float, float]] = []
        self.port = self._listening.getsockname()[1]

    def serve(self) -> None:
        """Serve each connection in its own thread."""
        while True:
            connection, _ = self._listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            with self._tls.wrap_socket(connection, server_side=True) if self._tls else connection as talking:
                reader = talking.makefile("rb", buffering=_PIECE)
                while line := reader.readline():
                    talking.sendall(self._one(line, reader))
        except OSError:
            return

    def _one(self, line: bytes, reader: Any) -> bytes:
        begun = time.monotonic()
        method, path, _ = line.decode().split(" ", 2)
        header: dict[str, str] = {}
        while (field := reader.readline()) not in (b"\r\n", b""):
            name, _, value = field.decode().partition(":")
            header[name.lower()] = value.strip()
        left, body = int(header.get("content-length", 0)), b""
        while left:
            piece = reader.read(min(left, _PIECE))
            left -= len(piece)
            body = body or piece
        if path == "/calls":
            found, self._calls = self._calls, []
            return _response(json.dumps(found).encode())
        operation = header.get("x-amz-target", "").rpartition(".")[2] or (
            "GetObject" if method == "GET" else "SendEmail"
        )
        asked = json.loads(body) if operation == "BatchGetItem" else {}
        content = message(path) if operation == "GetObject" else json.dumps(_answer(operation, asked)).encode()
        time.sleep(max(0.0, begun + self._pause - time.monotonic()))
        self._calls.append((operation, begun, time.monotonic()))
        return _response(content)


def _response(content: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nLast-Modified: Fri, 15 Jan 2027 08:00:00 GMT\r\n\r\n"
    return head.encode() + content


if __name__ == "__main__":
    fake = FakeAws(float(sys.argv[1]), *sys.argv[2:])
    threading.Thread(target=fake.serve, daemon=True).start()
    print(fake.port, flush=True)
    sys.stdin.read()
