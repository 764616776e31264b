"""Screening: checks a message beyond SES's verdicts, as far as the owner turned it on.

Client, HELO and reverse name are those that SES's own block states. Lists and restrictions give one score; a list that
fails its tests does not count. An unanswered query is never a finding.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from .greylisting import Greylisting, client_whitelist, recipient_whitelist
from .mail import dns_lists, restrictions, subjects
from .mail.dns import Answers, Question
from .mail.dns_lists import Listing, ListResults, Site
from .mail.envelope import Envelope
from .mail.greylist import is_authenticated
from .mail.header import Header
from .mail.message import Message
from .mail.plan import Decision, LookedUp
from .mail.records import dataclass, field
from .mail.restrictions import Who
from .mail.score import Finding, Score
from .mail.ses_block import SesBlock
from .mail.settings import TAGGED, Settings
from .ports.screening import GreyBook, Key, ListBook, Resolver

SECONDS = 2.0  # for all queries about a message


@dataclass(frozen=True, slots=True)
class Screened:
    """The result for a message; `notes` are what the ledger keeps of it. `name_is_own`: the client's name resolves to
    the client's address."""

    who: Who
    score: Score
    name_is_own: bool = False
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Lists:
    """The lists in the settings, and what to ask them."""

    by_address: tuple[Site, ...]
    by_domain: tuple[Site, ...]
    client: Mapping[str, str]
    domains: Mapping[str, str]
    key: str

    def questions(self) -> list[Question]:
        return [
            *dns_lists.questions(self.by_address, self.client, self.key),
            *dns_lists.questions(self.by_domain, self.domains, self.key),
        ]

    def understood(self, answers: Answers, *, skipped: bool) -> tuple[ListResults, ListResults]:
        client = {} if skipped else self.client
        return (
            dns_lists.understood(self.by_address, client, self.key, answers),
            dns_lists.understood(self.by_domain, self.domains, self.key, answers),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """Screens a message by DNS; without `grey` nothing is held."""

    resolver: Resolver
    book: ListBook
    key: Key
    grey: GreyBook | None = None

    def look(
        self,
        envelope: Envelope,
        message: Message,
        header: Header,
        found: LookedUp,
        own_domains: Collection[str],
        *,
        who: Who | None = None,
        unasked: Collection[str] = (),
    ) -> Screened:
        """Screen a message. A dry run passes `who` instead of SES's block, and in `unasked` the restrictions that
        cannot be checked then. Raises Temporary if the ledger cannot say which lists count."""
        settings = found.settings
        who = who or Who.of(envelope, SesBlock.of(message, envelope.message_id))
        lists = self._lists(who, message, header, settings, own_domains)
        skips = {*subjects.FORWARDERS, *_names(settings.dnsbl_skip)} if lists.client and lists.by_address else set()
        trusted = subjects.is_below(who.reverse_name, skips)
        waits = settings.greylist and not is_authenticated(envelope, header)
        known = waits and client_whitelist(found.rows).has_name(who.reverse_name)
        confirming = confirmations(who) if trusted or known else []
        chosen = {name: one for name, one in _chosen(settings, who, own_domains).items() if name not in unasked}
        questions = [*restrictions.questions(who, chosen), *lists.questions(), *confirming]
        answers = self.resolver.ask(questions, SECONDS) if questions else {}
        own_name = bool(confirming) and is_confirmed(who, answers)
        skipped = trusted and own_name
        asked = lists.understood(answers, skipped=skipped)
        silent = self._remember(who, asked) if lists.by_address or lists.by_domain else {}
        findings = (*_restrictions(who, settings, chosen, answers), *_listings(asked, settings, silent))
        named = {zone for one in asked for zone in one.answered | one.errors.keys() | one.late}
        silenced = tuple(sorted(named & silent.keys()))
        score = Score(findings, settings.screening_threshold, silenced, any(one.answered for one in asked))
        return Screened(who, score, own_name, _notes(who, score, asked, skipped=skipped))

    def held(
        self,
        decisions: Collection[Decision],
        envelope: Envelope,
        header: Header,
        screened: Screened,
        found: LookedUp,
        now: float,
    ) -> tuple[Decision, ...]:
        """The decisions, with a grey hold for each recipient that the settings hold and nothing exempts. Raises
        Temporary."""
        settings, who = found.settings, screened.who
        if self.grey is None or not settings.greylist or is_authenticated(envelope, header):
            return tuple(decisions)
        clients, recipients = client_whitelist(found.rows), recipient_whitelist(found.rows)
        if clients.has_address(who.client) or (screened.name_is_own and clients.has_name(who.reverse_name)):
            return tuple(decisions)
        never = recipients.has_recipient
        return Greylisting(self.grey).held(decisions, envelope, who, settings, now, lambda one: never(one.recipient))

    def _lists(
        self, who: Who, message: Message, header: Header, settings: Settings, own_domains: Collection[str]
    ) -> _Lists:
        """The lists to ask about this message."""
        by_address, by_domain = dns_lists.sites(settings.dnsbl_sites), dns_lists.sites(settings.rhsbl_sites)
        key = self.key() if any(one.keyed for one in (*by_address, *by_domain)) else ""
        domains = subjects.domains(who, message, header, own_domains) if by_domain else {}
        return _Lists(by_address, by_domain, subjects.client(who) if by_address else {}, domains, key)

    def _remember(self, who: Who, asked: Collection[ListResults]) -> dict[str, str]:
        """Count this client's errors; return the lists that do not count now, by zone, with why."""
        before = self.book.lists()
        if not who.client:
            return before.silent
        client = hashlib.sha256(who.client.encode()).hexdigest()[:16]
        zones = {one.zone for part in asked for one in part.listings}
        if before.knows(client, zones):
            return before.silent
        after = before.with_client(client, zones)
        self.book.note_clients(before, after)
        return after.silent


def confirmations(who: Who) -> list[Question]:
    """The query that tells whether the client's name is its own: the holder of an address can give it any name."""
    return [Question(who.reverse_name, "AAAA" if ":" in who.client else "A")] if who.reverse_name else []


def is_confirmed(who: Who, answers: Answers) -> bool:
    """Whether the name resolves to the client's address."""
    client = dns_lists.reversed_address(who.client)
    found = (answer for one in confirmations(who) if (answer := answers.get(one)))
    return any(dns_lists.reversed_address(value) == client for answer in found for value in answer.values)


def _names(text: str) -> set[str]:
    return {one.lower().strip(".") for one in text.replace(",", " ").split()}


def _chosen(settings: Settings, who: Who, own_domains: Collection[str]) -> dict[str, str]:
    """The restrictions that apply to this sender, by name. Our own domains are known to take mail, as Postfix knows its
    own."""
    chosen = settings.restrictions
    if who.domain in own_domains:
        chosen.pop(restrictions.UNKNOWN_SENDER, None)
    return chosen


def _restrictions(who: Who, settings: Settings, chosen: Mapping[str, str], answers: Answers) -> list[Finding]:
    found: list[Finding] = []
    for name in restrictions.found(who, chosen, answers):
        weak = name in restrictions.WEAK
        points = 0 if chosen[name] == TAGGED else 1 if weak else settings.screening_threshold
        found.append(Finding(name, points, weak))
    return found


def _listings(asked: Collection[ListResults], settings: Settings, silent: Mapping[str, str]) -> list[Finding]:
    counts = settings.dnsbl_action != TAGGED
    return [
        Finding(f"{one.zone} ({one.about}, {one.code})", one.points if counts else 0, is_listing=True)
        for part in asked
        for one in part.listings
        if one.zone not in silent
    ]


def _notes(who: Who, score: Score, asked: Collection[ListResults], *, skipped: bool) -> dict[str, Any]:
    """What the ledger keeps: of a stranger's text only the names in the SMTP session, and no key."""
    listings: list[Listing] = [one for part in asked for one in part.listings]
    notes: dict[str, Any] = {
        "client": who.client or "unknown",
        "helo": who.helo or "unknown",
        "reverse_name": who.reverse_name or "unknown",
        "found": [one.text for one in score.findings],
        "score": f"{score.points} of {score.threshold}",
        "asked": sorted({zone for part in asked for zone in part.answered}),
        "listed": sorted({one.zone for one in listings}),
        "errors": [f"{zone}: {why}" for part in asked for zone, why in sorted(part.errors.items())],
        "late": sorted({zone for part in asked for zone in part.late}),
        "silent": list(score.silent),
        "skipped": ["the client is a forwarder"] if skipped else [],
    }
    return {name: value for name, value in notes.items() if value}
