"""The hourly test of DNS lists by their own entries (RFC 5782 5): a list that fails does not count."""

from collections.abc import Mapping
from typing import Protocol

from .mail import dns_lists, list_health
from .mail.dns import Question
from .mail.list_health import Lists
from .mail.records import dataclass, replace
from .mail.rows import Rows
from .mail.settings import KEY, Settings
from .ports.screening import Key, Resolver

SECONDS = 10.0  # for all lists; no mail waits for them


class Tables(Protocol):
    """The alias table."""

    def read(self, aliases: tuple[str, ...], senders: tuple[()]) -> Rows:
        """The rows. Raises Temporary."""


class Book(Protocol):
    """The stored state of DNS lists. Raises Temporary."""

    def lists(self) -> Lists:
        """The current state."""

    def note_faults(self, before: Lists, after: Lists) -> bool:
        """Store a new state; returns False if another write was faster."""


class ListLog(Protocol):
    """Logs the tests."""

    def lists(self, silent: Mapping[str, str]) -> None:
        """Log why lists do not count, by zone; {} if all count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTests:
    """Asks each list that the settings name for one entry that it must list and one that it must not."""

    tables: Tables
    resolver: Resolver
    book: Book
    key: Key
    log: ListLog

    def run(self) -> None:
        """Test once; a list that does not answer in time keeps its state. Raises Temporary, BadSettings."""
        settings = Settings.of(self.tables.read((KEY,), ()))
        asked = _asked(settings, self.key)
        if not asked:
            return
        answers = self.resolver.ask([one for pair in asked.values() for one in pair], SECONDS)
        for _ in range(2):  # screening a message may write there at the same time
            before = self.book.lists()
            faulty = {zone: why for zone, why in before.faulty.items() if zone in asked}
            for zone, (listed, unlisted) in asked.items():
                if listed in answers and unlisted in answers:
                    faulty.pop(zone, None)
                    if why := list_health.failure(answers[listed], answers[unlisted]):
                        faulty[zone] = why
            after = replace(before, faulty=faulty)
            if faulty == before.faulty or self.book.note_faults(before, after):
                break
        self.log.lists({zone: why for zone, why in after.silent.items() if zone in asked})


def _asked(settings: Settings, key: Key) -> dict[str, tuple[Question, Question]]:
    """The two questions for each zone."""
    kinds = ((dns_lists.sites(settings.dnsbl_sites), False), (dns_lists.sites(settings.rhsbl_sites), True))
    if not any(sites for sites, _ in kinds):
        return {}
    owners = key() if any(one.keyed for sites, _ in kinds for one in sites) else ""
    return {
        zone: dns_lists.self_test(zone, owners, domains=domains)
        for sites, domains in kinds
        for zone in dns_lists.zones(sites, owners)
    }
