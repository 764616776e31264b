"""The state of a wanted record set in public DNS, and what to do about it."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from postern_mail.domains.records import DKIM, DMARC, MX, SPF, RecordSet, Wanted, is_spf, with_ses

from .mail_hosts import whose

if TYPE_CHECKING:
    from .public import Answers, Question, Reply

NEEDED = (MX, DKIM, "mailfrom")  # the others are advice


class State(StrEnum):
    """The state of a record set, best first."""

    RIGHT = "right"
    MISSING = "missing"
    NOT_EVERYWHERE = "not everywhere"
    IN_THE_WAY = "in the way"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Judged:
    """One record set: what is wanted, its state, the values found, and what to do ("" for nothing)."""

    wanted: Wanted
    state: State
    there: tuple[str, ...] = ()
    todo: str = ""

    @property
    def needed(self) -> bool:
        """Whether mail cannot flow without it."""
        return self.wanted.part in NEEDED

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.state is State.RIGHT or (not self.needed and self.state is State.MISSING)


def questions(domain: str, wanted: Sequence[Wanted]) -> Iterator["Question"]:
    """The DNS questions needed to judge these, including names to which a provider may have added the domain again."""
    yield domain, "NS"
    for one in wanted:
        yield one.set.name, one.set.type
        yield f"{one.set.name}.{domain}", one.set.type
        if one.set.type != "CNAME":
            yield one.set.name, "CNAME"


def judge(domain: str, wanted: Wanted, answers: "Answers") -> Judged:
    """The state of one record set, by the resolvers that answered."""
    name, kind = wanted.set.name, wanted.set.type
    told = [one for one in answers[name, kind] if not one.failed]
    if not told:
        reasons = "; ".join(f"{one.resolver}: {one.failed}" for one in answers[name, kind])
        return Judged(wanted, State.NO_ANSWER, todo=f"ask again later, or set POSTERN_RESOLVERS ({reasons})")
    found = [_judged(wanted, one) for one in told]
    right = [one for one in found if one.state is State.RIGHT]
    if len(right) == len(found):
        return right[0]
    worst = max(found, key=lambda one: (one.state is not State.RIGHT, list(State).index(one.state)))
    if right:
        still = f"{len(right)} of {len(found)} resolvers see it; the others still have the old record cached"
        return Judged(wanted, State.NOT_EVERYWHERE, worst.there, still)
    return _explained(domain, worst, answers)


def _explained(domain: str, one: Judged, answers: "Answers") -> Judged:
    """A record that is not right, with what else DNS shows about it."""
    name, kind = one.wanted.set.name, one.wanted.set.type
    if one.state is State.MISSING:
        if all(reply.no_name for reply in answers[domain, "NS"] if not reply.failed):
            todo = f"{domain} is not in public DNS: is it registered, and are its name servers set at the registrar?"
            return Judged(one.wanted, one.state, todo=todo)
        twice = f"{name}.{domain}"
        if any(reply.values for reply in answers[twice, kind]):
            short = name.removesuffix(domain).rstrip(".") or "@"
            todo = f"it is at {twice}: your DNS provider adds the domain itself, so enter {short!r} as the name"
            return Judged(one.wanted, one.state, todo=todo)
    if kind != "CNAME":
        leads = next((reply.values[0] for reply in answers[name, "CNAME"] if reply.values), "")
        if leads:
            todo = f"remove the CNAME from {name} to {leads}: beside a CNAME no other record counts (RFC 1034 3.6.2)"
            return Judged(one.wanted, State.IN_THE_WAY, one.there, todo)
    return one


def _judged(wanted: Wanted, reply: "Reply") -> Judged:
    rule = _RULES.get((wanted.part, wanted.set.type), _exactly)
    return rule(wanted, reply.values)


def _exactly(wanted: Wanted, there: tuple[str, ...]) -> Judged:
    """Exactly the wanted values."""
    if not there:
        return Judged(wanted, State.MISSING, todo=_add(wanted.set))
    if RecordSet(wanted.set.name, wanted.set.type, 0, there).same_records(wanted.set):
        return Judged(wanted, State.RIGHT, there)
    return Judged(wanted, State.IN_THE_WAY, there, f"replace it with {_said(wanted.set)}; nothing else may be there")


def _incoming(wanted: Wanted, there: tuple[str, ...]) -> Judged:
    """The MX of a mail domain: mail goes to the host with the lowest number, or to another if that does not answer."""
    if not there:
        return Judged(wanted, State.MISSING, todo=f"{_add(wanted.set)}; it moves the mail to Postern")
    host = wanted.set.values[0].partition(" ")[2]
    others = [one for one in there if one.partition(" ")[2] != host]
    if not others:
        return Judged(wanted, State.RIGHT, there)
    named = ", ".join(f"{one} ({owner})" if (owner := whose(one)) else one for one in others)
    if len(others) < len(there):
        todo = f"remove {named}: some mail goes there"
    else:
        todo = f"mail goes to {named} now; to move it to Postern, replace that with {_said(wanted.set)}"
    return Judged(wanted, State.IN_THE_WAY, there, todo)


def _sender_policy(wanted: Wanted, there: tuple[str, ...]) -> Judged:
    """One SPF record that includes SES (RFC 7208 4.5: with two, none counts)."""
    policies = tuple(filter(is_spf, there))
    if not policies:
        return Judged(wanted, State.MISSING, todo=_add(wanted.set))
    if len(policies) > 1:
        return Judged(wanted, State.IN_THE_WAY, policies, "merge these SPF records into one: with two, neither counts")
    merged = with_ses(policies[0])
    if not merged:
        return Judged(wanted, State.RIGHT, policies)
    return Judged(wanted, State.IN_THE_WAY, policies, f'let SES send too: replace it with "{merged}"')


def _dmarc(wanted: Wanted, there: tuple[str, ...]) -> Judged:
    """One DMARC record with a policy (RFC 9989); which one is the owner's choice."""
    policies = tuple(one for one in there if re.match(r"v\s*=\s*DMARC1\s*(;|$)", one))
    if not policies:
        return Judged(wanted, State.MISSING, todo=_add(wanted.set))
    if len(policies) > 1:
        return Judged(
            wanted, State.IN_THE_WAY, policies, "merge these DMARC records into one: with two, neither counts"
        )
    if not re.search(r";\s*p\s*=\s*(none|quarantine|reject)\s*(;|$)", policies[0], re.IGNORECASE):
        return Judged(wanted, State.IN_THE_WAY, policies, "give it a policy, such as p=none")
    return Judged(wanted, State.RIGHT, policies)


_RULES: dict[tuple[str, str], Callable[[Wanted, tuple[str, ...]], Judged]] = {
    (MX, "MX"): _incoming,
    (SPF, "TXT"): _sender_policy,
    ("mailfrom", "TXT"): _sender_policy,
    (DMARC, "TXT"): _dmarc,
}


def _said(one: RecordSet) -> str:
    return " and ".join(one.values)


def _add(one: RecordSet) -> str:
    return f"add {one.name} {one.type} {_said(one)}"
