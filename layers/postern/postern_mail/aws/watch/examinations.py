"""The examinations that need no person: run by the hourly watch, which tells what is new, and by `postern doctor`."""

import time
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from shlex import quote
from typing import Protocol

from ...examination import Examination, Finding, Grade
from ...mail.days import A_DAY, RETRY_HOURS, moment
from ...mail.health import is_suspended
from ...mail.plan import Policy
from ...mail.replying.reserved import clashes, concerns
from ...mail.row_faults import alias_fault, rule_faults, rule_numbers, settings_faults, unasked_rule, whitelist_faults
from ...mail.rows import BOOKKEEPING, Row, TableName
from ...ports.watch import Progress, WatchState
from ...watch import never_seen, open_too_long, ordered_in_vain
from . import daily_test, looking, screening
from .receiving import GIVEN_UP, TRIED_AGAIN

OLD_RETRY = 3600  # seconds: from then on the pauses are longer
STALE_CHECK = 3 * A_DAY  # seconds without a complete pass: more than the largest bucket takes
FIRST_CHECK = 3 * 3600  # seconds after the ledger's creation by which the first pass must be done
FEW_ERRORS = 3  # of a function in an hour: one event with all of Lambda's attempts
FEW_REFUSALS = 20  # of a function with a URL in an hour: a page and its parts are more requests than it takes at once
# What each function does, by the logical id that follows the stack's name in its own.
_WORK = {
    "InboundFunction": "forwards mail",
    "FeedbackFunction": "hears what became of forwarded mail",
    "RecipientsFunction": "tells SES which addresses there are",
    "DigestFunction": "writes the daily digest",
    "WatchFunction": "makes this check",
}
# Functions with a URL: a failed request is not retried, and no mail waits for it.
_DOORS = {
    "LinksFunction": ("answers the links in mail", "Links"),
    "ApiFunction": ("makes aliases for password managers", "AliasApi"),
}


class Rows(Protocol):
    """Both tables."""

    def scan(self, table: TableName) -> Iterator[Row]:
        """All rows of one table. Raises Temporary."""


class Destinations(Protocol):
    """The health of destinations."""

    def all(self) -> Iterable[Row]:
        """All rows. Raises Temporary."""


class Queue(Protocol):
    """A queue."""

    def count(self) -> int:
        """The number of messages. Raises Temporary."""


class Site(Protocol):
    """A stack's parts, by what they are for: the command's stack, or the watch's own."""

    def __getitem__(self, thing: str) -> str:
        """The name of a part."""

    @property
    def policy(self) -> Policy:
        """Our domains, and the stack's other rules for all mail."""

    @property
    def rows(self) -> Rows:
        """Aliases and sender rules."""

    @property
    def destinations(self) -> Destinations:
        """The health of destinations."""

    @property
    def watch_state(self) -> WatchState:
        """The ledger, as the hourly watch reads it."""

    def queue(self, thing: str) -> Queue:
        """One of its queues."""


def _rule_set(where: Site) -> Iterator[Finding]:
    active = looking.active_rule_set()
    if active != where["rule_set"]:
        yield Finding(
            f"{where['rule_set']} is not active, but {active or 'none'} is: no mail comes in by it",
            f"`aws ses set-active-receipt-rule-set --rule-set-name {where['rule_set']}`",
        )


def _not_handed_over(_: Site) -> Iterator[Finding]:
    found = looking.not_handed_over()
    if given_up := found.get(GIVEN_UP):
        yield Finding(
            f"SES gave up {given_up} messages since yesterday: they are lost, and the senders were not told",
            "fix what the rule needs: the bucket's policy, the function and its permission, the key",
            about=GIVEN_UP,
        )
    elif failed := found.get(TRIED_AGAIN):
        yield Finding(
            f"SES failed {failed} times since yesterday to store a message or to start the function",
            "SES retries for four hours: check the bucket's policy, the function and its permission, the key",
            Grade.WARNING,
            about=TRIED_AGAIN,
        )


def _domains(where: Site) -> Iterator[Finding]:
    known = looking.identities()
    for domain in sorted(where.policy.own_domains):
        one = known.get(domain)
        if one is None:
            yield Finding(f"{domain} is not an SES identity in this region", "deploy the stack again", about=domain)
        elif not one.verified:
            yield Finding(f"{domain} is not verified", "write the DKIM records that `postern dns` shows", about=domain)
        elif not one.sends:
            yield Finding(f"SES sends nothing from {domain}", "the SES console says why", about=domain)


def _sending(_: Site) -> Iterator[Finding]:
    if not looking.may_send():
        yield Finding("SES has paused the account's sending", "the SES console says why; mail waits until then")


