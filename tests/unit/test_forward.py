"""The shell on fakes: what happens when one thing fails, and when everything comes twice."""

import quopri
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from postern_mail.errors import (
    MessageMissing,
    Misconfigured,
    Refused,
    Throttled,
    TooFast,
    Unanswered,
    Unavailable,
    Unsettled,
)
from postern_mail.mail.envelope import BadEvent
from postern_mail.mail.settings import KEY, MEGABYTE, MOST_SENT

from tests.builders import MESSAGE_ID, event, stored
from tests.fakes import (
    LEASE_SECONDS,
)
from tests.forwarding_world import JANE, JOE, RAW, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_message_goes_all_the_way(world: World) -> None:
    world.handle(event("info@example.com"))
    assert world.mailer.destinations == [JANE]
    alias, _, raw = world.mailer.sent[0]
    assert alias == "info@example.com"
    assert raw.endswith(b"\r\n\r\nbody")
    assert world.states == {"info@example.com": "forwarded"}
    assert not world.ledger.is_open(MESSAGE_ID)
    assert world.log.lines == ["received", "forwarded info@example.com"]


def test_every_recipient_has_an_outcome(world: World) -> None:
    world.handle(event("nobody@example.com", "info@example.com", "team@example.com"))
    assert world.states == {
        "nobody@example.com": "rejected",
        "info@example.com": "forwarded",
        "team@example.com": "forwarded",
    }
    assert world.mailer.destinations == [JANE, JOE]


def test_recipients_that_lead_to_one_destination_are_merged_into_the_first(world: World) -> None:
    world.tables.aliases["sales@example.com"] = {"destinations": [JANE]}
    world.handle(event("sales@example.com", "info@example.com"))
    assert [(alias, destination) for alias, destination, _ in world.mailer.sent] == [("sales@example.com", JANE)]
    assert world.states == {"sales@example.com": "forwarded", "info@example.com": "merged"}
    assert world.ledger.outcomes[MESSAGE_ID, "info@example.com"].merged == (JANE,)
    assert world.ledger.outcomes[MESSAGE_ID, "sales@example.com"].merged == ()


def test_who_gets_one_copy_of_his_own_and_one_of_another_is_forwarded(world: World) -> None:
    world.tables.aliases["sales@example.com"] = {"destinations": [JANE]}
    world.tables.aliases["all@example.com"] = {"destinations": [JANE, JOE]}
    world.handle(event("sales@example.com", "all@example.com"))
    assert world.states == {"sales@example.com": "forwarded", "all@example.com": "forwarded"}
    assert world.ledger.outcomes[MESSAGE_ID, "all@example.com"].merged == (JANE,)


@pytest.mark.parametrize("rows", [10, 100_000])
def test_a_message_asks_the_same_of_a_small_and_of_a_large_table(world: World, rows: int) -> None:
    world.tables.aliases |= {f"a{number}@example.com": {"destinations": [JOE]} for number in range(rows)}
    world.handle(event("info@example.com", "a1@example.com"))
    assert world.tables.calls == 2, "the rows, and the health of the destinations"


def test_no_sending_is_begun_when_too_little_time_is_left(world: World) -> None:
    """SES may take a minute to answer; a function that is killed meanwhile does not know whether it sent."""
    world.remaining = -1
    with pytest.raises(Unsettled, match="no time was left"):
        world.handle(event("info@example.com"))
    assert (world.mailer.sent, world.ledger.claims) == ([], {})
    world.remaining = 30
    world.handle(event("info@example.com"))
    assert world.states == {"info@example.com": "forwarded"}


def test_what_ses_never_answers_is_given_up_after_the_hours_of_retrying(world: World) -> None:
    world.mailer.script[JANE] = [Unanswered("no answer")] * 99
    for _ in range(3):
        with pytest.raises(Unsettled):
            world.handle(event("info@example.com"))
        world.clock.time += 17 * 3600
    world.clock.time += 2 * 3600
    world.handle(event("info@example.com"))
    assert world.states == {"info@example.com": "ambiguous"}
    assert not world.ledger.is_open(MESSAGE_ID)
    assert world.log.lines[-1] == "ambiguous info@example.com"


