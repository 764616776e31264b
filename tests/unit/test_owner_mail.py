"""One digest for each day that has something to tell, whatever fails and however often it runs."""

import quopri
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import pytest
from postern_mail.errors import Refused, Throttled, Unanswered
from postern_mail.mail.address import Address
from postern_mail.mail.days import A_DAY
from postern_mail.mail.digest import LEARNED, Line, Noted, Section
from postern_mail.mail.link import Deed, Door, Link, read
from postern_mail.mail.link_lines import LinkLines
from postern_mail.mail.week import Week
from postern_mail.owner_mail import OwnerMail

from tests.fakes import LEASE_SECONDS, FakeClock, FakeLedger, FakeMailer, FakeMailLog

OWNER = "owner@dest.example"
DEAD = Section("dead letters", (), 2)


@dataclass
class FakeNews:
    noted_: list[Noted] = field(default_factory=list)
    sections: tuple[Section, ...] = ()
    asked: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    def noted(self, since: float, now: float) -> Iterator[Noted]:
        return (one for one in self.noted_ if one.noted_at >= since)

    def reason(self, noted: Noted) -> str:
        self.asked.append(noted.message_id)
        return "spam FAIL"

    def aliases(self, day: str) -> Collection[Section]:
        assert day
        return [Section(LEARNED, tuple(Line(name) for name in self.names), len(self.names))] if self.names else []

    def week(self, day: str) -> Week:
        return Week({day: self.counts}, {}, {"info@example.com": 3}) if self.counts else Week({}, {}, {})

    def standing(self) -> Collection[Section]:
        return self.sections


@dataclass
class Desk:
    """One stack at 5 in the morning."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(20_000 * A_DAY + 5 * 3600))
    news: FakeNews = field(default_factory=FakeNews)
    mailer: FakeMailer = field(default_factory=FakeMailer)
    log: FakeMailLog = field(default_factory=FakeMailLog)
    links: LinkLines | None = None

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(self.clock)

    def run(self) -> None:
        OwnerMail(
            news=self.news,
            ledger=self.ledger,
            mailer=self.mailer,
            clock=self.clock,
            log=self.log,
            owner=Address.parse(OWNER),
            sender=Address("postmaster", "example.com"),
            stack="postern",
            links=self.links,
        ).run()

    def note(self, word: str = "quarantined", ago: float = 12 * 3600, message_id: str = "m1") -> None:
        self.news.noted_.append(Noted(word, message_id, "a@sender.example", "info@example.com", self.clock.now() - ago))

    @property
    def subjects(self) -> list[str]:
        return [raw.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode() for _, _, raw in self.mailer.sent]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_nothing_to_say_is_no_mail(desk: Desk) -> None:
    desk.run()
    assert (desk.mailer.sent, desk.ledger.claims) == ([], {})


def test_a_day_is_told_of_once(desk: Desk) -> None:
    desk.note()
    desk.note("failed", message_id="m2")
    for _ in range(3):
        desk.run()
    assert desk.subjects == ["example.com mail on 2024-10-03: failed 1, quarantined 1"]
    assert desk.mailer.sent[0][:2] == ("postmaster@example.com", OWNER)


def test_what_is_noted_today_waits_for_tomorrow(desk: Desk) -> None:
    desk.note(ago=3600)
    desk.run()
    assert desk.subjects == []
    desk.clock.time += A_DAY
    desk.run()
    assert desk.subjects == ["example.com mail on 2024-10-04: quarantined 1"]


def test_a_day_on_which_nothing_worked_is_told_of_later(desk: Desk) -> None:
    desk.note()
    desk.mailer.script[OWNER] = [Throttled("slow")]
    with pytest.raises(Throttled):
        desk.run()
    desk.clock.time += A_DAY
    desk.note(message_id="m3")
    desk.run()
    assert [subject.partition(": ")[0] for subject in desk.subjects] == [
        "example.com mail on 2024-10-03",
        "example.com mail on 2024-10-04",
    ]


def test_an_answer_that_got_lost_is_counted_when_it_is_sent_again(desk: Desk) -> None:
    desk.note()
    desk.mailer.script[OWNER] = [Unanswered("?")]
    with pytest.raises(Unanswered):
        desk.run()
    desk.clock.time += LEASE_SECONDS + 1
    desk.run()
    assert (len(desk.subjects), desk.log.lines) == (1, [f"resent {OWNER}"])


def test_a_refusal_rings_and_is_no_end(desk: Desk) -> None:
    """Lambda's count of errors has an alarm, and nothing else would tell that the owner was told nothing."""
    desk.note(ago=A_DAY + 12 * 3600)
    desk.note(message_id="m2")
    desk.mailer.script[OWNER] = [Refused("no")]
    with pytest.raises(Refused, match="no"):
        desk.run()
    assert desk.subjects == ["example.com mail on 2024-10-03: quarantined 1"], "the other day is told of"
    claim = desk.ledger.claims["digest-2024-10-02", f"via:{OWNER}"]
    assert (claim.state, claim.detail) == ("released", "no")
    desk.run()
    assert len(desk.subjects) == 2
    assert desk.log.lines == ["failure Refused"]


