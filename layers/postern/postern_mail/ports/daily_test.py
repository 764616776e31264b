"""What the daily test message asks of the world."""

from collections.abc import Collection, Mapping
from typing import Protocol

from ..mail.address import Address
from ..mail.daily_test import Account, Record, Stage
from ..mail.dns import Answers, Question
from ..mail.message import Message


class DailyBook(Protocol):
    """The records of the domains' tests. All raise Temporary."""

    def records(self) -> Mapping[str, Record]:
        """All that there are, by domain."""

    def look(self, domain: str, before: Record | None, after: Record) -> bool:
        """Put what a look found, and what is kept of the last sending, in place of `before`; False if another run
        was faster. A record that is SENDING forgets what became of the sending before."""

    def ended(self, domain: str, tag: str, stage: Stage, why: str = "") -> None:
        """How the sending with this tag ended. SENDING gives it back: the next run may take it at once."""


class AccountFacts(Protocol):
    """What SES says of the account and its identities."""

    def __call__(self) -> Account:
        """As it is now. Raises Temporary."""


class Resolver(Protocol):
    """Public DNS."""

    def ask(self, questions: Collection[Question], seconds: float) -> Answers:
        """What was answered in time."""


class DailyLog(Protocol):
    """Where it is told what was done."""

    def daily_test(self, domain: str, what: str, why: str) -> None:
        """One line for each domain."""


class Arrivals(Protocol):
    """Tells the daily test from other mail to its address, and notes that it arrived."""

    def note(self, recipient: Address, message: Message) -> bool:
        """Whether this is a test of ours; that of the last sending is noted. Safe to repeat. Raises Temporary."""
