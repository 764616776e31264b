"""Print lines safely on a terminal, even with strangers' text in them."""

from collections.abc import Callable, Sequence

import typer
from postern_mail.mail.visible import visible


def printer() -> Callable[[str, str | None], None]:
    """A function that prints a line in a style: coloured on a terminal, unless NO_COLOR is set, else plain and fast."""
    from rich.console import Console  # noqa: PLC0415 (it takes its time, and the help needs none)

    console = Console(soft_wrap=True, highlight=False, markup=False)

    def styled(line: str, style: str | None) -> None:
        console.print(visible(line), style=style)

    def plain(line: str, _: str | None) -> None:
        typer.echo(visible(line))

    return styled if console.is_terminal else plain


def parts_printer() -> tuple[Callable[[Sequence[tuple[str, str]]], None], int]:
    """A function that prints a line of parts, each in a style, as `printer` does; and the width of a line."""
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(soft_wrap=True, highlight=False, markup=False)

    def styled(parts: Sequence[tuple[str, str]]) -> None:
        console.print(Text.assemble(*((visible(text), style) for text, style in parts)))

    def plain(parts: Sequence[tuple[str, str]]) -> None:
        typer.echo("".join(visible(text) for text, _ in parts).rstrip())

    return (styled if console.is_terminal else plain), console.width
