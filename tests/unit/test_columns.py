"""Columns of a terminal of a width; nothing is cut where there is no terminal."""

import pytest
from postern_command.log import COLUMNS
from postern_command.output.columns import Columns, widths
from rich.cells import cell_len

CELLS = [
    "26 Nov 16:40",
    "xyx2y8yq",
    "quarantined",
    "information@example.com",
    "somebody@a-long-domain.example",
    "why " * 9,
]


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_a_line_is_never_longer_than_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    columns = Columns(COLUMNS)
    assert (
        max(map(cell_len, (columns.line(CELLS), columns.line(["\u4e16" * 30] * 6), columns.below("why " * 90))))
        <= width
    )
    assert columns.line(CELLS).startswith("26 Nov 16:40  xyx2y8yq  ")
    assert columns.narrow == (width < 120)


def test_where_there_is_no_terminal_nothing_is_cut() -> None:
    assert Columns(COLUMNS).line(CELLS) == "  ".join(CELLS).rstrip()


def test_all_of_the_line_is_used() -> None:
    assert sum(widths(COLUMNS, 120)) + 2 * 5 in range(117, 121)
    assert widths(COLUMNS, 80)[-1] == 0
