"""The daily test: sent only where nothing can come back as a bounce, known when it comes, and missed when it does not."""

from typing import Any

import pytest
from postern_mail.aws.watch.daily_test import found
from postern_mail.errors import ClaimHeld, Refused, Throttled, Unanswered
from postern_mail.examination import Grade
from postern_mail.mail import daily_test
from postern_mail.mail.daily_test import Account, Record, Stage
from postern_mail.mail.days import A_DAY
from postern_mail.mail.dns import NONE, Answer
from postern_mail.mail.message import Message
from postern_mail.mail.tags import destination_tag

from tests.builders import MESSAGE_ID, TAG_KEY, event, stored
from tests.daily_fakes import AT_FIVE, DAY, DOMAIN, HOST, OTHER, Desk, FakeArrivals, Killed
from tests.fakes import LEASE_SECONDS
from tests.forwarding_world import World

ME = f"postern-test@{DOMAIN}"
HERE, ELSEWHERE = Answer((HOST,)), Answer(("mx.elsewhere.example",))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_it_is_sent_once_a_day_from_its_address_and_to_it(desk: Desk) -> None:
    for _ in range(3):
        desk.run()
    assert [(who, to) for who, to, _ in desk.mailer.sent] == [(ME, ME)]
    assert (desk.record.stage, desk.record.day, desk.record.sent_at) == (Stage.SENT, DAY, AT_FIVE)
    desk.tomorrow()
    desk.run()
    assert len(desk.mailer.sent) == 2
    assert desk.mailer.sent[0][2] != desk.mailer.sent[1][2]


HELD: dict[str, tuple[dict[str, Any], str]] = {
    "unverified": ({"account": Account(True, True, {OTHER})}, "SES has not verified example.com"),
    "paused": ({"account": Account(False, True, {DOMAIN})}, "SES has paused the account's sending"),
    "sandbox": ({"account": Account(True, False, {DOMAIN})}, "the account is in SES's sandbox"),
    "elsewhere": ({"answers": {DOMAIN: ELSEWHERE}}, f"names mx.elsewhere.example as MX of example.com, and not {HOST}"),
    "both": ({"answers": {DOMAIN: Answer((HOST, *ELSEWHERE.values))}}, f"mx.elsewhere.example beside {HOST}"),
    "another region": (
        {"answers": {DOMAIN: Answer(("inbound-smtp.us-east-1.amazonaws.com",))}},
        f"names inbound-smtp.us-east-1.amazonaws.com as MX of example.com, and not {HOST}",
    ),
    "null MX": ({"answers": {DOMAIN: Answer((".",))}}, "names . as MX"),
    "gone": ({"answers": {DOMAIN: NONE}}, f"has no MX record of example.com, which should be {HOST}"),
    "silence": ({"answers": {DOMAIN: None}}, "does not say where mail to example.com goes: no answer"),
    "failure": ({"answers": {DOMAIN: Answer(failed="NoNameservers")}}, "example.com goes: NoNameservers"),
    "settings": ({"settings": {"daily_test": "perhaps"}}, "settings: daily_test: expected true or false"),
}


@pytest.mark.parametrize("case", HELD)
def test_it_is_sent_only_where_it_cannot_bounce_else_people_hear_why(desk: Desk, case: str) -> None:
    changed, why = HELD[case]
    for name, value in changed.items():
        setattr(desk, name, value)
    desk.run()
    assert desk.mailer.sent == []
    assert why in desk.record.why
    (told,) = found(DOMAIN, desk.record, desk.clock.now())
    assert (told.seen, told.quoted, told.grade) == (f"no test is sent to {DOMAIN}", desk.record.why, Grade.WARNING)
    for name in changed:
        setattr(desk, name, getattr(Desk(), name))
    desk.run()
    assert desk.mailer.sent == [], "it was looked at today"
    desk.tomorrow()
    desk.run()
    assert len(desk.mailer.sent) == 1
    assert list(found(DOMAIN, desk.record, desk.clock.now())) == []


def test_dns_is_asked_only_about_what_could_be_sent(desk: Desk) -> None:
    desk.domains, desk.account = (DOMAIN, OTHER), Account(True, True, {OTHER})
    desk.run()
    assert desk.asked == [OTHER]
    assert desk.mailer.destinations == [f"postern-test@{OTHER}"]


def test_several_records_that_name_one_host_are_one(desk: Desk) -> None:
    desk.answers[DOMAIN] = Answer((HOST, HOST))
    desk.run()
    assert desk.mailer.destinations == [ME]


def test_the_owner_switches_it_off(desk: Desk) -> None:
    desk.settings = {"daily_test": False}
    desk.run()
    assert (desk.mailer.sent, desk.asked, desk.record.stage) == ([], [], Stage.OFF)
    assert list(found(DOMAIN, desk.record, desk.clock.now() + 9 * A_DAY)) == []


