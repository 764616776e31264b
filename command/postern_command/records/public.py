"""Ask public DNS through several resolvers, since each may cache an old answer for its TTL."""

import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

import dns.exception
import dns.nameserver
import dns.rdata
import dns.resolver
from postern_mail.errors import Unavailable

from ..status import UsageError

VARIABLE = "POSTERN_RESOLVERS"  # ADDRESS or ADDRESS:PORT, separated by commas; replaces those below
PUBLIC = ("1.1.1.1", "8.8.8.8", "9.9.9.9")  # Cloudflare, Google, Quad9
SECONDS = 4.0  # for one question to one resolver
_AT_ONCE = 16  # questions

Question = tuple[str, str]  # name without its last dot, type


@dataclass(frozen=True, slots=True)
class Reply:
    """One resolver's reply: the values as in a zone file, without trailing dots; `failed` says why it has none.

    `no_name`: the name does not exist for any type (NXDOMAIN).
    """

    resolver: str
    values: tuple[str, ...] = ()
    no_name: bool = False
    failed: str = ""


Answers = Mapping[Question, tuple[Reply, ...]]


def ask(questions: Collection[Question]) -> Answers:
    """Every resolver's reply to each question. Raises UsageError if POSTERN_RESOLVERS is not a list of addresses."""
    wanted, resolvers = list(dict.fromkeys(questions)), _resolvers()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        replies = {each: pool.map(partial(_reply, each), wanted) for each in resolvers}
    found = {each: dict(zip(wanted, told, strict=True)) for each, told in replies.items()}
    return {question: tuple(found[each][question] for each in resolvers) for question in wanted}


def mail_exchangers(domain: str) -> list[str]:
    """The hosts of a domain's MX records that any resolver knows, in lower case, without a trailing dot.

    Raises Unavailable if no resolver answers.
    """
    replies = ask([(domain, "MX")])[domain, "MX"]
    if all(one.failed for one in replies):
        raise Unavailable(f"the MX of {domain} in public DNS: {replies[0].failed}")
    return sorted({value.rpartition(" ")[2] for one in replies for value in one.values})


def _resolvers() -> list[tuple[str, int]]:
    """The address and port of each resolver."""
    given = os.environ.get(VARIABLE, "")
    if not given:
        return [(address, 53) for address in dict.fromkeys([*_of_this_machine(), *PUBLIC])]
    try:
        return [_server(one.strip()) for one in given.split(",")]
    except ValueError as fault:
        raise UsageError(f"{VARIABLE}: {fault}") from fault


def _server(text: str) -> tuple[str, int]:
    address, colon, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    return str(ip_address(address if colon else text)), int(port or 53)


def _of_this_machine() -> list[str]:
    """This machine's first resolver, if it has one."""
    try:
        return [str(one) for one in dns.resolver.Resolver().nameservers[:1]]
    except dns.exception.DNSException:
        return []


def _reply(server: tuple[str, int], question: Question) -> Reply:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(*server)]
    try:
        answer = resolver.resolve(
            f"{question[0]}.", question[1], raise_on_no_answer=False, search=False, lifetime=SECONDS
        )
    except dns.resolver.NXDOMAIN:
        return Reply(server[0], no_name=True)
    except dns.exception.Timeout:
        return Reply(server[0], failed=f"no answer within {SECONDS:.0f} seconds")
    except (dns.exception.DNSException, OSError) as fault:
        return Reply(server[0], failed=str(fault) or type(fault).__name__)
    return Reply(server[0], tuple(sorted(map(_value, answer.rrset or ()))))


def _value(record: dns.rdata.Rdata) -> str:
    """A record's value as in a zone file; a TXT record without its quotes."""
    strings = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    return record.to_text().rstrip(".").lower()
