"""Events of SES sending on fakes: twice, late, in any order, and what is not an event."""

import itertools
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from postern_mail.answer_senders import Answering
from postern_mail.errors import EntryMissing, MessageMissing, Refused, Throttled, Unavailable
from postern_mail.feedback import Listener
from postern_mail.mail import daily_test
from postern_mail.mail.address import Address
from postern_mail.mail.daily_test import Record, Stage
from postern_mail.mail.dsn import AUTHENTICATED, OFF
from postern_mail.mail.feedback import MAX_WHY, BadFeedback, Feedback, contradicts
from postern_mail.mail.send_as import user_name
from postern_mail.mail.stamp import TEST_KEY
from postern_mail.mail.tags import destination_tag, entry_tag

from tests.builders import MESSAGE_ID, TAG_KEY, bounce, envelope, feedback, sample_event, stored
from tests.daily_fakes import AT_FIVE, DAY, FakeDailyBook
from tests.fakes import (
    INFO,
    FakeAnswerer,
    FakeAnswerLimits,
    FakeClock,
    FakeFeedbackLedger,
    FakeFeedbackLog,
    FakeHealth,
    FakeLedger,
    FakeMailStore,
    FakeOwnerSettings,
    FakeTeller,
)
from tests.forwarding_world import RAW

JANE = "jane@dest.example"
OURS = partial(user_name, "postern", "eu-west-1")


@dataclass
class World:
    clock: FakeClock = field(default_factory=FakeClock)
    log: FakeFeedbackLog = field(default_factory=FakeFeedbackLog)
    ledger: FakeFeedbackLedger = field(default_factory=FakeFeedbackLedger)
    store: FakeMailStore = field(default_factory=lambda: FakeMailStore({MESSAGE_ID: stored(RAW)}))
    answerer: FakeAnswerer = field(default_factory=FakeAnswerer)
    tests: FakeDailyBook = field(default_factory=FakeDailyBook)
    teller: FakeTeller = field(default_factory=FakeTeller)
    settings: FakeOwnerSettings = field(default_factory=lambda: FakeOwnerSettings({"suspend_after": 3}))

    def __post_init__(self) -> None:
        self.health, self.claims = FakeHealth(self.clock), FakeLedger(self.clock)
        received = datetime.fromtimestamp(self.clock.time - 3600, UTC).isoformat()
        self.ledger.envelopes[MESSAGE_ID] = envelope(INFO, "team@example.com", timestamp=received)
        self.claims.envelopes = self.ledger.envelopes
        self.sent(MESSAGE_ID)

    def sent(self, message_id: str) -> None:
        self.ledger.entries[message_id, JANE] = {}

    def take(self, *events: Any) -> None:
        answering = Answering(
            ledger=self.claims,
            answerer=self.answerer,
            limits=FakeAnswerLimits(),
            clock=self.clock,
            log=self.log,
            settings=self.settings,
        )
        listener = Listener(
            settings=self.settings,
            domains=["example.com"],
            ledger=self.ledger,
            health=self.health,
            headers=self.store,
            answering=answering,
            tests=self.tests,
            user_of=OURS,
            returned=self.teller,
            log=self.log,
        )
        for event in events:
            listener.handle(event)

    @property
    def answer(self) -> Any:
        """What the recipient's outcome says of telling the sender."""
        return self.claims.answers.get((MESSAGE_ID, INFO))

    @property
    def row(self) -> dict[str, Any]:
        return self.health.rows.get(JANE, {})


@pytest.fixture
def world() -> World:
    return World()


def test_a_delivery_is_written_down_and_says_nothing_against_anyone(world: World) -> None:
    world.take(feedback("Delivery", smtpResponse="250 ok"))
    assert world.ledger.entries[MESSAGE_ID, JANE]["delivered"][2] == "250 ok"
    assert "failures" not in world.row
    assert world.log.lines == ["delivered jane@dest.example"]


