"""The five kinds of outcome in charts, from forwarded to lost."""

from collections.abc import Mapping
from dataclasses import dataclass

from postern_mail.mail.outcomes import State
from postern_mail.mail.summaries import LOST

from ..figures import ALL, Line


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its outcomes, and its look: characters and style in a terminal, colour in a picture."""

    name: str
    outcomes: tuple[str, ...]
    block: str
    ascii: str
    style: str
    fill: str


KINDS = (
    Kind("forwarded", (State.FORWARDED, State.MERGED, ALL), "\u2588", "#", "green", "#2e7d32"),
    Kind("rejected", (State.REJECTED, State.DISCARDED), "\u2591", "-", "bright_black", "#8a8f98"),
    Kind("quarantined", (State.QUARANTINED,), "\u2592", "=", "yellow", "#b26a00"),
    Kind("waiting", (State.DEFERRED, State.PENDING), "\u2593", "~", "cyan", "#00838f"),
    Kind("lost", (LOST, State.FAILED, State.AMBIGUOUS), "!", "!", "red", "#c62828"),
)
_OF: Mapping[str, str] = {outcome: kind.name for kind in KINDS for outcome in kind.outcomes}


def amounts(line: Line) -> dict[str, int]:
    """The count of each kind, including zeros; an unknown outcome counts as lost."""
    found = dict.fromkeys((kind.name for kind in KINDS), 0)
    for outcome, number in line.counts.items():
        found[_OF.get(outcome, "lost")] += number
    return found