def test_what_is_over_the_cap_waits_for_the_next_hour_and_holds_back_no_one_else(world: World) -> None:
    world.rates.cap = 0
    with pytest.raises(Unsettled, match="1 recipient deferred"):
        world.handle(event("info@example.com"))
    assert (world.mailer.sent, world.states) == ([], {"info@example.com": "deferred"})
    assert "deferred jane@dest.example OverCap" in world.log.lines
    world.rates.cap = 1
    world.handle(event("info@example.com", "team@example.com"))
    assert world.mailer.destinations == [JANE, JOE]


def test_what_ses_throttles_is_not_given_up(world: World) -> None:
    """SES said no: nothing was sent, so it is as safe to try after two days as after two minutes."""
    world.mailer.script[JANE] = [Throttled("slow")] * 3
    for _ in range(3):
        with pytest.raises(Unsettled):
            world.handle(event("info@example.com"))
        world.clock.time += 48 * 3600
    world.handle(event("info@example.com"))
    assert world.states == {"info@example.com": "forwarded"}


def test_a_rule_by_the_header_counts_and_its_line_is_prepended(world: World) -> None:
    world.store.messages[MESSAGE_ID] = stored(RAW.replace(b"betsy@sender", b"betsy@author"))
    world.tables.senders["author.example", "*"] = {"action": "PREPEND X-Rule: by header"}
    world.handle(event("info@example.com"))
    assert world.mailer.sent[0][2].count(b"\r\nX-Rule: by header\r\n") == 1


@pytest.mark.parametrize("forms", [1, 2, 3])
def test_a_prepended_line_is_in_every_form(world: World, forms: int) -> None:
    world.tables.senders["sender.example", "*"] = {"action": "PREPEND X-Rule: yes"}
    world.mailer.script[JANE] = [Refused("no")] * forms
    world.handle(event("info@example.com"))
    assert world.mailer.sent[0][2].count(b"\r\nX-Rule: yes\r\n") == 1


def test_the_same_event_twice_sends_nothing_again(world: World) -> None:
    for _ in range(2):
        world.handle(event("info@example.com", "team@example.com"))
    assert world.mailer.destinations == [JANE, JOE]
    assert world.log.lines[-1] == "received again"


def test_two_rules_that_match_one_message_send_once_to_each_destination(world: World) -> None:
    """SES then delivers two events with one message id and different recipients."""
    world.handle(event("info@example.com"))
    world.handle(event("team@example.com"))
    assert world.mailer.destinations == [JANE, JOE]
    assert world.states == {"info@example.com": "forwarded", "team@example.com": "forwarded"}
    assert not world.ledger.is_open(MESSAGE_ID)


@pytest.mark.parametrize("failure", [Throttled("slow"), Unavailable("down"), Misconfigured("no table")])
def test_a_table_that_cannot_be_read_leaves_the_handler_and_sends_nothing(world: World, failure: Exception) -> None:
    world.tables.failure = failure
    with pytest.raises(type(failure)):
        world.handle(event("info@example.com"))
    assert world.mailer.sent == []
    assert world.ledger.is_open(MESSAGE_ID)
    assert world.log.lines[-1] == f"failure {type(failure).__name__}"


def test_a_missing_object_leaves_the_handler_by_name(world: World) -> None:
    world.store.messages.clear()
    with pytest.raises(MessageMissing, match=MESSAGE_ID):
        world.handle(event("info@example.com"))
    assert world.ledger.is_open(MESSAGE_ID)


def test_an_event_that_is_none_leaves_the_handler_before_anything_is_written(world: World) -> None:
    with pytest.raises(BadEvent):
        world.handle({"Records": []})
    assert world.ledger.messages == {}
    assert world.log.lines == ["failure BadEvent"]


