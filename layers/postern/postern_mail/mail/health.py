"""The health of destinations: which of them get no mail for now, and by what rule.

A mailbox that is not there is suspended at the first bounce that says so: each further one would count
against the account. Everything else can be the message's fault, which a stranger wrote, and counts only when
it happens with several messages within some days. Out-of-office replies, which SES calls transient
bounces too, and refusals for size or an attachment say nothing about the mailbox.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .address import Address
from .days import A_DAY
from .feedback import BOUNCED, COMPLAINED, ON_ACCOUNT_LIST, Feedback
from .rows import BadRow, Row, Rows, epoch, texts

TABLE = "destinations"
GONE, PERMANENT, TRANSIENT, COMPLAINT = "gone", "permanent", "transient", "complaint"

# The mailbox or its domain is not there (RFC 3463 3.2 and 3.3). 5.1.7 to 5.1.9 speak of the sender's address
# and of other mailers: they are not the mailbox's fault.
_NOT_THERE = re.compile(r"5\.(?:1\.(?![789]\Z)\d+|2\.1)\Z")
_NOT_ASKED = ("Suppressed", ON_ACCOUNT_LIST)  # SES answers in the mailbox's place, also with 5.1.1
_ABOUT_THE_MESSAGE = ("MessageTooLarge", "ContentRejected", "AttachmentRejected")


@dataclass(frozen=True, slots=True)
class Rule:
    """How many messages must fail within how many days, where one is not enough."""

    failures: int = 5
    days: int = 7


@dataclass(frozen=True, slots=True)
class Failure:
    """One message that a destination did not take. Its text is what the table keeps, in a set: the same
    event twice is one."""

    at: int
    kind: str
    message_id: str
    why: str = ""

    @classmethod
    def parse(cls, text: str) -> "Failure":
        """Read what str() wrote; raises ValueError."""
        at, kind, message_id, why = (text + "   ").split(" ", 3)
        return cls(int(at), kind, message_id, why.strip())

    def __str__(self) -> str:
        return f"{self.at} {self.kind} {self.message_id} {self.why}".rstrip()


def failure(feedback: Feedback) -> Failure | None:
    """What an event says against its destination, None if nothing."""
    kind = _kind(feedback)
    return Failure(feedback.at, kind, feedback.message_id, feedback.why) if kind else None


def _kind(feedback: Feedback) -> str:
    if feedback.subtype == ON_ACCOUNT_LIST or feedback.kind not in (BOUNCED, COMPLAINED):
        return ""
    if feedback.kind == COMPLAINED:
        return COMPLAINT
    no_mailbox = feedback.type == "Permanent" and feedback.subtype == "NoEmail"
    if no_mailbox or (feedback.subtype not in _NOT_ASKED and _NOT_THERE.match(feedback.status)):
        return GONE
    if feedback.type != "Transient":
        return PERMANENT  # Undetermined too: a bounce that SES could not read
    return "" if feedback.is_reply or feedback.subtype in _ABOUT_THE_MESSAGE else TRANSIENT


def verdict(address: str, row: Row, rule: Rule) -> Failure | None:
    """The failure that suspends a destination, by all its row has; None if none does.

    Only the failures' own times are compared, so it is the same in whatever order they come, and
    whatever our clock says. Those from before `resumed_at` are forgiven. Raises BadRow.
    """
    try:
        since = epoch(row["resumed_at"]) if row.get("resumed_at") is not None else 0
        known = sorted(map(Failure.parse, texts(row.get("failures") or ())), key=lambda one: (one.at, str(one)))
    except ValueError as fault:
        raise BadRow(TABLE, address, str(fault)) from fault
    counted = {one.message_id: one for one in reversed(known) if one.at > since}  # the first of each message
    gone = [one for one in known if one.at > since and one.kind == GONE]
    if gone:
        return gone[0]
    times = sorted(counted.values(), key=lambda one: one.at)
    for first, last in zip(times, times[rule.failures - 1 :], strict=False):
        if last.at - first.at <= rule.days * A_DAY:
            return last
    return None


def reason(found: Failure, rule: Rule) -> str:
    """Why a destination is suspended, for people."""
    if found.kind == GONE:
        return f"the mailbox is not there: {found.why}"
    return f"{rule.failures} messages failed within {rule.days} days, the last: {found.kind}, {found.why}"


def is_suspended(row: Row | None) -> bool:
    """Whether a row says so: by `suspended_at`, whatever its value, for people write rows too."""
    return row is not None and row.get("suspended_at") is not None


def unread(reached: Collection[str], rows: Rows) -> set[str]:
    """Keys of destinations whose health has not been asked for."""
    return {key for key in reached if key not in rows.destinations}


def suspended(destinations: Iterable[Address], rows: Rows) -> tuple[Address, ...]:
    """Those that get no mail for now. A key that was never read is a KeyError and not good health."""
    return tuple(one for one in destinations if is_suspended(rows.destinations[one.key]))


def why(destinations: Iterable[Address], rows: Rows) -> str:
    """Which destinations are suspended and for what, as far as their rows say."""
    reasons = ((one, (rows.destinations[one.key] or {}).get("reason")) for one in destinations)
    return "; ".join(f"{one} is suspended" + (f": {text}" if text else "") for one, text in reasons)
