"""A stack on fakes in simulated time: mail comes in, Lambda and the retry queue try again, mailboxes answer."""

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from postern_mail.answer_senders import Answering
from postern_mail.errors import PosternError
from postern_mail.feedback import Listener
from postern_mail.intake import pause
from postern_mail.mail.address import Address
from postern_mail.mail.message import Halves
from postern_mail.mail.rows import Row

from tests.builders import bounce, event, feedback, stored
from tests.daily_fakes import FakeDailyBook
from tests.fakes import (
    FakeAnswerer,
    FakeAnswerLimits,
    FakeFeedbackLedger,
    FakeFeedbackLog,
    FakeHealth,
    FakeMailer,
    FakeOwnerSettings,
    FakeRates,
    FakeTeller,
)
from tests.forwarding_world import RAW, World

LAMBDAS_RETRIES = (60, 120)  # seconds
SECOND = 1


@dataclass
class Post(FakeMailer):
    """Tells the stack what it took."""

    taken: Callable[[str, Address], None] = field(default=lambda message_id, destination: None)

    def send(self, raw: bytes | Halves, alias: Address, destination: Address, message_id: str) -> str:
        found = super().send(raw, alias, destination, message_id)
        self.taken(message_id, destination)
        return found


class Stack:
    """`exists` says which destinations are mailboxes; what SES says of a sending comes `delay` seconds later."""

    def __init__(self, aliases: dict[str, Any], exists: Callable[[str], bool], delay: float = 10) -> None:
        self.world = World(mailer=Post(taken=self._taken))
        self.clock = self.world.clock
        self.start = self.clock.time
        self.world.tables.aliases = aliases
        self.world.rates = FakeRates(clock=self.clock)
        self.health = FakeHealth(self.clock)
        self.world.tables.destinations = cast("dict[str, Row]", self.health.rows)
        self.exists, self.delay = exists, delay
        self.hard_bounces: list[str] = []
        self.arrived: dict[str, float] = {}
        self.given_up: list[str] = []
        self.log = FakeFeedbackLog()
        self._feedback = FakeFeedbackLedger(rates=self.world.rates)
        self._numbers: Iterator[int] = itertools.count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []

    def mail(self, recipient: str, *, after: float = 0, source: str = "betsy@sender.example", raw: bytes = RAW) -> str:
        """A message comes in so many seconds after the start; its id."""
        message_id = f"m{next(self._numbers)}"
        self.world.store.messages[message_id] = stored(raw, source=source, message_id=message_id)
        made = event(recipient, source=source, message_id=message_id, spfVerdict={"status": "PASS"})
        self._at(self.start + after, lambda: self._try(made, 0))
        return message_id

    def run(self, seconds: float) -> None:
        """Let so much time go by from the start."""
        while self._agenda and self._agenda[0][0] <= self.start + seconds:
            self.clock.time, _, do = heapq.heappop(self._agenda)
            do()

    def _at(self, moment: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._numbers), do))

    def _try(self, made: dict[str, Any], attempt: int) -> None:
        try:
            self.world.handle(made)
        except PosternError:
            late = attempt - len(LAMBDAS_RETRIES)
            wait = LAMBDAS_RETRIES[attempt] if late < 0 else pause(late + 1)
            if late < 44:
                self._at(self.clock.time + wait, lambda: self._try(made, attempt + 1))
            else:
                self.given_up.append(str(made))

    def _taken(self, message_id: str, destination: Address) -> None:
        self._feedback.entries[message_id, destination.key] = {}
        self._at(self.clock.time + self.delay, lambda: self._answered(message_id, destination))

    def _answered(self, message_id: str, destination: Address) -> None:
        about: dict[str, Any] = {"destination": str(destination), "message_id": message_id}
        if self.exists(destination.key):
            self.arrived.setdefault(message_id, self.clock.time - self.start)
            said = feedback("Delivery", **about)
        else:
            self.hard_bounces.append(destination.key)
            said = bounce(status="5.1.1", diagnostic="smtp; 550 5.1.1 user unknown", **about)
        said["detail"]["delivery" if "delivery" in said["detail"] else "bounce"]["timestamp"] = _iso(self.clock.time)
        Listener(
            settings=FakeOwnerSettings(), domains=["example.com"], ledger=self._feedback, health=self.health, headers=self.world.store,
            answering=Answering(ledger=self.world.ledger, answerer=FakeAnswerer(), limits=FakeAnswerLimits(), clock=self.clock, log=self.log, settings=FakeOwnerSettings()),
            tests=FakeDailyBook(), user_of=str, returned=FakeTeller(), log=self.log,
        ).handle(said)  # fmt: skip


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
