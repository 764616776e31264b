"""A DNS server on 127.0.0.1 that answers as a test says: records, errors, nothing at all; over UDP and TCP."""

import socketserver
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

SERVFAIL, REFUSED, SILENCE, TRUNCATED = "SERVFAIL", "REFUSED", "silence", "truncated"


@dataclass
class DnsDouble:
    """`records` by (name, type), lower case, without the final dot; a name that has none at all is NXDOMAIN.

    A name that begins with `*.` stands for all below it. `faults` say what is answered instead. `asked` are the names.
    """

    records: dict[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    seconds: float = 0  # until it answers
    server: str = ""

    def answer(self, wire: bytes, *, stream: bool) -> bytes | None:
        """The answer to one question, None for silence."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = str(question.name).rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(name)
        fault = next((self.faults[one] for one in _patterns(name) if one in self.faults), "")
        if fault == SILENCE:
            return None
        time.sleep(self.seconds)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if fault in (SERVFAIL, REFUSED):
            reply.set_rcode(dns.rcode.from_text(fault))
        elif fault == TRUNCATED and not stream:
            reply.flags |= dns.flags.TC
        else:
            self._fill(reply, question.name, name, kind)
        return reply.to_wire()

    def _fill(self, reply: Any, owner: Any, name: str, kind: str) -> None:
        for _ in range(5):
            known = [one for one in _patterns(name) if any(key[0] == one for key in self.records)]
            if not known:
                reply.set_rcode(dns.rcode.NXDOMAIN)
                return
            alias = self.records.get((known[0], "CNAME"))
            if values := self.records.get((known[0], kind)):
                reply.answer.append(dns.rrset.from_text(owner, 60, "IN", kind, *values))
            if not alias or kind == "CNAME":
                return
            reply.answer.append(dns.rrset.from_text(owner, 60, "IN", "CNAME", *alias))
            name = alias[0].rstrip(".").lower()
            owner = dns.name.from_text(name)


def _patterns(name: str) -> list[str]:
    labels = name.split(".")
    return [name, *(f"*.{'.'.join(labels[start:])}" for start in range(1, len(labels)))]


class _Udp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, sock = self.request
        if (answer := self.server.double.answer(wire, stream=False)) is not None:  # type: ignore[attr-defined]
            sock.sendto(answer, self.client_address)


class _Tcp(socketserver.StreamRequestHandler):
    timeout = 5

    def handle(self) -> None:
        length = int.from_bytes(self.rfile.read(2), "big")
        answer = self.server.double.answer(self.rfile.read(length), stream=True)  # type: ignore[attr-defined]
        if answer is not None:
            self.wfile.write(len(answer).to_bytes(2, "big") + answer)


def _one_port(tries: int = 20) -> tuple[socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer]:
    """Both on a port that is free for both."""
    for last in (False,) * (tries - 1) + (True,):
        udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), _Udp)
        try:
            return udp, socketserver.ThreadingTCPServer(("127.0.0.1", udp.server_address[1]), _Tcp)
        except OSError:
            udp.server_close()
            if last:
                raise
    raise AssertionError


@contextmanager
def dns_double() -> Iterator[DnsDouble]:
    """A server that runs, and does not any more afterwards."""
    double = DnsDouble()
    udp, tcp = _one_port()
    double.server = f"127.0.0.1:{udp.server_address[1]}"
    threads = []
    for one in (udp, tcp):
        setattr(one, "double", double)  # noqa: B010
        one.daemon_threads = True
        threads.append(threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02}))
        threads[-1].start()
    try:
        yield double
    finally:
        for one in (udp, tcp):
            one.shutdown()
            one.server_close()
        for thread in threads:
            thread.join(5)
