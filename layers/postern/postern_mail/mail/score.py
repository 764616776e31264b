"""The results of restrictions and lists on a message as one score, and one threshold."""

from collections.abc import Collection

from .records import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that counts against a message, in our words and those of the owner's settings, never a stranger's.

    `points` count towards the threshold; those of a `weak` finding only beside others. `is_listing`: it comes from a
    list.
    """

    text: str
    points: int = 0
    weak: bool = False
    is_listing: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """All findings about a message, and how many points quarantine it. `silent`: lists that did not count; `asked`: a
    list was asked."""

    findings: tuple[Finding, ...] = ()
    threshold: int = 1
    silent: tuple[str, ...] = ()
    asked: bool = False

    @property
    def listed(self) -> bool | None:
        """Whether a list that counts names the message, None if none was asked."""
        return any(one.is_listing for one in self.findings) if self.asked else None

    @property
    def points(self) -> int:
        """The sum: lists may have negative weights."""
        return sum(one.points for one in self.findings)

    @property
    def keeps(self) -> bool:
        """Whether the message is quarantined."""
        counts: Collection[Finding] = [one for one in self.findings if one.points > 0]
        return self.points >= self.threshold and not all(one.weak for one in counts)

    def __str__(self) -> str:
        said = "; ".join(one.text for one in self.findings) or "no"
        return f"{said}; score {self.points} of {self.threshold}" if self.findings else said
