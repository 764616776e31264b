"""Mail that was sent as an alias: whose it is, and what those are told who get the alias's mail."""

import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.errors import Refused, Temporary, Throttled, Unanswered, Unavailable
from postern_mail.mail.address import Address
from postern_mail.mail.feedback import BadFeedback, Feedback
from postern_mail.mail.returned import notice
from postern_mail.mail.send_as import SentAs, user_name
from postern_mail.ports.feedback import Sending
from postern_mail.returned import Returned

from tests.builders import bounce, feedback
from tests.fakes import (
    INFO,
    LEASE_SECONDS,
    FakeClock,
    FakeFeedbackLog,
    FakeLedger,
    FakeMailer,
    FakeReturnedLimits,
    FakeTables,
)

DOMAINS = ("example.com",)
OURS = partial(user_name, "postern", "eu-west-1")
SENDER = Address.parse(INFO)
USER = OURS(SENDER)
JANE, JOE = "jane@dest.example", "joe@dest.example"
GONE = {"status": "5.1.1", "diagnostic": "smtp; 550 5.1.1 user unknown"}


def sent_as(event: dict[str, Any], *callers: Any, source: str = INFO, **common: Any) -> dict[str, Any]:
    """An event about a message that a person sent as an alias: no tag of ours, and SES's own."""
    tags = {"ses:caller-identity": list(callers or (USER,)), "ses:configuration-set": ["postern-forward"]}
    event["detail"]["mail"] |= {"source": source, "destination": ["betsy@sender.example"], "tags": tags}
    event["detail"]["mail"]["commonHeaders"] = common
    return event


def read(event: object) -> SentAs | None:
    return SentAs.from_event(event, OURS, DOMAINS)


@given(
    st.from_regex(r"[a-zA-Z][a-zA-Z0-9-]{0,127}", fullmatch=True),
    st.from_regex(r"[!#-'*+/-9=?^-~-]{1,64}", fullmatch=True),
)
def test_a_users_name_is_one_that_iam_and_a_tag_of_ses_take(stack: str, local: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9-]{1,64}", user_name(stack, "ap-northeast-1", Address(local, "example.com")))


def test_a_users_name_is_of_one_address_stack_and_region() -> None:
    made = [
        user_name(stack, region, Address.parse(address))
        for stack in ("a", "a-b")
        for region in ("eu-west-1", "us-east-1")
        for address in ("x@example.com", "b-x@example.com", "x@example.org", "x-example@com", "x.y@example.com")
    ]
    assert len({one.lower() for one in made}) == len(made)
    assert OURS(Address.parse("INFO@Example.com")) == OURS(Address.parse("info@example.com"))


@pytest.mark.parametrize("caller", [USER, f"/postern/eu-west-1/postern/send-as/{USER}"])
@pytest.mark.parametrize("source", [INFO, f"Info <{INFO.upper()}>", f"<{INFO}>"])
def test_mail_of_such_a_user_is_known(caller: str, source: str) -> None:
    made = read(sent_as(bounce(**GONE), caller, source=source, subject="Offer"))
    assert made is not None
    assert (made.address.key, made.kind, made.subject) == (INFO, "bounced", "Offer")
    assert made.lost == (("hidden@dest.example", "Permanent NoEmail 5.1.1 smtp; 550 5.1.1 user unknown"),)


def test_it_is_known_by_from_where_the_envelope_has_another() -> None:
    made = read(sent_as(bounce(**GONE), source="0102018f@bounces.example.com", **{"from": [f"Info <{INFO}>"]}))
    assert made is not None
    assert made.address == SENDER


@pytest.mark.parametrize(
    "event",
    [
        sent_as(bounce(**GONE), "somebody"),
        sent_as(bounce(**GONE), user_name("other", "eu-west-1", SENDER)),
        sent_as(bounce(**GONE), OURS(Address.parse("other@example.com"))),
        sent_as(bounce(**GONE), USER, source="other@example.com"),
        sent_as(bounce(**GONE), USER, source=""),
        sent_as(bounce(**GONE), USER, "somebody"),
        sent_as(bounce(**GONE), {"name": USER}),
        sent_as(bounce(**GONE), OURS(Address.parse("a@other.example")), source="a@other.example"),
        bounce(**GONE),
        feedback("Delivery"),
    ],
    ids=["unknown", "another stack's", "another address's", "another sender", "no sender", "two", "no text",
         "no domain of ours", "a forward", "a delivery"],
)  # fmt: skip
def test_a_caller_that_is_no_such_user_is_not(event: dict[str, Any]) -> None:
    assert read(event) is None


@pytest.mark.parametrize("tags", [None, "x", ["ses:caller-identity"]])
def test_an_event_without_tags_is_none(tags: object) -> None:
    event = sent_as(bounce(**GONE))
    event["detail"]["mail"]["tags"] = tags
    with pytest.raises(BadFeedback):
        read(event)


@pytest.mark.parametrize("event", [feedback("Delivery"), feedback("DeliveryDelay"), bounce("Transient", "General")])
def test_what_no_one_need_know_has_no_losses(event: dict[str, Any]) -> None:
    made = read(sent_as(event))
    assert made is not None
    assert made.lost == ()


def losing(**more: Any) -> SentAs:
    return SentAs(SENDER, "bounced", 1_795_000_000, "0102", **{"lost": (("betsy@sender.example", "5.1.1 no"),), **more})


