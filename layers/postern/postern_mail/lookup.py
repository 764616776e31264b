"""What the tables say: rows read as the pure core names their keys, level by level of aliases."""

from collections.abc import Collection

from .mail import aliases, health, senders, settings
from .mail.address import Address
from .mail.envelope import Envelope
from .mail.header import Header
from .mail.plan import LookedUp, Policy
from .mail.rows import Rows
from .mail.senders import Senders
from .ports.forward import Tables


def first_rows(tables: Tables, envelope: Envelope, policy: Policy) -> Rows:
    """The rows that the envelope names, and the settings: what can be read before the message is there. Raises
    Temporary."""
    keys = dict.fromkeys(key for recipient in envelope.recipients for key in aliases.keys(recipient))
    asked = Senders.of(envelope, (), policy.parent_style)
    return tables.read((settings.KEY, *keys), tuple(asked.keys(())))


def look_up(
    tables: Tables, envelope: Envelope, header: Header, policy: Policy, now: float, rows: Rows | None = None
) -> LookedUp:
    """Every row the plan for this message needs, and the settings: `first_rows` if they are not given, one round more
    for the rules about the header's authors, the health of the destinations, the rules of the aliases that were found
    and the next level of aliases, and one for each level below. A stranger chooses at most `senders.most_keys` of
    the keys.

    Raises Temporary if any of them could not be read: a row that was not read is not a row that
    is not there.
    """
    asked = Senders.of(envelope, header.authors, policy.parent_style)
    rows = first_rows(tables, envelope, policy) if rows is None else rows
    while True:
        unread, reached, scopes = aliases.way_of(envelope.recipients, rows, policy.own_domains, now)
        unread |= {key for key in settings.more_keys(rows) if key not in rows.aliases}
        by_header = settings.rule_keys(rows, (*scopes, senders.EVERYWHERE))
        rules = [key for key in (*asked.keys(scopes), *by_header) if key not in rows.senders]
        unknown = health.unread(reached | senders.leads_to(rows), rows)
        if not (unread or unknown or rules):
            return LookedUp(asked, rows)
        rows.add(tables.read(sorted(unread), rules, sorted(unknown)))


def follow(
    tables: Tables, recipients: Collection[Address], rows: Rows, own_domains: Collection[str], now: float
) -> None:
    """Read into `rows` what resolving the recipients still needs, level by level, and nobody's health.

    Raises Temporary.
    """
    while unread := aliases.unread(recipients, rows, own_domains, now):
        rows.add(tables.read(sorted(unread), ()))
