"""The shell's answers on fakes: at most one for each recipient, whatever fails, and the ledger says what became of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from postern_mail.answer_senders import ANSWER_SECONDS
from postern_mail.errors import Misconfigured, Refused, Throttled, TooFast, Unanswered, Unavailable, Unsettled
from postern_mail.mail.address import Address
from postern_mail.mail.claims import Claim
from postern_mail.mail.dsn import Silence

from tests.builders import MESSAGE_ID, event, stored, verdict
from tests.fakes import LEASE_SECONDS
from tests.forwarding_world import JANE, JOE, RAW, World

NOBODY, OTHER = "nobody@example.com", "other@example.com"


class Killed(BaseException):
    """The function ends here."""


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
    assert world.answerer.calls == [(NOBODY, "off@example.com", "info@example.com")], "one answer about all of them"
    assert world.log.lines[-1] == "answer sent nobody@example.com, off@example.com, info@example.com"
    assert world.ledger.claims[MESSAGE_ID, "dsn:1"].state == "sent"
    assert not world.ledger.is_open(MESSAGE_ID)


def test_who_was_merged_is_not_unknown_when_his_row_goes(world: World) -> None:
    """The copy was sent in another's name, and for that person too."""
    world.tables.aliases["joe@example.com"] = {"destinations": [JANE]}
    world.store.messages[MESSAGE_ID] = stored(RAW)

    def killed(destination: str) -> None:
        world.tables.aliases.pop("joe@example.com")
        raise Killed

    world.mailer.before = killed
    with pytest.raises(Killed):
        handle(world, "info@example.com", "joe@example.com")
    world.mailer.before = lambda destination: None
    world.clock.time += LEASE_SECONDS + 1
    handle(world, "info@example.com", "joe@example.com")
    assert answers(world) == {}
    assert world.states == {"info@example.com": "forwarded", "joe@example.com": "rejected"}