def _open_too_long(where: Site) -> Iterator[Finding]:
    for message_id in open_too_long(where.watch_state, time.time(), RETRY_HOURS):
        one = quote(message_id)
        todo = f"`postern trace {one}` says what waits, `postern replay {one}` runs it again"
        yield Finding(message_id, todo, about=message_id)


def _ordered_in_vain(where: Site) -> Iterator[Finding]:
    for message_id, at in ordered_in_vain(where.watch_state, time.time()).items():
        yield Finding(
            f"{message_id}, ordered to run again {moment(at)}",
            f"if that was minutes ago, `postern replay {quote(message_id)}` runs it",
            about=message_id,
            since=at,
        )


def _never_seen(where: Site) -> Iterator[Finding]:
    book = where.watch_state
    yield from _silence(book.progress(), lambda: looking.made_at(where["ledger"]))
    for message_id, stored_at in never_seen(book).stored_at.items():
        yield Finding(
            f"{message_id}, stored {moment(stored_at)}",
            f"`postern replay {quote(message_id)}` proposes its recipient",
            about=message_id,
            since=stored_at,
        )


def _silence(progress: Progress, made_at: Callable[[], float]) -> Iterator[Finding]:
    looked, now = max(progress.started_at, progress.finished_at), time.time()
    if looked and now - looked > STALE_CHECK:
        yield Finding("the hourly check has not looked through the bucket for three days", "the log of watch says why")
    if not looked and now - made_at() > FIRST_CHECK:
        yield Finding("the hourly check has never looked through the bucket", "the log of watch says why")


def _waiting(thing: str, what: str, todo: str) -> Callable[[Site], Iterator[Finding]]:
    def look(where: Site) -> Iterator[Finding]:
        if count := where.queue(thing).count():
            yield Finding(f"{count} {what}s" if count > 1 else f"one {what}", todo, about=thing)

    return look


_dead_letters = _waiting("dead_letters", "message", "`postern redrive` once the cause is fixed")
_failures = _waiting("failures", "event", 'the log says why; docs/operating.md, "Failures of functions", what to do')


def _retry_age(where: Site) -> Iterator[Finding]:
    age = looking.oldest(where["retry_queue"])
    if age > OLD_RETRY:
        yield Finding(
            f"the oldest has waited {age / 3600:.1f} hours",
            "`postern log --state deferred` says for what",
            about="retry_queue",
        )


def _functions(where: Site) -> Iterator[Finding]:
    for name in where["functions"].split(","):
        door = next((found for known, found in _DOORS.items() if known in name), None)
        if door is not None:
            yield from _door(name, *door)
            continue
        part = next((f"the part that {what}" for known, what in _WORK.items() if known in name), "a part of Postern")
        done = looking.counted(name)
        if done.errors >= FEW_ERRORS and 2 * done.errors >= done.invocations:
            yield Finding(
                f"{part} failed {done.errors} times of {done.invocations} in the last hour",
                f"the log says why: {name}",
                about=f"errors of {name}",
            )
        if done.throttles:
            yield Finding(
                f"{part} was held back by AWS {done.throttles} times in the last hour",
                "AWS retries for hours; raise the account's quota of concurrent executions if it continues",
                Grade.WARNING,
                about=f"throttles of {name}",
            )


def _door(name: str, what: str, parameter: str) -> Iterator[Finding]:
    """A function that the internet can reach: its own limit holds back a stranger who calls it often, which is not a
    fault, and is reported only if it happens often."""
    done = looking.counted(name)
    if done.errors >= FEW_ERRORS and 2 * done.errors >= done.invocations:
        yield Finding(
            f"the part that {what} failed {done.errors} times of {done.invocations} in the last hour",
            f"the log says why: {name}; no mail waits for it, and its caller may try again",
            Grade.WARNING,
            about=f"errors of {name}",
        )
    if done.throttles >= FEW_REFUSALS:
        yield Finding(
            f"the part that {what} refused {done.throttles} requests in the last hour, as too many came at once",
            f"no mail waits for it; if strangers do that, close the door: deploy with {parameter}=false",
            Grade.WARNING,
            about=f"throttles of {name}",
        )