def test_one_that_came_back_is_not_sent_again_before_dns_is_right(desk: Desk) -> None:
    desk.run()
    assert desk.book.bounced(desk.record.tag, "5.1.1") == DOMAIN
    (told,) = found(DOMAIN, desk.record, desk.clock.now())
    assert (told.seen.endswith("came back"), told.quoted, told.grade) == (True, "5.1.1", Grade.FAILED)
    desk.answers[DOMAIN] = ELSEWHERE
    desk.tomorrow()
    desk.run()
    assert len(desk.mailer.sent) == 1
    assert len(list(found(DOMAIN, desk.record, desk.clock.now()))) == 2, "both are told: it came back, and DNS is wrong"
    desk.answers[DOMAIN] = HERE
    desk.tomorrow()
    desk.run()
    assert len(desk.mailer.sent) == 2


def test_where_dns_is_right_and_each_comes_back_the_pauses_grow(desk: Desk) -> None:
    """Each bounce counts against the account."""
    sent = []
    for day in range(50):
        desk.run()
        if desk.record.stage is Stage.SENT and desk.record.day == daily_test.day_of(desk.clock.now()):
            sent.append(day)
            desk.book.bounced(desk.record.tag, "5.1.1")
        desk.tomorrow()
    assert sent == [0, 1, 3, 7, 15, 31, 47]
    assert "came back in a row; the next is sent after" in desk.record.why
    desk.book.rows[DOMAIN] = Record(DAY, AT_FIVE, Stage.SENT, tag="t", sent_at=AT_FIVE, arrived_at=1.0, bounces=7)
    assert desk.record.in_a_row == 0, "one that arrives ends the row"


def test_one_that_does_not_arrive_is_missed_after_an_hour_and_over_when_it_comes(desk: Desk) -> None:
    desk.run()
    assert list(found(DOMAIN, desk.record, AT_FIVE + daily_test.WAIT)) == []
    (told,) = found(DOMAIN, desk.record, AT_FIVE + daily_test.WAIT + 1)
    assert (told.about, told.grade, told.since) == (f"{DOMAIN} arrival", Grade.FAILED, AT_FIVE)
    desk.answers[DOMAIN] = NONE
    desk.tomorrow()
    desk.run()
    assert [one.about for one in found(DOMAIN, desk.record, desk.clock.now())] == [told.about, f"{DOMAIN} held"]
    assert len(desk.mailer.sent) == 1, "not again until DNS is right"
    desk.book.arrived(DOMAIN, desk.record.tag)
    assert [one.about for one in found(DOMAIN, desk.record, desk.clock.now())] == [f"{DOMAIN} held"]


def test_what_ses_refuses_is_told_and_tried_the_next_day(desk: Desk) -> None:
    desk.mailer.script[ME] = [Refused("MessageRejected")]
    for _ in range(2):
        desk.run()
    (told,) = found(DOMAIN, desk.record, desk.clock.now())
    assert (desk.mailer.sent, told.quoted, told.grade) == ([], "MessageRejected", Grade.FAILED)
    desk.tomorrow()
    desk.run()
    assert len(desk.mailer.sent) == 1


@pytest.mark.parametrize("failure", [Throttled("slowly"), Unanswered("?")])
def test_what_ses_does_not_take_for_now_leaves_and_is_tried_again_at_once(desk: Desk, failure: Exception) -> None:
    desk.domains = (DOMAIN, OTHER)
    desk.mailer.script[ME] = [failure]
    with pytest.raises(type(failure)):
        desk.run()
    assert desk.mailer.destinations == [f"postern-test@{OTHER}"], "one that fails holds back no other"
    desk.run()
    assert desk.mailer.destinations == [f"postern-test@{OTHER}", ME]
    assert desk.record.stage is Stage.SENT


def test_what_was_never_sent_is_told(desk: Desk) -> None:
    desk.mailer.script[ME] = [Throttled("slowly")] * 3
    for _ in range(3):
        with pytest.raises(Throttled):
            desk.run()
    (told,) = found(DOMAIN, desk.record, AT_FIVE + daily_test.WAIT + 1)
    assert told.seen.endswith("could not be sent")
    desk.tomorrow()
    desk.run()
    assert len(desk.mailer.sent) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_call_it_is_sent_by_the_next_run_and_seldom_twice(after: bool) -> None:
    whole = Desk()
    whole.run()
    for last in range(whole.calls):
        desk = Desk(last=last, after=after)
        with pytest.raises(Killed):
            desk.run()
        before, desk.last = len(desk.mailer.sent), None
        if desk.book.rows and desk.record.stage is Stage.SENDING:
            with pytest.raises(ClaimHeld):
                desk.run()
            desk.clock.time += LEASE_SECONDS + 1
        desk.run()
        desk.run()
        assert desk.record.stage is Stage.SENT, last
        assert len({raw for _, _, raw in desk.mailer.sent}) == 1, last
        assert len(desk.mailer.sent) == 1 + (before and desk.record.sent_at > AT_FIVE), last


