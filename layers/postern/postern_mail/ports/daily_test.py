"""What the daily test message needs from outside."""

from collections.abc import Collection, Mapping
from typing import Protocol

from ..mail.address import Address
from ..mail.daily_test import Account, Record, Stage
from ..mail.dns import Answers, Question
from ..mail.message import Message


class DailyBook(Protocol):
    """The records of the domains' tests. All raise Temporary."""

    def records(self) -> Mapping[str, Record]:
        """All records, by domain."""

    def look(self, domain: str, before: Record | None, after: Record) -> bool:
        """Replace `before` by `after`: the result of this check, with what is kept of the last sending. Returns False
        if another run was faster. A record that is SENDING forgets the result of the previous sending."""

    def ended(self, domain: str, tag: str, stage: Stage, why: str = "") -> None:
        """Record how the sending with this tag ended. SENDING gives it back: the next run may claim it at once."""


class AccountFacts(Protocol):
    """SES's state of the account and its identities."""

    def __call__(self) -> Account:
        """The current state. Raises Temporary."""


class Resolver(Protocol):
    """Public DNS."""

    def ask(self, questions: Collection[Question], seconds: float) -> Answers:
        """The answers that came within so many seconds."""


class DailyLog(Protocol):
    """Logs the daily tests."""

    def daily_test(self, domain: str, what: str, why: str) -> None:
        """Log one line for a domain."""


class Arrivals(Protocol):
    """Recognises daily tests among the mail to their address, and notes their arrival."""

    def note(self, recipient: Address, message: Message) -> bool:
        """Whether this is one of our tests; the last one sent is noted as arrived. Safe to repeat. Raises Temporary."""
