"""A request written, and its response read, on a connection of http.client.

The request is written as one piece, and the response's header is read line by line: http.client itself checks and joins
each field, and reads the response's through the e-mail package, which takes twice the processor time of everything else
in a call. How a connection is made, and where the body of a response ends, is still up to http.client.
"""

import http.client
from collections.abc import Mapping
from socket import socket

from .encoded import Encoded

_LONGEST_LINE = 65_536  # octets, and
_MOST_FIELDS = 100  # as http.client has them
_CONTINUE = 100  # HTTP status
_SMALL = 64 * 1024  # octets that are sent together with the header


def write(connection: socket, request: tuple[str, str], header: Mapping[str, str], body: bytes | Encoded) -> None:
    """Send a request; `request` is the method and the quoted path. Raises OSError, ValueError for a field with a line
    break, or that is not ASCII."""
    length = f"content-length: {len(body)}\r\n" if request[0] != "GET" else ""
    fields = "".join([f"{name}: {value}\r\n" for name, value in header.items()])
    if fields.count("\n") > len(header) or fields.count("\r") > len(header):
        raise ValueError("a line break in a field of a request")
    top = f"{' '.join(request)} HTTP/1.1\r\n{fields}{length}accept-encoding: identity\r\n\r\n".encode("ascii")
    if isinstance(body, bytes):
        connection.sendall(top + body)
    elif len(body) < _SMALL:
        connection.sendall(b"".join((top, *body)))
    else:
        connection.sendall(top)
        for piece in body:
            connection.sendall(piece)


class Reading(http.client.HTTPResponse):
    """A response. `fields` is its header, the names in lower case; of a repeated field it has the first."""

    fields: Mapping[str, str]

    def begin(self) -> None:
        """Read up to the body. Raises HTTPException for a response that is not HTTP/1, and OSError."""
        status = _CONTINUE
        while status == _CONTINUE:
            version, status, self.reason = self._status_line()
            self.fields = self._header()
        self.code = self.status = status
        self.version = 10 if version == "HTTP/1.0" else 11
        said = self.fields.get
        self.chunked = said("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        length = said("content-length", "")
        self.length = int(length) if length.isascii() and length.isdecimal() else None
        if status in (http.client.NO_CONTENT, http.client.NOT_MODIFIED):
            self.length = 0
        kept = said("connection", "" if self.version > 10 else "close").lower()
        self.will_close = "close" in kept or not (self.chunked or self.length is not None)

    def _status_line(self) -> tuple[str, int, str]:
        line = self._line()
        if not line:
            raise http.client.RemoteDisconnected("the connection was closed without an answer")
        version, _, more = line.partition(" ")
        status, _, reason = more.strip().partition(" ")
        if not version.startswith("HTTP/1.") or not (len(status) == 3 and status.isascii() and status.isdecimal()):
            raise http.client.BadStatusLine(line)
        return version, int(status), reason.strip()

    def _header(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for _ in range(_MOST_FIELDS + 1):
            line = self._line()
            if line in ("\r\n", "\n"):
                return found
            name, colon, value = line.partition(":")
            if not colon or name != name.strip():  # truncated, or folded, which AWS does not do
                raise http.client.HTTPException(f"what answered says in its header: {line[:80]!r}")
            found.setdefault(name.lower(), value.strip())
        raise http.client.HTTPException(f"got more than {_MOST_FIELDS} headers")

    def _line(self) -> str:
        line = self.fp.readline(_LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE:
            raise http.client.LineTooLong("header line")
        return line.decode("iso-8859-1")


def read(connection: socket, method: str) -> tuple[int, Mapping[str, str], bytes, bool]:
    """(status, header, body, whether the connection can be used again). Raises OSError or HTTPException, also for a
    truncated response."""
    answer = Reading(connection, method=method)
    try:
        answer.begin()
        return answer.status, answer.fields, answer.read(), not answer.will_close
    finally:
        answer.close()
