"""What keeping the rules asks of the world."""

from collections.abc import Mapping
from typing import Protocol

from ..mail.records import dataclass
from ..mail.rows import Row
from .plan import Rule, Step


@dataclass(frozen=True, slots=True)
class Overlooked:
    """The rules of the set: `ours`, and how many `others` there are."""

    ours: tuple[Rule, ...]
    others: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """The right of one invocation to write the rules.

    `asked`: how often others have asked for it so far. `behind_since`: since when the rules are
    known to lag behind the table, in epoch seconds; None if they are not. `retired`: the names of rule sets
    that our rules were removed from.
    """

    owner: str
    asked: int
    behind_since: float | None = None
    retired: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Progress:
    """One look at table and rules: calls made and calls left, and what the rules are to say.

    `whole` are the domains that are taken whole, with the reason.
    """

    done: int
    left: int
    recipients: int
    whole: Mapping[str, str]


class RuleStore(Protocol):
    """Our rules in SES's rule set."""

    def read(self) -> Overlooked:
        """The rules as they are. Raises Temporary."""

    def carry_out(self, step: Step) -> None:
        """Make one call. Raises Refused if SES does not take these recipients, else Temporary."""


class AliasTable(Protocol):
    """The alias table as a whole."""

    def rows(self) -> Mapping[str, Row]:
        """All rows by key, as they are now. Raises Temporary."""


class Lease(Protocol):
    """One writer at a time."""

    def take(self) -> Turn | None:
        """The turn, or None while another has it: that one then looks once more. Raises Temporary."""

    def renew(self, turn: Turn) -> None:
        """Hold it for longer. Raises ClaimLost if it ran out and another took it, else Temporary."""

    def retire(self, turn: Turn, rule_set: str, *, for_good: bool) -> None:
        """Remember that there are to be no rules of ours in a set any more, or that there are again. Raises
        ClaimLost, Temporary."""

    def give_back(self, turn: Turn, behind_since: float | None) -> Turn | None:
        """Let go. Where the rules are level (None) and somebody asked meanwhile it is ours again instead.

        Raises ClaimLost, Temporary.
        """


class RecipientsLog(Protocol):
    """The log and the metrics of keeping the rules."""

    def progress(self, progress: Progress) -> None:
        """What one look found and did."""

    def lag(self, seconds: float) -> None:
        """How long the rules have been, or were, behind the table; 0 if they were level."""

    def left_to_another(self) -> None:
        """Another invocation has the turn and will look once more."""

    def answered(self, said: str) -> None:
        """What CloudFormation was told."""

    def failure(self, error: Exception) -> None:
        """A failure that is about to leave the handler."""
