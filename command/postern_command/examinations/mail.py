"""Mail on its way, the rows it goes by, and who hears of what goes wrong."""

import time
from collections.abc import Callable, Iterator

from postern_mail.aws.watch.receiving import GIVEN_UP, TRIED_AGAIN
from postern_mail.examination import Examination, Finding, Grade
from postern_mail.mail.days import A_DAY, RETRY_HOURS
from postern_mail.mail.health import is_suspended
from postern_mail.watch import never_seen, open_too_long, ordered_in_vain

from ..output.listing import Meaning
from ..stack import Stack
from ..tables.checks import settings_faults
from ..times import moment

OLD_RETRY = 3600  # seconds: the pauses are longer from then on
STALE_CHECK = 3 * A_DAY  # seconds without a pass of the hourly check: more than the largest bucket takes
FIRST_CHECK = 3 * 3600  # seconds from when the ledger is made until the check must have looked once


def _open_too_long(where: Stack) -> Iterator[Finding]:
    for message_id in open_too_long(where.watch_state, time.time(), RETRY_HOURS):
        yield Finding(message_id, "`postern trace` says what waits, `postern replay` runs it again")


def _ordered_in_vain(where: Stack) -> Iterator[Finding]:
    for message_id, at in ordered_in_vain(where.watch_state, time.time()).items():
        yield Finding(
            f"{message_id}, ordered to run again {moment(at)}", "if that is minutes ago, `postern replay` runs it"
        )


def _never_seen(where: Stack) -> Iterator[Finding]:
    book = where.watch_state
    progress = book.progress()
    looked, now = max(progress.started_at, progress.finished_at), time.time()
    if looked and now - looked > STALE_CHECK:
        yield Finding("the hourly check has not looked through the bucket for three days", "the log of watch says why")
    if not looked and now - _made(where["ledger"]) > FIRST_CHECK:
        yield Finding("the hourly check has never looked through the bucket", "the log of watch says why")
    for message_id, stored_at in never_seen(book).stored_at.items():
        yield Finding(f"{message_id}, stored {moment(stored_at)}", "`postern replay` proposes its recipient")


def _made(ledger: str) -> float:
    from ..aws import doctor as aws  # noqa: PLC0415 (boto3 takes half a second)

    return aws.made_at(ledger)


def _waiting(thing: str, todo: str) -> Callable[[Stack], Iterator[Finding]]:
    def look(where: Stack) -> Iterator[Finding]:
        if count := where.queue(thing).count():
            yield Finding(f"{count} of them" if count > 1 else "one", todo)

    return look


_dead_letters = _waiting("dead_letters", "`postern redrive` once the cause is repaired")
_failures = _waiting("failures", 'the log says why; docs/running.md, "Failures of functions", what to do')


def _retry_age(where: Stack) -> Iterator[Finding]:
    from ..aws import doctor as aws  # noqa: PLC0415 (boto3 takes half a second)

    age = aws.oldest(where["retry_queue"])
    if age > OLD_RETRY:
        yield Finding(
            f"the oldest has waited {age / 3600:.1f} hours",
            "`postern log --state deferred` says for what",
        )


def _rows(where: Stack) -> Iterator[Finding]:
    rows, meaning = where.rows, Meaning(where.policy)
    for fault in settings_faults(next(rows.scan("settings"), None)):
        yield Finding(fault, "`postern settings set` or `unset`; all mail is deferred until then")
    for row in rows.scan("aliases"):
        if row_fault := meaning.alias(row)[1]:
            yield Finding(row_fault, "`postern alias set`, or edit the row")
    for row in rows.scan("senders"):
        if row_fault := meaning.rule_fault(row):
            yield Finding(row_fault, "`postern sender add` or `remove`")


def _suspended(where: Stack) -> Iterator[Finding]:
    for row in filter(is_suspended, where.destinations.all()):
        yield Finding(
            f"{row.get('address')} since {moment(row['suspended_at'])}: {row.get('reason', '')}",
            "once the mailbox takes mail again: `postern destination resume`",
        )


def _rule_set(where: Stack) -> Iterator[Finding]:
    from ..aws import doctor as aws  # noqa: PLC0415 (boto3 takes half a second)

    active = aws.active_rule_set()
    if active != where["rule_set"]:
        yield Finding(
            f"{where['rule_set']} is not active, but {active or 'none'} is: no mail comes in by it",
            f"`aws ses set-active-receipt-rule-set --rule-set-name {where['rule_set']}`",
        )


def _not_handed_over(_: Stack) -> Iterator[Finding]:
    from ..aws import doctor as aws  # noqa: PLC0415 (boto3 takes half a second)

    found = aws.not_handed_over()
    if given_up := found.get(GIVEN_UP):
        yield Finding(
            f"SES gave up {given_up} messages since yesterday: they are lost, and the senders were not told",
            "repair what the rule needs: the bucket's policy, the function and its permission, the key",
        )
    elif failed := found.get(TRIED_AGAIN):
        yield Finding(
            f"SES failed {failed} times since yesterday to store a message or to start the function",
            "SES tries for four hours: look at the bucket's policy, the function and its permission, the key",
            Grade.WARNING,
        )


def _listeners(where: Stack) -> Iterator[Finding]:
    from ..aws import doctor as aws  # noqa: PLC0415 (boto3 takes half a second)

    owner = where.get("owner") or ""
    if owner.rpartition("@")[2].lower() in where.domains:
        yield Finding(
            f"{owner} hears of trouble by way of Postern itself", "deploy with a mailbox outside of our domains"
        )
    if not aws.is_heard(where["alarm_topic"]):
        yield Finding(
            "nobody hears the alarms", "confirm the mail from AWS, or subscribe to the topic again if it is gone"
        )


UNDER_WAY, TABLES, PEOPLE, RECEIVING = "Mail under way", "Tables", "People", "Receiving"
EXAMINATIONS: tuple[Examination[Stack], ...] = (
    Examination(RECEIVING, "rule set", _rule_set, ("rule_set",)),
    Examination(RECEIVING, "what SES hands over", _not_handed_over, ("rule_set",)),
    Examination(UNDER_WAY, "messages open too long", _open_too_long, ("ledger",)),
    Examination(UNDER_WAY, "orders without a run", _ordered_in_vain, ("ledger",)),
    Examination(UNDER_WAY, "messages never seen", _never_seen, ("ledger",)),
    Examination(UNDER_WAY, "dead letters", _dead_letters, ("dead_letters",)),
    Examination(UNDER_WAY, "retry queue", _retry_age, ("retry_queue",)),
    Examination(UNDER_WAY, "failures of functions", _failures, ("failures",)),
    Examination(TABLES, "table rows", _rows, ("aliases", "senders", "domains")),
    Examination(TABLES, "suspended destinations", _suspended, ("destinations",)),
    Examination(PEOPLE, "who is told", _listeners, ("alarm_topic", "domains")),
)