def test_a_bad_row_holds_its_recipient_and_the_others_go(world: World) -> None:
    with pytest.raises(Unsettled, match="aliases row 'bad@example.com'"):
        world.handle(event("bad@example.com", "info@example.com"))
    assert world.mailer.destinations == [JANE]
    assert world.states == {"bad@example.com": "deferred", "info@example.com": "forwarded"}
    assert any(line.startswith("bad row aliases row 'bad@example.com'") for line in world.log.lines)
    assert world.ledger.is_open(MESSAGE_ID)


def test_a_deferred_recipient_goes_when_its_row_is_corrected_and_no_one_gets_a_second_copy(world: World) -> None:
    with pytest.raises(Unsettled):
        world.handle(event("bad@example.com", "info@example.com"))
    world.tables.aliases["bad@example.com"] = {"destinations": [JOE]}
    world.handle(event("bad@example.com", "info@example.com"))
    assert world.mailer.destinations == [JANE, JOE]
    assert not world.ledger.is_open(MESSAGE_ID)


@pytest.mark.parametrize(
    "text", ["not an address", "a b@example.com", "josé@example.com", "@example.com", "\x00", "x" * 900]
)
def test_a_recipient_that_is_no_address_is_unknown_and_the_others_go(world: World, text: str) -> None:
    """A dead letter would be a stranger's to write: no one could repair it."""
    world.tables.aliases["@example.com"] = {"destinations": [JOE]}
    for _ in range(2):
        world.handle(event("info@example.com", text))
    assert world.mailer.destinations == [JANE], "not even a catch-all has it"
    assert sorted(world.states.values()) == ["forwarded", "rejected"]
    assert not world.ledger.is_open(MESSAGE_ID)
    assert len(world.log.lines) == 4, "it is said once: received, two outcomes, received again"


def test_a_message_for_no_one_at_all_is_settled(world: World) -> None:
    world.handle(event("not an address"))
    assert (world.mailer.sent, world.states) == ([], {"not an address@": "rejected"})
    assert not world.ledger.is_open(MESSAGE_ID)


@pytest.mark.parametrize(
    "path",
    [
        "info@example.com.",
        "<info@example.com>",
        "@relay.example:info@example.com",
        "<@a.example,@b.example:Info@EXAMPLE.com.>",
    ],
)
def test_a_recipient_with_a_route_or_a_final_dot_is_who_it_names(world: World, path: str) -> None:
    world.handle(event(path, "info@example.com"))
    assert (world.mailer.destinations, world.states) == ([JANE], {"info@example.com": "forwarded"})


def test_one_destination_that_fails_holds_back_no_other_and_is_tried_again(world: World) -> None:
    world.mailer.script[JANE] = [Unavailable("down")]
    with pytest.raises(Unsettled, match="down"):
        world.handle(event("team@example.com"))
    assert world.mailer.destinations == [JOE]
    assert world.states == {"team@example.com": "deferred"}
    world.handle(event("team@example.com"))
    assert world.mailer.destinations == [JOE, JANE]
    assert world.states == {"team@example.com": "forwarded"}


def test_whoever_ses_was_too_busy_for_is_sent_to_after_the_others(world: World) -> None:
    world.mailer.script[JANE] = [TooFast("slow down")]
    world.handle(event("team@example.com"))
    assert world.mailer.destinations == [JOE, JANE]
    assert world.states == {"team@example.com": "forwarded"}


def test_once_ses_says_too_fast_to_one_alone_no_one_else_is_sent_to_in_this_invocation(world: World) -> None:
    world.mailer.script = {JANE: [TooFast("slow down")] * 2, JOE: [TooFast("slow down")]}
    with pytest.raises(Unsettled, match="2 recipients deferred"):
        world.handle(event("team@example.com", "info@example.com"))
    assert world.mailer.sent == []
    assert "deferred joe@dest.example TooFast" in world.log.lines
    assert world.states == {"team@example.com": "deferred", "info@example.com": "deferred"}
    world.handle(event("team@example.com", "info@example.com"))
    assert world.mailer.destinations == [JANE, JOE]


