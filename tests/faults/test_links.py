"""What a link does ends the same, whatever call its function is killed at, or the network fails at.

Pressed again, once the lease is over: the deed is done, once, and the ledger says so.
"""

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, cast

import pytest
from postern_mail.aws.links import assembly
from postern_mail.aws.links.book import LEASE
from postern_mail.aws.mail_log import CloudWatchMailLog
from postern_mail.aws.stack_keys import LINKS, make_keys
from postern_mail.environment import LinksEnvironment
from postern_mail.links import Links
from postern_mail.mail import link as links
from postern_mail.mail.link import Deed, Link

from tests.builders import event, verdict
from tests.faults.world import LIFE, Fault, Killed, Life, World
from tests.rights import acting

pytestmark = [pytest.mark.function("InboundFunction"), pytest.mark.slow]

ALIAS, DESTINATION, SENDER = "a@example.com", "d1@dest.example", "betsy@sender.example"
NEW = "new@example.com"  # a catch-all answers for it
MOST_CALLS = 20


class Log:
    def link(self, link: Link, said: str) -> None:
        """Of no interest."""


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(assembly, "SystemClock", lambda: world.clock)
    queued(world)  # what others left
    make_keys(world.cloud.dynamodb, world.template.name("LedgerTable"), [LINKS], world.clock.time)
    yield world
    aliases = [{"address": one} for one in (ALIAS, NEW, "@example.com")]
    world.cloud.delete("AliasTable", aliases)
    world.cloud.delete("SenderTable", [{"sender": SENDER, "scope": "*"}])
    made = [row for row in world.cloud.rows("LedgerTable") if row["message_id"].startswith("#link:")]
    world.cloud.delete("LedgerTable", ({name: row[name] for name in ("message_id", "entry")} for row in made))
    world.cloud.put("AliasTable", [{"address": ALIAS, "destinations": [DESTINATION, "d2@dest.example"]}])
    world.cloud.put("DestinationTable", [{"address": DESTINATION, "delivered_at": 1_700_000_000}])


def door(world: World) -> Links:
    template = world.template
    variables = {
        **template.resource("LinksFunction")["Environment"]["Variables"],
        "POSTERN_DESTINATION_TABLE": template.name("DestinationTable"),
        "POSTERN_RETRY_QUEUE": str(template.resolve({"Ref": "RetryQueue"})),
    }
    with acting("LinksFunction"):
        made = assembly.links(LinksEnvironment.from_environment(variables), cast("CloudWatchMailLog", Log()))
    world.interference.calls.clear()  # the key was read
    return made


def queued(world: World) -> list[dict[str, Any]]:
    """The events on the retry queue, which is empty then."""
    queue, sqs = str(world.template.resolve({"Ref": "RetryQueue"})), world.cloud.sqs
    found: list[dict[str, Any]] = []
    while letters := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
        for one in letters:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
            found.append(json.loads(one["Body"])["requestPayload"])
    return found


def kept(world: World) -> str:
    """A message in quarantine for one alias."""
    message_id = world.store(ALIAS)
    world.forwarder.handle(event(ALIAS, message_id=message_id, spamVerdict=verdict("FAIL")), world.clock.now() + 30)
    return message_id


def stranger(world: World) -> str:
    world.cloud.delete("SenderTable", [{"sender": SENDER, "scope": "*"}])
    return ""


def on(world: World) -> str:
    world.cloud.put("AliasTable", [{"address": ALIAS, "destinations": [DESTINATION]}])
    return ""


def catch_all(world: World) -> str:
    world.cloud.delete("AliasTable", [{"address": NEW}])
    world.cloud.put("AliasTable", [{"address": "@example.com", "destinations": [DESTINATION]}])
    return ""


def suspended(world: World) -> str:
    world.cloud.put("DestinationTable", [{"address": DESTINATION, "suspended_at": 1, "reason": "it bounced"}])
    return ""


def row(world: World, table: str, **key: str) -> dict[str, Any]:
    (found,) = [one for one in world.cloud.rows(table) if key.items() <= one.items()] or [{}]
    return found


def released(world: World, message_id: str) -> None:
    """It comes once, however many events say that it may."""
    events = queued(world)
    assert events
    for one in events:
        world.forwarder.handle(one, world.clock.now() + 30)
    assert world.copies(message_id) == {DESTINATION: 1, "d2@dest.example": 1}
    assert world.entries(message_id)[f"to:{ALIAS}"]["state"] == "forwarded"


