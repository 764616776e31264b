"""What is looked at to see whether a stack is well, and what is said of it by `postern doctor` and the hourly watch.

An examination looks at one thing and yields what it saw. What it says is for people: `seen` is what is there,
`todo` what somebody should do about it. An examination that yields nothing found all well.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from itertools import islice
from typing import Generic, TypeVar

from .errors import Temporary
from .mail.records import dataclass

MOST = 100  # findings of one examination that are named


class Grade(StrEnum):
    """How well a thing is, best first."""

    OK = "ok"
    NOT_CHECKED = "not checked"  # nothing names it, or it does not concern this stack
    WARNING = "warning"  # mail goes; somebody should look when there is time
    FAILED = "failed"  # mail waits or does not come, or nobody would hear of it
    NO_ANSWER = "no answer"  # AWS or the network failed, or the right to look is missing


_ORDER = list(Grade)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was seen, and what to do about it, "" for nothing.

    `said` are the words of somebody else, a server for one. `about` names the thing from one look to the next, where
    `seen` changes meanwhile. `since` is when it began, epoch seconds, where something says so.
    """

    seen: str
    todo: str = ""
    grade: Grade = Grade.FAILED
    said: str = ""
    about: str = ""
    since: float | None = None

    @property
    def text(self) -> str:
        """What was seen, with what somebody else said of it."""
        return f"{self.seen}: {self.said}" if self.said else self.seen


Where_contra = TypeVar("Where_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Examination(Generic[Where_contra]):
    """One thing that is looked at, in a group of them; `needs` are the parts that must have a name for it. `means` is
    what a finding means to somebody who does not run mail servers."""

    group: str
    name: str
    look: Callable[[Where_contra], Iterable[Finding]]
    needs: tuple[str, ...] = ()
    means: str = ""

    def run(self, where: Where_contra, named: Callable[[str], object]) -> "Examined":
        """Look, unless a part has no name; a failure of AWS is a finding like others."""
        missing = [part for part in self.needs if named(part) is None]
        if missing:
            nothing = Finding(f"nothing names its {missing[0].replace('_', ' ')}", grade=Grade.NOT_CHECKED)
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
    """What one examination found; `cut` if there was more than is named, as its last finding says."""

    group: str
    name: str
    findings: tuple[Finding, ...] = ()
    means: str = ""
    cut: bool = False

    @property
    def grade(self) -> Grade:
        """That of its worst finding."""
        return max((one.grade for one in self.findings), key=_ORDER.index, default=Grade.OK)
