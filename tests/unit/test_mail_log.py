"""The log: what is counted, and that what the alarm hangs on leaves at once."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from postern_mail import errors
from postern_mail.aws.mail_log import NEEDS_SOMEBODY, CloudWatchMailLog
from postern_mail.aws.recipients.log import LATE, PowertoolsRecipientsLog
from postern_mail.mail.address import Address
from postern_mail.mail.claims import Claim
from postern_mail.mail.feedback import KINDS, ON_ACCOUNT_LIST, Feedback, HostMail
from postern_mail.mail.link import Deed, Link
from postern_mail.mail.outcomes import ClaimState, State
from postern_mail.mail.rows import BadRow
from postern_mail.mail.send_as import SentAs
from postern_mail.ports.forward import Entry, Outcome
from postern_mail.ports.watch import Overlooked
from postern_mail.recipients.ports import Progress
from postern_mail.telling import Telling

from tests.builders import ROOT, envelope
from tests.fakes import INFO

Say = Callable[[Any], Any]
MESSAGE, JANE = envelope(INFO), Address.parse("jane@dest.example")
CLAIM = Claim("m", JANE, Address.parse(INFO), "owner", 0.0)
FAILURES = [getattr(errors, name)("why") for name in vars(errors) if isinstance(getattr(errors, name), type)]


def of(state: State) -> Say:
    return lambda log: log.outcome(MESSAGE, Outcome(Address.parse(INFO), state, "why"), 1, 0.0)


def said(kind: str, subtype: str = "", *, first: bool = False) -> Say:
    return lambda log: log.feedback(Feedback(kind, "m", "d", 1, subtype=subtype), str(JANE), first=first)


def answered(state: ClaimState) -> Say:
    return lambda log: log.answered("m", [INFO], state, "why")


def deferred(failure: Exception) -> Say:
    return lambda log: log.deferred(MESSAGE, JANE, failure)


def failed(failure: Exception) -> Say:
    return lambda log: log.failure(failure)


SENT_AS = SentAs(Address.parse(INFO), "bounced", 1, "id", lost=(("betsy@sender.example", "why"),))

# Everything that can be said to the log, by the method that it is said to.
MAIL: dict[str, Sequence[Say]] = {
    "told": [lambda log: log.told(Telling())],
    "not_subscribed": [lambda log: log.not_subscribed()],
    "daily_test": [lambda log: log.daily_test("example.com", "held", "why")],
    "lists": [lambda log: log.lists({}), lambda log: log.lists({"bl.example": "it names everybody"})],
    "link": [lambda log: log.link(Link(Deed.RELEASE, "m", INFO, 0), "done")],
    "alias_made": [lambda log: log.alias_made(INFO, "token x")],
    "learned": [lambda log: log.learned(MESSAGE, INFO)],
    "not_learned": [lambda log: log.not_learned(MESSAGE, INFO, errors.Throttled("why"))],
    "received": [lambda log: log.received(MESSAGE, Entry(first=True))],
    "outcome": [of(state) for state in State],
    "sent": [lambda log: log.sent(replace(MESSAGE, received_at="2026-11-01T00:00:00Z"), CLAIM, 1, 1e10)],
    "answered": [answered(state) for state in ClaimState],
    "too_many_answers": [lambda log: log.too_many_answers("m", [INFO], "why")],
    "answer_waits": [lambda log: log.answer_waits("m", errors.Throttled("why"))],
    "resent": [lambda log: log.resent(CLAIM)],
    "rescued": [lambda log: log.rescued(CLAIM, "plain")],
    "thread_lost": [lambda log: log.thread_lost(MESSAGE, errors.Throttled("why"))],
    "bad_row": [lambda log: log.bad_row(MESSAGE, "why")],
    "deferred": [deferred(failure) for failure in FAILURES],
    "feedback": [said(kind, first=True) for kind in KINDS.values()],
    "suspended": [lambda log: log.suspended(str(JANE), "why")],
    "host_mail": [lambda log: log.host_mail(HostMail("bounced", 1, "id", "root@host.example"), first=True)],
    "sent_as": [lambda log: log.sent_as(SENT_AS, first=True)],
    "untold": [lambda log: log.untold(SENT_AS, "why")],
    "contradicting": [lambda log: log.contradicting(Feedback("bounced", "m", "d", 1))],
    "unrelated": [lambda log: log.unrelated()],
    "failure": [failed(failure) for failure in (*FAILURES, BadRow("aliases", "x", "why"))],
    "overlooked": [lambda log: log.overlooked(Overlooked((), ()))],
}
RULES: dict[str, Sequence[Say]] = {
    "progress": [lambda log: log.progress(Progress(1, 0, 1, {}))],
    "lag": [lambda log: log.lag(LATE + 1)],
    "left_to_another": [lambda log: log.left_to_another()],
    "answered": [lambda log: log.answered("done")],
    "failure": [failed(failure) for failure in FAILURES],
}


def mail_log() -> CloudWatchMailLog:
    return CloudWatchMailLog(own_domains=["example.com"], log_addresses=False, stack="postern-dev")


def lines(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines() if '"_aws"' in line]


def counted(printed: str) -> dict[str, float]:
    found = [(name, sum(value)) for line in lines(printed) for name, value in line.items() if isinstance(value, list)]
    return {name: sum(value for one, value in found if one == name) for name, _ in found}


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Powertools shares its counts among all of a process."""
    yield
    mail_log().metrics.flush_metrics()