def _rows(where: Site) -> Iterator[Finding]:
    rows, policy = where.rows, where.policy
    settings = next(rows.scan("settings"), None)
    about_replies: dict[str, Row] = {}
    for fault in settings_faults(settings):
        yield Finding(fault, "`postern settings set` or `unset`; all mail is deferred until then")
    for fault in whitelist_faults(rows.scan("whitelists")):
        yield Finding(fault, "`postern settings whitelist` with the file; what would be held is deferred until then")
    for row in rows.scan("aliases"):
        if alias := alias_fault(row, policy.own_domains):
            yield Finding(alias, "`postern alias set`, or edit the row")
        if concerns(row, settings):
            about_replies[row["address"]] = row
    for clash in clashes(about_replies, settings, policy.own_domains):
        yield Finding(clash, "`postern alias remove`, or another `reply_local_part`; mail goes on meanwhile")
    for row in rows.scan("senders"):
        key, typed = (row["sender"], row["scope"]), {name: row[name] for name in row if name not in BOOKKEEPING}
        if rule := "; ".join(rule_faults(key, typed, policy.own_domains, policy.parent_style)):
            yield Finding(rule, "`postern sender add` or `remove`; for a header rule `postern rule add` or `remove`")
        elif unasked := unasked_rule(key, rule_numbers(settings)):
            yield Finding(unasked, "`postern rule add --replace` has it asked, or `remove`")


def _suspended(where: Site) -> Iterator[Finding]:
    for row in filter(is_suspended, where.destinations.all()):
        address, at = str(row.get("address")), row["suspended_at"]
        yield Finding(
            f"{address} since {moment(at)}",
            f"once the mailbox takes mail again: `postern destination resume {quote(address)}`",
            quoted=str(row.get("reason", "")),
            about=address,
            since=float(at) if isinstance(at, (int, Decimal)) else None,
        )


RECEIVING, SENDING, UNDER_WAY, TABLES = "Receiving", "Sending", "Mail under way", "Tables"
EXAMINATIONS: tuple[Examination[Site], ...] = (
    Examination(
        RECEIVING, "rule set", _rule_set, ("rule_set",),
        "No mail comes in: Amazon SES does not use our rules. Senders are told that the address does not exist.",
    ),
    Examination(
        RECEIVING, "what SES hands over", _not_handed_over, ("rule_set",),
        "Mail reached Amazon SES and did not get any further. SES retries for four hours.",
    ),
    Examination(
        RECEIVING, "daily test", daily_test.look, ("domains", "ledger"),
        "Postern sends itself a message each day, as a stranger would. It did not come, so other mail may not come"
        " either; or it was not sent, so this is not known.",
    ),
    Examination(
        SENDING, "domains", _domains, ("domains", "rule_set"),
        "Mail to the domain comes in, but cannot be forwarded. It waits, and is retried for 36 hours.",
    ),
    Examination(
        SENDING, "the account", _sending, ("rule_set",),
        "Amazon has stopped all sending by this account. Mail waits, and is retried for 36 hours.",
    ),
    Examination(
        UNDER_WAY, "messages open too long", _open_too_long, ("ledger",),
        "A message has not reached everyone it is for, and nothing retries it any more.",
    ),
    Examination(
        UNDER_WAY, "orders without a run", _ordered_in_vain, ("ledger",),
        "A message was ordered to run again, and did not run.",
    ),
    Examination(
        UNDER_WAY, "grey holds", screening.held, ("ledger",),
        "A message was held for a short while, as you wished, and the time is over. It has not been sent yet.",
    ),
    Examination(
        UNDER_WAY, "messages never seen", _never_seen, ("ledger",),
        "A message was stored, but never handled. No one has received it yet.",
    ),
    Examination(
        UNDER_WAY, "dead letters", _dead_letters, ("dead_letters",),
        "Mail could not be forwarded for 36 hours, and is not retried any more. It is kept for 14 days.",
    ),
    Examination(
        UNDER_WAY, "retry queue", _retry_age, ("retry_queue",),
        "Mail waits longer than usual. It is retried automatically.",
    ),
    Examination(
        UNDER_WAY, "failures of functions", _failures, ("failures",),
        "A part of Postern gave something up after several attempts. It is kept for 14 days.",
    ),
    Examination(
        UNDER_WAY, "functions", _functions, ("functions",),
        "A part of Postern does not work properly. Mail that waits for it is kept, and retried.",
    ),
    Examination(
        TABLES, "table rows", _rows, ("aliases", "senders", "domains"),
        "An alias, a rule or a setting cannot be understood. Mail that needs it waits until it is fixed.",
    ),
    Examination(
        TABLES, "DNS lists", screening.lists, ("aliases", "ledger"),
        "A list in your settings does not count for now, so unwanted mail that it would have stopped may come in.",
    ),
    Examination(
        TABLES, "suspended destinations", _suspended, ("destinations",),
        "A mailbox refuses our mail, so nothing is sent there for now: more of it would harm all our mail.",
    ),
)  # fmt: skip
