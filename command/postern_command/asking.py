"""DNS lists and restrictions in a dry run: DNS is asked as the function does it, but nothing is stored."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from postern_mail.errors import Temporary
from postern_mail.mail import dns_lists, restrictions
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.header import Header
from postern_mail.mail.list_health import Lists
from postern_mail.mail.message import Message
from postern_mail.mail.plan import LookedUp
from postern_mail.mail.restrictions import Who
from postern_mail.mail.settings import Settings

from .status import UsageError

if TYPE_CHECKING:
    from postern_mail.mail.dns import Answer, Answers, Question
    from postern_mail.screening import Screened

    from .source import Source
    from .stack import Stack

SERVER = "POSTERN_NAMESERVER"  # ADDRESS:PORT, instead of the machine's
NO_DNS = "--no-dns"
_BELIEVED, _KEYED = "whether the stack believes a list", "Spamhaus's lists"
_BY_DNS = (restrictions.UNKNOWN_SENDER, restrictions.UNKNOWN_HELO)


@dataclass(frozen=True, slots=True)
class Looked:
    """The result of screening a message, None if there was none, and a sentence for each check that was skipped."""

    screened: Screened | None = None
    not_asked: tuple[str, ...] = ()
    dns: bool = True

    @property
    def notes(self) -> dict[str, Any]:
        """What the ledger would keep for real mail; without DNS no answer can be late."""
        notes = self.screened.notes if self.screened else {}
        return {name: one for name, one in notes.items() if self.dns or name != "late"}

    @property
    def data(self) -> dict[str, Any] | None:
        """The result as plain data, None if the owner has no screening on."""
        if self.screened is None:
            return {"not_asked": list(self.not_asked)} if self.not_asked else None
        score = self.screened.score
        said = {"is_listed": score.listed, "keeps": score.keeps, "not_asked": list(self.not_asked)}
        return {**self.notes, **said}


def lines(data: Mapping[str, Any] | None) -> Iterator[str]:
    """The lines for people, from `Looked.data`."""
    said: Mapping[str, Any] = data or {}
    if "score" in said:
        keeps = ": quarantined, unless an OK excuses it" if said["keeps"] else ""
        yield f"screening: {'; '.join(said.get('found', ())) or 'nothing found'}; score {said['score']}{keeps}"
    yield from (f"does not count now: {zone}" for zone in said.get("silent", ()))
    yield from (f"no answer: {one}" for one in said.get("errors", ()))
    yield from (f"no answer: {zone}: it took too long" for zone in said.get("late", ()))
    yield from (f"does not count: {why}" for why in said.get("skipped", ()))
    yield from (f"not asked: {one}" for one in said.get("not_asked", ()))


@dataclass(frozen=True, slots=True)
class Asking:
    """Screens messages for one run of a command, asking each DNS question only once. With `dns` False it does only the
    checks that need no DNS."""

    source: Source
    dns: bool = True
    known: dict[Question, Answer] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)  # values read from the stack

    def look(
        self,
        envelope: Envelope,
        message: Message,
        header: Header,
        found: LookedUp,
        who: Who | None = None,
        unasked: Collection[str] = (),
    ) -> Looked:
        """The result of screening, if the settings turn it on. `who` replaces the client in SES's header block;
        `unasked` are restrictions that cannot be checked then."""
        if not found.settings.screens:
            return Looked()
        from postern_mail.screening import Screening  # noqa: PLC0415 (imports dnspython)

        screening = Screening(resolver=self, book=self, key=self.key)
        own = self.source.domains
        screened = screening.look(envelope, message, header, found, own, who=who, unasked=unasked)
        return Looked(screened, tuple(self._not_asked(found.settings, screened.who, unasked)), self.dns)

    def ask(self, questions: Collection[Question], seconds: float) -> Answers:
        """See `ports.screening.Resolver`."""
        new = [one for one in questions if one not in self.known]
        if self.dns and new:
            from postern_mail.resolver import DnsResolver  # noqa: PLC0415

            self.known.update(DnsResolver(os.environ.get(SERVER, "")).ask(new, seconds))
        return {one: self.known[one] for one in questions if one in self.known}

    def lists(self) -> Lists:
        """The stack's record of the lists' health; empty for a tables file, or if it cannot be read."""
        found = self._read(_BELIEVED, lambda parts, stack: parts.lists(stack))
        return found if isinstance(found, Lists) else Lists()

    def note_clients(self, before: Lists, after: Lists) -> None:
        """Does nothing: a dry run stores nothing."""

    def key(self) -> str:
        """The owner's Spamhaus DQS key; "" for a tables file, or if it cannot be read."""
        return str(self._read(_KEYED, lambda parts, stack: parts.dqs_key(stack)) or "")

    def _read(self, what: str, read: Callable[[Any, Stack], object]) -> object:
        """A value of the stack, read once; None if it cannot be read."""
        if what not in self.kept:
            self.kept[what] = None
            if self.source.stack is not None and self.dns:
                from .aws import parts  # noqa: PLC0415 (imports boto3)

                try:
                    self.kept[what] = read(parts, self.source.stack)
                except (Temporary, UsageError) as failure:
                    self.faults[what] = str(failure)
        return self.kept[what]

    def _not_asked(self, settings: Settings, who: Who, unasked: Collection[str]) -> Iterator[str]:
        by_address, by_domain = dns_lists.sites(settings.dnsbl_sites), dns_lists.sites(settings.rhsbl_sites)
        zones = dict.fromkeys(one.zone for one in (*by_address, *by_domain))
        chosen = [name for name in settings.restrictions if name not in unasked]
        if not self.dns:
            yield from (f"{one} ({NO_DNS})" for one in (*zones, *(name for name in chosen if name in _BY_DNS)))
        else:
            has_key = not any(one.keyed for one in (*by_address, *by_domain)) or self.key() or _KEYED in self.faults
            asked = dns_lists.zones((*by_address, *by_domain), "x" if has_key else "")
            yield from (f"{one}: {dns_lists.KEYED}" for one in zones if one not in asked)
            yield from (f"{what}: {why}" for what, why in self.faults.items())
        if by_address and not who.client:
            yield f"{', '.join(dict.fromkeys(one.zone for one in by_address))}: the client's address is unknown"
        if who.helo is None and any("_helo_" in one for one in chosen):
            yield "HELO restrictions: the client's HELO name is unknown"
        yield from (f"{one}: the client's name is unknown" for one in unasked if one in settings.restrictions)
        if settings.greylist:
            yield "greylisting: it depends on earlier mail"