def test_a_mailbox_that_is_not_there_is_suspended_at_once_and_told_once(world: World) -> None:
    gone = bounce(status="5.1.1", diagnostic="smtp; 550 5.1.1 user unknown")
    world.take(gone, gone)
    assert world.row["suspended_at"] == world.row["told_at"] == int(world.clock.now())
    assert world.row["reason"].startswith("the mailbox does not exist: Permanent NoEmail 5.1.1 smtp; 550 5.1.1")
    assert [line.partition(":")[0] for line in world.log.lines] == [
        "bounced jane@dest.example", "suspended jane@dest.example", "answer sent info@example.com",
        "bounced jane@dest.example again",
    ]  # fmt: skip


def test_one_refused_piece_of_junk_cuts_no_one_off(world: World) -> None:
    junk = bounce("Permanent", "General", "5.7.1", "smtp; 554 5.7.1 junk")
    world.take(*[junk] * 10)
    assert world.row == {}


def test_the_same_event_ten_times_is_one_failure(world: World) -> None:
    world.take(*[bounce("Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 full")] * 10)
    assert "suspended_at" not in world.row
    assert len(world.row["failures"]) == 1


def test_one_sender_suspends_no_one_and_a_delivery_in_between_forgives(world: World) -> None:
    def full(number: int, sender: str) -> None:
        world.sent(f"m{number}")
        world.ledger.senders[f"m{number}"] = sender
        at = f"2026-11-18T10:00:{number:02}Z"
        world.take(bounce("Transient", "MailboxFull", message_id=f"m{number}", timestamp=at))

    for number in range(50):
        full(number, "evil.example")
    assert "suspended_at" not in world.row
    assert len(world.row["failures"]) <= 40, "the row stays small"
    full(50, "one.example")
    world.take(feedback("Delivery", smtpResponse="250 ok", timestamp="2026-11-18T10:00:51Z"))
    full(52, "two.example")
    assert "suspended_at" not in world.row
    full(53, "three.example")
    full(54, "four.example")
    assert "suspended_at" in world.row


def test_several_in_a_window_do_in_whatever_order_they_come(world: World) -> None:
    events = []
    for number in range(3):
        world.sent(f"m{number}")
        at = f"2026-11-1{number}T10:00:00Z"
        events.append(bounce("Permanent", "General", "5.2.2", message_id=f"m{number}", timestamp=at))
    for order in itertools.permutations(events):
        world.health.rows.clear()
        world.take(*order[:2])
        assert "suspended_at" not in world.row
        world.take(order[2])
        assert "suspended_at" in world.row


@pytest.mark.parametrize("jump", [-400 * 86_400, 400 * 86_400])
def test_our_clock_may_jump(world: World, jump: int) -> None:
    for number in range(3):
        world.sent(f"m{number}")
        world.take(
            bounce("Transient", "MailboxFull", message_id=f"m{number}", timestamp=f"2026-11-18T1{number}:00:00Z")
        )
        world.clock.time += jump
    assert "suspended_at" in world.row


def test_a_bounce_from_before_the_resumption_suspends_no_one_again(world: World) -> None:
    world.take(bounce())
    resumed_at = world.ledger.entries[MESSAGE_ID, JANE]["bounced"][0] + 60
    world.health.rows[JANE] = {"address": JANE, "resumed_at": resumed_at}
    world.take(bounce())
    assert "suspended_at" not in world.row
    world.take(bounce(timestamp="2026-11-18T10:01:01Z"))
    assert "suspended_at" in world.row


def test_of_two_bounces_of_one_sending_the_later_stays(world: World) -> None:
    early = bounce(diagnostic="early", timestamp="2026-11-18T10:00:00Z", feedbackId="a")
    late = bounce(diagnostic="late", timestamp="2026-11-18T11:00:00+00:00", feedbackId="b")
    for order in itertools.permutations([early, late, early, late]):
        world.sent(MESSAGE_ID)
        world.take(*order)
        assert world.ledger.entries[MESSAGE_ID, JANE]["bounced"][1] == "b"


