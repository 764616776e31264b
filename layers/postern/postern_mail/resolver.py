"""Sends many DNS queries at once. Imported only if a list or a restriction needs one."""

from collections.abc import Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import dns.exception
import dns.rdtypes.ANY.MX
import dns.resolver

from .mail.dns import NONE, Answer, Answers, Question

SECONDS = 2.0  # for all queries about a message
_ONE = 0.9  # seconds until a query is repeated: a datagram may be lost
_SIDE_BY_SIDE = 24  # queries in flight


class DnsResolver:
    """A resolver; `server` is `address:port`, "" for the system's."""

    def __init__(self, server: str = "") -> None:
        self._resolver = _of_this_machine() if not server else dns.resolver.Resolver(configure=False)
        if server:
            address, _, port = server.rpartition(":")
            self._resolver.nameservers, self._resolver.port = [address], int(port)
        self._resolver.timeout = _ONE
        self._pool = ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="dns")

    def ask(self, questions: Collection[Question], seconds: float = SECONDS) -> Answers:
        """The answers that came in time; late ones are dropped. Raises nothing."""
        asked = {one: self._pool.submit(self._one, one, seconds) for one in dict.fromkeys(questions)}
        wait(asked.values(), seconds)
        late = [one for one in asked.values() if not one.done()]
        for future in late:
            future.cancel()
        found = {one: future.result() for one, future in asked.items() if _is_done(future)}
        return {one: answer for one, answer in found.items() if answer is not None}

    def _one(self, question: Question, seconds: float) -> Answer | None:
        """One answer, None if it took too long."""
        try:
            found = self._resolver.resolve(question.name, question.kind, lifetime=seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return NONE
        except dns.exception.Timeout:
            return None
        except dns.exception.DNSException as failure:
            return Answer(failed=type(failure).__name__)  # not its text, which may hold the name, and in it a key
        except OSError as failure:
            return Answer(failed=f"no connection: {failure.strerror}")
        return Answer(tuple(sorted(_values(found))))


def _of_this_machine() -> dns.resolver.Resolver:
    """The resolver of /etc/resolv.conf; without one, queries get no answer and mail still flows."""
    try:
        return dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return dns.resolver.Resolver(configure=False)


def _values(found: Iterable[object]) -> Iterable[str]:
    for record in found:
        if isinstance(record, dns.rdtypes.ANY.MX.MX):
            yield str(record.exchange).rstrip(".").lower() or "."
        else:
            yield str(record)


def _is_done(future: "Future[Answer | None]") -> bool:
    return future.done() and not future.cancelled()
