"""The health of destinations: which of them get no mail for now, and by what rule.

A mailbox that does not exist is suspended at the first bounce that says so: each further bounce would count against the
account. Failures about the message, its sender or a rate do not count, because strangers choose those (`bounce_cause`).
All others count only if the mail of several senders fails within some days and none arrives in between. Out-of-office
replies, which SES also reports as transient bounces, say nothing about the mailbox.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .address import Address
from .days import A_DAY
from .domain_owner import owner_of
from .records import dataclass
from .rows import BadRow, Row, Rows, epoch, texts

if TYPE_CHECKING:
    from .feedback import Feedback

TABLE = "destinations"
GONE, PERMANENT, TRANSIENT, COMPLAINT = "gone", "permanent", "transient", "complaint"

_NOT_ASKED = "Suppressed"  # SES answers instead of the mailbox, also with 5.1.1
_ABOUT_THE_MESSAGE = ("MessageTooLarge", "ContentRejected", "AttachmentRejected")
_FULL = "MailboxFull"
_ANYBODY = "-"  # stands for all unproven senders
_NAMED = 5  # suspended destinations named in one reason: a group may have thousands
_MAX_REASON = 300  # characters for one destination
_MANY = 40  # failures of one destination, above which superfluous ones are removed


@dataclass(frozen=True, slots=True)
class Rule:
    """How many senders' mail must fail within how many days, if one bounce is not enough."""

    failures: int = 5
    days: int = 7


@dataclass(frozen=True, slots=True)
class Failure:
    """One message that a destination refused. Its text is an element of a set in the table: the same event twice is
    stored once. `sender` stands for its sender, as in `known_sender`."""

    at: int
    kind: str
    message_id: str
    why: str = ""
    sender: str = _ANYBODY

    @classmethod
    def parse(cls, text: str) -> "Failure":
        """Read what str() wrote. Raises ValueError."""
        at, kind, message_id, sender, why = (text + "    ").split(" ", 4)
        return cls(int(at), kind, message_id, why.strip(), sender or _ANYBODY)

    def __str__(self) -> str:
        return f"{self.at} {self.kind} {self.message_id} {self.sender} {self.why}".rstrip()


def known_sender(message: Mapping[str, Any]) -> str:
    """Who sent a message, from its entry in the ledger: the owner of MAIL FROM's domain if SPF proves it, else one word
    for all unproven senders, because MAIL FROM can be forged."""
    domain = str(message.get("source", "")).rpartition("@")[2]
    verdicts = message.get("verdicts")
    passed = isinstance(verdicts, Mapping) and verdicts.get("spf") == "PASS"
    return owner_of(domain) if passed and domain and " " not in domain else _ANYBODY


def failure(feedback: "Feedback", sender: str = _ANYBODY) -> Failure | None:
    """The failure that an event counts as for its destination, None if it does not count."""
    kind = _kind(feedback)
    return Failure(feedback.at, kind, feedback.message_id, feedback.why, sender) if kind else None


def _kind(feedback: "Feedback") -> str:
    """The kind of failure: SES's own subtype comes before the status and the text."""
    from .bounce_cause import Cause, cause  # noqa: PLC0415 (a plan asks for no cause)
    from .feedback import BOUNCED, COMPLAINED, ON_ACCOUNT_LIST  # noqa: PLC0415

    if feedback.subtype == ON_ACCOUNT_LIST or feedback.kind not in (BOUNCED, COMPLAINED):
        return ""
    if feedback.kind == COMPLAINED:
        return COMPLAINT
    if feedback.is_reply or feedback.subtype in _ABOUT_THE_MESSAGE:
        return ""
    lasting = TRANSIENT if feedback.type == "Transient" else PERMANENT  # Undetermined too: SES could not parse it
    if feedback.subtype in (_NOT_ASKED, _FULL):
        return lasting
    no_mailbox = feedback.type == "Permanent" and feedback.subtype == "NoEmail"
    match cause(feedback.status, feedback.text, no_mailbox=no_mailbox):
        case Cause.GONE:
            return GONE
        case Cause.MESSAGE:
            return ""
        case Cause.MAILBOX:
            return lasting


