"""What keeping the rules needs from outside."""

from collections.abc import Mapping
from typing import Protocol

from ..mail.records import dataclass
from ..mail.rows import Row
from .plan import Rule, Step


@dataclass(frozen=True, slots=True)
class RulesInSet:
    """The rules of the set: `ours`, and the number of `others`."""

    ours: tuple[Rule, ...]
    others: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """The right of one invocation to write the rules.

    `asked`: how often others have asked for it so far. `behind_since`: since when the rules have lagged behind the
    table, in epoch seconds; None if they do not. `retired`: the names of rule sets from which our rules were removed.
    """

    owner: str
    asked: int
    behind_since: float | None = None
    retired: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Progress:
    """The result of one comparison: calls made and calls left, and what the rules should name.

    `whole` are the domains accepted whole, with the reason.
    """

    done: int
    left: int
    recipients: int
    whole: Mapping[str, str]


class RuleStore(Protocol):
    """Our rules in SES's rule set."""

    def read(self) -> RulesInSet:
        """The present rules. Raises Temporary."""

    def carry_out(self, step: Step) -> None:
        """Make one call. Raises Refused if SES does not accept these recipients, else Temporary."""


class AliasTable(Protocol):
    """The alias table as a whole."""

    def rows(self) -> Mapping[str, Row]:
        """All present rows, by key. Raises Temporary."""


class Lease(Protocol):
    """One writer at a time."""

    def take(self) -> Turn | None:
        """The turn, or None while another invocation has it, which will then compare once more. Raises Temporary."""

    def renew(self, turn: Turn) -> None:
        """Extend the lease. Raises ClaimLost if it expired and another invocation took it, else Temporary."""

    def retire(self, turn: Turn, rule_set: str, *, for_good: bool) -> None:
        """Remember that a set must not have our rules any more, or that it may again. Raises ClaimLost, Temporary."""

    def give_back(self, turn: Turn, behind_since: float | None) -> Turn | None:
        """Release the lease. If the rules match the table (None) and another invocation asked meanwhile, take it again
        and return the turn.

        Raises ClaimLost, Temporary.
        """


class RecipientsLog(Protocol):
    """The log and the metrics of keeping the rules."""

    def progress(self, progress: Progress) -> None:
        """Log the result of one comparison."""

    def lag(self, seconds: float) -> None:
        """Log how many seconds the rules have lagged, or did lag, behind the table; 0 if they did not."""

    def left_to_another(self) -> None:
        """Log that another invocation has the turn and will compare once more."""

    def answered(self, said: str) -> None:
        """Log what CloudFormation was told."""

    def failure(self, error: Exception) -> None:
        """Log a failure that is about to leave the handler."""