def test_what_another_service_throttles_holds_back_no_one_else(world: World) -> None:
    world.mailer.script[JANE] = [Throttled("a hot counter")]
    with pytest.raises(Unsettled, match="a hot counter"):
        world.handle(event("team@example.com"))
    assert world.mailer.destinations == [JOE]


def test_octets_and_the_time_since_receipt_are_measured_for_each_sending(world: World) -> None:
    received = datetime.fromtimestamp(world.clock.time - 2.5, UTC).isoformat()
    world.handle(event("team@example.com", timestamp=received))
    assert world.log.measured == [(to, len(raw), 2.5) for _, to, raw in world.mailer.sent]


def test_a_message_of_which_no_one_knows_when_it_came_has_no_latency(world: World) -> None:
    world.handle(event("info@example.com", timestamp="yesterday"))
    assert [age for _, _, age in world.log.measured] == [None]


def test_a_refusal_for_good_is_recorded_and_not_tried_again(world: World) -> None:
    world.mailer.script[JANE] = [Refused("Duplicate header 'X'")] * 5
    world.handle(event("team@example.com"))
    world.handle(event("team@example.com"))
    assert world.mailer.destinations == [JOE]
    assert world.states == {"team@example.com": "failed"}
    assert "Duplicate header 'X'" in world.ledger.outcomes[MESSAGE_ID, "team@example.com"].reason


def test_a_refusal_found_by_a_later_recipient_is_its_outcome_too(world: World) -> None:
    world.mailer.script[JANE] = [Refused("no")] * 5
    world.handle(event("info@example.com"))
    world.handle(event("team@example.com"))
    assert world.states == {"info@example.com": "failed", "team@example.com": "failed"}


@pytest.mark.parametrize(
    ("refusals", "form", "state"),
    [(1, "repaired", "forwarded"), (2, "attached", "forwarded"), (3, "notice", "failed"), (4, "bare notice", "failed")],
)
def test_what_ses_refuses_is_tried_in_plainer_forms(world: World, refusals: int, form: str, state: str) -> None:
    world.mailer.script[JANE] = [Refused("Duplicate header 'X'")] * refusals
    world.handle(event("info@example.com"))
    assert world.mailer.destinations == [JANE]
    assert world.states == {"info@example.com": state}
    reason = world.ledger.outcomes[MESSAGE_ID, "info@example.com"].reason
    assert f"sent {form}, refused as it is: Duplicate header 'X'" in reason
    assert f"rescued {JANE} {form}" in world.log.lines
    world.handle(event("info@example.com"))
    assert world.mailer.destinations == [JANE], "a rescued message is settled like any other"


CIPHERTEXT = bytes(number * 37 % 256 for number in range(4_000))


@pytest.mark.parametrize(
    "content",
    [
        CIPHERTEXT,
        b"",
        RAW,
        stored(RAW, message_id="another"),
        b"not a header\r\n\r\n" + stored(RAW),
        CIPHERTEXT + stored(RAW),
    ],
    ids=["encrypted", "empty", "without-a-trace", "another-message", "in-the-body", "behind"],
)
def test_what_is_not_what_ses_received_is_deferred_and_never_goes_out(world: World, content: bytes) -> None:
    world.store.messages[MESSAGE_ID] = content
    for _ in range(2):
        with pytest.raises(Misconfigured, match=f"the object of message {MESSAGE_ID} is not what SES received"):
            world.handle(event("info@example.com", "team@example.com"))
    assert (world.mailer.sent, world.states, world.ledger.is_open(MESSAGE_ID)) == ([], {}, True)
    assert world.log.lines.count("failure Misconfigured") == 2
    world.store.messages[MESSAGE_ID] = stored(RAW)
    world.handle(event("info@example.com", "team@example.com"))
    assert set(world.states.values()) == {"forwarded"}


