"""What the hourly watch tells: each thing once, and once more when it is over, whatever kills it meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postern_mail.errors import Unavailable
from postern_mail.examination import MOST as NAMED
from postern_mail.examination import Examination, Examined, Finding, Grade
from postern_mail.ports.telling import Told
from postern_mail.teller import CLAIM, Teller
from postern_mail.telling import MOST, Known, Telling, compare
from postern_mail.watch_mail import MAX_BODY, MAX_SUBJECT, body, subject

from tests.fakes import FakeClock

ONE, TWO = Finding("one", "do it", about="1"), Finding("two", about="2", since=7.0)
SILENT = Finding("AWS says nothing", grade=Grade.NO_ANSWER)


def examined(*findings: Finding, cut: bool = False) -> list[Examined]:
    return [Examined("Group", "check", findings, "It means that.", cut)]


def new(telling: Telling) -> list[str]:
    return [one.finding.seen for section in telling.sections for one in section.new]


def over(telling: Telling) -> list[str]:
    return [known.seen for _, known in telling.over]


def test_what_is_new_is_told_once_and_once_more_when_it_is_over() -> None:
    first = compare({}, examined(ONE), 100)
    assert (new(first), over(first)) == (["one"], [])
    second = compare(first.known, examined(replace(ONE, seen="one, and more"), TWO), 200)
    assert (new(second), over(second), second.still) == (["two"], [], 1)
    assert second.known["check"] == {"1": Known("one", 100), "2": Known("two", 7)}
    third = compare(second.known, examined(TWO), 300)
    assert (new(third), over(third), third.still) == ([], ["one"], 1)
    quiet = compare(third.known, examined(TWO), 400)
    assert not quiet
    assert quiet.known == third.known


def test_what_comes_again_is_told_again() -> None:
    gone = compare(compare({}, examined(ONE), 1).known, examined(), 2)
    assert new(compare(gone.known, examined(ONE), 3)) == ["one"]


def test_a_silence_is_told_at_the_second_look_and_ends_nothing() -> None:
    told = compare({}, examined(ONE), 1)
    silent = compare(told.known, examined(SILENT), 2)
    assert not silent
    still = compare(silent.known, examined(SILENT), 3)
    assert (new(still), over(still)) == (["AWS says nothing"], [])
    back = compare(still.known, examined(ONE), 4)
    assert (new(back), over(back)) == ([], ["AWS says nothing"])
    assert not compare(compare({}, examined(SILENT), 1).known, examined(), 2), "one that passed was never told"


def test_what_is_not_named_any_more_is_not_over() -> None:
    """Of more than are named no one knows which of them ended."""
    many = [Finding(f"message {number}", about=str(number)) for number in range(MOST + 20)]
    told = compare({}, examined(*many), 1)
    assert len(new(told)) == MOST
    assert told.sections[0].more
    cut = compare(told.known, examined(*many[15:]), 2)
    assert over(cut) == []
    named = [*many[:NAMED], Finding("and more")]
    assert "and more" not in new(compare({}, examined(*named, cut=True), 1))


def test_what_was_not_looked_at_or_is_well_is_no_news() -> None:
    assert not compare({}, examined(Finding("no name", grade=Grade.NOT_CHECKED), Finding("fine", grade=Grade.OK)), 1)


THINGS = st.sets(st.sampled_from(["a", "b", "c"]))


@given(st.lists(THINGS, max_size=8))
def test_whoever_reads_every_mail_knows_what_is_so(looks: list[set[str]]) -> None:
    known: Mapping[str, Mapping[str, Known]] = {}
    believed: set[str] = set()
    for look in looks:
        telling = compare(known, examined(*(Finding(one, about=one) for one in sorted(look))), 1)
        assert not believed & set(new(telling)), "told twice"
        assert set(over(telling)) <= believed
        believed = (believed | set(new(telling))) - set(over(telling))
        assert believed == look
        assert telling.still == len(look - set(new(telling)))
        known = telling.known


# --- the mail -------------------------------------------------------------------------------------------------

HOSTILE = 'x"\nNEW: pay\x1b[31m http://evil.example/pay www.evil.example a@evil.example \u202e 5.1.1'


def test_a_strangers_words_stay_in_their_quotation_marks() -> None:
    finding = replace(ONE, quoted=HOSTILE)
    text = body(compare({}, examined(finding), 1), "example.com", "mail")
    (line,) = [one for one in text.splitlines() if "evil" in one]
    assert line.isprintable()
    assert line.count('"') == 2
    assert line.endswith('"')
    assert "http[:]//evil[.]example/pay www[.]evil[.]example a[@]evil[.]example" in line
    assert "5.1.1" in line


def test_it_has_an_end_and_an_ascii_subject() -> None:
    many = [
        Examined("G", f"check {number}", tuple(Finding("x" * 900, "y" * 900, about=str(one)) for one in range(50)))
        for number in range(15)
    ]
    telling = compare({}, many, 1)
    text = body(telling, "example.com", "mail")
    assert len(text.encode()) < MAX_BODY + 100
    assert text.endswith("There is more: `postern doctor --stack mail`\n")
    said = subject(telling, f"{'a' * 63}.{'b' * 63}.example")
    assert len(said) <= MAX_SUBJECT
    assert said.isascii()


# --- the shell, killed at every call --------------------------------------------------------------------------


class Killed(BaseException):
    """The function's process ends here."""


