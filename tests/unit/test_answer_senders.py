"""The shell's answers on fakes: at most one for each recipient, whatever fails, and the ledger says what became of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from postern_mail.errors import Misconfigured, Refused, Throttled, Unanswered, Unavailable, Unsettled

from tests.builders import MESSAGE_ID, event, stored, verdict
from tests.fakes import LEASE_SECONDS
from tests.forwarding_world import JANE, JOE, RAW, World

NOBODY, OTHER = "nobody@example.com", "other@example.com"


@pytest.fixture
def world() -> World:
    made = World()
    made.store.messages[MESSAGE_ID] = stored(RAW)
    made.tables.aliases["off@example.com"] = {"destinations": [JANE], "enabled": False}
    return made


def handle(world: World, *recipients: str, age: float = 0, **options: Any) -> None:
    at = datetime.fromtimestamp(1_795_000_000 - age, UTC).isoformat()
    world.handle(event(*recipients, timestamp=at, **options))


def answers(world: World) -> dict[str, str]:
    return {str(answer.recipient): str(answer.reply) for _, answer in world.answerer.sent}


def told(world: World, recipient: str = NOBODY) -> Any:
    return world.ledger.answers.get((MESSAGE_ID, recipient))


def test_the_sender_is_told_of_every_recipient_that_got_nothing(world: World) -> None:
    world.tables.aliases["joe@example.com"] = {"destinations": [JOE]}
    world.mailer.script[JANE] = [Refused("content, for jane@dest.example")] * 5
    handle(world, NOBODY, "off@example.com", "info@example.com", "joe@example.com")
    assert answers(world) == {
        NOBODY: "550 5.1.1 There is no such address here",
        "off@example.com": "550 5.2.1 This address takes no mail any more",
        "info@example.com": "554 5.0.0 The message could not be delivered",
    }
    assert {message_id for message_id, _ in world.answerer.sent} == {MESSAGE_ID}
    assert "dest.example" not in repr(world.answerer.sent), "a private destination is never named"
    assert told(world) == "sent: bounce-1"
    assert told(world, "joe@example.com") is None
    assert world.log.lines[-3:] == [
        "answer sent nobody@example.com", "answer sent off@example.com", "answer sent info@example.com",
    ]  # fmt: skip
    assert world.ledger.claims[MESSAGE_ID, f"dsn:{NOBODY}"].state == "sent"
    assert not world.ledger.is_open(MESSAGE_ID)


def test_one_of_two_destinations_that_failed_is_told_of(world: World) -> None:
    world.mailer.script[JANE] = [Refused("no")] * 5
    handle(world, "team@example.com")
    assert answers(world) == {"team@example.com": "554 5.0.0 The message could not be delivered"}


def test_a_sender_rule_rejects_in_its_own_words(world: World) -> None:
    world.tables.senders["sender.example", "*"] = {"action": "550 5.7.0 go away"}
    handle(world, "info@example.com")
    assert answers(world) == {"info@example.com": "550 5.7.0 go away"}


def test_an_alias_that_rejects_by_verdict_says_so(world: World) -> None:
    world.tables.aliases["info@example.com"] = {"destinations": [JANE], "verdicts": {"dkim": "reject"}}
    handle(world, "info@example.com", dkimVerdict=verdict("FAIL"))
    assert answers(world) == {"info@example.com": "550 5.7.1 This address does not take mail that fails these checks"}


@pytest.mark.parametrize(
    ("recipient", "options", "rule"),
    [
        ("info@example.com", {"virusVerdict": verdict("FAIL")}, ""),
        ("info@example.com", {"spamVerdict": verdict("FAIL")}, ""),
        ("info@example.com", {}, "HOLD"),
        ("info@example.com", {}, "DISCARD"),
    ],
)
def test_what_is_kept_or_discarded_is_never_answered(
    world: World, recipient: str, options: dict[str, Any], rule: str
) -> None:
    if rule:
        world.tables.senders["sender.example", "*"] = {"action": rule}
    handle(world, recipient, **options)
    assert answers(world) == {}
    assert told(world, recipient).reason == "never answered"


@pytest.mark.parametrize("recipient", ["info@example.com", NOBODY])
def test_a_loop_is_never_answered(world: World, recipient: str) -> None:
    world.store.messages[MESSAGE_ID] = stored(b"Received: by x\r\n" * 50 + RAW)
    handle(world, recipient)
    assert world.states == {recipient: "rejected"}
    assert answers(world) == {}


def test_an_only_notice_is_not_answered(world: World) -> None:
    """Whom it was for knows of it, and how to fetch it."""
    world.mailer.script[JANE] = [Refused("no")] * 3
    handle(world, "info@example.com")
    assert world.states == {"info@example.com": "failed"}
    assert answers(world) == {}


def test_the_ledger_says_why_nobody_is_told(world: World) -> None:
    world.store.messages[MESSAGE_ID] = stored(RAW, spf="fail")
    handle(world, NOBODY)
    assert answers(world) == {}
    assert told(world).reason == "sender.example is not authenticated"


def test_the_same_event_twice_is_one_answer(world: World) -> None:
    for _ in range(2):
        handle(world, NOBODY)
    assert answers(world) == {NOBODY: "550 5.1.1 There is no such address here"}
    assert len(world.answerer.sent) == 1


def test_two_rules_events_are_one_answer_each(world: World) -> None:
    for recipient in (NOBODY, OTHER, NOBODY):
        handle(world, recipient)
    assert sorted(answers(world)) == [NOBODY, OTHER]
    assert len(world.answerer.sent) == 2


@pytest.mark.parametrize("failure", [Throttled("slow"), Misconfigured("not verified"), Unavailable("no connection")])
def test_what_fails_for_now_is_tried_again_and_what_was_answered_is_not_repeated(
    world: World, failure: Exception
) -> None:
    world.answerer.script[OTHER] = [failure]
    with pytest.raises(Unsettled, match="answer about other@example.com"):
        handle(world, NOBODY, OTHER)
    assert world.states == {NOBODY: "rejected", OTHER: "rejected"}
    assert not world.ledger.is_open(MESSAGE_ID), "the recipients are settled all the same"
    world.tables.failure = Unavailable("the tables are not asked again")
    handle(world, NOBODY, OTHER)
    assert [str(answer.recipient) for _, answer in world.answerer.sent] == [NOBODY, OTHER]
    assert (told(world), told(world, OTHER)) == ("sent: bounce-1", "sent: bounce-2")


def test_after_throttling_the_rest_waits(world: World) -> None:
    world.answerer.script[NOBODY] = [Throttled("slow")]
    with pytest.raises(Unsettled):
        handle(world, NOBODY, OTHER)
    assert world.answerer.sent == []
    handle(world, NOBODY, OTHER)
    assert sorted(answers(world)) == [NOBODY, OTHER]


@pytest.mark.parametrize(("failure", "state"), [(Refused("too old"), "failed"), (Unanswered("hm"), "ambiguous")])
def test_what_is_refused_or_lost_is_recorded_and_not_tried_again(world: World, failure: Exception, state: str) -> None:
    world.answerer.script[NOBODY] = [failure]
    for _ in range(2):
        handle(world, NOBODY)
    assert world.answerer.sent == []
    assert told(world) == f"{state}: {failure}"
    assert world.log.lines.count(f"answer {state} {NOBODY}") == 1


def test_an_answer_that_waited_a_day_is_not_sent(world: World) -> None:
    world.answerer.script[NOBODY] = [Throttled("slow")]
    with pytest.raises(Unsettled):
        handle(world, NOBODY)
    world.clock.time += 24 * 3600
    handle(world, NOBODY)
    assert world.answerer.sent == []
    assert told(world) == "failed: received more than 24 hours ago"


def test_no_answer_is_begun_when_too_little_time_is_left(world: World) -> None:
    world.remaining = -1
    with pytest.raises(Unsettled, match="no time was left"):
        handle(world, NOBODY)
    assert world.answerer.sent == []
    world.remaining = 30
    handle(world, NOBODY)
    assert len(world.answerer.sent) == 1


class Killed(BaseException):
    """The function ends here."""


def test_a_function_killed_while_it_answers_does_not_answer_twice(world: World) -> None:
    world.answerer.script[NOBODY] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        handle(world, NOBODY)
    with pytest.raises(Unsettled, match="dsn:nobody@example.com"):
        handle(world, NOBODY)
    world.clock.time += LEASE_SECONDS + 1
    handle(world, NOBODY)
    assert world.answerer.sent == []
    assert told(world) == "ambiguous: an earlier attempt may have sent it, and it is not sent twice"


def test_a_function_killed_before_it_writes_down_the_answer_finds_it_in_the_claim(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(world.ledger, "answered", killed)
        with pytest.raises(Killed):
            handle(world, NOBODY)
    handle(world, NOBODY)
    assert len(world.answerer.sent) == 1
    assert told(world) == "sent: bounce-1"


def test_nobody_is_told_of_a_rejection_that_another_invocation_was_faster_than(world: World) -> None:
    """The event comes twice: one invocation forwards the message, while the alias goes and the other finds none."""
    world.tables.aliases["joe@example.com"] = {"destinations": [JOE]}

    def meanwhile(destination: str) -> None:
        world.mailer.before = lambda destination: None
        world.tables.aliases["info@example.com"] = {"destinations": [JANE]}
        world.handle(event("info@example.com", timestamp="2026-11-18T11:06:40Z"))

    del world.tables.aliases["info@example.com"]
    world.mailer.before = meanwhile  # after the slower one has planned
    handle(world, "info@example.com", "joe@example.com")
    assert world.states == {"info@example.com": "forwarded", "joe@example.com": "forwarded"}
    assert world.answerer.sent == []
