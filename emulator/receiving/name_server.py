"""A DNS server for a zone on 127.0.0.1, for code that would otherwise ask the internet (POSTERN_RESOLVERS,
POSTERN_NAMESERVER)."""

import socketserver
import threading
import time
from collections.abc import Sequence
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

SERVFAIL, REFUSED, SILENCE, TRUNCATED = "SERVFAIL", "REFUSED", "silence", "truncated"
_POLL = 0.02  # seconds between checks for a stop
_TTL = 60  # seconds
_PATIENCE = 5  # seconds that a client may take over TCP
_PORTS = 20  # ports tried until one is free for UDP and TCP


class NameServer:
    """Answers from `zone` over UDP and TCP; a context manager.

    A name that starts with `*.` covers all names below it. `faults` gives other answers by name: SERVFAIL, REFUSED,
    none, or over UDP a truncated one. `asked` has the names asked for, `seconds` is the delay of an answer.
    """

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.faults: dict[str, str] = {}
        self.asked: list[str] = []
        self.seconds = 0.0
        self._servers = _one_port(self)
        self.port: int = self._servers[0].server_address[1]
        self._threads = [threading.Thread(target=one.serve_forever, args=(_POLL,)) for one in self._servers]

    @property
    def address(self) -> str:
        """The server's address in the form of POSTERN_RESOLVERS and POSTERN_NAMESERVER."""
        return f"{HOST}:{self.port}"

    @property
    def records(self) -> dict[tuple[str, str], list[str]]:
        """The zone's records, by name and type."""
        return self.zone.records

    def __enter__(self) -> Self:
        """Start to answer."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        for one in self._servers:
            one.shutdown()
            one.server_close()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def respond(self, wire: bytes, *, stream: bool) -> bytes | None:
        """The answer to one message, None for no answer; a message that is not a question gets none."""
        with suppress(dns.exception.DNSException):
            response = self._answer(dns.message.from_wire(wire), stream=stream)
            return bytes(response.to_wire()) if response else None
        return None

    def _answer(self, query: Any, *, stream: bool) -> Any:
        """The response to a query; a CNAME is followed (RFC 1034 3.6.2)."""
        (question,) = query.question
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(name)
        fault = next((self.faults[one] for one in _patterns(name) if one in self.faults), "")
        if fault == SILENCE:
            return None
        time.sleep(self.seconds)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        if fault in (SERVFAIL, REFUSED):
            response.set_rcode(dns.rcode.from_text(fault))
            return response
        if fault == TRUNCATED and not stream:
            response.flags |= dns.flags.TC
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
            if values := self._at(name, kind):
                return [*found, (name, kind, values)]
            alias = self._at(name, "CNAME") if kind != "CNAME" else []
            if not alias:
                break
            found.append((name, "CNAME", alias))
            name = alias[0].rstrip(".").lower()
        return found

    def _at(self, name: str, kind: str) -> list[str]:
        return next((list(found) for one in _patterns(name) if (found := self.zone.find(one, kind))), [])

    def _exists(self, name: str) -> bool:
        """Whether there is anything at or below a name: an empty non-terminal is not NXDOMAIN (RFC 8020)."""
        patterns = _patterns(name)
        return any(one in patterns or one.endswith(f".{name}") for one, _ in self.zone.records)


class _Udp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, socket = self.request
        if (answer := self.server.owner.respond(wire, stream=False)) is not None:  # type: ignore[attr-defined]
            socket.sendto(answer, self.client_address)


class _Tcp(socketserver.StreamRequestHandler):
    timeout = _PATIENCE

    def handle(self) -> None:
        length = int.from_bytes(self.rfile.read(2), "big")
        answer = self.server.owner.respond(self.rfile.read(length), stream=True)  # type: ignore[attr-defined]
        if answer is not None:
            self.wfile.write(len(answer).to_bytes(2, "big") + answer)


def _one_port(owner: NameServer) -> tuple[socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer]:
    """The UDP and TCP servers, on one port that is free for both."""
    for left in reversed(range(_PORTS)):
        udp = socketserver.ThreadingUDPServer((HOST, 0), _Udp)
        try:
            tcp = socketserver.ThreadingTCPServer((HOST, udp.server_address[1]), _Tcp)
        except OSError:
            udp.server_close()
            if not left:
                raise
            continue
        for one in (udp, tcp):
            vars(one)["owner"] = owner
            one.daemon_threads = True
        return udp, tcp
    raise AssertionError


def _patterns(name: str) -> Sequence[str]:
    """A name, and the wildcards that cover it."""
    labels = name.split(".")
    return [name, *(f"*.{'.'.join(labels[start:])}" for start in range(1, len(labels)))]


def _presentation(kind: str, value: str) -> str:
    """A value in zone-file form: text in quotes, in strings of 255 octets, names with a trailing dot."""
    if kind == "TXT":
        pieces = [value[start : start + 255] for start in range(0, len(value), 255)] or [""]
        return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)
    if kind in ("MX", "CNAME", "NS", "PTR"):
        return value if value.endswith(".") else f"{value}."
    return value
