"""The brake on hard bounces by the domain of destinations, for those whose local part a stranger chooses.

`@own -> @other.example`, `keep_tag` and patterns lead wherever a stranger likes: each name of a dictionary would be
a hard bounce of the account's, and each another destination. So the row of a domain, under `@domain` in the table of
destinations, counts what came back; and what never arrived anywhere goes out a few at a time.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from .health import GONE, Failure, failures, is_suspended
from .rows import Row, Rows

if TYPE_CHECKING:
    from .feedback import Feedback

BOUNCES, WITHIN = 5, 3600  # so many hard bounces at one domain within so many seconds
UNCONFIRMED = 10  # sendings to what has never had a Delivery that are out at once, to one domain
SILENCE = 3600  # seconds after which those of which nothing was heard stand in the way no more
_KEPT = 20  # bounces in a domain's row


def domain_key(destination: str) -> str:
    """The key of the row of a destination's domain."""
    return f"@{destination.rpartition('@')[2]}"


def hard_bounce(feedback: "Feedback") -> Failure | None:
    """What counts against the domain, None if nothing. Two destinations of one message are two."""
    from .feedback import BOUNCED, ON_ACCOUNT_LIST  # noqa: PLC0415 (a plan has none)

    not_sent = (ON_ACCOUNT_LIST, "Suppressed")  # SES answered in the mailbox's place: no bounce of the account's
    if feedback.kind != BOUNCED or feedback.type != "Permanent" or feedback.subtype in not_sent:
        return None
    return Failure(feedback.at, GONE, feedback.message_id, feedback.why, feedback.destination)


def verdict(key: str, row: Row) -> Failure | None:
    """The bounce that holds what is unproven at a domain, None if none does. Raises BadRow."""
    standing = failures(key, row)
    for first, last in zip(standing, standing[BOUNCES - 1 :], strict=False):
        if last.at - first.at <= WITHIN:
            return last
    return None


def reason(found: Failure) -> str:
    """Why, for people."""
    return f"{BOUNCES} hard bounces at the domain within an hour, the last: {found.why}"


def superfluous(key: str, row: Row) -> set[str]:
    """Bounces that can be taken out of a domain's row that has many. Raises BadRow."""
    standing = failures(key, row)
    return {str(one) for one in standing[:-BOUNCES]} if len(standing) > _KEPT else set()


def is_proven(destination: str, rows: Rows) -> bool:
    """Whether a message arrived there before. Of what is not proven only a few may be out to a domain at once."""
    row = rows.destinations[destination]
    return row is not None and row.get("delivered_at") is not None


def held(destination: str, derived: Collection[str], rows: Rows) -> bool:
    """Whether a destination gets nothing because of what came back from its domain."""
    at_domain = rows.destinations[domain_key(destination)]
    return destination in derived and is_suspended(at_domain) and not is_proven(destination, rows)
