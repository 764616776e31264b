"""Lines in columns, cut to the width of the terminal; uncut if the output is not a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from postern_mail.mail.visible import visible

_GAP = 2
_INDENT = 14
CUT = "\u2026"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of at least `least` cells, which gets `share` parts of the remaining width."""

    least: int
    share: int = 0


class Columns:
    """Lays out cells. `wide`: uncut, as always if the output is not a terminal."""

    def __init__(self, columns: Sequence[Column], *, wide: bool = False) -> None:
        from rich.console import Console  # noqa: PLC0415 (it takes its time, and the help needs none)

        console = Console()
        self.wide = wide or not console.is_terminal
        self._width = console.width
        self._widths = None if self.wide else widths(columns, console.width)

    @property
    def narrow(self) -> bool:
        """Whether the last column had no room."""
        return self._widths is not None and not self._widths[-1]

    def below(self, text: str) -> str:
        """A line of its own, indented, for text that had no room."""
        return in_cells(visible(f"{'':{_INDENT}}{text}"), self._width).rstrip()

    def line(self, cells: Sequence[str]) -> str:
        """One line; the last cell is not padded."""
        if self._widths is None:
            return (" " * _GAP).join(cells).rstrip()
        cells = list(map(visible, cells))
        fitted = [in_cells(cell, width) for cell, width in zip(cells, self._widths, strict=True) if width]
        return (" " * _GAP).join(fitted).rstrip()


def one_line(*, wide: bool = False) -> Columns:
    """A layout of one column: lines cut to the width."""
    return Columns((Column(1, 1),), wide=wide)


def widths(columns: Sequence[Column], width: int) -> list[int]:
    """The width of each column in a line of `width` cells; 0 for last columns that do not fit."""
    kept = list(columns)
    while len(kept) > 1 and sum(one.least for one in kept) + _GAP * (len(kept) - 1) > width:
        kept.pop()
    left = max(0, width - sum(one.least for one in kept) - _GAP * (len(kept) - 1))
    shares = sum(one.share for one in kept) or 1
    return [one.least + left * one.share // shares for one in kept] + [0] * (len(columns) - len(kept))


def in_cells(cell: str, width: int) -> str:
    """The text padded or cut to `width` terminal cells."""
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415

    if cell_len(cell) <= width:
        return set_cell_size(cell, width)
    return set_cell_size(cell, max(0, width - 1)) + CUT