def test_one_that_arrived_though_its_sender_was_killed_is_not_sent_again(desk: Desk) -> None:
    desk.last, desk.after = whole_calls() - 2, True  # the mailer's
    with pytest.raises(Killed):
        desk.run()
    desk.last = None
    desk.book.arrived(DOMAIN, desk.record.tag)
    desk.run()
    assert (len(desk.mailer.sent), desk.record.stage) == (1, Stage.SENT)


def whole_calls() -> int:
    desk = Desk()
    desk.run()
    return desk.calls


def test_of_two_runs_at_once_one_sends(desk: Desk) -> None:
    desk.mailer.before = lambda _: None

    def another(_: str) -> None:
        desk.mailer.before = lambda _: None
        with pytest.raises(ClaimHeld):
            desk.run()

    desk.mailer.before = another
    desk.run()
    assert len(desk.mailer.sent) == 1


def test_a_stack_that_stops_testing_is_told_of(desk: Desk) -> None:
    desk.run()
    desk.book.arrived(DOMAIN, desk.record.tag)
    assert list(found(DOMAIN, desk.record, AT_FIVE + daily_test.STALE)) == []
    (told,) = found(DOMAIN, desk.record, AT_FIVE + daily_test.STALE + 1)
    assert told.about == f"{DOMAIN} stale"


# --- As it comes in ---------------------------------------------------------------------------------------------


@pytest.fixture
def world(desk: Desk) -> World:
    """The inbound function, to which the desk's message comes."""
    desk.run()
    made = World(arrivals=lambda: FakeArrivals(desk.book))
    bring(made, desk.mailer.sent[0][2])
    return made


def bring(world: World, raw: bytes) -> None:
    world.store.messages[MESSAGE_ID] = stored(raw, dkim=DOMAIN, source=f"0102@bounces.{DOMAIN}")


def test_it_goes_no_further_and_is_noted(world: World, desk: Desk) -> None:
    for _ in range(2):
        world.handle(event(ME))
    assert (world.states, world.mailer.sent, world.answerer.sent) == ({ME: "tested"}, [], [])
    assert desk.record.arrived_at == AT_FIVE


@pytest.mark.parametrize("recipient", [ME, f"Postern-Test@{DOMAIN}"])
def test_also_where_the_domain_takes_every_address(world: World, desk: Desk, recipient: str) -> None:
    world.tables.aliases[f"@{DOMAIN}"] = {"destinations": ["jane@dest.example"]}
    world.handle(event(recipient))
    assert (world.mailer.sent, desk.record.arrived_at) == ([], AT_FIVE)


def test_one_of_another_day_is_known_and_counts_for_nothing(world: World, desk: Desk) -> None:
    """It came late: no one is told that its address does not exist."""
    desk.tomorrow()
    desk.run()
    world.handle(event(ME))
    assert (world.states, world.answerer.sent) == ({ME: "tested"}, [])
    assert not desk.record.arrived_at


def forged(domain: str = DOMAIN, day: str = DAY, key: bytes = TAG_KEY) -> bytes:
    name = daily_test.message_id(day)
    return daily_test.raw(DOMAIN, day, destination_tag(key, name, daily_test.address(domain)))


STRANGERS = {
    "another key": forged(key=b"guessed"),
    "another domain's": forged(OTHER),
    "another day": forged().replace(b"test-2024-10-04 ", b"test-2024-10-05 "),
    "no field": forged().replace(b"X-Postern-Test", b"X-Other"),
    "nonsense": forged().replace(b"X-Postern-Test: ", b"X-Postern-Test: \xff"),
    "ours is second": b"X-Postern-Test: x\r\n" + forged(),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_a_strangers_mail_to_the_address_is_like_any_other(world: World, desk: Desk, case: str) -> None:
    bring(world, STRANGERS[case])
    world.handle(event(ME))
    assert (world.states, desk.record.arrived_at) == ({ME: "rejected"}, 0)
    world.ledger = World().ledger
    world.tables.aliases[ME] = {"destinations": ["jane@dest.example"]}
    world.handle(event(ME))
    assert world.mailer.destinations == ["jane@dest.example"]


def test_the_field_says_nothing_for_another_address(world: World) -> None:
    world.handle(event("info@example.com"))
    assert world.states == {"info@example.com": "forwarded"}


def test_the_tag_is_that_of_what_ses_is_told(desk: Desk) -> None:
    """By it a bounce is known."""
    desk.run()
    message_id = daily_test.message_id(DAY)
    assert desk.record.tag == destination_tag(TAG_KEY, message_id, daily_test.address(DOMAIN))
    assert daily_test.tag_of(Message.split(desk.mailer.sent[0][2]), DOMAIN, TAG_KEY) == desk.record.tag