def test_what_failed_half_way_is_finished_when_it_is_taken_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after each of its steps in turn: in the end the destination is suspended, and the owner was told."""

    def broken(*_: object) -> None:
        raise Throttled("slow")

    for step in ("failed", "suspend", "note_told"):
        with monkeypatch.context() as patch:
            patch.setattr(world.health, step, broken)
            with pytest.raises(Throttled):
                world.take(bounce())
    world.take(bounce())
    assert {"suspended_at", "told_at"} <= world.row.keys()
    assert "failure Throttled" in world.log.lines


def test_a_message_that_is_no_forward_is_counted_and_that_is_all(world: World) -> None:
    event = feedback("Delivery")
    event["detail"]["mail"]["tags"] = {"ses:configuration-set": ["postern-forward"]}
    world.take(event)
    assert world.log.lines == ["unrelated"]


def of_a_host(event: dict[str, Any], sender: str = "root+web1@example.com", **tags: list[str]) -> dict[str, Any]:
    """An event about a message that a host sent by the relay; by default without tags of a forward."""
    mail = event["detail"]["mail"]
    mail |= {"source": sender, "destination": [JANE], "tags": {"kind": ["relay"], **tags}}
    return event


HOST_BOUNCE = {"diagnostic": "smtp; 550 5.1.1 user unknown", "status": "5.1.1"}


@pytest.mark.parametrize(
    ("event", "kind", "why"),
    [
        (bounce(**HOST_BOUNCE), "bounced", "Permanent NoEmail 5.1.1 smtp; 550 5.1.1 user unknown"),
        (bounce("Transient", "MailboxFull", "4.2.2"), "bounced", "Transient MailboxFull 4.2.2"),
        (feedback("Complaint", complainedRecipients=[{"emailAddress": "hidden@dest.example"}],
                  complaintFeedbackType="abuse"), "complained", "abuse"),
        (feedback("Reject", reason="Bad content"), "rejected", "Bad content"),
        (feedback("Rendering Failure", errorMessage="no"), "unrendered", "no"),
    ],
)  # fmt: skip
def test_what_becomes_of_a_hosts_mail_is_the_owners_and_no_one_elses(
    world: World, event: dict[str, Any], kind: str, why: str
) -> None:
    """Not even where someone has made it look like a forward: no health, no claim, no answer."""
    tags = event["detail"]["mail"]["tags"]
    nothing: dict[str, list[str]] = {}
    for spoofed in (nothing, tags):
        world.take(of_a_host(event, **spoofed))
    assert world.log.lines == ["host's mail lost", "host's mail lost (again)"]
    (noted, _) = world.ledger.hosts
    recipient = JANE if kind in ("rejected", "unrendered") else "hidden@dest.example"
    assert (noted.kind, noted.sender, noted.lost) == (kind, "root+web1@example.com", ((recipient, why),))
    assert (world.health.rows, world.answerer.sent, world.ledger.entries[MESSAGE_ID, JANE]) == ({}, [], {})


@pytest.mark.parametrize(
    "event", [feedback("Delivery"), feedback("DeliveryDelay"), bounce("Transient", "General")], ids=lambda _: ""
)
def test_what_the_owner_need_not_know_of_hosts_is_not_told(world: World, event: dict[str, Any]) -> None:
    world.take(of_a_host(event))
    assert (world.log.lines, world.ledger.hosts) == ([], [])


def of_an_alias(event: dict[str, Any], **tags: Any) -> dict[str, Any]:
    """An event about a message that a person sent as info@; the tags beside SES's own are the sender's choice."""
    user = OURS(Address.parse(INFO))
    event["detail"]["mail"] |= {"source": INFO, "tags": {**tags, "ses:caller-identity": [user]}}
    return event


def test_what_comes_back_of_mail_sent_as_an_alias_is_told_and_counts_against_no_one(world: World) -> None:
    """Not even where the sender has made it look like a forward, or a host's mail."""
    forward = bounce(**HOST_BOUNCE)["detail"]["mail"]["tags"]
    for spoofed in ({}, forward, {"kind": ["relay"]}):
        world.take(of_an_alias(bounce(**HOST_BOUNCE), **spoofed))
    assert world.log.lines == ["sent as info@example.com and lost"] + ["sent as info@example.com and lost (again)"] * 2
    assert [(str(one.address), one.lost[0][0]) for one in world.teller.told] == [(INFO, "hidden@dest.example")] * 3
    assert (world.health.rows, world.answerer.sent, world.ledger.hosts) == ({}, [], [])
    assert world.ledger.entries[MESSAGE_ID, JANE] == {}