def test_a_change_in_what_ses_writes_costs_no_mail(world: World) -> None:
    world.store.messages[MESSAGE_ID] = f"X-New: id={MESSAGE_ID}\r\n".encode() + RAW
    world.handle(event("info@example.com"))
    assert world.states == {"info@example.com": "forwarded"}


def test_a_refusal_for_now_in_the_middle_starts_again_from_the_top(world: World) -> None:
    world.mailer.script[JANE] = [Refused("no"), Throttled("slow")]
    with pytest.raises(Unsettled):
        world.handle(event("info@example.com"))
    world.handle(event("info@example.com"))
    assert b"via example.com" in world.mailer.sent[0][2], "as it is, not repaired"
    assert world.states == {"info@example.com": "forwarded"}


def test_what_is_too_large_to_send_ends_in_a_notice_without_asking_ses(world: World) -> None:
    world.store.messages[MESSAGE_ID] = stored(RAW) + b"x" * MOST_SENT * MEGABYTE
    world.handle(event("info@example.com", virusVerdict={"status": "PASS"}))
    ((_, _, sent),) = world.mailer.sent
    assert len(sent) < 5_000
    assert b"postern original " + MESSAGE_ID.encode() in sent


@pytest.mark.parametrize(("more", "whole"), [(0, True), (MEGABYTE, False)])
def test_what_is_larger_than_the_owner_wants_whole_becomes_a_notice(world: World, more: int, whole: bool) -> None:
    """A mailbox that takes 25 MB would bounce it, and no one would have it."""
    world.tables.aliases[KEY] = {"address": KEY, "largest_forward": Decimal(1)}
    world.store.messages[MESSAGE_ID] = stored(RAW) + b"x" * more
    world.handle(event("info@example.com"))
    ((_, _, sent),) = world.mailer.sent
    assert sent.endswith(b"body") == whole
    assert (b"postern original " + MESSAGE_ID.encode() in sent) == (not whole)
    assert world.states == {"info@example.com": "forwarded" if whole else "failed"}


def test_settings_hold_for_the_next_message_and_cost_no_call_more(world: World) -> None:
    world.handle(event("info@example.com"))
    calls = world.tables.calls
    world.tables.aliases[KEY] = {"address": KEY, "subject_tag": "[gate]", "from_form": "address"}
    world.store.messages["another"] = stored(RAW, message_id="another")
    world.handle(event("info@example.com", message_id="another"))
    assert world.tables.calls == 2 * calls
    first, second = (sent for _, _, sent in world.mailer.sent)
    assert b"Subject: [gate]" not in first
    assert b"Subject: [gate]" in second
    assert b"(" not in second.partition(b"From: ")[2].partition(b"\n")[0]  # no name and address


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"largest_forward": "huge"}, "settings: largest_forward: expected a whole number from 1 to 40, found 'huge'"),
        ({"largest_foward": 25}, "settings: largest_foward: there is no such setting"),
    ],
)
def test_settings_that_cannot_be_understood_defer_all_mail_and_are_named(
    world: World, wrong: dict[str, object], said: str
) -> None:
    world.tables.aliases[KEY] = {"address": KEY, **wrong}
    with pytest.raises(Unsettled, match=said):
        world.handle(event("info@example.com"))
    assert not world.mailer.sent
    assert world.states == {"info@example.com": "deferred"}
    world.tables.aliases[KEY] = {"address": KEY}
    world.handle(event("info@example.com"))
    assert world.states == {"info@example.com": "forwarded"}


def test_mail_for_a_reserved_key_is_no_alias(world: World) -> None:
    """Anybody may write to #settings@example.com; a row of that name is not asked for."""
    world.tables.aliases["#settings@example.com"] = {"destinations": [JANE]}
    world.handle(event("#settings@example.com"))
    assert world.states == {"#settings@example.com": "rejected"}