def test_the_notice_has_sess_words_and_nothing_that_acts() -> None:
    raw = notice(
        losing(subject="An \x1boffer \u202e\r\nBcc: x@y.example", lost=(("b@s.example", "550 \x1b[2Jno\nBcc: x"),))
    )
    made = message_from_bytes(raw, policy=policy.default)
    assert made["From"] == '"example.com mail gate" <info@example.com>'
    assert (made["To"], made["Auto-Submitted"], made["Bcc"]) == ("info@example.com", "auto-generated", None)
    assert made["Subject"] == r"Not delivered: An \x1boffer \u202e Bcc: x@y.example"
    text = made.get_content().replace("\r\n", "\n")
    assert "  b@s.example\n    550 \\x1b[2Jno Bcc: x\n" in text
    assert "`postern send-as rotate info@example.com`" in text
    assert max(map(len, raw.splitlines())) <= 998
    assert raw.isascii()


@pytest.mark.parametrize(
    ("kind", "said"),
    [("bounced", "did not arrive at"), ("complained", "was reported as spam by"), ("rejected", "found a virus")],
)
def test_the_notice_says_what_happened(kind: str, said: str) -> None:
    made = SentAs(SENDER, kind, 0, "0102", lost=(("b@s.example", "why"),))
    assert said in message_from_bytes(notice(made), policy=policy.default).get_content()


@dataclass
class Desk:
    """What tells, on fakes."""

    clock: FakeClock = field(default_factory=FakeClock)
    mailer: FakeMailer = field(default_factory=FakeMailer)
    log: FakeFeedbackLog = field(default_factory=FakeFeedbackLog)
    limits: FakeReturnedLimits = field(default_factory=FakeReturnedLimits)
    tables: FakeTables = field(
        default_factory=lambda: FakeTables(
            {INFO: {"destinations": ["team@example.com", JOE]}, "team@example.com": {"destinations": [JANE, JOE]}}
        )
    )

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(self.clock)

    @property
    def returned(self) -> Returned:
        return Returned(
            stack="postern", tables=self.tables, domains=DOMAINS, ledger=self.ledger, mailer=self.mailer,
            limits=self.limits, clock=self.clock, log=self.log,
        )  # fmt: skip

    def tell(self, mail: SentAs) -> None:
        self.returned.tell(mail)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_every_destination_is_told_once_however_often_the_event_comes(desk: Desk) -> None:
    for _ in range(3):
        desk.tell(losing())
    assert [(alias, to) for alias, to, _ in desk.mailer.sent] == [(INFO, JANE), (INFO, JOE)]
    desk.tell(SentAs(SENDER, "bounced", 1, "another", lost=losing().lost))
    assert len(desk.mailer.sent) == 4


def test_a_suspended_destination_is_not_told_and_the_others_are(desk: Desk) -> None:
    desk.tables.destinations[JANE] = {"address": JANE, "suspended_at": 1}
    desk.tell(losing())
    assert desk.mailer.destinations == [JOE]


@pytest.mark.parametrize(
    "row", [None, {"enabled": False, "destinations": [JANE]}, {"destinations": ["discard:"]}, {"destinations": 7}]
)
def test_where_no_one_gets_the_mail_it_is_said(desk: Desk, row: dict[str, Any] | None) -> None:
    desk.tables.aliases = {INFO: row} if row else {}
    desk.tell(losing())
    assert (desk.mailer.sent, desk.log.lines) == ([], ["untold: no destination of the alias gets mail"])


def test_a_stolen_password_does_not_fill_a_mailbox(desk: Desk) -> None:
    for number in range(30):
        desk.tell(SentAs(SENDER, "bounced", number, str(number), lost=losing().lost))
    assert len(desk.mailer.sent) == 2 * 20
    assert desk.log.lines == ["untold: told 20 times within this hour"] * 10
    desk.tell(SentAs(SENDER, "bounced", 3, "3", lost=losing().lost))
    assert len(desk.mailer.sent) == 2 * 20, "one that was told is not told again"


@pytest.mark.parametrize("failure", [Throttled("slow"), Unavailable("down"), Unanswered("no answer")])
def test_who_cannot_be_told_now_is_told_later_and_holds_back_no_one(desk: Desk, failure: Temporary) -> None:
    desk.mailer.script[JANE] = [failure]
    with pytest.raises(type(failure)):
        desk.tell(losing())
    assert desk.mailer.destinations == [JOE]
    desk.clock.time += LEASE_SECONDS + 60
    desk.tell(losing())
    assert desk.mailer.destinations == [JOE, JANE]
    assert desk.log.lines == ([f"resent {JANE}"] if isinstance(failure, Unanswered) else [])


def test_what_ses_refuses_for_good_is_said_and_not_tried_again(desk: Desk) -> None:
    desk.mailer.script[JANE] = [Refused("MessageRejected: not verified")]
    for _ in range(2):
        desk.tell(losing())
    assert desk.mailer.destinations == [JOE]
    assert desk.log.lines == ["untold: MessageRejected: not verified"]


def test_a_replier_hears_once_of_a_reply_that_did_not_arrive(desk: Desk) -> None:
    lost = Feedback("bounced", "m1", "tag", 1, why="550 5.1.1 user unknown")
    for _ in range(2):
        desk.returned.tell_replier(lost, Sending("betsy@sender.example", "reply+x@example.com", True, "-", INFO, JANE))
    ((alias, to, raw),) = desk.mailer.sent
    assert (alias, to) == (INFO, JANE)
    assert b"to betsy@sender.example was not delivered" in raw.replace(b"=\r\n", b"")
    assert b"550 5.1.1 user unknown" in raw
