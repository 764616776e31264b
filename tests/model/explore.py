"""Everything that can happen in a small world, breadth first, each state once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

State = TypeVar("State")


@dataclass
class Explored(Generic[State]):
    """All states that were reached, how each was reached first, and those in which nothing more happens."""

    before: dict[State, tuple[str, State | None]] = field(default_factory=dict)
    ends: list[State] = field(default_factory=list)
    after: dict[State, list[State]] = field(default_factory=dict)

    def way(self, state: State) -> list[str]:
        """The steps that lead to a state, the shortest way."""
        steps: list[str] = []
        at: State | None = state
        while at is not None:
            step, at = self.before[at]
            steps.append(step)
        return steps[::-1][1:]

    def stuck(self) -> Iterator[State]:
        """States from which no end can be reached."""
        leads: dict[State, list[State]] = {}
        for state, following in self.after.items():
            for one in following:
                leads.setdefault(one, []).append(state)
        fine, waiting = set(self.ends), deque(self.ends)
        while waiting:
            for one in leads.get(waiting.popleft(), ()):
                if one not in fine:
                    fine.add(one)
                    waiting.append(one)
        return (state for state in self.before if state not in fine)


def explore(
    start: State, successors: Callable[[State], Iterable[tuple[str, State]]], most: int = 2_000_000
) -> Explored[State]:
    """Raises RuntimeError for a world with more states than `most`: a check that gave up would check nothing."""
    found = Explored[State]({start: ("start", None)})
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        following = list(successors(state))
        found.after[state] = [one for _, one in following]
        if not following:
            found.ends.append(state)
        for step, one in following:
            if one not in found.before:
                found.before[one] = (step, state)
                waiting.append(one)
        if len(found.before) > most:
            raise RuntimeError(f"more than {most} states")
    return found
