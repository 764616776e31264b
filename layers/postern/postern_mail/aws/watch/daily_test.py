"""Examines the daily test: whether the last message to each domain came back to us, and if not, why."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...examination import Finding, Grade
from ...mail.daily_test import STALE, WAIT, Record, Stage
from ...mail.days import moment
from ..daily_test import PARTITION, understood
from . import looking

if TYPE_CHECKING:
    from .examinations import Site

_WAY = "`postern doctor` looks at the rule set, the functions and the queues; `postern dns` at the MX record"
_LOG = "the log of digest says why"


def look(where: "Site") -> Iterator[Finding]:
    """Domains whose test did not arrive, or was not sent; nothing if all is well, or the owner switched the test
    off."""
    now, records = time.time(), understood(where.watch_state.entries(PARTITION))
    mine = {one: records[one] for one in sorted(where.policy.own_domains) if one in records}
    if not mine and now - looking.made_at(where["ledger"]) > STALE:
        yield Finding("no daily test was ever sent", _LOG, Grade.WARNING, about="never")
    for domain, record in mine.items():
        yield from found(domain, record, now)


def found(domain: str, record: Record, now: float) -> Iterator[Finding]:
    """The findings of one record."""
    if record.stage is Stage.OFF:
        return
    if record.sent_at and not record.arrived_at and record.stage in (Stage.SENT, Stage.HELD):
        yield from _not_here(domain, record, now)
    if record.stage is Stage.HELD:
        todo = "tests resume when that is fixed; `postern dns` shows what public DNS should say"
        yield Finding(f"no test is sent to {domain}", todo, Grade.WARNING, record.why, f"{domain} held")
    elif record.stage is Stage.REFUSED:
        todo = "the SES console says more; the next attempt is tomorrow"
        yield Finding(f"SES refused the test message to {domain}", todo, quoted=record.why, about=f"{domain} refused")
    elif record.stage is Stage.SENDING and now - record.sent_at > WAIT:
        yield Finding(f"the test message to {domain} could not be sent", _LOG, about=f"{domain} unsent")
    if now - record.at > STALE and record.stage is not Stage.SENDING:
        yield Finding(f"no test of {domain} since {moment(record.at)}", _LOG, Grade.WARNING, about=f"{domain} stale")


def _not_here(domain: str, record: Record, now: float) -> Iterator[Finding]:
    sent = f"the test message to {domain} of {moment(record.sent_at)}"
    about = f"{domain} arrival"
    if record.bounced:
        yield Finding(f"{sent} came back", _WAY, quoted=record.bounce, about=about, since=record.sent_at)
    elif now - record.sent_at > WAIT:
        yield Finding(f"{sent} has not arrived", _WAY, about=about, since=record.sent_at)
