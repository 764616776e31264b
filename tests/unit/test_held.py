"""What the hourly check does for screening: it wakes what is overdue, and tests the lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from postern_mail.errors import Unavailable
from postern_mail.held import GRACE, Held, overdue
from postern_mail.list_tests import ListTests
from postern_mail.mail.dns import NONE, Answer, Answers, Question
from postern_mail.mail.envelope import Envelope
from postern_mail.mail.list_health import Lists, Seen
from postern_mail.mail.settings import KEY

from tests.fakes import FakeClock, FakeTables, FakeWatchState

NOW = FakeClock().time
LATE = int(NOW) - GRACE - 1
COP, URI, ZEN = "bl.spamcop.net", "uri.example", "zen.dq.spamhaus.net"


@dataclass
class FakeQueue:
    put: list[tuple[Envelope, str]] = field(default_factory=list)

    def put_event(self, event: Mapping[str, Any], by: str) -> None:
        self.put.append((Envelope.from_event(event), by))


def book(message: Mapping[str, Any], **recipients: Mapping[str, Any]) -> FakeWatchState:
    own = {"opened_at": 1.0, "open": "open", "source": "b@sender.example", **message}
    others = {f"to:{name}@example.com": dict(entry) for name, entry in recipients.items()}
    return FakeWatchState(own={"m": own}, others={"m": others})


@pytest.mark.parametrize(
    ("message", "recipients", "woken"),
    [
        ({"release_at": LATE}, {"a": {"state": "deferred", "release_at": LATE}}, ("a@example.com",)),
        ({"release_at": LATE}, {"a": {"state": "deferred", "release_at": LATE + 1}}, ()),
        ({"release_at": LATE}, {"a": {"state": "forwarded", "release_at": LATE}}, ()),
        (
            {"release_at": LATE},
            {"a": {"state": "deferred"}, "b": {"state": "deferred", "release_at": LATE}},
            ("b@example.com",),
        ),
        ({}, {"a": {"state": "deferred", "release_at": LATE}}, ()),
        ({"release_at": LATE}, {"a": {}}, ()),
    ],
)
def test_only_what_is_held_and_overdue_is_woken(
    message: Mapping[str, Any], recipients: Mapping[str, Any], woken: tuple[str, ...]
) -> None:
    found, queue = book(message, **recipients), FakeQueue()
    assert overdue(found, NOW) == ({"m": woken} if woken else {})
    assert Held(book=found, queue=queue, clock=FakeClock()).run() == (("m",) if woken else ())
    assert [(one.key, by) for envelope, by in queue.put for one in envelope.recipients] == [
        (who, "watch") for who in woken
    ]


@dataclass
class Testing:
    """A test of lists, by what a DNS answers."""

    settings: dict[str, Any]
    answers: dict[Question, Answer] = field(default_factory=dict)
    lists_: Lists = field(default_factory=Lists)
    faster: int = 0
    told: list[Mapping[str, str]] = field(default_factory=list)
    key: str = ""
    __test__ = False

    def ask(self, questions: Any, seconds: float) -> Answers:
        del seconds
        self.asked = {one.name for one in questions}
        return {one: self.answers[one] for one in questions if one in self.answers}

    def lists(self, silent: Mapping[str, str] | None = None) -> Any:
        """The book's, and the log's."""
        if silent is None:
            return self.lists_
        self.told.append(silent)
        return None

    def note_faults(self, before: Lists, after: Lists) -> bool:
        assert before == self.lists_
        if self.faster:
            self.faster -= 1
            self.lists_ = replace(self.lists_, version=self.lists_.version + 1)
            return False
        self.lists_ = after
        return True

    def run(self) -> "Testing":
        tables = FakeTables({KEY: self.settings})
        ListTests(tables=tables, resolver=self, book=self, key=lambda: self.key, log=self).run()
        return self


WELL = {
    Question(f"2.0.0.127.{COP}"): Answer(("127.0.0.2",)),
    Question(f"1.0.0.127.{COP}"): NONE,
    Question(f"TEST.{URI}"): Answer(("127.0.1.2",)),
    Question(f"INVALID.{URI}"): NONE,
}
BOTH = {"dnsbl_sites": COP, "rhsbl_sites": f"{URI}=127.0.1.2"}


def test_address_lists_by_addresses_and_domain_lists_by_names() -> None:
    done = Testing(BOTH, WELL).run()
    assert done.asked == {one.name for one in WELL}
    assert done.lists_.faulty == {}
    assert done.told == [{}]


@pytest.mark.parametrize("faster", [0, 1])
def test_a_list_that_lists_everything_is_told_until_it_recovers(faster: int) -> None:
    done = Testing(BOTH, {**WELL, Question(f"1.0.0.127.{COP}"): Answer(("127.0.0.2",))}, faster=faster).run()
    assert list(done.lists_.faulty) == [COP]
    done.answers = WELL
    assert done.run().lists_.faulty == {}
    assert [list(one) for one in done.told] == [[COP], []]


def test_what_is_not_answered_stays_as_it_was() -> None:
    done = Testing(BOTH, {}, Lists(faulty={COP: "why", "gone.example": "why"})).run()
    assert done.lists_.faulty == {COP: "why"}


def test_a_list_that_names_everyone_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    del capsys
    crowd = Lists(recent=tuple(Seen(f"c{number}", frozenset({URI})) for number in range(12)))
    assert list(Testing(BOTH, WELL, crowd).run().told[0]) == [URI]


def test_spamhaus_is_tested_with_a_key_only_and_nothing_without_lists() -> None:
    done = Testing({"dnsbl_sites": ZEN}, key="").run()
    assert done.told == []
    done = Testing({"dnsbl_sites": ZEN}, key="k").run()
    assert done.asked == {f"2.0.0.127.k.{ZEN}", f"1.0.0.127.k.{ZEN}"}
    assert Testing({}).run().told == []


def test_a_table_that_cannot_be_read_is_tried_again() -> None:
    tables = FakeTables({KEY: BOTH}, failure=Unavailable("DynamoDB"))
    with pytest.raises(Unavailable):
        ListTests(tables=tables, resolver=Testing({}), book=Testing({}), key=str, log=Testing({})).run()
