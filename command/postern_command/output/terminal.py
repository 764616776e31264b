"""Lines on their way to a terminal, whoever wrote what is in them."""

from collections.abc import Callable

import typer
from rich.console import Console


def escaped(line: str) -> str:
    """One line that cannot steer a terminal: what is not printable is spelled out."""
    if line.isprintable():
        return line
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)


def printer() -> Callable[[str, str | None], None]:
    """What prints a line in a style: coloured on a terminal, unless NO_COLOR is set, else plain and fast."""
    console = Console(soft_wrap=True, highlight=False, markup=False)

    def styled(line: str, style: str | None) -> None:
        console.print(escaped(line), style=style)

    def plain(line: str, _: str | None) -> None:
        typer.echo(escaped(line))

    return styled if console.is_terminal else plain