@pytest.mark.parametrize("event", [feedback("Delivery"), bounce("Transient", "General")], ids=["delivery", "robot"])
def test_of_mail_sent_as_an_alias_that_arrived_nothing_is_told(world: World, event: dict[str, Any]) -> None:
    world.take(of_an_alias(event))
    assert (world.log.lines, world.teller.told, world.ledger.sent_as) == ([], [], [])


def test_a_caller_that_is_no_such_user_is_told_no_one(world: World) -> None:
    event = of_an_alias(bounce(**HOST_BOUNCE))
    event["detail"]["mail"]["tags"]["ses:caller-identity"] = ["somebody"]
    world.take(event)
    assert (world.log.lines, world.teller.told) == (["unrelated"], [])


@pytest.mark.parametrize(("sender", "ours"), [("x@sub.example.com", True), ("x@notexample.com", False), ("", False)])
def test_hosts_of_another_stack_are_not_ours(world: World, sender: str, ours: bool) -> None:
    world.take(of_a_host(bounce(**HOST_BOUNCE), sender))
    assert (world.log.lines == ["unrelated"]) == (not ours)


def test_an_entry_that_is_not_there_is_a_failure_by_name(world: World) -> None:
    with pytest.raises(EntryMissing, match="no-such-message"):
        world.take(bounce(message_id="no-such-message"))
    with pytest.raises(EntryMissing):
        world.take(bounce(destination="joe@dest.example"))
    assert world.row == {}


def poisoned(**changes: Any) -> Any:
    """A good event with parts of its detail replaced."""
    event = json.loads(json.dumps(bounce()))
    for path, value in changes.items():
        *way, last = path.split("__")
        place = event["detail"]
        for name in way:
            place = place[name]
        place[last] = value
    return event


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (None, "not an event of SES"),
        ([], "not an event of SES"),
        ({"hello": "world"}, "not an event of SES"),
        ({"source": "aws.ses"}, "no detail"),
        ({"source": "aws.ses", "detail": []}, "no detail"),
        (poisoned(eventType="Open"), "eventType is 'Open'"),
        (poisoned(eventType=None), "eventType is None"),
        (poisoned(mail=None), "no mail"),
        (poisoned(mail__tags=None), "no tags"),
        (poisoned(mail__tags__message="text"), "tags are not ours"),
        (poisoned(mail__tags__message=["../x"]), "tags are not ours"),
        (poisoned(mail__tags__message=["a", "b"]), "tags are not ours"),
        (poisoned(mail__tags__destination=[]), "tags are not ours"),
        (poisoned(mail__tags__destination=["short"]), "tags are not ours"),
        (poisoned(bounce=None), "no bounce"),
        (poisoned(bounce__timestamp="yesterday"), "timestamp is 'yesterday'"),
        (poisoned(bounce__timestamp="2026-11-18T10:00:00"), "no zone"),
    ],
)
def test_what_is_no_feedback_is_refused_by_name(world: World, event: object, said: str) -> None:
    with pytest.raises(BadFeedback, match=said):
        world.take(event)
    assert world.log.lines == ["failure BadFeedback"]


def test_what_others_said_is_cut() -> None:
    said = Feedback.from_event(bounce(diagnostic="x" * 10_000))
    assert said is not None
    assert len(said.why) == MAX_WHY


def test_a_rejection_has_no_time_of_its_own() -> None:
    event = feedback("Reject", reason="Bad content")
    del event["detail"]["reject"]["timestamp"]
    said = Feedback.from_event(event)
    assert said is not None
    assert (said.kind, said.why) == ("rejected", "Bad content")


def test_the_sample_event_is_a_mailbox_that_is_gone(world: World) -> None:
    world.take(sample_event("bounce"))
    assert world.row["reason"] == "the mailbox does not exist: Permanent NoEmail 5.1.1 smtp; 550 5.1.1 user unknown"