def verdict(address: str, row: Row, rule: Rule) -> Failure | None:
    """The failure that suspends a destination, given its whole row; None if none does.

    Only the failures' own times are compared, so the result depends neither on their order nor on our clock. Raises
    BadRow.
    """
    standing = _standing(address, row)
    for last in standing:
        if last.kind == GONE:
            return last
    for last in standing:
        within = {one.sender for one in standing if last.at - rule.days * A_DAY <= one.at <= last.at}
        if len(within) >= rule.failures:
            return last
    return None


def superfluous(address: str, row: Row, rule: Rule) -> set[str]:
    """Failures that can be removed from a row that has many: forgiven, too old, or followed by a later one of the same
    sender. None if the row has few. Raises BadRow."""
    texts_there = set(texts(row.get("failures") or ()))
    if len(texts_there) <= _MANY:
        return set()
    standing = _standing(address, row)
    newest = max((one.at for one in standing), default=0)
    kept = {one.sender: str(one) for one in standing if newest - one.at <= rule.days * A_DAY}
    return texts_there - set(kept.values()) - {str(one) for one in standing if one.kind == GONE}


def failures(address: str, row: Row) -> list[Failure]:
    """The failures that a person has not forgiven, oldest first: those after `resumed_at`. Raises BadRow."""
    return _standing(address, {name: value for name, value in row.items() if name != "delivered_at"})


def _standing(address: str, row: Row) -> list[Failure]:
    """The failures that count, oldest first. Those before `resumed_at` are forgiven, and a Delivery clears all failures
    before it except complaints, which follow deliveries, and a mailbox that does not exist."""
    try:
        resumed, delivered = (
            epoch(row[name]) if row.get(name) is not None else 0 for name in ("resumed_at", "delivered_at")
        )
        known = sorted(map(Failure.parse, texts(row.get("failures") or ())), key=lambda one: (one.at, str(one)))
    except ValueError as fault:
        raise BadRow(TABLE, address, str(fault)) from fault
    lasting = (GONE, COMPLAINT)
    return [one for one in known if one.at > resumed and (one.kind in lasting or one.at > delivered)]


def reason(found: Failure, rule: Rule) -> str:
    """Why a destination is suspended, for people."""
    if found.kind == GONE:
        return f"the mailbox does not exist: {found.why}"
    return f"mail of {rule.failures} senders failed within {rule.days} days, the last: {found.kind}, {found.why}"


def is_suspended(row: Row | None) -> bool:
    """Whether a row says so: by `suspended_at`, whatever its value, because people write rows too."""
    return row is not None and row.get("suspended_at") is not None


def unread(reached: Collection[str], rows: Rows) -> set[str]:
    """Keys of destinations, and of their domains' rows, that have not been read."""
    wanted = {*reached, *(f"@{key.rpartition('@')[2]}" for key in reached)}
    return {key for key in wanted if key not in rows.destinations}


def suspended(destinations: Iterable[Address], rows: Rows) -> tuple[Address, ...]:
    """The destinations that get no mail for now. A key that was never read raises KeyError; it does not mean good
    health."""
    return tuple(one for one in destinations if is_suspended(rows.destinations[one.key]))


def why(destinations: Collection[Address], rows: Rows) -> str:
    """Which destinations are suspended and why, as far as their rows say; at most the first few."""
    named = [(one, _reason_of(one, rows)) for one in [*destinations][:_NAMED]]
    said = [f"{one} is suspended" + (f": {text[:_MAX_REASON]}" if text else "") for one, text in named]
    more = len(destinations) - len(said)
    return "; ".join((*said, f"{more} more are suspended") if more else said)


def _reason_of(destination: Address, rows: Rows) -> str:
    """The destination's own reason, else that of its domain."""
    own = rows.destinations[destination.key]
    row = own if is_suspended(own) else rows.destinations.get(f"@{destination.domain}")
    return str((row or {}).get("reason") or "")