def blocked(world: World, message_id: str) -> None:
    del message_id
    found = row(world, "SenderTable", sender=SENDER)
    assert (found["reject"], found["made_by"]) == ("", "link")


def off(world: World, message_id: str) -> None:
    del message_id
    found = row(world, "AliasTable", address=ALIAS)
    assert (found["enabled"], found["destinations"], "made_by" in found) == (False, [DESTINATION], False)


def off_alone(world: World, message_id: str) -> None:
    del message_id
    found = row(world, "AliasTable", address=NEW)
    assert (found["enabled"], found["made_by"], "destinations" in found) == (False, "link", False)
    assert "enabled" not in row(world, "AliasTable", address="@example.com")


def resumed(world: World, message_id: str) -> None:
    del message_id
    found = row(world, "DestinationTable", address=DESTINATION)
    assert (found["resumed_by"], "suspended_at" in found) == ("link", False)


# By name: (before, the deed, of whom, what must be after it, and what the page says of it)
Check = Callable[[World, str], None]
DEEDS: dict[str, tuple[Callable[[World], str], Deed, str, Check, str]] = {
    "release": (kept, Deed.RELEASE, ALIAS, released, "is released for"),
    "block": (stranger, Deed.BLOCK, SENDER, blocked, f"postern sender remove {SENDER}"),
    "off": (on, Deed.OFF, ALIAS, off, f"postern alias enable {ALIAS}"),
    "off one of a catch-all": (catch_all, Deed.OFF, NEW, off_alone, f"postern alias remove {NEW}"),
    "resume": (suspended, Deed.RESUME, DESTINATION, resumed, ""),
}


def press(answers: Links, world: World, url: str) -> int | str:
    """The status of the page after the button, and what it says if that was 200; 0 if the function was killed."""
    mine = LIFE.set(Life())
    try:
        page = answers.answer("POST", f"/{url}", f"press={links.button(answers.key, url)}")
    except Killed:
        return 0
    finally:
        LIFE.reset(mine)
    return page.body if page.status == 200 else page.status


def ways() -> Iterator[Any]:
    """What was done and not heard of in every gate, as it is the worse; the rest, and most of the longest, in the long
    one."""
    for name, after, kills in product(DEEDS, (True, False), (True, False)):
        is_short = after and (kills or name != "release")
        when, how = "after" if after else "before", "killed" if kills else "network"
        yield pytest.param(name, after, kills, id=f"{name}-{when}-{how}", marks=() if is_short else pytest.mark.long)


@pytest.mark.parametrize(("name", "after", "kills"), ways())
def test_no_position_leaves_half_a_deed(world: World, name: str, after: bool, kills: bool) -> None:
    before, deed, who, check, said = DEEDS[name]
    answers, faults = door(world), 0
    for position in range(MOST_CALLS):
        world.interference.choose = lambda number, call: None
        message_id = before(world)
        url = links.signed(answers.key, Link(deed, message_id, who, int(world.clock.time) + 3600 + position))
        fault, hit = Fault(position, after, kills), list[str]()

        def choose(number: int, call: str, fault: Fault = fault, hit: list[str] = hit) -> Fault | None:
            if number == fault.position:
                hit.append(call)
                return fault
            return None

        world.interference.calls.clear()
        world.interference.choose = choose
        page = press(answers, world, url)
        world.interference.choose = lambda number, call: None
        if not hit:
            break
        faults += 1
        what = f"{fault} at {hit[0]}"
        # boto3 itself asks again where the network failed, and the deed is then done and said to be done.
        assert (page == 0) if kills else (isinstance(page, str) and said in page), what
        if kills:
            world.clock.time += LEASE + 1
            page = press(answers, world, url)
            assert isinstance(page, str) or page == 404, what  # 404: it was noted before the process ended
            if isinstance(page, str):
                assert said in page or "Nothing was done" in page, what
        check(world, message_id)
        assert (press(answers, world, url), queued(world)) == (404, []), f"{what}: it was used"
    assert faults >= 4, "the entries, the lease, the deed, and what came of it"


def test_two_who_press_at_once_have_one_lease(world: World) -> None:
    message_id = kept(world)
    answers = door(world)
    link = Link(Deed.RELEASE, message_id, ALIAS, int(world.clock.time) + 600)
    name = links.name(links.signed(answers.key, link))
    assert [answers.book.take(link, name) for _ in range(3)] == [True, False, False], "in the same second"