@pytest.mark.parametrize(
    ("status", "said"),
    [("5.7.1", "554 5.7.1"), ("5.1.1", "554 5.1.1"), ("4.4.7", "554 5.0.0"), ("", "554 5.0.0")],
)
def test_the_sender_of_what_came_back_is_told_once_and_never_who_refused_it(
    world: World, status: str, said: str
) -> None:
    junk = bounce("Permanent", "General", status, "smtp; 554 no, says jane@dest.example")
    world.take(junk, junk, bounce("Permanent", "General", status, timestamp="2026-11-18T11:00:00Z"))
    ((message_id, answer),) = world.answerer.sent
    assert (message_id, str(answer.recipient)) == (MESSAGE_ID, INFO)
    assert str(answer.reply) == f"{said} The message could not be delivered"
    assert "dest.example" not in repr(answer)
    assert world.answer == "sent: bounce-1"
    assert world.ledger.noted == {(MESSAGE_ID, INFO)}
    assert world.log.lines.count(f"answer sent {INFO}") == 1


def test_a_bounce_that_ses_gave_up_on_is_told_too(world: World) -> None:
    world.take(bounce("Transient", "MailboxFull", "4.2.2"))
    assert len(world.answerer.sent) == 1


@pytest.mark.parametrize(
    ("event", "noted"),
    [
        (bounce("Transient", "General"), False),
        (bounce("Permanent", "OnAccountSuppressionList", "5.1.1"), True),
        (feedback("Reject", reason="Bad content"), True),
        (feedback("Complaint"), False),
        (feedback("Delivery"), False),
        (feedback("DeliveryDelay"), False),
    ],
    ids=["out of office", "our own list", "a virus", "complaint", "delivery", "delay"],
)
def test_no_one_is_told_of_anything_else(world: World, event: Any, noted: bool) -> None:
    world.take(event)
    assert (world.answerer.sent, world.answer, bool(world.ledger.noted)) == ([], None, noted)


def test_a_bounce_after_a_day_is_for_the_owner_alone(world: World) -> None:
    world.clock.time += 23 * 3600
    world.store.messages.clear()
    world.take(bounce())
    assert world.answerer.sent == []
    assert world.answer == "none: received more than 23 hours ago"
    assert world.ledger.noted == {(MESSAGE_ID, INFO)}


def test_silence_says_nothing_against_an_answer_that_was_sent(world: World) -> None:
    world.take(bounce())
    world.clock.time += 24 * 3600
    world.take(bounce(timestamp="2026-11-19T10:00:00Z"))
    assert world.answer == "sent: bounce-1"


@pytest.mark.parametrize(
    ("raw", "setting", "why"),
    [
        (stored(RAW, spf="fail"), AUTHENTICATED, "sender.example is not authenticated"),
        (stored(b"List-Id: <l.example>\r\n" + RAW), AUTHENTICATED, "list-id"),
        (stored(RAW), OFF, "answers are switched off"),
    ],
)
def test_the_rules_for_answers_are_those_of_every_answer(world: World, raw: bytes, setting: str, why: str) -> None:
    world.store.messages[MESSAGE_ID], world.settings.row = raw, {"answer_senders": setting}
    world.take(bounce())
    assert (world.answerer.sent, world.answer) == ([], f"none: {why}")


def test_a_message_without_an_entry_is_no_forward_of_anyone(world: World) -> None:
    """The owner's digest, which bounced."""
    world.ledger.envelopes.clear()
    world.take(bounce())
    assert (world.answerer.sent, world.answer) == ([], None)
    assert "suspended_at" in world.row


@pytest.mark.parametrize("failure", [Throttled("slow"), Unavailable("down")])
def test_an_answer_that_fails_for_now_is_left_to_the_watch(world: World, failure: Exception) -> None:
    world.answerer.script[INFO] = [failure]
    world.take(bounce())
    assert list(world.claims.later) == [MESSAGE_ID]
    world.take(bounce())
    assert len(world.answerer.sent) == 1


def test_what_ses_refuses_to_bounce_is_written_down(world: World) -> None:
    world.answerer.script[INFO] = [Refused("too old")]
    world.take(bounce(), bounce())
    assert world.answer == "failed: too old"


def test_a_message_that_is_not_in_the_bucket_leaves_the_handler(world: World) -> None:
    world.store.messages.clear()
    with pytest.raises(MessageMissing):
        world.take(bounce())


