"""What is examined to see whether a stack is healthy, and what `postern doctor` and the hourly watch report.

An examination looks at one thing and yields its findings, written for people: `seen` is the state, `todo` what to do
about it. An examination that yields nothing found no fault.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from itertools import islice
from typing import Generic, TypeVar

from .errors import Temporary
from .mail.records import dataclass

MOST = 100  # findings named for one examination


class Grade(StrEnum):
    """The state of a thing, best first."""

    OK = "ok"
    NOT_CHECKED = "not checked"  # it has no name in this stack, or does not concern it
    WARNING = "warning"  # mail flows; look at it when there is time
    FAILED = "failed"  # mail waits or is not received, or a failure would go unnoticed
    NO_ANSWER = "no answer"  # AWS or the network failed, or the right to look is missing


_ORDER = list(Grade)


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation, and what to do about it, "" for nothing.

    `quoted` are words from outside, such as a server's. `about` identifies the thing between two runs if `seen`
    changes. `since` is when it began, in epoch seconds, if known.
    """

    seen: str
    todo: str = ""
    grade: Grade = Grade.FAILED
    quoted: str = ""
    about: str = ""
    since: float | None = None

    @property
    def text(self) -> str:
        """What was seen, with the quoted words."""
        return f"{self.seen}: {self.quoted}" if self.quoted else self.seen


Where_contra = TypeVar("Where_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Examination(Generic[Where_contra]):
    """One thing to examine, in a group; `needs` are the parts of the stack it needs the names of. `means` explains a
    finding to people who do not run mail servers."""

    group: str
    name: str
    look: Callable[[Where_contra], Iterable[Finding]]
    needs: tuple[str, ...] = ()
    means: str = ""

    def run(self, where: Where_contra, named: Callable[[str], object]) -> "Examined":
        """Examine the thing, unless one of its parts has no name; a failure of AWS becomes a finding."""
        missing = [part for part in self.needs if named(part) is None]
        if missing:
            nothing = Finding(f"the stack names no {missing[0].replace('_', ' ')}", grade=Grade.NOT_CHECKED)
            return Examined(self.group, self.name, (nothing,), self.means)
        try:
            found = tuple(islice(self.look(where), MOST + 1))
        except Temporary as failure:
            found = (Finding(str(failure), grade=Grade.NO_ANSWER),)
        cut = len(found) > MOST
        if cut:
            found = (*found[:MOST], Finding("and more", grade=found[MOST].grade))
        return Examined(self.group, self.name, found, self.means, cut)


@dataclass(frozen=True, slots=True)
class Examined:
    """The findings of one examination; `cut` if there were more than are named, as its last finding says."""

    group: str
    name: str
    findings: tuple[Finding, ...] = ()
    means: str = ""
    cut: bool = False

    @property
    def grade(self) -> Grade:
        """The worst grade of its findings."""
        return max((one.grade for one in self.findings), key=_ORDER.index, default=Grade.OK)