def methods(kind: type[Any]) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")} - {"leaving", "invocation"}


def test_ten_things_are_counted_and_the_reference_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten custom metrics are free in an account (docs/costs.md). The name of the stack is their only dimension."""
    assert MAIL.keys() == methods(CloudWatchMailLog)
    assert RULES.keys() == methods(PowertoolsRecipientsLog)
    for log, all_of_it in (
        (mail_log(), MAIL),
        (PowertoolsRecipientsLog(own_domains=["example.com"], stack="postern-dev"), RULES),
    ):
        for told in all_of_it.values():
            for say in told:
                say(log)
        log.metrics.flush_metrics()
    printed = capsys.readouterr().out
    documented = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    names = {name for row in re.findall(r"^\| (`.*?) \|", documented, re.MULTILINE) for name in re.findall(r"\w+", row)}
    assert counted(printed).keys() == names
    assert len(names) == 10
    for line in lines(printed):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"], line["service"]) == (
            "Postern",
            [["service"]],
            "postern-dev",
        )


@pytest.mark.parametrize(
    "say",
    [
        of(State.FAILED),
        of(State.AMBIGUOUS),
        lambda log: log.bad_row(MESSAGE, "why"),
        deferred(errors.Misconfigured("why")),
        deferred(errors.OverCap("why")),
        failed(errors.Misconfigured("why")),
        failed(BadRow("aliases", "x", "why")),
        lambda log: log.suspended("x@dest.example", "why"),
        lambda log: log.contradicting(Feedback("bounced", "m", "d", 1)),
        lambda log: log.overlooked(Overlooked(("m",), ())),
        lambda log: log.overlooked(Overlooked((), ("m",))),
        said("rejected"),
        said("bounced", ON_ACCOUNT_LIST),
    ],
)
def test_what_needs_attention_is_counted_before_the_handler_ends(say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    """A killed function never ends its handler. An event that was noted before may not have been counted."""
    say(mail_log())
    assert counted(capsys.readouterr().out) == {NEEDS_SOMEBODY: 1}


def test_rules_that_are_late_need_attention(capsys: pytest.CaptureFixture[str]) -> None:
    log = PowertoolsRecipientsLog(own_domains=["example.com"], stack="postern-dev")
    log.lag(LATE)
    assert counted(capsys.readouterr().out) == {}
    log.lag(LATE + 1)
    assert counted(capsys.readouterr().out) == {NEEDS_SOMEBODY: 1}


@pytest.mark.parametrize(
    "say",
    [
        of(State.FORWARDED),
        of(State.DEFERRED),
        of(State.REJECTED),
        said("bounced", first=True),
        deferred(errors.TooFast("why")),
        failed(errors.Unsettled("why")),
    ],
)
def test_other_counts_leave_together(say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    log = mail_log()
    say(log)
    assert counted(capsys.readouterr().out) == {}
    log.metrics.flush_metrics()
    assert NEEDS_SOMEBODY not in counted(capsys.readouterr().out)


def test_an_invocation_that_counts_nothing_says_nothing_of_it(recwarn: pytest.WarningsRecorder) -> None:
    for log in (mail_log(), PowertoolsRecipientsLog(own_domains=["example.com"], stack="postern-dev")):
        log.metrics.flush_metrics()
    assert not recwarn.list


def test_what_is_kept_for_the_owner_leaves_at_once_too(capsys: pytest.CaptureFixture[str]) -> None:
    of(State.QUARANTINED)(mail_log())
    assert counted(capsys.readouterr().out) == {"Quarantined": 1}


def test_the_watch_counts_nothing_as_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the 0 the alarm would never end."""
    mail_log().overlooked(Overlooked((), ()))
    assert counted(capsys.readouterr().out) == {NEEDS_SOMEBODY: 0}
