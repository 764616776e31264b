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


def look_up(tables: Tables, envelope: Envelope, header: Header, policy: Policy, now: float) -> LookedUp:
    """Every row the plan for this message needs, and the settings: one round, one more for the health of the
    destinations and the next level of aliases, and one more for each level below.

    Raises Temporary if any of them could not be read: a row that was not read is not a row that
    is not there.
    """
    keys = dict.fromkeys(key for recipient in envelope.recipients for key in aliases.keys(recipient))
    asked = Senders.of(envelope, header.authors, policy.parent_style)
    rows = tables.read((settings.KEY, *keys), tuple(asked.keys(keys)))
    elsewhere = senders.leads_to(rows)
    while True:
        unread, reached = aliases.way_of(envelope.recipients, rows, policy.own_domains, now)
        unknown = health.unread(reached | elsewhere, rows)
        if not (unread or unknown):
            return LookedUp(asked, rows)
        rows.add(tables.read(sorted(unread), (), sorted(unknown)))


def follow(
    tables: Tables, recipients: Collection[Address], rows: Rows, own_domains: Collection[str], now: float
) -> None:
    """Read into `rows` what resolving the recipients still needs, level by level, and nobody's health.

    Raises Temporary.
    """
    while unread := aliases.unread(recipients, rows, own_domains, now):
        rows.add(tables.read(sorted(unread), ()))