@pytest.mark.parametrize("refusal", ["Unsupported attachment type '.exe'.", "The message contains a virus."])
def test_what_no_form_may_carry_ends_in_a_notice_at_once(world: World, refusal: str) -> None:
    world.mailer.script[JANE] = [Refused(refusal)]
    world.handle(event("info@example.com"))
    ((_, _, sent),) = world.mailer.sent
    assert b"postern original " + MESSAGE_ID.encode() in sent
    assert world.states == {"info@example.com": "failed"}


@pytest.mark.parametrize(
    ("virus", "refusal", "offered"),
    [
        ("PASS", "Unsupported attachment type '.exe'.", True),
        ("GRAY", "Unsupported attachment type '.exe'.", True),
        ("PASS", "The message contains a virus.", False),
    ],
)
def test_a_notice_has_a_link_that_ends_with_the_message_unless_ses_saw_a_virus(
    world: World, virus: str, refusal: str, offered: bool
) -> None:
    world.fetching = lambda message_id, who, until: f"https://door.example/{message_id}/{who}/{until:.0f}"
    world.mailer.script[JANE] = [Refused(refusal)]
    made = event("info@example.com", virusVerdict={"status": virus})
    received = datetime.fromtimestamp(world.clock.now() - 3600, UTC)
    made["Records"][0]["ses"]["mail"]["timestamp"] = received.isoformat()
    world.handle(made)
    ((_, _, sent),) = world.mailer.sent
    until = int(received.timestamp()) + 30 * 86_400
    link = f"https://door.example/{MESSAGE_ID}/info@example.com/{until}"
    assert (link in quopri.decodestring(sent).decode()) == offered
    assert (
        f"kept until {datetime.fromtimestamp(until, UTC):%Y-%m-%d}" in quopri.decodestring(sent).decode()
    ) == offered


def test_an_original_that_is_too_large_once_attached_ends_in_a_notice(world: World) -> None:
    world.tables.aliases[KEY] = {"address": KEY, "largest_forward": Decimal(1)}
    world.store.messages[MESSAGE_ID] = stored(RAW) + b"x" * 900_000
    world.mailer.script[JANE] = [Refused("no")] * 2
    world.handle(event("info@example.com"))
    ((_, _, sent),) = world.mailer.sent
    assert b"postern original " + MESSAGE_ID.encode() in sent


def test_an_answer_that_got_lost_is_sent_again_and_said_so(world: World) -> None:
    world.mailer.script[JANE] = [Unanswered("read timeout")]
    with pytest.raises(Unsettled):
        world.handle(event("info@example.com"))
    assert "resent jane@dest.example" not in world.log.lines
    world.handle(event("info@example.com"))
    assert "resent jane@dest.example" in world.log.lines


def test_what_ses_took_and_the_ledger_could_not_note_is_counted_when_it_is_sent_again(world: World) -> None:
    """The claim must not be given back: then no one would know that the second copy is one."""
    note, failures = world.ledger.settle_and_close, [Throttled("DynamoDB")]

    def settle_and_close(*given: Any) -> bool:
        if failures:
            raise failures.pop()
        return note(*given)

    world.ledger.settle_and_close = settle_and_close  # type: ignore[assignment, method-assign]
    with pytest.raises(Throttled, match="DynamoDB"):
        world.handle(event("info@example.com"))
    with pytest.raises(Unsettled):
        world.handle(event("info@example.com"))
    assert world.mailer.destinations == [JANE]
    world.clock.time += LEASE_SECONDS + 1
    world.handle(event("info@example.com"))
    assert f"resent {JANE}" in world.log.lines


class Killed(BaseException):
    """The function ended in the middle: nothing after it runs."""