def test_a_rendering_failure_has_two_spellings() -> None:
    """On SNS there is a space in it, on EventBridge none."""
    made = feedback("Rendering Failure", errorMessage="no")
    bridged = {**made, "detail": {**made["detail"], "eventType": "RenderingFailure"}}
    assert Feedback.from_event(bridged) == Feedback.from_event(made)
    assert Feedback.from_event(made) is not None


@pytest.mark.parametrize(
    ("claim", "ses_id", "is_dropped"),
    [
        ({"state": "sent", "ses_ids": {"0102ses"}}, "0102ses", False),
        ({"state": "sent", "ses_ids": {"0102other"}}, "0102ses", True),
        ({"state": "sent", "ses_ids": {"0102other"}}, "", True),
        ({"state": "sent", "ses_ids": {"0102other"}, "id_unknown": True}, "0102ses", False),
        ({"state": "sent", "ses_ids": {"0102ses", "0102other"}}, "0102ses", False),
        ({"state": "noticed", "ses_ids": {"0102other"}}, "0102ses", True),
        ({"state": "claimed"}, "0102ses", False),
        ({"state": "unanswered"}, "0102ses", False),
        ({"state": "released", "ses_ids": {"0102other"}}, "0102ses", False),
        ({}, "0102ses", False),
    ],
)
def test_an_id_that_is_none_of_the_claims(claim: dict[str, Any], ses_id: str, is_dropped: bool) -> None:
    assert contradicts(claim, ses_id) is is_dropped


def test_what_contradicts_a_claim_is_dropped_and_counted(world: World) -> None:
    world.ledger.claims[MESSAGE_ID, JANE] = {"state": "sent", "ses_ids": {"0102other"}}
    world.take(bounce())
    assert (world.row, world.answerer.sent, world.log.lines) == ({}, [], ["contradicting"])


def of_the_daily_test(*, tag: str, **options: Any) -> dict[str, Any]:
    message_id, me = daily_test.message_id(DAY), str(daily_test.address("example.com"))
    said = bounce(status="5.1.1", diagnostic="smtp; 550 no such user", message_id=message_id, destination=me, **options)
    said["detail"]["mail"]["tags"]["destination"] = [tag]
    return said


def test_a_daily_test_that_came_back_closes_nothing_answers_no_one_and_counts_nothing(world: World) -> None:
    tag = destination_tag(TAG_KEY, daily_test.message_id(DAY), daily_test.address("example.com"))
    world.tests.rows["example.com"] = Record(DAY, AT_FIVE, Stage.SENT, tag=tag, sent_at=AT_FIVE)
    world.take(of_the_daily_test(tag="0" * 32))
    assert (world.tests.rows["example.com"].bounce, world.log.lines) == ("", []), "not one of ours"
    world.take(feedback("Delivery", message_id=daily_test.message_id(DAY), destination="postern-test@example.com"))
    assert (world.tests.rows["example.com"].bounce, world.log.lines) == ("", [])
    world.take(of_the_daily_test(tag=tag))
    assert "5.1.1" in world.tests.rows["example.com"].bounce
    assert len(world.log.lines) == 1
    assert (world.health.rows, world.ledger.noted, world.answerer.sent) == ({}, set(), [])


def test_a_tag_is_of_one_message_one_destination_and_one_key() -> None:
    tags = {
        entry_tag(key, message, entry)
        for key in (TAG_KEY, b"another stack", TEST_KEY)
        for message in ("m1", "m2")
        for entry in ("via:a@dest.example", "via:b@dest.example")
    }
    assert len(tags) == 12
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in tags)


def test_a_reply_that_comes_back_is_told_to_its_writer_and_suspends_no_one(world: World) -> None:
    world.ledger.replies[MESSAGE_ID, JANE] = (INFO, "owner@dest.example")
    gone = bounce(status="5.1.1", diagnostic="smtp; 550 5.1.1 user unknown")
    world.take(gone, feedback("Complaint"), feedback("Delivery"))
    assert world.teller.repliers == [("owner@dest.example", "Permanent NoEmail 5.1.1 smtp; 550 5.1.1 user unknown")]
    assert world.health.rows == {}
    assert world.answerer.sent == []
