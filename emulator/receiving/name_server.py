"""A DNS server for a zone, on 127.0.0.1, for what asks the Internet elsewhere (POSTERN_RESOLVERS)."""

import socketserver
import threading
from contextlib import suppress
from typing import Any, Self

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from ..cloud import HOST
from .zone import Zone

_POLL = 0.02  # seconds until a stop is noticed
_TTL = 60  # seconds


class NameServer:
    """Answers from `zone` over UDP; a context manager. `rcodes` are names that it answers with an error, as SERVFAIL;
    `silent` are names that it does not answer for at all."""

    def __init__(self, zone: Zone, port: int = 0) -> None:
        self.zone = zone
        self.rcodes: dict[str, str] = {}
        self.silent: set[str] = set()
        owner = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire, socket = self.request
                with suppress(dns.exception.DNSException):  # what is no question gets no answer
                    if (answer := owner.answer(dns.message.from_wire(wire))) is not None:
                        socket.sendto(answer.to_wire(), self.client_address)

        self._server = socketserver.ThreadingUDPServer((HOST, port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    @property
    def address(self) -> str:
        """As POSTERN_RESOLVERS takes it."""
        return f"{HOST}:{self.port}"

    def __enter__(self) -> Self:
        """Start to answer."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, query: Any) -> Any:
        """The response to a query, None for none at all; a CNAME is followed (RFC 1034 3.6.2)."""
        (question,) = query.question
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        if name in self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        if name in self.rcodes:
            response.set_rcode(dns.rcode.from_text(self.rcodes[name]))
            return response
        for owner, type_, values in self._found(name, kind):
            texts = [_presentation(type_, value) for value in values]
            response.answer.append(dns.rrset.from_text_list(f"{owner}.", _TTL, "IN", type_, texts))
        if not response.answer and not self._exists(name):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    def _found(self, name: str, kind: str) -> list[tuple[str, str, list[str]]]:
        found: list[tuple[str, str, list[str]]] = []
        for _ in range(9):
            if values := list(self.zone.find(name, kind)):
                return [*found, (name, kind, values)]
            alias = list(self.zone.find(name, "CNAME")) if kind != "CNAME" else []
            if not alias:
                break
            found.append((name, "CNAME", alias))
            name = alias[0].rstrip(".").lower()
        return found

    def _exists(self, name: str) -> bool:
        """Whether there is anything at or below a name: an empty one in between is no NXDOMAIN (RFC 8020)."""
        return any(one == name or one.endswith(f".{name}") for one, _ in self.zone.records)


def _presentation(kind: str, value: str) -> str:
    """A zone's value as a zone file has it: text in quotes, in strings of 255 octets, names with a last dot."""
    if kind == "TXT":
        pieces = [value[start : start + 255] for start in range(0, len(value), 255)] or [""]
        return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)
    if kind in ("MX", "CNAME", "NS", "PTR"):
        return value if value.endswith(".") else f"{value}."
    return value