def test_a_function_killed_while_sending_keeps_others_away_until_its_lease_ran_out(world: World) -> None:
    def kill(destination: str) -> None:
        raise Killed(destination)

    world.mailer.before = kill
    with pytest.raises(Killed):
        world.handle(event("info@example.com"))
    world.mailer.before = lambda destination: None
    with pytest.raises(Unsettled, match="j\\*\\*\\*@dest.example"):
        world.handle(event("info@example.com"))
    assert world.mailer.sent == []
    world.clock.time += LEASE_SECONDS + 1
    world.handle(event("info@example.com"))
    assert world.mailer.destinations == [JANE]
    assert "resent jane@dest.example" in world.log.lines


def test_a_second_handler_at_the_same_time_sends_nothing(world: World) -> None:
    """While the first is sending, the same event arrives again."""
    second: list[type[BaseException]] = []

    def meanwhile(destination: str) -> None:
        world.mailer.before = lambda destination: None
        with pytest.raises(Unsettled) as met:
            world.handle(event("info@example.com"))
        second.append(met.type)

    world.mailer.before = meanwhile
    world.handle(event("info@example.com"))
    assert second == [Unsettled]
    assert world.mailer.destinations == [JANE]
    assert world.states == {"info@example.com": "forwarded"}
    assert not world.ledger.is_open(MESSAGE_ID)


def test_the_error_names_other_peoples_addresses_only_masked(world: World) -> None:
    world.mailer.script[JANE] = [Throttled("slow")]
    with pytest.raises(Unsettled) as raised:
        world.handle(event("info@example.com"))
    assert JANE not in str(raised.value)
    assert "info@example.com" in str(raised.value)


def test_one_round_of_reads_for_a_message_however_many_recipients(world: World) -> None:
    world.handle(event(*(f"a{number}@example.com" for number in range(50))))
    assert world.tables.calls == 1


def test_nested_aliases_and_health_are_read_in_the_same_round(world: World) -> None:
    world.tables.aliases["boss@example.com"] = {"destinations": ["info@example.com", JOE]}
    world.handle(event("boss@example.com"))
    assert world.tables.calls == 3, "the row, the nested row with Joe's health, Jane's health"
    assert sorted(world.mailer.destinations) == [JANE, JOE]


def suspend(world: World, *destinations: str) -> None:
    for destination in destinations:
        world.tables.destinations[destination] = {"suspended_at": 1_794_000_000, "reason": "no such mailbox"}


def test_a_suspended_destination_gets_nothing_and_the_others_do(world: World) -> None:
    suspend(world, JOE)
    world.handle(event("team@example.com"))
    assert world.mailer.destinations == [JANE]
    assert world.states == {"team@example.com": "forwarded"}
    reason = world.ledger.outcomes[MESSAGE_ID, "team@example.com"].reason
    assert "joe@dest.example is suspended: no such mailbox" in reason
    assert world.ledger.claims[MESSAGE_ID, f"via:{JOE}"].state == "suspended"


def test_mail_for_suspended_destinations_alone_is_quarantined(world: World) -> None:
    suspend(world, JANE, JOE)
    world.handle(event("team@example.com", "info@example.com"))
    assert world.mailer.destinations == []
    assert world.states == {"team@example.com": "quarantined", "info@example.com": "quarantined"}
    assert {claim.state for claim in world.ledger.claims.values()} == {"suspended"}
    assert not world.ledger.is_open(MESSAGE_ID)


def test_health_that_cannot_be_read_is_not_good_health(world: World) -> None:
    world.tables.failure_of_health = Throttled("slow")
    with pytest.raises(Throttled):
        world.handle(event("info@example.com"))
    assert world.mailer.destinations == []


def test_what_is_set_aside_is_quarantined_unread_and_what_was_settled_stays(world: World) -> None:
    world.mailer.script[JOE] = [Throttled("slow")]
    made = event("info@example.com", "team@example.com", "a b@example.com")
    with pytest.raises(Unsettled):
        world.handle(made)
    world.store.messages.clear()
    world.handle(made, ended="Sandbox.Timedout")
    assert world.states["info@example.com"] == "forwarded"
    assert world.states["team@example.com"] == "quarantined"
    assert not world.ledger.is_open(MESSAGE_ID)