def test_what_stands_is_told_each_day_until_it_is_corrected(desk: Desk) -> None:
    desk.news.sections = (DEAD,)
    desk.run()
    desk.run()
    desk.clock.time += A_DAY
    desk.run()
    assert desk.subjects == [
        "example.com mail on 2024-10-03: dead letters 2",
        "example.com mail on 2024-10-04: dead letters 2",
    ]


def test_a_bad_day_is_not_asked_about_line_by_line(desk: Desk) -> None:
    for number in range(1000):
        desk.note(message_id=f"m{number}")
    desk.run()
    assert desk.subjects == ["example.com mail on 2024-10-03: quarantined 1000"]
    assert len(desk.news.asked) == 100


def test_sundays_mail_has_the_week_once_and_others_have_not(desk: Desk) -> None:
    desk.news.counts = {"forwarded": 3}
    desk.clock.time -= 20 * A_DAY
    for _ in range(14):
        desk.run()
        desk.run()
        desk.clock.time += A_DAY
    assert desk.subjects == [
        "example.com mail on 2024-09-15: the week in figures",
        "example.com mail on 2024-09-22: the week in figures",
    ]


def test_learned_names_are_told(desk: Desk) -> None:
    desk.news.names = ("shop@example.com",)
    desk.run()
    assert desk.subjects[-1] == "example.com mail on 2024-10-03: new names 1"


KEY = b"k" * 32


def links_in(desk: Desk) -> list[Link]:
    """Those of the last digest."""
    text = quopri.decodestring(desk.mailer.sent[-1][2].partition(b"\r\n\r\n")[2]).decode()
    found = [read(KEY, text, desk.clock.now()) for text in re.findall(r"https://door\.example/(\S+)", text)]
    assert None not in found
    return [one for one in found if one]


def test_below_what_is_kept_are_links_that_hold_for_a_week(desk: Desk) -> None:
    desk.links = LinkLines(Door("https://door.example/", KEY), {"example.com"})
    desk.note()
    desk.note("failed", message_id="m2")
    desk.run()
    links = links_in(desk)
    assert [(one.deed, one.message_id, one.who) for one in links] == [
        (Deed.RELEASE, "m1", "info@example.com"),
        (Deed.BLOCK, "m1", "a@sender.example"),
        (Deed.OFF, "m1", "info@example.com"),
    ]
    assert {one.until for one in links} == {int(desk.clock.now()) + 7 * A_DAY}


@pytest.mark.parametrize("source", ["<>", "", "no address", "x@\u202emoc.example", "a b@x.example"])
def test_who_can_be_named_by_no_rule_is_not_blocked(desk: Desk, source: str) -> None:
    desk.links = LinkLines(Door("https://door.example/", KEY), {"example.com"})
    desk.news.noted_.append(Noted("quarantined", "m1", source, "info@example.com", desk.clock.now() - 12 * 3600))
    desk.run()
    assert [one.deed for one in links_in(desk)] == [Deed.RELEASE, Deed.OFF]


def test_a_reserved_key_is_not_switched_off(desk: Desk) -> None:
    desk.links = LinkLines(Door("https://door.example/", KEY), {"example.com"})
    desk.news.noted_.append(Noted("quarantined", "m1", "<>", "#settings@example.com", desk.clock.now() - 12 * 3600))
    desk.run()
    assert [one.deed for one in links_in(desk)] == [Deed.RELEASE]


def test_a_bad_day_has_an_end(desk: Desk) -> None:
    """Some mail programs cut a message off at 100 KB."""
    desk.links = LinkLines(Door("https://door.example/", KEY), {"example.com"})
    for number in range(1000):
        desk.note(message_id=f"m{number:036}")
    desk.run()
    assert len(links_in(desk)) == 3 * 30
    assert len(desk.mailer.sent[-1][2]) < 60_000
