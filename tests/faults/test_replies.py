"""Replies through the production parts: who may, what goes where, and a fault at every call."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from itertools import count
from typing import Any, cast

import pytest
from postern_mail.aws.forward.contacts import CONTACTS, SENT, DynamoContacts
from postern_mail.mail.replying.contact import LIFETIME

from emulator.sending.bounces import Received
from tests.builders import event, stored, verdict
from tests.faults.world import AUTHOR, Fault, Killed, World

pytestmark = [pytest.mark.function("InboundFunction"), pytest.mark.slow]

INFO, JANE, JOE = "info@example.com", "d1@dest.example", "joe@third.example"
SEND = "sesv2.SendEmail"
OURS = (CONTACTS, SENT, "replies:", "replied:")  # partitions
MOMENTS = count()  # seconds after the clock, one for each message


@pytest.fixture
def world(world: World) -> Iterator[World]:
    world.cloud.put("AliasTable", [
        {"address": INFO, "destinations": [JANE, "d2@dest.example"], "reply": "author", "name": "Example Shop"},
        {"address": "shop@example.com", "destinations": ["d3@dest.example"], "reply": "author"},
    ])  # fmt: skip
    yield world
    made = [row for row in world.cloud.rows("LedgerTable") if row["message_id"].startswith(OURS)]
    world.cloud.delete("LedgerTable", [{name: row[name] for name in ("message_id", "entry")} for row in made])
    world.cloud.delete("DestinationTable", [{"address": JANE}])
    world.cloud.delete("AliasTable", [{"address": INFO}, {"address": "shop@example.com"}])


def take(
    world: World, raw: bytes, *recipients: str, source: str = AUTHOR, message_id: str = "", **verdicts: str
) -> str:
    """One message as SES brings it; its id."""
    message_id = message_id or store(world, raw, *recipients, source=source)
    run(world, message_id, *recipients, source=source, **verdicts)
    return message_id


def store(world: World, raw: bytes, *recipients: str, source: str = AUTHOR) -> str:
    moment = next(MOMENTS)
    message_id, raw = f"m{moment}", raw.replace(b"@NOW@", formatdate(world.clock.time + moment).encode())
    whole = stored(raw, source=source, message_id=message_id, helo="mx.dest.example")
    world.bouncing.receive(Received(message_id, source, recipients, whole, world.clock.time))
    world.cloud.s3.put_object(Bucket=world.template.name("MailBucket"), Key=f"inbound/{message_id}", Body=whole)
    return message_id


def run(world: World, message_id: str, *recipients: str, source: str, **verdicts: str) -> BaseException | None:
    said: dict[str, Any] = {f"{name}Verdict": verdict(one) for name, one in {"dmarc": "PASS", **verdicts}.items()}
    said["timestamp"] = datetime.fromtimestamp(world.bouncing.received[message_id].at, UTC).isoformat()
    made = event(*recipients, source=source, message_id=message_id, **said)
    try:
        world.forwarder.handle(made, world.clock.now() + 30)
    except (Exception, Killed) as raised:  # noqa: BLE001 (Lambda's boundary)
        return raised
    return None


def rows(world: World) -> DynamoContacts:
    assert world.forwarder.replying is not None
    return cast("DynamoContacts", world.forwarder.replying().contacts)


def token(world: World, alias: str = INFO, sender: str = AUTHOR) -> str:
    """The reply address that a forward has for its author."""
    take(world, f"From: Betsy <{sender}>\r\nMessage-ID: <1@sender.example>\r\nSubject: hi\r\n\r\nx".encode(), alias)
    (found,) = re.findall(rb"Reply-To: [^<]*<(reply\+[a-z2-7]{26}@example\.com)>", world.delivered[-1][1])
    world.delivered.clear()
    return str(found.decode())


def reply(to: str, *, author: str = JANE, more: str = "", body: str = "Friday.", date: float = 0) -> bytes:
    written = formatdate(date) if date else "@NOW@"
    return f"From: Jane <{author}>\r\nTo: {to}\r\nDate: {written}\r\nSubject: Re: hi\r\n{more}\r\n{body}".encode()


def sent(world: World) -> list[str]:
    """Who got something, and whether it was a reply."""
    return [f"{who}: {raw.partition(b'Subject: ')[2].splitlines()[0].decode()}" for who, raw in world.delivered]


def state(world: World, message_id: str, to: str) -> str:
    return str(world.entries(message_id)[f"to:{to}"]["state"])


def test_a_reply_goes_to_the_correspondent_in_the_name_of_the_alias(world: World) -> None:
    to = token(world)
    assert token(world) == to, "one address for each alias and correspondent"
    assert token(world, "shop@example.com") != to
    message_id = take(world, reply(to), to, source=JANE)
    ((who, raw),) = world.delivered
    assert who == AUTHOR
    assert b'From: "Example Shop" <info@example.com>\r\nTo: "Betsy" <betsy@sender.example>\r\n' in raw
    assert JANE.encode() not in raw
    assert state(world, message_id, to) == "forwarded"
    via = world.entries(message_id)[f"via:{AUTHOR}"]
    assert (via["state"], via["replier"], via["alias"]) == ("sent", JANE, INFO)
    world.delivered.clear()
    take(world, reply(to), to, source=JANE, message_id=message_id)
    assert world.delivered == [], "the event came twice"


def test_a_stranger_is_quarantined_and_one_destination_hears_once_an_hour(world: World) -> None:
    to = token(world)
    for _ in range(3):
        message_id = take(world, reply(to, author="m@evil.example"), to, source="m@evil.example")
        assert state(world, message_id, to) == "quarantined"
    assert sent(world) == [f"{JANE}: A reply in the name of info@example.com was not sent"]
    take(world, reply(to), to, source="m@evil.example")  # From is the author's, the envelope is not: another cause
    assert sent(world)[1:] == [f"{JANE}: A reply in the name of info@example.com was not sent"]
    world.clock.time += 3600
    take(world, reply(to, author="m@evil.example"), to, source="m@evil.example")
    assert len(world.delivered) == 3


def test_one_aliases_destination_may_not_write_for_another(world: World) -> None:
    to, other = token(world), token(world, "shop@example.com")
    assert state(world, take(world, reply(other), other, source=JANE), other) == "quarantined"
    assert state(world, take(world, reply(f"{to}, {other}"), to, source=JANE), to) == "quarantined"
    assert AUTHOR not in [who for who, _ in world.delivered]


def test_an_alias_with_a_tag_in_to_or_cc_is_the_alias(world: World) -> None:
    """As "reply all" puts it there, when a correspondent had written to both."""
    to, tagged = token(world), token(world, "info+shop@example.com", "joe@sender.example")
    raw = reply(f"{to}, Info <info+Shop@example.com>", more=f"Cc: {tagged}, INFO+news@example.com\r\n")
    message_id = take(world, raw, to, tagged, source=JANE)
    assert [state(world, message_id, one) for one in (to, tagged)] == ["forwarded"] * 2
    assert sorted(who for who, _ in world.delivered) == [AUTHOR, "joe@sender.example"]
    for _, got in world.delivered:
        header = got.partition(b"\r\n\r\n")[0].lower()
        assert (b"reply+" in header, b"+news@" in header, JANE.encode() in header) == (False, False, False)
        assert b'\r\nto: "betsy" <betsy@sender.example>\r\ncc: "betsy" <joe@sender.example>\r\n' in header


def test_a_tag_with_a_row_of_its_own_is_another_alias(world: World) -> None:
    """Its correspondents are no business of those of the alias."""
    vip = {"address": "info+vip@example.com", "destinations": ["d3@dest.example"], "reply": "author"}
    world.cloud.put("AliasTable", [vip])
    try:
        to, other = token(world), token(world, "info+vip@example.com", "ceo@sender.example")
        message_id = take(world, reply(f"{to}, {other}"), to, source=JANE)
        assert state(world, message_id, to) == "quarantined"
        assert "ceo@" not in str(world.delivered)
    finally:
        world.cloud.delete("AliasTable", [{"address": "info+vip@example.com"}])


def test_a_revoked_or_an_old_address_is_none(world: World) -> None:
    to = token(world)
    contacts = rows(world)
    (known,) = contacts.all()
    world.clock.time += LIFETIME
    assert state(world, take(world, reply(to), to, source=JANE), to) == "quarantined"
    again = token(world)
    assert again == to, "she wrote again: it is in use"
    assert state(world, take(world, reply(to), to, source=JANE), to) == "forwarded"
    assert contacts.revoke(known)
    assert not contacts.revoke(known)
    assert state(world, take(world, reply(to), to, source=JANE), to) == "quarantined"
    assert token(world) != to, "its token is never made again"


def test_an_address_whose_row_is_gone_is_refused_as_one_that_takes_no_mail(world: World) -> None:
    to = token(world)
    (known,) = rows(world).all()
    world.cloud.delete("LedgerTable", [{"message_id": CONTACTS, "entry": known.row_id}])
    assert state(world, take(world, reply(to), to, source=JANE), to) == "rejected"


def test_an_address_that_we_did_not_make_is_unknown(world: World) -> None:
    to = f"reply+{'a' * 26}@example.com"
    assert state(world, take(world, reply(to), to, source=JANE), to) == "rejected"


def test_anyone_else_in_to_or_cc_keeps_it_back_and_is_named(world: World) -> None:
    to = token(world)
    for _ in range(2):
        take(world, reply(to, more=f"Cc: {JOE}\r\n"), to, source=JANE)
    assert sent(world) == [f"{JANE}: Your reply was not sent"]
    assert f"{JOE} in To or Cc is not a reply address".encode() in world.delivered[0][1]
    take(world, reply(to, more="Cc: other@third.example\r\n"), to, source=JANE)
    assert len(world.delivered) == 2, "each that she did wrong"


@pytest.mark.parametrize(("leaks", "expected"), [
    ("warn", [f"{AUTHOR}: Re: hi", f"{JANE}: Your reply may have shown who you are"]),
    ("refuse", [f"{JANE}: Your reply was not sent"]),
])  # fmt: skip
def test_a_body_that_names_her_is_warned_of_or_kept(world: World, leaks: str, expected: list[str]) -> None:
    to = token(world)
    world.cloud.put("AliasTable", [{"address": "#settings", "rate_cap": 0, "leaks": leaks}])
    take(world, reply(to, body=f"Write to {JANE}"), to, source=JANE)
    assert sent(world) == expected
    assert f"{JANE} in part 1 (text/plain)".encode() in world.delivered[-1][1].replace(b"=\r\n", b"")


def test_a_name_in_the_subject_is_kept_whatever_the_setting(world: World) -> None:
    to = token(world)
    raw = reply(to).replace(b"Re: hi", f"about {JANE}".encode())
    assert state(world, take(world, raw, to, source=JANE), to) == "quarantined"
    assert sent(world) == [f"{JANE}: Your reply was not sent"]


def test_a_mail_that_is_sent_again_goes_out_once(world: World) -> None:
    to = token(world)
    raw = reply(to, date=world.clock.time - 3600)
    assert state(world, take(world, raw, to, source=JANE), to) == "forwarded"
    assert state(world, take(world, raw, to, source=JANE), to) == "quarantined"
    assert [who for who, _ in world.delivered] == [AUTHOR, JANE]


def test_a_person_releases_what_was_kept_but_for_a_name_in_the_header(world: World) -> None:
    to = token(world)
    for raw, expected in ((reply(to), "forwarded"), (reply(to).replace(b"Re: hi", JANE.encode()), "quarantined")):
        message_id = take(world, raw, to, source="m@evil.example")
        assert state(world, message_id, to) == "quarantined"
        opened = {**world.entries(message_id)[f"to:{to}"], "state": "deferred", "released_by": "jane"}
        world.cloud.put("LedgerTable", [opened])
        world.delivered.clear()
        run(world, message_id, to, source="m@evil.example")
        assert state(world, message_id, to) == expected
        assert (AUTHOR in [who for who, _ in world.delivered]) == (expected == "forwarded")


def test_a_reply_is_a_use_of_its_address(world: World) -> None:
    to = token(world)
    world.clock.time += LIFETIME - 60
    take(world, reply(to), to, source=JANE)
    world.clock.time += LIFETIME - 60
    assert state(world, take(world, reply(to), to, source=JANE), to) == "forwarded"


@pytest.mark.parametrize("days", [-15, 15])
def test_a_mail_of_other_days_is_none_that_is_sent_for_the_first_time(world: World, days: int) -> None:
    to = token(world)
    raw = reply(to, date=world.clock.time + days * 86400)
    assert state(world, take(world, raw, to, source=JANE), to) == "quarantined"


def test_a_robot_is_not_passed_on_and_no_one_hears(world: World) -> None:
    to = token(world)
    message_id = take(world, reply(to, more="Auto-Submitted: auto-replied\r\n"), to, source=JANE)
    assert (state(world, message_id, to), world.delivered) == ("discarded", [])


def test_more_than_a_day_takes_waits(world: World) -> None:
    to = token(world)
    world.cloud.put("AliasTable", [{"address": "#settings", "rate_cap": 0, "replies_per_day": 2}])
    for _ in range(2):
        take(world, reply(to), to, source=JANE)
    last = take(world, reply(to), to, source=JANE)
    assert state(world, last, to) == "deferred"
    assert sent(world)[2:] == [f"{JANE}: Your reply was not sent"]
    world.clock.time += 86400
    assert run(world, last, to, source=JANE) is None
    assert state(world, last, to) == "forwarded"


def test_a_suspended_destination_may_not(world: World) -> None:
    to = token(world)
    world.cloud.put("DestinationTable", [{"address": JANE, "suspended_at": 1, "reason": "gone"}])
    assert state(world, take(world, reply(to), to, source=JANE), to) == "quarantined"
    assert [who for who, _ in world.delivered] == ["d2@dest.example"]


def test_what_ses_refuses_is_told(world: World) -> None:
    to = token(world)
    more = (
        'Content-Type: application/octet-stream; name="a.exe"\r\nContent-Disposition: attachment; filename="a.exe"\r\n'
    )
    message_id = take(world, reply(to, more=more), to, source=JANE)
    assert state(world, message_id, to) == "failed"
    assert sent(world) == [f"{JANE}: Your reply was not sent"]


def test_the_thread_holds_on_both_sides(world: World) -> None:
    to = token(world)
    more = "Message-ID: <own@private.lan>\r\nReferences: <1@sender.example> <0102@eu-west-1.amazonses.com>\r\n"
    message_id = take(world, reply(to, more=more), to, source=JANE)
    out = world.delivered[-1][1]
    assert b"References: <1@sender.example>\r\n" in out
    ses_id = world.entries(message_id)[f"via:{AUTHOR}"]["detail"]
    answer = (
        f"From: {AUTHOR}\r\nMessage-ID: <2@sender.example>\r\nIn-Reply-To: <{ses_id}@eu-west-1.amazonses.com>\r\n\r\nx"
    )
    take(world, answer.encode(), INFO)
    assert b"In-Reply-To: <own@private.lan>\r\n" in world.delivered[-1][1]


def test_who_takes_no_replies_makes_no_rows(world: World) -> None:
    world.cloud.put("AliasTable", [{"address": INFO, "destinations": [JANE]}])
    world.interference.calls.clear()
    take(world, f"From: {AUTHOR}\r\n\r\nx".encode(), INFO)
    assert b"Reply-To: betsy@sender.example" in world.delivered[-1][1]
    assert world.cloud.partition("LedgerTable", message_id=CONTACTS) == []


WAYS = [
    (True, False),
    *(pytest.param(*one, marks=pytest.mark.long) for one in ((True, True), (False, False), (False, True))),
]


def each_fault(
    world: World, kills: bool, after: bool, raw: Callable[[], bytes], to: str, source: str
) -> Iterator[tuple[str, str, bool]]:
    """(the message's id, where the fault was, whether what SES took may come twice), after all retries."""
    for _ in range(2):  # the first reads the key, once for each container
        world.interference.calls.clear()
        world.clock.time += 3600
        take(world, raw(), to, source=source)
        calls = list(world.interference.calls)
    for position in range(len(calls)):
        fault = Fault(position, after, kills)
        world.delivered.clear()
        world.clock.time += 3600
        message_id = store(world, raw(), to, source=source)
        world.interference.calls.clear()
        world.interference.choose = lambda number, call, fault=fault: fault if number == fault.position else None  # type: ignore[misc]
        run(world, message_id, to, source=source)
        world.interference.choose = lambda number, call: None
        for _ in range(10):
            world.clock.time += 300
            if run(world, message_id, to, source=source) is None:
                break
        settling = calls[position - 1] == SEND and kills and not after
        yield message_id, f"{fault} at {calls[position]}", (calls[position] == SEND and after) or settling
        assert "open" not in world.entries(message_id)["message"], calls[position]


@pytest.mark.parametrize(("kills", "after"), WAYS)
def test_a_fault_at_any_call_loses_no_reply_and_doubles_none(world: World, after: bool, kills: bool) -> None:
    to = token(world)
    raw = partial(reply, to, more="Message-ID: <own@private.lan>\r\n")
    for message_id, where, doubled in each_fault(world, kills, after, raw, to, JANE):
        assert [who for who, _ in world.delivered] == [AUTHOR] * (2 if doubled else 1), where
        assert state(world, message_id, to) == "forwarded", where


@pytest.mark.long
@pytest.mark.parametrize(("kills", "after"), WAYS)
def test_a_fault_at_any_call_of_a_forward_with_a_reply_address(world: World, after: bool, kills: bool) -> None:
    names = count()

    def raw() -> bytes:
        return b"From: n%d@sender.example\r\nMessage-ID: <%d@sender.example>\r\n\r\nx" % (number := next(names), number)

    for message_id, where, _ in each_fault(world, kills, after, raw, INFO, AUTHOR):
        got = sorted(who for who, _ in world.delivered)
        # Both go out side by side, in no order: which a fault meets cannot be told, and a death meets both.
        assert set(got) == {JANE, "d2@dest.example"}, where
        assert max(got.count(who) for who in got) <= 2, where
        assert all(b" <reply+" in one for _, one in world.delivered), where
        assert state(world, message_id, INFO) == "forwarded", where


@pytest.mark.long
@pytest.mark.parametrize(("kills", "after"), WAYS)
def test_a_fault_at_any_call_of_a_reply_that_is_refused(world: World, after: bool, kills: bool) -> None:
    to = token(world)
    raw = partial(reply, to, author="m@evil.example")
    for message_id, where, doubled in each_fault(world, kills, after, raw, to, "m@evil.example"):
        assert [who for who, _ in world.delivered] == [JANE] * (2 if doubled else 1), where
        assert state(world, message_id, to) == "quarantined", where
