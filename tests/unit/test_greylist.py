"""The grey hold: whom it holds, for how long, and that a message that was held is a message like others."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pytest
from postern_mail.errors import Misconfigured, Throttled, Unsettled
from postern_mail.mail.address import Address
from postern_mail.mail.dns import Answer, Answers, Question
from postern_mail.mail.greylist import CLIENTS_KEY, KEYS, RECIPIENTS_KEY, Whitelist, network, normalised, triplet
from postern_mail.mail.list_health import Lists
from postern_mail.mail.rows import Rows, SenderKey
from postern_mail.screening import Screening

from tests.builders import MESSAGE_ID, event, stored
from tests.fakes import FakeGreyBook, FakeMailStore, FakeTables
from tests.forwarding_world import JANE, JOE, RAW, World

INFO, TEAM = "info@example.com", "team@example.com"
COP = "bl.spamcop.net"


@dataclass
class FakeResolver:
    answers: dict[Question, Answer] = field(default_factory=dict)

    def ask(self, questions: Any, seconds: float) -> Answers:
        del seconds
        return {one: self.answers.get(one, Answer()) for one in questions}


@dataclass
class FakeBook:
    def lists(self) -> Lists:
        return Lists()

    def note_clients(self, before: Lists, after: Lists) -> None:
        pass


@dataclass
class Grey:
    """Messages that nothing authenticates, from one client unless told."""

    world: World = field(default_factory=World)
    grey: FakeGreyBook = field(default_factory=FakeGreyBook)
    resolver: FakeResolver = field(default_factory=FakeResolver)
    count: int = 0

    def __post_init__(self) -> None:
        screening = Screening(resolver=self.resolver, book=FakeBook(), grey=self.grey, key=lambda: "")
        self.world.screening = screening
        self.world.tables.aliases["#settings"] = {"greylist": True}
        self.world.tables.destinations |= {one: {"delivered_at": 1} for one in (JANE, JOE)}  # no brake

    def settings(self, **more: object) -> None:
        self.world.tables.aliases["#settings"] = {"greylist": True, **more}

    def new(self, *recipients: str, client: str = "192.0.2.9", source: str = "b@sender.example", **more: Any) -> Any:
        """The event of a new message that is stored."""
        self.count += 1
        message_id = f"{MESSAGE_ID}{self.count}"
        raw = stored(RAW, source=source, spf="none", message_id=message_id, **more).replace(
            b"192.0.2.9", client.encode()
        )
        self.world.store.messages[message_id] = raw
        return event(*(recipients or (INFO,)), source=source, message_id=message_id)

    def run(self, made: Any) -> list[str]:
        self.world.handle(made)
        message_id = made["Records"][0]["ses"]["mail"]["messageId"]
        return list(self.world.ledger.states(message_id).values())

    def reason(self, made: Any) -> str:
        outcomes = self.world.ledger.outcomes
        return outcomes[made["Records"][0]["ses"]["mail"]["messageId"], INFO].reason


@pytest.fixture
def grey() -> Grey:
    return Grey()


def test_the_first_such_mail_is_held_and_woken_and_nothing_is_raised(grey: Grey) -> None:
    now = grey.world.clock.time
    made = grey.new()
    assert grey.run(made) == ["deferred"]
    assert grey.world.mailer.sent == []
    ((woken, release_at),) = grey.world.queue.woken
    assert release_at == now + 60
    assert grey.reason(made).startswith("grey hold until 20")
    grey.world.clock.time += 60
    assert grey.run(woken) == ["forwarded"]
    assert len(grey.world.mailer.sent) == 1
    assert len(grey.world.queue.woken) == 1


def test_an_attempt_before_its_time_holds_it_further_and_one_later_does_not(grey: Grey) -> None:
    made = grey.new()
    grey.run(made)
    grey.world.clock.time += 59
    assert grey.run(made) == ["deferred"]
    assert [at for _, at in grey.world.queue.woken] == [grey.world.clock.time + 1] * 2
    grey.world.clock.time += 1
    assert grey.run(made) == ["forwarded"]


def test_it_is_screened_again_with_fresh_answers(grey: Grey) -> None:
    grey.settings(dnsbl_sites=COP)
    made = grey.new()
    grey.run(made)
    grey.world.clock.time += 60
    grey.resolver.answers[Question(f"9.2.0.192.{COP}")] = Answer(("127.0.0.2",))
    assert grey.run(made) == ["quarantined"]
    assert grey.world.mailer.sent == []


def test_what_is_listed_at_once_is_not_remembered_as_seen(grey: Grey) -> None:
    grey.settings(dnsbl_sites=COP)
    grey.resolver.answers[Question(f"9.2.0.192.{COP}")] = Answer(("127.0.0.2",))
    assert grey.run(grey.new()) == ["quarantined"]
    assert grey.grey.first == {}


@pytest.mark.parametrize(
    ("second", "state"),
    [
        ({}, "forwarded"),
        ({"client": "192.0.2.77"}, "forwarded"),
        ({"source": "B+tag@sender.example"}, "forwarded"),
        ({"client": "192.0.3.9"}, "deferred"),
        ({"source": "other@sender.example"}, "deferred"),
    ],
)
def test_who_was_seen_before_is_not_held(grey: Grey, second: dict[str, str], state: str) -> None:
    grey.run(grey.new())
    grey.world.clock.time += 61
    assert grey.run(grey.new(**second)) == [state]


def test_what_was_not_seen_for_max_age_is_held_again(grey: Grey) -> None:
    grey.run(grey.new())
    grey.world.clock.time += 35 * 86400
    assert grey.run(grey.new()) == ["forwarded"]
    grey.world.clock.time += 35 * 86400 + 1
    assert grey.run(grey.new()) == ["deferred"]


def test_a_client_with_five_such_messages_is_held_no_more(grey: Grey) -> None:
    for number in range(5):
        grey.run(grey.new(source=f"a{number}x@sender.example"))
        grey.world.clock.time += 3600
        assert grey.run(grey.new(source=f"a{number}x@sender.example")) == ["forwarded"]
        assert grey.run(grey.new(source=f"a{number}x@sender.example")) == ["forwarded"], "counts once an hour"
    assert grey.run(grey.new(source="new@sender.example")) == ["forwarded"]
    assert grey.run(grey.new(source="new@sender.example", client="192.0.2.10")) == ["deferred"], "another address"
    grey.settings(greylist_auto_whitelist_clients=0)
    assert grey.run(grey.new(source="newer@sender.example")) == ["deferred"]


@pytest.mark.parametrize("verdict", ["spfVerdict", "dmarcVerdict"])
def test_who_is_authenticated_is_never_held(grey: Grey, verdict: str) -> None:
    made = grey.new()
    made["Records"][0]["ses"]["receipt"][verdict] = {"status": "PASS"}
    assert grey.run(made) == ["forwarded"]
    assert grey.grey.first == {}


@pytest.mark.parametrize(("signed", "state"), [("sender.example", "forwarded"), ("other.example", "deferred")])
def test_a_signature_counts_if_it_is_aligned(grey: Grey, signed: str, state: str) -> None:
    assert grey.run(grey.new(dkim=signed)) == [state]


def test_an_unknown_sender_is_held_all_the_same(grey: Grey) -> None:
    made = grey.new()
    message_id = f"{MESSAGE_ID}1"
    grey.world.store.messages[message_id] = grey.world.store.messages[message_id].replace(
        b" (mx.sender.example [192.0.2.9])", b""
    )
    assert grey.run(made) == ["deferred"]
    assert grey.grey.first.keys() == {triplet("", "b@sender.example", Address.parse(INFO))}


def test_ok_excuses_and_so_does_a_person(grey: Grey) -> None:
    made = grey.new()
    grey.run(made)
    grey.world.ledger.released.add(INFO)
    assert grey.run(made) == ["forwarded"]
    grey.world.tables.senders["else.example", "*"] = {"action": "OK"}
    grey.world.ledger.released.clear()
    assert grey.run(grey.new(source="x@else.example")) == ["forwarded"]


def test_one_recipient_waits_and_the_other_does_not(grey: Grey) -> None:
    grey.world.tables.aliases[RECIPIENTS_KEY] = {"lines": ["# ours", "team@"]}
    made = grey.new(INFO, TEAM)
    assert sorted(grey.run(made)) == ["deferred", "forwarded"]
    ((woken, _),) = grey.world.queue.woken
    assert woken["Records"][0]["ses"]["receipt"]["recipients"] == [INFO]
    grey.world.clock.time += 60
    assert sorted(grey.run(woken)) == ["forwarded", "merged"] or sorted(grey.run(woken)) == ["forwarded", "forwarded"]
    assert len(grey.world.mailer.sent) == 2, "Jane has it once, Joe once"


def test_another_failure_raises_beside_a_hold(grey: Grey) -> None:
    with pytest.raises(Unsettled, match="1 recipient deferred: bad@example.com"):
        grey.world.handle(grey.new(INFO, "bad@example.com"))
    assert len(grey.world.queue.woken) == 1


def test_a_hold_that_cannot_be_woken_is_tried_again(grey: Grey) -> None:
    grey.world.queue.failure = Throttled("SQS SendMessage")
    made = grey.new()
    with pytest.raises(Throttled):
        grey.world.handle(made)
    grey.world.queue.failure = None
    assert grey.run(made) == ["deferred"]
    assert len(grey.world.queue.woken) == 1


@pytest.mark.parametrize(
    ("line", "name", "own", "held"),
    [
        ("192.0.2.9", "", False, False),
        ("192.0.2", "", False, False),
        ("192.0.2.0/28", "", False, False),
        ("192.0.2.1", "", False, True),
        ("192.0.2.90", "", False, True),
        ("sender.example", "mx.sender.example", True, False),
        ("sender.example", "mx.sender.example", False, True),
        ("/^mx\\d*\\.SENDER/", "mx.sender.example", True, False),
        ("ender.example", "mx.sender.example", True, True),
    ],
)
def test_postgreys_whitelist_of_clients(grey: Grey, line: str, name: str, own: bool, held: bool) -> None:
    """A name counts only if it has the client's address: the owner of an address names it at will."""
    grey.world.tables.aliases[CLIENTS_KEY] = {"lines": [line]}
    grey.resolver.answers[Question(name or "mx.sender.example")] = Answer(("192.0.2.9",) if own else ("192.0.2.8",))
    assert grey.run(grey.new()) == (["deferred"] if held else ["forwarded"])


