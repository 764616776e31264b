"""The shell with a fake behind every port: what its tests begin with."""

from dataclasses import dataclass, field
from typing import Any

from postern_mail.answer_senders import Answering
from postern_mail.deliver import Deliverer
from postern_mail.forward import Forwarder
from postern_mail.mail.plan import Policy
from postern_mail.mail.rewrite import Style

from tests.builders import MESSAGE_ID, stored
from tests.fakes import (
    FakeAnswerer,
    FakeClock,
    FakeLedger,
    FakeMailer,
    FakeMailLog,
    FakeMailStore,
    FakeRates,
    FakeTables,
)

RAW = b"From: Betsy <betsy@sender.example>\r\nSubject: hi\r\n\r\nbody"
JANE, JOE = "jane@dest.example", "joe@dest.example"


@dataclass
class World:
    remaining: float = 30
    clock: FakeClock = field(default_factory=FakeClock)
    store: FakeMailStore = field(default_factory=lambda: FakeMailStore({MESSAGE_ID: stored(RAW)}))
    mailer: FakeMailer = field(default_factory=FakeMailer)
    answerer: FakeAnswerer = field(default_factory=FakeAnswerer)
    log: FakeMailLog = field(default_factory=FakeMailLog)
    tables: FakeTables = field(
        default_factory=lambda: FakeTables(
            {
                "info@example.com": {"destinations": [JANE]},
                "team@example.com": {"destinations": [JANE, JOE]},
                "bad@example.com": {"destinations": ["nonsense"]},
            },
            {("spam.example", "*"): {"action": "REJECT"}},
        )
    )

    rates: FakeRates = field(default_factory=FakeRates)
    policy: Policy = field(default_factory=lambda: Policy(frozenset({"example.com"})))

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(self.clock)

    def handle(self, made: Any, ended: str = "") -> None:
        Forwarder(
            policy=self.policy, store=self.store, tables=self.tables, ledger=self.ledger, clock=self.clock, log=self.log,
            deliverer=Deliverer(
                style=Style(), store=self.store, ledger=self.ledger, rates=self.rates, mailer=self.mailer,
                clock=self.clock, log=self.log,
            ),
            answering=Answering(ledger=self.ledger, answerer=self.answerer, clock=self.clock, log=self.log),
        ).handle(made, self.clock.now() + self.remaining, ended)  # fmt: skip

    @property
    def states(self) -> dict[str, str]:
        return self.ledger.states(MESSAGE_ID)
