"""The daily test message: a message to ourselves through the public MX, which proves that mail comes in.

One record for each domain holds the result of the last test. It is sent only if nothing can go wrong that counts
against the account; otherwise the record says why it was not sent.
"""

import hmac
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from .address import Address
from .days import A_DAY, moment
from .dns import Answer
from .envelope import TEST_LOCAL
from .message import Message
from .records import dataclass
from .tags import destination_tag

MESSAGE_ID = "daily-test-"  # followed by the day: its id in tags and the field
FIELD = "X-Postern-Test"
WAIT = 3600  # seconds that it may take to arrive
STALE = 2 * A_DAY  # seconds after which a record means that no test is made
MOST_DAYS = 16  # between two tests that bounce


_SAID = re.compile(rb"\s*(%s\d{4}-\d\d-\d\d)\s+([0-9a-f]{32})\s*\Z" % MESSAGE_ID.encode())


class Stage(StrEnum):
    """How far a day's test has come."""

    OFF = "off"  # switched off by the owner
    HELD = "held"  # it was not sent, for a reason
    SENDING = "sending"  # it is being sent, or the run was killed while sending
    SENT = "underway"
    REFUSED = "refused"  # by SES


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a domain's test, times in epoch seconds.

    `day` (an ISO date), `at`, `stage` and `why` belong to the last check; the others to the last sending: its tag, when
    it was sent, when it arrived, SES's words if it bounced, and how many bounced in a row before it.
    """

    day: str
    at: float
    stage: Stage
    why: str = ""
    tag: str = ""
    sent_at: float = 0
    arrived_at: float = 0
    bounce: str = ""
    bounces: int = 0

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Record":
        """Read a record from the ledger."""
        known: dict[str, Any] = {name: float(row.get(name, 0)) for name in ("at", "sent_at", "arrived_at")}
        known |= {name: str(row.get(name, "")) for name in ("day", "why", "tag", "bounce")}
        return cls(**known, stage=Stage(str(row["stage"])), bounces=int(row.get("bounces", 0)))

    @property
    def bounced(self) -> bool:
        """Whether the last test came back; one that arrived nevertheless did not."""
        return bool(self.bounce) and not self.arrived_at

    @property
    def in_a_row(self) -> int:
        """How many tests in a row came back, including the last."""
        return self.bounces + 1 if self.bounced else 0 if self.arrived_at else self.bounces

    def is_done(self, day: str) -> bool:
        """Whether nothing is left to do on this day."""
        return self.day >= day and self.stage is not Stage.SENDING


@dataclass(frozen=True, slots=True)
class Account:
    """The state of the account in SES; `verified` are the domains that it may send from."""

    sends: bool
    production: bool
    verified: Collection[str]


def message_id(day: str) -> str:
    """The id of the tests of a day."""
    return f"{MESSAGE_ID}{day}"


def address(domain: str) -> Address:
    """The sender and recipient of the test."""
    return Address(TEST_LOCAL, domain)


def day_of(now: float) -> str:
    """The day in UTC, an ISO date."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def not_by_account(domain: str, account: Account) -> str:
    """Why SES would not send the test, "" if it would."""
    if domain not in account.verified:
        return f"SES has not verified {domain}"
    if not account.sends:
        return "SES has paused the account's sending"
    return "" if account.production else "the account is in SES's sandbox"


def not_by_dns(domain: str, answer: Answer | None, host: str) -> str:
    """Why the test would not come back to us, "" if it would: `host` must be the only MX. None is no answer in time."""
    if answer is None or answer.failed:
        return f"public DNS does not say where mail to {domain} goes: {answer.failed if answer else 'no answer'}"
    if not answer.values:
        return f"public DNS has no MX record of {domain}, which should be {host}"
    others = sorted({*answer.values} - {host})
    if not others:
        return ""
    there = ", ".join(others)
    if host in answer.values:
        return f"public DNS names {there} beside {host} as MX of {domain}"
    return f"public DNS names {there} as MX of {domain}, and not {host}"


def not_after_bounces(record: Record | None, now: float) -> str:
    """Why it is too early after tests that came back, "" if it is not: each bounce counts against the account, so the
    pauses grow, from one day to MOST_DAYS."""
    if record is None or not record.in_a_row:
        return ""
    pause = min(2 ** (record.in_a_row - 1), MOST_DAYS) * A_DAY
    again = record.sent_at + pause
    if now + A_DAY / 2 > again:  # a scheduled run may be some minutes early
        return ""
    return f"{record.in_a_row} came back in a row; the next is sent after {moment(again)}"


def raw(domain: str, day: str, tag: str) -> bytes:
    """The message, all ASCII."""
    me = address(domain)
    lines = (
        f"From: Postern <{me}>",
        f"To: <{me}>",
        f"Subject: Daily test of the mail of {domain}, {day}",
        f"{FIELD}: {message_id(day)} {tag}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "Postern sends this message to itself once a day, to see that mail comes in.",
        "You need not read it. If it is in your mailbox, mail to this domain goes another way",
        "than through Postern. `postern settings set daily_test false` ends it.",
        "",
    )
    return "\r\n".join(lines).encode("ascii")


def tag_of(message: Message, domain: str, key: bytes) -> str:
    """The tag in a message's field, if we made it for this domain, on any day; else ""."""
    named = message.named(FIELD.lower())[:1]  # we write one
    if not named or not (found := _SAID.match(named[0].value)):
        return ""
    ours = destination_tag(key, found[1].decode(), address(domain))
    return ours if hmac.compare_digest(ours.encode(), found[2]) else ""