@pytest.mark.parametrize(
    ("line", "recipient", "has"),
    [
        ("info@", INFO, True),
        ("info@", "info+x@example.com", True),
        ("info@example.com", "info+x@example.com", True),
        ("info@other.example", INFO, False),
        ("example.com", INFO, True),
        ("example.com", "a@sub.example.com", True),
        ("ample.com", INFO, False),
        ("/^in.o@/", INFO, True),
        ("abuse@", "abuse@example.com", True),
    ],
)
def test_postgreys_whitelist_of_recipients(line: str, recipient: str, has: bool) -> None:
    assert Whitelist.recipients([line]).has_recipient(Address.parse(recipient)) is has


@pytest.mark.parametrize("line", ["/[/", "/a(?=b)/", "300.1.1.1/33", "two words", "/x"])
def test_a_line_that_cannot_be_understood_is_named(grey: Grey, line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        Whitelist.clients(["# a comment", line])
    grey.world.tables.aliases[CLIENTS_KEY] = {"lines": [line]}
    with pytest.raises(Misconfigured, match="postgrey_whitelist_clients"):
        grey.run(grey.new())


@pytest.mark.parametrize(
    ("sender", "key"),
    [
        ("A@B.Example", "a@b.example"),
        ("list-bounces-12345@x.example", "list-bounces-#@x.example"),
        ("user2@x.example", "user2@x.example"),
        ("user+tag@x.example", "user@x.example"),
        ("prvs=1234abcdef=user@x.example", "user@x.example"),
        ("<>", ""),
        ("no address", "no address"),
    ],
)
def test_what_of_a_sender_counts(sender: str, key: str) -> None:
    assert normalised(sender) == key


def test_networks() -> None:
    assert [network(one) for one in ("192.0.2.77", "2001:db8:0:1:2::3", "")] == [
        "192.0.2.0",
        "2001:db8:0:1::",
        "unknown",
    ]


@dataclass
class Recording(FakeTables):
    asked: set[str] = field(default_factory=set)

    def read(
        self, aliases: Collection[str], senders: Collection[SenderKey], destinations: Collection[str] = ()
    ) -> Rows:
        self.asked |= set(aliases)
        return super().read(aliases, senders, destinations)


@pytest.mark.parametrize("on", [True, False])
def test_without_the_hold_no_more_is_read(on: bool) -> None:
    row = {"destinations": [JANE]}
    tables = Recording({INFO: row, "#settings": {"greylist": on}})
    world = World(tables=tables, store=FakeMailStore({MESSAGE_ID: stored(RAW)}))
    world.handle(event(INFO))
    assert tables.asked.isdisjoint(KEYS) is not on
    assert tables.calls == 2
