"""The brake on hard bounces by domain, for destinations whose local part a stranger chooses.

`@own -> @other.example`, `keep_tag` and patterns lead wherever a stranger likes: in a dictionary attack each name would
be another destination and another hard bounce of the account's. So the row of a domain, under `@domain` in the
destination table, counts bounces; and to destinations where nothing ever arrived only a few messages are in flight at a
time.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from .health import GONE, Failure, failures, is_suspended
from .rows import Row, Rows

if TYPE_CHECKING:
    from .feedback import Feedback

BOUNCES, WITHIN = 5, 3600  # hard bounces at one domain, and the seconds within which they count
UNCONFIRMED = 10  # messages in flight to one domain's destinations that never had a Delivery
SILENCE = 3600  # seconds after which messages without feedback no longer count
_KEPT = 20  # bounces in a domain's row


def domain_key(destination: str) -> str:
    """The key of the row of a destination's domain."""
    return f"@{destination.rpartition('@')[2]}"


def hard_bounce(feedback: "Feedback") -> Failure | None:
    """The failure that counts against the domain, None if nothing does. Two destinations of one message count as
    two."""
    from .feedback import BOUNCED, ON_ACCOUNT_LIST  # noqa: PLC0415 (a plan has none)

    not_sent = (ON_ACCOUNT_LIST, "Suppressed")  # SES answered instead of the mailbox: not a bounce of the account's
    if feedback.kind != BOUNCED or feedback.type != "Permanent" or feedback.subtype in not_sent:
        return None
    return Failure(feedback.at, GONE, feedback.message_id, feedback.why, feedback.destination)


def verdict(key: str, row: Row) -> Failure | None:
    """The bounce that brakes the unproven destinations of a domain, None if none does. Raises BadRow."""
    standing = failures(key, row)
    for first, last in zip(standing, standing[BOUNCES - 1 :], strict=False):
        if last.at - first.at <= WITHIN:
            return last
    return None


def reason(found: Failure) -> str:
    """The reason, for people."""
    return f"{BOUNCES} hard bounces at the domain within an hour, the last: {found.why}"


def superfluous(key: str, row: Row) -> set[str]:
    """Bounces that can be removed from a domain's row that has many. Raises BadRow."""
    standing = failures(key, row)
    return {str(one) for one in standing[:-BOUNCES]} if len(standing) > _KEPT else set()


def is_proven(destination: str, rows: Rows) -> bool:
    """Whether a message ever arrived there. Only a few messages to unproven destinations of a domain may be in flight
    at once."""
    row = rows.destinations[destination]
    return row is not None and row.get("delivered_at") is not None


def held(destination: str, derived: Collection[str], rows: Rows) -> bool:
    """Whether a destination gets nothing because of bounces from its domain."""
    at_domain = rows.destinations[domain_key(destination)]
    return destination in derived and is_suspended(at_domain) and not is_proven(destination, rows)