CHANGES: dict[str, Callable[[World], object]] = {
    "removed": lambda world: world.tables.aliases.pop("team@example.com"),
    "disabled": lambda world: world.tables.aliases.update(
        {"team@example.com": {"destinations": [JOE], "enabled": False}}
    ),
    "expired": lambda world: world.tables.aliases.update(
        {"team@example.com": {"destinations": [JOE], "expires_at": 1}}
    ),
    "rejected": lambda world: world.tables.senders.update({("betsy@sender.example", "*"): {"action": "REJECT"}}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("first", [None, Unanswered("lost"), Killed()], ids=["sent", "perhaps sent", "killed"])
def test_what_a_destination_has_got_is_no_unknown_address(
    world: World, change: Callable[[World], object], first: Exception | None
) -> None:
    """A row was changed between two attempts; to the sender the first one counts."""
    world.mailer.script[JANE] = [first] if first else []
    world.mailer.script[JOE] = [Throttled("slow")]
    with pytest.raises((Unsettled, Killed)):
        handle(world, "team@example.com")
    change(world)
    handle(world, "team@example.com")
    assert world.states["team@example.com"] == "rejected"
    assert (answers(world), told(world, "team@example.com")) == ({}, Silence("never answered"))
    assert world.ledger.outcomes[MESSAGE_ID, "team@example.com"].reason.endswith("; an earlier attempt had sent it")


def test_a_copy_that_another_invocation_sends_meanwhile_counts_as_well(world: World) -> None:
    """This one finds no alias; while it decides, one that had read the row before sends the copy."""
    real = world.ledger.close

    def close(*args: Any, **options: Any) -> Any:
        claim = world.ledger.claim(MESSAGE_ID, Address.parse(JANE), Address.parse(NOBODY))
        assert isinstance(claim, Claim)
        return real(*args, **options)

    world.ledger.close = close  # type: ignore[method-assign]
    handle(world, NOBODY, OTHER)
    assert answers(world).keys() == {OTHER}
    assert told(world) == "none: a destination has it"


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_no_destination_has_got_is_told_of(world: World, change: Callable[[World], object]) -> None:
    """Nor does a copy to another recipient of the message keep that back."""
    world.mailer.script = {JANE: [Throttled("slow")], JOE: [TooFast("slow")] * 2}
    world.tables.aliases["joe@example.com"] = {"destinations": ["else@dest.example"]}
    with pytest.raises(Unsettled):
        handle(world, "joe@example.com", "team@example.com")
    change(world)
    handle(world, "joe@example.com", "team@example.com")
    assert "team@example.com" in answers(world)


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


def test_the_ledger_says_why_no_one_is_told(world: World) -> None:
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
def test_what_fails_for_now_is_left_to_the_watch_and_no_mail_waits_for_it(world: World, failure: Exception) -> None:
    world.answerer.script[OTHER] = [failure]
    handle(world, NOBODY, OTHER)
    assert world.states == {NOBODY: "rejected", OTHER: "rejected"}
    assert not world.ledger.is_open(MESSAGE_ID)
    assert (world.answerer.sent, world.log.lines[-1]) == ([], f"answer waits: {failure}")
    world.tables.failure = Unavailable("the tables are not asked again")
    world.watch()
    assert world.answerer.calls == [(NOBODY, OTHER)]
    assert (told(world), told(world, OTHER)) == ("sent: bounce-1", "sent: bounce-1")
    world.watch()
    assert (len(world.answerer.calls), world.ledger.later) == (1, {})


def test_what_fails_again_waits_again_behind_the_others(world: World) -> None:
    world.answerer.script[NOBODY] = [Throttled("slow")] * 2
    handle(world, NOBODY)
    world.watch()
    assert list(world.ledger.later) == [MESSAGE_ID]
    world.watch()
    assert (world.answerer.calls, world.ledger.later) == ([(NOBODY,)], {})


def test_what_becomes_due_meanwhile_goes_with_what_waits(world: World) -> None:
    world.answerer.script[NOBODY] = [Throttled("slow")]
    handle(world, NOBODY)
    handle(world, OTHER)
    assert world.answerer.calls == [(NOBODY, OTHER)]
    world.watch()
    assert len(world.answerer.calls) == 1


def test_a_message_has_three_answers_at_most(world: World) -> None:
    people = [f"n{number}@example.com" for number in range(5)]
    for recipient in people:
        handle(world, recipient)
    assert world.answerer.calls == [(one,) for one in people[:3]]
    assert told(world, people[4]) == "none: too many answers to one message"
    assert world.ledger.later == {}


def test_beyond_the_limit_no_one_is_told_and_it_is_counted(world: World) -> None:
    world.limits.room = 0
    handle(world, NOBODY, OTHER)
    assert world.answerer.sent == []
    assert told(world) == "none: too many: enough"
    assert world.log.lines[-1] == f"too many answers {NOBODY}, {OTHER}"
    assert world.ledger.missed == set(), "a flood must not fill the owner's digest"
    handle(world, NOBODY)
    world.watch()
    assert world.answerer.sent == []


def test_the_senders_domain_is_what_counts(world: World) -> None:
    handle(world, NOBODY)
    assert world.limits.domains == ["sender.example"]


def test_no_answer_is_begun_after_some_seconds(world: World) -> None:
    def slow(domain: str) -> None:
        world.clock.time += ANSWER_SECONDS + 1

    world.limits.admit = slow  # type: ignore[method-assign]
    for number in range(4):
        world.store.messages[f"m{number}"] = world.store.messages[MESSAGE_ID].replace(
            MESSAGE_ID.encode(), f"m{number}".encode()
        )
        world.answerer.script[f"n{number}@example.com"] = [Throttled("slow")]
        handle(world, f"n{number}@example.com", message_id=f"m{number}")
    assert len(world.ledger.later) == 4
    world.watch()
    assert len(world.answerer.calls) == 1
    world.watch()
    assert len(world.answerer.calls) == 2


def test_a_recipient_that_is_no_address_spoils_no_one_elses_answer(world: World) -> None:
    handle(world, NOBODY, "no address")
    assert world.answerer.calls == [(NOBODY,)]


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
    handle(world, NOBODY)
    world.clock.time += 23 * 3600
    world.watch()
    assert world.answerer.sent == []
    assert world.ledger.missed == {NOBODY}
    assert told(world) == "failed: received more than 23 hours ago"


def test_no_answer_is_begun_when_too_little_time_is_left(world: World) -> None:
    world.remaining = -1
    handle(world, NOBODY)
    assert world.answerer.sent == []
    world.watch()
    assert len(world.answerer.sent) == 1


def test_a_function_killed_while_it_answers_does_not_answer_twice(world: World) -> None:
    world.answerer.script[NOBODY] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        handle(world, NOBODY)
    handle(world, NOBODY)
    assert world.log.lines[-1] == "answer waits: dsn:1"
    world.clock.time += LEASE_SECONDS + 1
    world.watch()
    assert world.answerer.sent == []
    assert told(world) == "ambiguous: an earlier attempt may have sent it, and it is not sent twice"


def test_a_function_killed_before_it_writes_down_the_answer_finds_it_in_the_claim(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(world.ledger, "answered", killed)
        with pytest.raises(Killed):
            handle(world, NOBODY)
    handle(world, NOBODY)
    assert len(world.answerer.sent) == 1
    assert told(world) == "sent: bounce-1"


def test_no_one_is_told_of_a_rejection_that_another_invocation_was_faster_than(world: World) -> None:
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


def test_an_answer_that_is_due_goes_out_with_the_attempt_that_forwards_the_rest(world: World) -> None:
    world.mailer.script = {JANE: [Throttled("slow")]}
    world.answerer.script = {NOBODY: [Throttled("slow")]}
    with pytest.raises(Unsettled):
        handle(world, NOBODY, "info@example.com")
    assert answers(world) == {}
    handle(world, NOBODY, "info@example.com")
    assert world.states == {NOBODY: "rejected", "info@example.com": "forwarded"}
    assert NOBODY in answers(world)
