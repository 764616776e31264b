"""A desk at which the daily test is sent: a fake behind every port, each of whose calls can be the last."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from postern_mail.daily_test import DailyTest
from postern_mail.mail.address import Address
from postern_mail.mail.daily_test import Account, Record, Stage, tag_of
from postern_mail.mail.days import A_DAY
from postern_mail.mail.dns import Answer, Answers, Question
from postern_mail.mail.message import Message
from postern_mail.mail.records import replace

from tests.builders import TAG_KEY
from tests.fakes import LEASE_SECONDS, FakeClock, FakeMailer, FakeOwnerSettings

HOST = "inbound-smtp.eu-west-1.amazonaws.com"
DOMAIN, OTHER = "example.com", "example.org"
AT_FIVE = 20_000 * A_DAY + 5 * 3600
DAY = "2024-10-04"  # of AT_FIVE


@dataclass
class FakeDailyBook:
    clock: FakeClock = field(default_factory=FakeClock)
    rows: dict[str, Record] = field(default_factory=dict)

    def records(self) -> dict[str, Record]:
        return dict(self.rows)

    def look(self, domain: str, before: Record | None, after: Record) -> bool:
        there = self.rows.get(domain)
        if (there and (there.day, int(there.at))) != (before and (before.day, int(before.at))):
            return False
        if there and after.stage is not Stage.SENDING:
            after = replace(after, arrived_at=there.arrived_at, bounce=there.bounce)
        self.rows[domain] = replace(after, at=float(int(after.at)), sent_at=float(int(after.sent_at)))
        return True

    def ended(self, domain: str, tag: str, stage: Stage, why: str = "") -> None:
        there = self.rows.get(domain)
        if there and there.tag == tag and there.stage is Stage.SENDING:
            at = 0.0 if stage is Stage.SENDING else there.at
            self.rows[domain] = replace(there, stage=stage, why=why, at=at)

    def arrived(self, domain: str, tag: str) -> None:
        there = self.rows.get(domain)
        if there and there.tag == tag and not there.arrived_at:
            self.rows[domain] = replace(there, arrived_at=float(int(self.clock.now())))

    def bounced(self, tag: str, why: str) -> str:
        for domain, there in self.rows.items():
            if there.tag == tag:
                self.rows[domain] = replace(there, bounce=why)
                return domain
        return ""


@dataclass
class FakeArrivals:
    book: FakeDailyBook

    def note(self, recipient: Address, message: Message) -> bool:
        if tag := tag_of(message, recipient.domain, TAG_KEY):
            self.book.arrived(recipient.domain, tag)
        return bool(tag)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Desk:
    """One stack of two domains at 5 in the morning, where all is well. `last` numbers the call at which the process is
    killed, before it takes effect or after."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(AT_FIVE))
    settings: dict[str, Any] = field(default_factory=dict)
    account: Account = field(default_factory=lambda: Account(True, True, {DOMAIN, OTHER}))
    answers: dict[str, Answer | None] = field(default_factory=lambda: dict.fromkeys((DOMAIN, OTHER), Answer((HOST,))))
    mailer: FakeMailer = field(default_factory=FakeMailer)
    asked: list[str] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    domains: tuple[str, ...] = (DOMAIN,)
    last: int | None = None
    after: bool = False
    calls: int = 0

    def __post_init__(self) -> None:
        self.book = FakeDailyBook(self.clock)

    def run(self) -> None:
        DailyTest(
            domains=self.domains, host=HOST, settings=_Mortal(self, FakeOwnerSettings(self.settings)),
            account=self._mortal(lambda: self.account), resolver=_Mortal(self, self), book=_Mortal(self, self.book),
            mailer=_Mortal(self, self.mailer), clock=self.clock, log=self, tag_key=TAG_KEY, lease=LEASE_SECONDS,
        ).run()  # fmt: skip

    def ask(self, questions: Collection[Question], seconds: float) -> Answers:
        del seconds
        self.asked += [one.name for one in questions]
        found: Mapping[Question, Answer | None] = {one: self.answers[one.name] for one in questions}
        return {one: answer for one, answer in found.items() if answer is not None}

    def daily_test(self, domain: str, what: str, why: str) -> None:
        del why
        self.lines.append((domain, str(what)))

    def tomorrow(self, days: int = 1) -> None:
        self.clock.time += days * A_DAY

    @property
    def record(self) -> Record:
        return self.book.rows[DOMAIN]

    def _mortal(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def made(*args: Any, **options: Any) -> Any:
            number, self.calls = self.calls, self.calls + 1
            if number == self.last and not self.after:
                raise Killed
            found = call(*args, **options)
            if number == self.last:
                raise Killed
            return found

        return made


class _Mortal:
    """A port whose calls are counted, and one of which is the last."""

    def __init__(self, desk: Desk, port: Any) -> None:
        self._desk, self._port = desk, port

    def __getattr__(self, name: str) -> Any:
        return self._desk._mortal(getattr(self._port, name))
