"""Figures as bar charts for a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass

from postern_mail.mail.visible import visible

from ..figures import Figures, Line
from .columns import in_cells
from .kinds import KINDS, amounts

_LEAST_BAR = 10  # characters
_MOST_LABEL = 40


@dataclass(frozen=True, slots=True)
class Part:
    """Text in one style."""

    text: str
    style: str = ""


def bars(found: Figures, width: int, *, plain: bool = False) -> Iterator[tuple[Part, ...]]:
    """The lines of the chart, with a legend. `plain`: in ASCII."""
    most = max((one.total for one in found.lines), default=0)
    number = len(f"{most:,}")
    longest = max((len(visible(one.label)) for one in found.lines), default=0)
    label = max(1, min(longest, _MOST_LABEL, width - number - 4 - _LEAST_BAR))
    room = max(1, width - label - number - 4)
    for one in found.lines:
        cells = f"{in_cells(visible(one.label), label)}  {one.total:>{number},}  "
        yield (Part(cells), *_bar(one, most, room, plain))
    shown = {name for one in found.lines for name, amount in amounts(one).items() if amount}
    legend = [
        Part(f" {kind.ascii if plain else kind.block} {kind.name} ", kind.style) for kind in KINDS if kind.name in shown
    ]
    if legend and found.by_outcome:
        yield (Part(""),)
        yield tuple(legend)


def _bar(line: Line, most: int, room: int, plain: bool) -> Iterator[Part]:
    """A bar in proportion to the largest; every kind gets at least one character, so that one lost message shows."""
    left = room
    found = amounts(line)
    for kind in reversed(KINDS):  # the worst is never crowded out
        found[kind.name] = min(left, -(-found[kind.name] * room // most)) if found[kind.name] else 0
        left -= found[kind.name]
    for kind in KINDS:
        if found[kind.name]:
            yield Part((kind.ascii if plain else kind.block) * found[kind.name], kind.style)