def test_a_group_of_which_many_are_suspended_is_settled_with_short_reasons(world: World) -> None:
    """A claim has its own reason, and no item of the ledger has them all."""
    members = [f"m{number}@dest.example" for number in range(2_000)]
    world.tables.aliases["all@example.com"] = {"destinations": members}
    said = {"suspended_at": 1, "reason": "the mailbox does not exist: " + "x" * 400}
    world.tables.destinations = dict.fromkeys(members[1:], said)
    world.handle(event("all@example.com"))
    assert world.mailer.destinations == members[:1]
    assert world.states == {"all@example.com": "forwarded"}
    assert max(len(claim.detail) for claim in world.ledger.claims.values()) < 500
    assert len(world.ledger.outcomes[MESSAGE_ID, "all@example.com"].reason) < 4_000


def test_a_group_of_which_many_lead_nowhere_has_a_short_reason(world: World) -> None:
    members = [f"m{number}@example.com" for number in range(2_000)]
    world.tables.aliases["all@example.com"] = {"destinations": [JANE, *members]}
    world.handle(event("all@example.com"))
    assert len(world.ledger.outcomes[MESSAGE_ID, "all@example.com"].reason) < 1_000


class Ended(BaseException):
    """The process is gone."""


def attempts_of_the_queue(world: World, *ends: BaseException) -> list[str]:
    """What is said of one event after each of its attempts."""
    states = []
    for number, end in enumerate(ends, 1):

        def meets(destination: str, end: BaseException = end) -> None:
            raise end

        world.mailer.before = meets
        with suppress(Ended, Unsettled, MemoryError, RecursionError):
            world.handle(event("info@example.com"), attempt=f"q1 {number}")
        world.clock.time += 3600
        states.append(world.states.get("info@example.com", "pending"))
    return states


@pytest.mark.parametrize("end", [Ended(), MemoryError(), RecursionError()])
def test_what_was_killed_twice_on_the_queue_is_set_aside(world: World, end: BaseException) -> None:
    assert attempts_of_the_queue(world, end, end, end) == ["pending", "pending", "quarantined"]
    assert world.mailer.sent == []


def test_what_waiting_cures_is_never_set_aside(world: World) -> None:
    """One process that died, an outage of the ledger, and SES that says not now."""
    slow = Throttled("slow")
    ends: list[BaseException] = [slow, Ended(), *[slow] * 10]
    assert "quarantined" not in attempts_of_the_queue(world, *ends)
    world.mailer.before = lambda destination: None
    world.handle(event("info@example.com"), attempt="q1 20")
    assert world.states == {"info@example.com": "forwarded"}


def test_another_event_of_the_message_has_attempts_of_its_own(world: World) -> None:
    attempts_of_the_queue(world, Ended())
    with suppress(Ended):
        world.handle(event("info@example.com"), attempt="q2 1")
    world.mailer.before = lambda destination: None
    world.clock.time += 3600
    world.handle(event("info@example.com"), attempt="q2 2")
    assert world.states == {"info@example.com": "forwarded"}


def test_what_lambda_ended_by_force_goes_on_where_the_queues_attempt_only_failed(world: World) -> None:
    attempts_of_the_queue(world, Throttled("slow"))
    world.mailer.before = lambda destination: None
    world.handle(event("info@example.com"), ended="Sandbox.Timedout", attempt="q1 2")
    assert world.states == {"info@example.com": "forwarded"}


def test_of_names_that_a_sender_chose_ten_go_out_in_one_attempt(world: World) -> None:
    """Whatever bounces meanwhile and makes room: the plan was made before."""
    world.tables.aliases = {"@example.com": {"destinations": ["@dest.example"]}}
    world.mailer.before = lambda destination: world.rates.out.clear()
    with pytest.raises(Unsettled):
        world.handle(event(*(f"n{number}@example.com" for number in range(50))))
    assert len(world.mailer.sent) == 10
