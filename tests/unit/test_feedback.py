"""Events of SES sending on fakes: twice, late, in any order, and those that are none."""

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from postern.errors import EntryMissing, Throttled
from postern.feedback import Listener
from postern.mail.feedback import MAX_WHY, BadFeedback, Feedback
from postern.mail.health import Rule

from tests.builders import MESSAGE_ID, bounce, feedback, sample_event
from tests.fakes import FakeClock, FakeFeedbackLedger, FakeFeedbackLog, FakeHealth

JANE = "jane@dest.example"


@dataclass
class World:
    clock: FakeClock = field(default_factory=FakeClock)
    log: FakeFeedbackLog = field(default_factory=FakeFeedbackLog)
    ledger: FakeFeedbackLedger = field(default_factory=FakeFeedbackLedger)

    def __post_init__(self) -> None:
        self.health = FakeHealth(self.clock)
        self.sent(MESSAGE_ID)

    def sent(self, message_id: str) -> None:
        self.ledger.entries[message_id, JANE] = {}

    def take(self, *events: Any) -> None:
        listener = Listener(rule=Rule(3, 7), ledger=self.ledger, health=self.health, log=self.log)
        for event in events:
            listener.handle(event)

    @property
    def row(self) -> dict[str, Any]:
        return self.health.rows.get(JANE, {})


@pytest.fixture
def world() -> World:
    return World()


def test_a_delivery_is_written_down_and_says_nothing_against_anybody(world: World) -> None:
    world.take(feedback("Delivery", smtpResponse="250 ok"))
    assert world.ledger.entries[MESSAGE_ID, JANE]["delivered"][2] == "250 ok"
    assert world.row == {}
    assert world.log.lines == ["delivered jane@dest.example"]


def test_a_mailbox_that_is_not_there_is_suspended_at_once_and_told_once(world: World) -> None:
    gone = bounce(status="5.1.1", diagnostic="smtp; 550 5.1.1 user unknown")
    world.take(gone, gone)
    assert world.row["suspended_at"] == world.row["told_at"] == int(world.clock.now())
    assert world.row["reason"].startswith("the mailbox is not there: Permanent NoEmail 5.1.1 smtp; 550 5.1.1")
    assert [line.partition(":")[0] for line in world.log.lines] == [
        "bounced jane@dest.example", "suspended jane@dest.example", "bounced jane@dest.example again",
    ]  # fmt: skip


def test_one_refused_piece_of_junk_cuts_nobody_off(world: World) -> None:
    junk = bounce("Permanent", "General", "5.7.1", "smtp; 554 5.7.1 junk")
    world.take(*[junk] * 10)
    assert "suspended_at" not in world.row
    assert len(world.row["failures"]) == 1


def test_several_in_a_window_do_in_whatever_order_they_come(world: World) -> None:
    events = []
    for number in range(3):
        world.sent(f"m{number}")
        at = f"2026-11-1{number}T10:00:00Z"
        events.append(bounce("Permanent", "General", "5.7.1", message_id=f"m{number}", timestamp=at))
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


def test_a_bounce_from_before_the_resumption_suspends_nobody_again(world: World) -> None:
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
    """Killed after each of its steps in turn: in the end he is suspended, and the owner was told."""

    def broken(*_: object) -> None:
        raise Throttled("slow")

    for step in ("failed", "suspend", "told"):
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
    assert world.row["reason"] == "the mailbox is not there: Permanent NoEmail 5.1.1 smtp; 550 5.1.1 user unknown"
