"""Sentences that are read whole: wrapped at the width of a terminal, under what they belong to."""

from collections.abc import Callable

import typer
from postern_mail.mail.visible import visible


def paragraphs() -> Callable[[str, int, str | None], None]:
    """What prints a text so many columns from the left, in a style; one line where there is no terminal."""
    from rich.console import Console  # noqa: PLC0415 (it takes its time, and the help needs none)
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False, markup=False)

    def wrapped(text: str, indent: int, style: str | None = None) -> None:
        console.print(Padding(Text(visible(text), style or ""), (0, 0, 0, indent)))

    def plain(text: str, indent: int, _: str | None = None) -> None:
        typer.echo(f"{'':{indent}}{visible(text)}")

    return wrapped if console.is_terminal else plain