@dataclass
class World:
    """A ledger's item, people's mailbox, and a kill before or after the call with a number."""

    found: Sequence[Finding] = ()
    mails: list[tuple[str, str]] = field(default_factory=list)
    kept: Told = field(default_factory=Told)
    claimed_until: float = 0
    heard: bool = True
    kill: tuple[int, bool] | None = None
    calls: int = 0
    clock: FakeClock = field(default_factory=lambda: FakeClock(1_000_000))

    def _call(self, effect: Callable[[], object] = bool) -> None:
        number, self.calls = self.calls, self.calls + 1
        killed, after = self.kill or (-1, False)
        if killed == number and not after:
            self.kill = None
            raise Killed
        effect()
        if killed == number:
            self.kill = None
            raise Killed

    @property
    def site(self) -> "World":
        return self

    def get(self, thing: str) -> str | None:
        return thing

    def look(self, _: "World") -> Sequence[Finding]:
        self._call()
        return self.found

    def read(self) -> Told:
        self._call()
        return self.kept

    def claim(self, version: int, now: float, seconds: int) -> bool:
        free = version == self.kept.version and self.claimed_until < now
        self._call(lambda: setattr(self, "claimed_until", now + seconds) if free else None)
        return free

    def has_subscriber(self) -> bool:
        self._call()
        return self.heard

    def not_subscribed(self) -> None:
        assert not self.heard

    def publish(self, subject: str, body: str) -> None:
        self._call(lambda: self.mails.append((subject, body)))

    def keep(self, known: Mapping[str, Mapping[str, Known]], version: int) -> None:
        assert version == self.kept.version
        self._call(lambda: self.__dict__.update(kept=Told(version + 1, known), claimed_until=0))

    def told(self, telling: Telling) -> None:
        assert telling

    def run(self) -> bool:
        """Whether a run came to its end."""
        teller = Teller(
            examinations=[Examination("Group", "check", self.look, (), "It means that.")],
            where=self, book=self, post=self, clock=self.clock, log=self, domain="example.com", stack="mail",
        )  # fmt: skip
        self.calls = 0
        try:
            teller.run()
        except (Killed, Unavailable):
            return False
        return True

    def hours(self, number: int) -> None:
        """Run each hour, with Lambda's two retries after one and two minutes."""
        for _ in range(number):
            for wait in (60, 120, 3420):
                done = self.run()
                self.clock.time += wait
                if done:
                    break
            self.clock.time += 3600


def test_a_quiet_hour_writes_nothing() -> None:
    world = World()
    assert world.run()
    assert (world.calls, world.mails) == (2, [])


CALLS = 6  # read, look, is someone there, claim, publish, keep


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("position", range(CALLS))
def test_killed_at_any_call_it_tells_everything_and_twice_only_what_no_one_knows(position: int, after: bool) -> None:
    world = World(found=[ONE], kill=(position, after))
    world.hours(2)
    sent_and_not_noted = (position, after) in ((4, True), (5, False))
    assert len(world.mails) == 1 + sent_and_not_noted
    world.found, world.kill = [], (position, after)
    world.hours(2)
    assert len(world.mails) == 2 * (1 + sent_and_not_noted)
    assert "RESOLVED" in world.mails[-1][1]
    world.hours(3)
    assert len(world.mails) == 2 * (1 + sent_and_not_noted)


def test_there_are_no_other_calls() -> None:
    world = World(found=[ONE])
    assert world.run()
    assert world.calls == CALLS


def test_two_runs_at_once_tell_once() -> None:
    world = World(found=[ONE])
    world.claimed_until = world.clock.now() + CLAIM
    assert not world.run()
    assert world.mails == []
    world.clock.time += CLAIM + 1
    assert world.run()
    assert len(world.mails) == 1


def test_what_no_one_hears_is_not_told() -> None:
    """A subscription waits to be confirmed, and what SNS is given until then goes to no one."""
    world = World(found=[ONE], heard=False)
    assert world.run()
    assert world.mails == []
    world.heard = True
    assert world.run()
    assert len(world.mails) == 1
