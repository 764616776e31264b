"""The shell with a fake behind every port: what its tests begin with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from postern_mail.answer_senders import Answering
from postern_mail.deliver import Deliverer
from postern_mail.forward import Forwarder
from postern_mail.late_answers import LateAnswers
from postern_mail.mail.plan import Policy
from postern_mail.mail.rewrite import Style
from postern_mail.mail.settings import KEY

from tests.builders import MESSAGE_ID, stored
from tests.fakes import (
    FakeAnswerer,
    FakeAnswerLimits,
    FakeClock,
    FakeLedger,
    FakeMailer,
    FakeMailLog,
    FakeMailStore,
    FakeOwnerSettings,
    FakeQueue,
    FakeRates,
    FakeTables,
)

if TYPE_CHECKING:  # tests/unit/test_screening_costs.py counts what a message imports
    from postern_mail.ports.daily_test import Arrivals
    from postern_mail.ports.learning import Learner
    from postern_mail.ports.uses import Uses
    from postern_mail.screening import Screening

RAW = b"From: Betsy <betsy@sender.example>\r\nSubject: hi\r\n\r\nbody"
JANE, JOE = "jane@dest.example", "joe@dest.example"


def one_after_the_other(works: Sequence[Callable[[], None]]) -> None:
    """In the place of `side_by_side`, so that what is sent has an order."""
    for work in works:
        work()


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

    limits: FakeAnswerLimits = field(default_factory=FakeAnswerLimits)
    rates: FakeRates = field(default_factory=FakeRates)
    screening: "Screening | None" = None
    arrivals: "Callable[[], Arrivals] | None" = None
    fetching: "Callable[[str, str, float], str] | None" = None
    learner: "Callable[[], Learner] | None" = None
    uses: "Callable[[], Uses] | None" = None
    queue: FakeQueue = field(default_factory=FakeQueue)
    policy: Policy = field(default_factory=lambda: Policy(frozenset({"example.com"})))

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(self.clock)

    def handle(self, made: Any, ended: str = "", attempt: str = "") -> None:
        Forwarder(
            policy=self.policy, store=self.store, tables=self.tables, ledger=self.ledger, clock=self.clock, log=self.log,
            deliverer=Deliverer(
                style=Style(), store=self.store, ledger=self.ledger, rates=self.rates, mailer=self.mailer,
                clock=self.clock, log=self.log, fetching=self.fetching, mail_days=30, at_once=one_after_the_other,
            ),
            answering=self.answering, queue=self.queue, arrivals=self.arrivals, learner=self.learner, uses=self.uses,
            screening=None if self.screening is None else self._screening,
        ).handle(made, self.clock.now() + self.remaining, ended, attempt)  # fmt: skip

    def _screening(self) -> "Screening":
        assert self.screening is not None
        return self.screening

    @property
    def answering(self) -> Answering:
        return Answering(
            ledger=self.ledger, answerer=self.answerer, limits=self.limits, clock=self.clock, log=self.log,
            settings=FakeOwnerSettings(self.tables.aliases.get(KEY)),
        )  # fmt: skip

    def watch(self) -> None:
        """What was left to the watch."""
        LateAnswers(ledger=self.ledger, answering=self.answering, clock=self.clock).run()

    @property
    def states(self) -> dict[str, str]:
        return self.ledger.states(MESSAGE_ID)
