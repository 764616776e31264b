"""`postern doctor`: everything that needs somebody, in one place, with what to do about it."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import typer
from postern_mail.errors import Temporary
from postern_mail.mail.days import A_DAY
from postern_mail.mail.health import is_suspended
from postern_mail.watch import never_seen, open_too_long, ordered_in_vain

from .options import JsonOption, StackOption
from .output.listing import Meaning
from .output.terminal import printer
from .stack import Stack
from .status import AWS_FAILED, NO, exits
from .tables.checks import settings_faults
from .times import moment

if TYPE_CHECKING:
    pass

WELL, FOUND, FAILED, NOT_CHECKED = "well", "found", "failed", "not checked"
MOST = 100  # findings of one kind that are named
OLD_RETRY = 3600  # seconds: the pauses are longer from then on
STALE_CHECK = 3 * A_DAY  # seconds without a pass of the hourly check: more than the largest bucket takes
FIRST_CHECK = 3 * 3600  # seconds from when the ledger is made until the check must have looked once

_STYLES = {FOUND: "red", FAILED: "red", NOT_CHECKED: "dim", WELL: None}


@dataclass(frozen=True, slots=True)
class Examination:
    """One thing that is looked at: what it is called, what is found, and what the stack must name for it."""

    name: str
    look: Callable[[Stack], Iterator[str]]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """How one examination ended."""

    check: str
    state: str
    found: tuple[str, ...] = ()


def doctor(stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Look for everything that needs somebody. Exit status 0 if all is well, 1 if something is found.

    3 if AWS did not answer for a part of it; the others are shown all the same.
    """
    with exits():
        where = Stack.find(stack)
        findings = [_examined(one, where) for one in EXAMINATIONS]
    say = printer()
    for finding in findings:
        if as_json:
            typer.echo(json.dumps({"check": finding.check, "state": finding.state, "found": finding.found}))
            continue
        say(f"{finding.check}: {finding.state}", _STYLES[finding.state])
        for line in finding.found:
            say(f"  {line}", None)
    states = {finding.state for finding in findings}
    if FAILED in states:
        raise typer.Exit(AWS_FAILED)
    if FOUND in states:
        raise typer.Exit(NO)


def _examined(one: Examination, where: Stack) -> Finding:
    missing = [thing for thing in one.needs if where.get(thing) is None]
    if missing:
        return Finding(one.name, NOT_CHECKED, (f"nothing names its {missing[0].replace('_', ' ')}",))
    try:
        found = tuple(islice(one.look(where), MOST + 1))
    except Temporary as failure:
        return Finding(one.name, FAILED, (str(failure),))
    more = ("and more",) if len(found) > MOST else ()
    return Finding(one.name, FOUND if found else WELL, (*found[:MOST], *more))


def _open_too_long(where: Stack) -> Iterator[str]:
    for message_id in open_too_long(where.watch_state, time.time(), float(where.get("retry_hours") or 36)):
        yield f"{message_id}: `postern trace` says what waits, `postern replay` runs it again"


def _ordered_in_vain(where: Stack) -> Iterator[str]:
    for message_id, at in ordered_in_vain(where.watch_state, time.time()).items():
        yield f"{message_id}, ordered to run again {moment(at)}: if that is minutes ago, `postern replay` runs it"


def _never_seen(where: Stack) -> Iterator[str]:
    book = where.watch_state
    progress = book.progress()
    looked, now = max(progress.started_at, progress.finished_at), time.time()
    if looked and now - looked > STALE_CHECK:
        yield "the hourly check has not looked through the bucket for three days"
    if not looked and now - _made(where["ledger"]) > FIRST_CHECK:
        yield "the hourly check has never looked through the bucket: the log of watch says why"
    for message_id, stored_at in never_seen(book).stored_at.items():
        yield f"{message_id}, stored {moment(stored_at)}: `postern replay` proposes its recipient"


def _made(ledger: str) -> float:
    from .aws import doctor as aws  # noqa: PLC0415 (boto3 takes half a second)

    return aws.made_at(ledger)


def _waiting(thing: str, advice: str) -> Callable[[Stack], Iterator[str]]:
    def look(where: Stack) -> Iterator[str]:
        if count := where.queue(thing).count():
            yield f"{count}: {advice}"

    return look


_dead_letters = _waiting("dead_letters", "`postern redrive` once the cause is mended")
_failed_feedback = _waiting("feedback_failures", 'docs/running.md, "A destination bounces"')
_failed_checks = _waiting("watch_failures", "the logs of watch and digest say why")


def _retry_age(where: Stack) -> Iterator[str]:
    from .aws import doctor as aws  # noqa: PLC0415 (boto3 takes half a second)

    age = aws.oldest(where["retry_queue"])
    if age > OLD_RETRY:
        yield f"the oldest waits for {age / 3600:.1f} hours: `postern log --state deferred` says for what"


def _rows(where: Stack) -> Iterator[str]:
    rows, meaning = where.rows, Meaning(where.policy)
    yield from settings_faults(next(rows.scan("settings"), None))
    for row in rows.scan("aliases"):
        if fault := meaning.alias(row)[1]:
            yield fault
    for row in rows.scan("senders"):
        if fault := meaning.rule_fault(row):
            yield fault


def _suspended(where: Stack) -> Iterator[str]:
    for row in filter(is_suspended, where.destinations.all()):
        yield f"{row.get('address')} since {moment(row['suspended_at'])}: {row.get('reason', '')}"


def _rule_set(where: Stack) -> Iterator[str]:
    from .aws import doctor as aws  # noqa: PLC0415 (boto3 takes half a second)

    active = aws.active_rule_set()
    if active != where["rule_set"]:
        yield f"{where['rule_set']} is not active, but {active or 'none'} is: no mail comes in by it"


def _listeners(where: Stack) -> Iterator[str]:
    from .aws import doctor as aws  # noqa: PLC0415 (boto3 takes half a second)

    domains = where.domains
    for address in filter(None, map(where.get, ("owner", "alarm_address"))):
        if address.rpartition("@")[2].lower() in domains:
            yield f"{address} hears of trouble by way of Postern itself: deploy with a mailbox outside of our domains"
    if not aws.is_heard(where["alarm_topic"]):
        yield "nobody hears the alarms: confirm the mail from AWS, or subscribe to the topic anew if it is gone"


EXAMINATIONS = (
    Examination("rule set", _rule_set, ("rule_set",)),
    Examination("messages open too long", _open_too_long, ("ledger",)),
    Examination("orders without a run", _ordered_in_vain, ("ledger",)),
    Examination("messages never seen", _never_seen, ("ledger",)),
    Examination("dead letters", _dead_letters, ("dead_letters",)),
    Examination("retry queue", _retry_age, ("retry_queue",)),
    Examination("failed feedback", _failed_feedback, ("feedback_failures",)),
    Examination("failed checks", _failed_checks, ("watch_failures",)),
    Examination("table rows", _rows, ("aliases", "senders", "domains")),
    Examination("suspended destinations", _suspended, ("destinations",)),
    Examination("who is told", _listeners, ("alarm_topic", "domains")),
)
