"""Reads the rows whose keys the pure core names, level by level of aliases."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from .mail import aliases, health, senders, settings
from .mail.address import Address
from .mail.envelope import Envelope
from .mail.header import Header
from .mail.plan import LookedUp, Policy
from .mail.rows import Rows, SenderKey
from .mail.senders import Senders
from .ports.forward import MailStore, Tables, TablesAhead
from .side_by_side import Waiting


class Ways:
    """Where recipients led when this process last looked them up: those rows are read along with the envelope's, so
    that one round is usually enough. It only guesses what to read, and says nothing about the rows."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], _Way] = {}

    def of(self, recipients: Iterable[Address]) -> "_Way":
        """The guess for these recipients; nothing if they are new."""
        return self._known.get(_names(recipients), _NOWHERE)

    def note(self, recipients: Collection[Address], way: "_Way") -> None:
        """Remember a way, unless it is long; the oldest makes room."""
        if (
            len(recipients) > _KNOWN_RECIPIENTS
            or len(way.aliases) + len(way.by_header) + len(way.destinations) > _KNOWN_KEYS
        ):
            return
        while len(self._known) >= _KNOWN_WAYS:
            self._known.pop(next(iter(self._known)))
        self._known[_names(recipients)] = way


class _Way(NamedTuple):
    """Keys of the alias and destination tables, scopes of sender rules, and keys of header rules."""

    aliases: Collection[str] = ()
    scopes: Collection[str] = ()
    by_header: Collection[SenderKey] = ()
    destinations: Collection[str] = ()


def _names(recipients: Iterable[Address]) -> tuple[str, ...]:
    return tuple(one.key for one in recipients)


_NOWHERE = _Way()
_KNOWN_WAYS, _KNOWN_RECIPIENTS, _KNOWN_KEYS = 1000, 5, 50  # a megabyte at most


@contextmanager
def ahead(
    store: MailStore, tables: TablesAhead, envelope: Envelope, policy: Policy, ways: Ways
) -> Iterator[tuple[Waiting[bytes], Waiting[Rows]]]:
    """The message and its first rows, in flight: they depend on nothing. An exception is raised where the result is
    used."""
    fetched = store.begin(envelope.message_id)
    rows = tables.begin(*first_keys(envelope, policy, ways))
    try:
        yield fetched, rows
    finally:
        fetched.drop()
        rows.drop()


def first_keys(
    envelope: Envelope, policy: Policy, ways: Ways | None = None
) -> tuple[Collection[str], Collection[SenderKey], Collection[str]]:
    """The arguments of `Tables.read` for the rows that the envelope names, and the settings, which can be read before
    the message is there; and for those to which such recipients led before."""
    way = ways.of(envelope.recipients) if ways else _NOWHERE
    named = (key for recipient in envelope.recipients for key in aliases.keys(recipient))
    keys = dict.fromkeys((settings.KEY, *named, *way.aliases))
    asked = Senders.of(envelope, (), policy.parent_style)
    return tuple(keys), (*asked.keys(way.scopes), *way.by_header), way.destinations


def look_up(
    tables: Tables,
    envelope: Envelope,
    header: Header,
    policy: Policy,
    now: float,
    rows: Rows | None = None,
    *,
    ways: Ways | None = None,
) -> LookedUp:
    """Every row the plan for this message needs, and the settings: `rows`, else those of `first_keys`, one round more
    for the rules about the header's authors, the health of the destinations, the rules of the aliases that were found
    and the next level of aliases, and one for each level below; none where such `ways` were gone before. A stranger
    chooses at most `senders.most_keys` of the keys.

    Raises Temporary if any of them could not be read: an unread row is not a missing row.
    """
    asked = Senders.of(envelope, header.authors, policy.parent_style)
    rows = tables.read(*first_keys(envelope, policy)) if rows is None else rows
    is_new = False
    while True:
        unread, reached, scopes = aliases.way_of(envelope.recipients, rows, policy.own_domains, now)
        unread |= {key for key in settings.more_keys(rows) if key not in rows.aliases}
        by_header = settings.rule_keys(rows, (*scopes, senders.EVERYWHERE))
        rules = [key for key in (*asked.keys(scopes), *by_header) if key not in rows.senders]
        unknown = health.unread(reached | senders.leads_to(rows), rows)
        if not (unread or unknown or rules):
            if ways and is_new:
                way = _Way(tuple(rows.aliases), scopes, tuple(by_header), tuple(rows.destinations))
                ways.note(envelope.recipients, way)
            return LookedUp(asked, rows)
        is_new = True
        rows.add(tables.read(sorted(unread), rules, sorted(unknown)))


def follow(
    tables: Tables, recipients: Collection[Address], rows: Rows, own_domains: Collection[str], now: float
) -> None:
    """Read into `rows` what resolving the recipients still needs, level by level, without the health of destinations.

    Raises Temporary.
    """
    while unread := aliases.unread(recipients, rows, own_domains, now):
        rows.add(tables.read(sorted(unread), ()))
